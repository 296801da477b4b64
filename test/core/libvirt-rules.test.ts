// Each rule of libvirt in the table is reported by its golden cases: as an error, or where only some versions
// have it, as a note.

import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { classOf } from '../../src/codes/codes.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import { rules } from './libvirt-rules.ts'

for (const [element, rows] of Object.entries(rules))
  t.test(element, (t) => {
    for (const { name, versions, code, golden } of rows) {
      t.equal(classOf(code), versions === 'every' ? 'invalid' : 'note', `${code}: ${name}`)
      t.ok(golden.length > 0, `${name} has a golden case`)
      for (const folder of golden) {
        const texts = ['refusal.txt', 'explain.txt']
          .map((file) => `golden/${folder}/${file}`)
          .filter((path) => existsSync(path))
          .map((path) => readFileSync(path, 'utf8'))
        t.match(texts.join(''), `[${code}]`, `${folder}: ${name}`)
      }
    }
    t.end()
  })

t.test('what is wrong with a scheduler is reported once, though its vCPUs are read twice', (t) => {
  const sched = "<cputune><vcpusched vcpus='x' scheduler='fifo' priority='1'/></cputune>"
  const domain = `<domain type='kvm'><name>db1</name><memory>1024</memory><vcpu>1</vcpu>${sched}</domain>`
  try {
    readDomain(readDocument(domain))
    t.fail('it is refused')
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    t.same(
      error.diagnostics.map(({ code }) => code),
      ['set-malformed'],
    )
  }
  t.end()
})
