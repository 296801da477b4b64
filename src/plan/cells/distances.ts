// How far apart host nodes are, and what a guest is told of it.

import type { Host } from '../../model.ts'

/** What the kernel assumes between two nodes when the firmware says nothing. @see linux REMOTE_DISTANCE */
export const REMOTE = 20
const LOCAL = 10

/** The least that a guest's kernel takes for the way to another cell; at 10 or less it throws the table away. @see linux slit_valid */
const NEAREST = 11
/** 255 is "unreachable" in ACPI, and libvirt takes nothing above 254 for a way. */
const FARTHEST = 254

type Way = (from: number, to: number) => number | undefined

/** From node to node (ids) as the host states it. */
function oneWay({ nodes }: Host): Way {
  const index = new Map(nodes.map(({ id }, position) => [id, position]))
  return (from, to) => nodes[index.get(from) ?? -1]?.distances?.[index.get(to) ?? -1]
}

/** A function of two node ids for choosing among nodes: both ways together, known or assumed, quick to call often. */
export function separation(host: Host): (a: number, b: number) => number {
  const index = new Map(host.nodes.map(({ id }, position) => [id, position]))
  const rows = host.nodes.map(({ distances }) => distances)
  const way = (a: number, b: number): number | undefined => rows[a]?.[b] ?? rows[b]?.[a]
  return (a, b) => {
    if (a === b) return 2 * LOCAL
    const [from, to] = [index.get(a) ?? -1, index.get(b) ?? -1]
    return (way(from, to) ?? REMOTE) + (way(to, from) ?? REMOTE)
  }
}

/**
 * The guest's complete matrix, in cell order, from the node of each cell; empty when the host states no distance at all.
 * Local is 10. Two cells on one node are as near as two cells can be.
 */
export function guestDistances(host: Host, nodeOfCell: readonly number[]): number[][] {
  if (!host.nodes.some(({ distances }) => distances !== undefined)) return nodeOfCell.map(() => [])
  const way = guestWays(host)
  return nodeOfCell.map((from, row) =>
    nodeOfCell.map((to, column) => (row === column ? LOCAL : way(from, to))),
  )
}

/**
 * The way between two cells on these nodes as a guest may be told; the mirrored way where only that is
 * stated.
 */
export function guestWays(host: Host): (from: number, to: number) => number {
  const way = oneWay(host)
  return (from, to) => {
    const stated = from === to ? NEAREST : (way(from, to) ?? way(to, from) ?? REMOTE)
    return Math.min(FARTHEST, Math.max(NEAREST, stated))
  }
}

/**
 * KubeVirt's: the host's rows as they are, cell for cell. A node without a row gives none. KubeVirt never has two cells on one
 * node; libvirt refuses the local distance between them.
 */
export function hostDistances(host: Host, nodeOfCell: readonly number[]): number[][] {
  const way = oneWay(host)
  return nodeOfCell.map((from, cell) => {
    const row = nodeOfCell.map((to, other) => (from === to && cell !== other ? NEAREST : way(from, to)))
    return row.includes(undefined) ? [] : (row as number[])
  })
}
