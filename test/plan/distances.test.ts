// How far apart nodes are, and what a guest sees of it.

import t from 'tap'
import type { Host } from '../../src/model/host.ts'
import { cellDistance, guestDistances, hostDistances, nodeDistance } from '../../src/plan/cells/distances.ts'
import { cpus, guest } from './fixtures.ts'

/** Nodes 0, 4 and 9 with these rows. */
function hostWith(...rows: readonly (readonly number[] | undefined)[]): Host {
  const ids = [0, 4, 9]
  const nodes = rows.map((distances, index) => ({
    id: ids[index] as number,
    cpus: cpus(`${index}`),
    pages: [],
    ...(distances && { distances }),
  }))
  return { nodes, siblings: [] }
}

t.test('between two nodes', (t) => {
  const table: readonly (readonly [string, Host, number, number])[] = [
    ['stated', hostWith([10, 21], [21, 10]), 42, 21],
    ['stated otherwise in each direction', hostWith([10, 21], [31, 10]), 52, 21],
    ['only in one direction: the mirror', hostWith([10, 42], undefined), 84, 42],
    ['only in the other one', hostWith(undefined, [42, 10]), 84, 42],
    ['no distances: 20', hostWith(undefined, undefined), 40, 20],
    ['as near as a node to itself: 11 for a guest', hostWith([10, 10], [10, 10]), 20, 11],
    ['unreachable: 254 for a guest', hostWith([10, 255], [255, 10]), 510, 254],
  ]
  for (const [what, host, both, seen] of table) {
    t.equal(nodeDistance(host)(0, 4), both, `${what}: both directions`)
    t.equal(cellDistance(host)(0, 4), seen, `${what}: in a guest`)
  }
  t.end()
})

t.test('the matrix of a guest', (t) => {
  const host = hostWith([10, 16, 22], undefined, [22, 16, 10])
  t.same(
    guestDistances(host, [0, 4, 9]),
    [
      [10, 16, 22],
      [16, 10, 16],
      [22, 16, 10],
    ],
    'completed',
  )
  t.same(
    guestDistances(host, [4, 4]),
    [
      [10, 11],
      [11, 10],
    ],
    'two cells on one node',
  )
  t.same(guestDistances(hostWith(undefined, undefined), [0, 4]), [[], []], 'a host that states none')
  t.same(hostDistances(host, [0, 4, 9]), [[10, 16, 22], [], [22, 16, 10]], "KubeVirt's: as stated")
  t.end()
})

t.test('the distances that a guest states', (t) => {
  const rowsOf = (...cells: readonly string[]): (readonly number[])[] => {
    const written = cells.map((siblings, id) => {
      const distances = siblings === '' ? '' : `<distances>${siblings}</distances>`
      return `<cell id='${id}' cpus='${id}' memory='1024'>${distances}</cell>`
    })
    return guest(cells.length, `<cpu><numa>${written.join('')}</numa></cpu>`).cells.map(
      ({ distances }) => distances,
    )
  }
  const to = (id: number, value: number): string => `<sibling id='${id}' value='${value}'/>`
  t.same(rowsOf('', ''), [[], []], 'none')
  t.same(
    rowsOf(to(1, 42), ''),
    [
      [10, 42],
      [42, 10],
    ],
    'one: the mirror',
  )
  t.same(
    rowsOf(to(1, 42), to(0, 31)),
    [
      [10, 42],
      [31, 10],
    ],
    'each direction its own',
  )
  t.same(rowsOf(to(1, 42), '', ''), [[10, 42, 20], [42, 10, 20], []], 'some: 20 for the others')
  t.end()
})
