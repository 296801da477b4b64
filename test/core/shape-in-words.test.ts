// Hosts in words: what they describe, and what is not understood.

import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { formatSet } from '../../src/base/idset.ts'
import { byFlags } from '../../src/explain/asks.ts'
import { messageOf } from '../../src/explain/message.ts'
import { hostOfShape, isShape } from '../../src/host/capture/shape.ts'

t.test('what they describe', (t) => {
  const { nodes, siblings } = hostOfShape('2n4c2t,64G,1G:32,2M:512')
  t.same(
    nodes.map(({ cpus }) => formatSet(cpus)),
    ['0-3,8-11', '4-7,12-15'],
  )
  t.same(siblings.map(formatSet), ['0,8', '1,9', '2,10', '3,11', '4,12', '5,13', '6,14', '7,15'])
  t.same(
    nodes.map(({ distances }) => distances),
    [
      [10, 21],
      [21, 10],
    ],
  )
  t.same(
    nodes.map(({ pages }) => pages),
    [0, 1].map(() => [
      { pagesizeKiB: 2048, total: 512, free: 512 },
      { pagesizeKiB: 1048576, total: 32, free: 32 },
    ]),
    'pages of each node, by size',
  )
  const freeKiB = (64 - 33) * 1024 * 1024
  t.same(nodes[0]?.memoryKiB, 64 * 1024 * 1024)
  t.same([nodes[1]?.freeKiB, nodes[1]?.availableKiB], [freeKiB, freeKiB], 'pages are memory of their node')
  t.end()
})

t.test('what may be left out', (t) => {
  const { nodes, siblings } = hostOfShape('3n2c')
  t.same(
    nodes.map(({ cpus }) => formatSet(cpus)),
    ['0-1', '2-3', '4-5'],
  )
  t.same(siblings.map(formatSet), ['0', '1', '2', '3', '4', '5'], 'one thread')
  t.equal(nodes[0]?.memoryKiB, undefined, 'unknown, not 0')
  t.same(hostOfShape('2N4C, 64 GiB'), hostOfShape('2n4c,64G'), 'in any letters')
  t.end()
})

t.test('what is not understood', (t) => {
  const of = (text: string): string => {
    try {
      return `a host of ${hostOfShape(text).nodes.length}`
    } catch (error) {
      if (!(error instanceof Refusal) || error.diagnostics[0] === undefined) throw error
      return messageOf(error.diagnostics[0], byFlags).what.replace(/^.*? does not describe a host: /, '')
    }
  }
  const cases: readonly [shape: string, says: string][] = [
    ['2n', 'it starts with "2n"'],
    ['0n4c', 'it starts with "0n4c"'],
    ['2n4c0t', 'it starts with "2n4c0t"'],
    ['1025n1c', 'it has 1025 nodes, and at most 1024 can be described'],
    ['1000n99c', 'it has 99000 CPUs, and at most 65536 can be described'],
    ['2n4c,64', '"64" is neither a size nor a page size with a number of pages'],
    ['2n4c,', '"" is neither a size nor a page size with a number of pages'],
    ['2n4c,1G:x', '"1G:x" is neither a size nor a page size with a number of pages'],
    ['2n4c,9999999999999T', '"9999999999999T" is neither a size nor a page size with a number of pages'],
    ['2n4c,64G,32G', '"32G" states a second time what each node has'],
    ['2n4c,64G,2M:1,2048KiB:1', '"2048KiB:1" states a second time what each node has'],
    ['2n4c,64G,3M:1', '"3M:1" has a page size that is not a power of two'],
    ['2n4c,1G:1', 'it has huge pages, but no memory'],
    ['2n4c,64G,1G:65', 'each node has 65 GiB in huge pages, but only 64 GiB of memory'],
  ]
  for (const [shape, says] of cases) t.equal(of(shape), says, shape)
  t.end()
})

t.test('which names are shapes', (t) => {
  for (const name of ['2n4c', '2N4c2t,64G']) t.ok(isShape(name), name)
  for (const name of ['2n4c.json', './2n4c', 'node2', 'hosts/2n4c', '-']) t.notOk(isShape(name), name)
  t.end()
})
