// Which cells the guest cores go to that are plugged in later.

import fc from 'fast-check'
import t from 'tap'
import { range } from '../../src/base/idset.ts'
import { sum } from '../../src/base/lists.ts'
import { plugOrder } from '../../src/plan/cells/plug-order.ts'

t.test('by the request', (t) => {
  const present = [1, 1]
  t.same(plugOrder.keep({ present, shares: [3, 3] }), [0, 1, 0, 1, 0, 1])
  t.same(plugOrder.align({ present, shares: [3, 3] }), [0, 0, 0, 1, 1, 1])
  t.same(plugOrder.keep({ present: [3, 1], shares: [1, 3] }), [1, 1, 0, 1], 'the smaller cell catches up')
  t.same(plugOrder.keep({ present: [2, 2], shares: [0, 0] }), [])
  t.end()
})

t.test('whole sockets', (t) => {
  const topology = { sockets: 4, dies: 1, clusters: 1, cores: 4, threads: 1 }
  const [a, b] = [range(4).map(() => 0), range(4).map(() => 1)]
  t.same(plugOrder.keep({ present: [4, 4], shares: [4, 4], topology }), [...a, ...b])
  t.same(plugOrder.keep({ present: [2, 2], shares: [2, 2], topology }), [0, 1, 0, 1], 'where cells have them')
  t.end()
})

/** Cores of the largest cell less those of the smallest. */
const gap = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts)

t.test('any number that is plugged in is balanced', (t) => {
  const cells = fc.array(fc.tuple(fc.nat(6), fc.nat(6)), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(cells, (cells) => {
      const present = cells.map(([cores]) => cores)
      const shares = cells.map(([, share]) => share)
      const order = plugOrder.keep({ present, shares })
      const now = [...present]
      for (const cell of order) {
        const open = range(now.length).filter(
          (each) => (shares[each] ?? 0) + (present[each] ?? 0) > (now[each] ?? 0),
        )
        const fewest = Math.min(...open.map((each) => now[each] as number))
        if (now[cell] !== fewest) return false
        now[cell] = (now[cell] as number) + 1
      }
      return (
        order.length === sum(shares) &&
        now.every((count, cell) => count === (present[cell] ?? 0) + (shares[cell] ?? 0))
      )
    }),
  )
  for (const plugged of range(7)) {
    const now = [1, 1, 1]
    for (const cell of plugOrder.keep({ present: now, shares: [2, 2, 2] }).slice(0, plugged))
      now[cell] = (now[cell] as number) + 1
    t.ok(gap(now) <= 1, `${plugged} plugged in: ${now}`)
  }
  t.end()
})
