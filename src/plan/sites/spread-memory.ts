// The memory of cells that may span several nodes, while cells take their nodes one after the other.

import type { NodeSupply } from '../backing/supply.ts'

/** Nodes are indices of the available nodes; all of it is KiB. */
export interface SpreadMemory {
  /** What a cell lacks on these nodes together. */
  readonly lackKiB: (cell: number, nodes: readonly number[]) => number
  /** What one more node would give of what a cell lacks on these. */
  readonly givenTo: (cell: number, nodes: readonly number[]) => (node: number) => number
  /** A cell takes its memory of these nodes. */
  readonly take: (cell: number, nodes: readonly number[]) => void
}

/** A cell's memory, and the pages that it is of. */
export interface SpreadNeed {
  readonly memoryKiB: number
  readonly pagesizeKiB: number
}

/**
 * @param needs by cell
 * @param supply by page size; a size that is absent is not counted
 * @param backingOf the index in `Host.nodes` of the node that backs a cell on an available node
 */
export function spreadMemory(
  needs: readonly SpreadNeed[],
  supply: ReadonlyMap<number, NodeSupply>,
  backingOf: (cell: number, node: number) => number,
): SpreadMemory {
  const leftOf = new Map([...supply].map(([size, { nodesKiB }]) => [size, [...nodesKiB]]))
  const needOf = (cell: number): SpreadNeed => needs[cell] as SpreadNeed
  /** The nodes that back the cell on these, each once. */
  const behind = (cell: number, nodes: readonly number[]): Set<number> =>
    new Set(nodes.map((node) => backingOf(cell, node)))
  const leftAt = (cell: number, node: number): number =>
    Math.max(0, leftOf.get(needOf(cell).pagesizeKiB)?.[node] ?? Number.POSITIVE_INFINITY)
  const lackKiB = (cell: number, nodes: readonly number[]): number => {
    const { memoryKiB, pagesizeKiB } = needOf(cell)
    const { makeableKiB = [], extraKiB = 0 } = supply.get(pagesizeKiB) ?? {}
    let [free, makeable] = [0, 0]
    for (const node of behind(cell, nodes)) {
      free += leftAt(cell, node)
      makeable += makeableKiB[node] ?? 0
    }
    return Math.max(0, memoryKiB - free - Math.min(makeable, extraKiB))
  }
  return {
    lackKiB,
    givenTo: (cell, nodes) => {
      const lack = lackKiB(cell, nodes)
      const used = behind(cell, nodes)
      return (node) => {
        const backing = backingOf(cell, node)
        return used.has(backing) ? 0 : Math.min(lack, leftAt(cell, backing))
      }
    },
    take: (cell, nodes) => {
      const left = leftOf.get(needOf(cell).pagesizeKiB)
      let open = needOf(cell).memoryKiB
      for (const node of left === undefined ? [] : behind(cell, nodes)) {
        const taken = Math.min(open, leftAt(cell, node))
        if (left !== undefined) left[node] = (left[node] as number) - taken
        open -= taken
      }
    },
  }
}
