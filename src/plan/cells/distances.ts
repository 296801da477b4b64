// How far apart host nodes are, and the distances that a guest sees.

import type { Host } from '../../model/host.ts'

/** What the kernel assumes between two nodes when the firmware says nothing. @see linux REMOTE_DISTANCE */
export const REMOTE = 20
/** A node to itself. @see linux LOCAL_DISTANCE */
export const LOCAL = 10

/**
 * The least that a guest's kernel accepts as distance to another cell; at 10 or less it drops the whole
 * table.
 * @see linux slit_valid
 */
const NEAREST = 11
/** 255 is "unreachable" in ACPI, and libvirt accepts nothing above 254 as a distance. */
export const FARTHEST = 254

/** From one node to another (ids) as the host states it; undefined where it does not. */
function statedDistance({ nodes }: Host): (from: number, to: number) => number | undefined {
  const index = new Map(nodes.map(({ id }, position) => [id, position]))
  return (from, to) => nodes[index.get(from) ?? -1]?.distances?.[index.get(to) ?? -1]
}

/**
 * A function of two node ids for choosing among nodes: the distances in both directions together, stated or
 * assumed. It is called often, so it looks nothing up by search.
 */
export function nodeDistance(host: Host): (a: number, b: number) => number {
  const index = new Map(host.nodes.map(({ id }, position) => [id, position]))
  const rows = host.nodes.map(({ distances }) => distances)
  const stated = (a: number, b: number): number | undefined => rows[a]?.[b] ?? rows[b]?.[a]
  return (a, b) => {
    if (a === b) return 2 * LOCAL
    const [from, to] = [index.get(a) ?? -1, index.get(b) ?? -1]
    return (stated(from, to) ?? REMOTE) + (stated(to, from) ?? REMOTE)
  }
}

/**
 * The guest's complete matrix, in cell order, from the node of each cell; empty when the host states no
 * distance at all. Local is 10. Two cells on one node are as near as two cells can be.
 */
export function guestDistances(host: Host, nodeOfCell: readonly number[]): number[][] {
  if (!host.nodes.some(({ distances }) => distances !== undefined)) return nodeOfCell.map(() => [])
  const distance = cellDistance(host)
  return nodeOfCell.map((from, row) =>
    nodeOfCell.map((to, column) => (row === column ? LOCAL : distance(from, to))),
  )
}

/**
 * The distance that a guest may see between two cells on these nodes; the mirrored one where only that is
 * stated.
 */
export function cellDistance(host: Host): (from: number, to: number) => number {
  const stated = statedDistance(host)
  return (from, to) => {
    const distance = from === to ? NEAREST : (stated(from, to) ?? stated(to, from) ?? REMOTE)
    return Math.min(FARTHEST, Math.max(NEAREST, distance))
  }
}

/**
 * KubeVirt's: the host's rows as they are, cell for cell. A node without a row gives none. KubeVirt never has
 * two cells on one node; libvirt refuses the local distance between them.
 */
export function hostDistances(host: Host, nodeOfCell: readonly number[]): number[][] {
  const stated = statedDistance(host)
  return nodeOfCell.map((from, cell) => {
    const row = nodeOfCell.map((to, other) => (from === to && cell !== other ? NEAREST : stated(from, to)))
    return row.includes(undefined) ? [] : (row as number[])
  })
}
