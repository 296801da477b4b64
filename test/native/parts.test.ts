// The parts that native programs have instead of a package or of Node: they answer alike.

import { basename, dirname, join, relative, resolve } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import * as paths from '../../src/machine/native/node/path.ts'
import { writeElement as byXmlbuilder } from '../../src/xml/build.ts'
import type { NewElement } from '../../src/xml/insert.ts'
import { writeElement } from '../../src/xml/print.ts'

const name = fc.stringMatching(/^[a-z][a-z:]{0,8}[a-z]$/).filter((each) => !each.includes(':'))
const value = fc.stringMatching(/^[A-Za-z0-9,.^ -]{0,12}$/)

const { element } = fc.letrec<{ element: NewElement }>((tie) => ({
  element: fc.record(
    {
      name,
      attributes: fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 4 }),
      children: fc.array(tie('element'), { maxLength: 4 }),
    },
    { requiredKeys: ['name', 'attributes'] },
  ),
}))

const layout = fc
  .record({
    newline: fc.constantFrom('\n', '\r\n', ''),
    indent: fc.constantFrom('', '  ', '\t', '      '),
    unit: fc.constantFrom('  ', '\t', '    ', ''),
    quote: fc.constantFrom('"' as const, "'" as const),
  })
  // As in xml/layout.ts: where neighbours are on one line, there is no indent.
  .map((each) => (each.newline === '' ? { ...each, indent: '', unit: '' } : each))

t.test('new elements are printed as xmlbuilder2 prints them', (t) => {
  fc.assert(
    fc.property(element, layout, (each, style) => {
      return writeElement(each, style) === byXmlbuilder(each, style)
    }),
    { numRuns: 1000 },
  )
  t.end()
})

t.test('paths are taken apart and joined as by Node', (t) => {
  const part = fc.array(fc.constantFrom('a', 'b.c', '.', '..', '/', '//', '/..', 'é'), { maxLength: 6 })
  const path = part.map((all) => all.join(''))
  fc.assert(
    fc.property(path, path, (one, other) => {
      const [from, to] = [`/${one}`, `/${other}`]
      return (
        paths.join(one, other) === join(one, other) &&
        paths.resolve(from, other) === resolve(from, other) &&
        paths.dirname(one) === dirname(one) &&
        paths.basename(one) === basename(one) &&
        paths.relative(from, to) === relative(from, to)
      )
    }),
    { numRuns: 3000 },
  )
  t.end()
})
