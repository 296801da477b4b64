// Memory of one kind (huge pages of one size, or ordinary memory) while cells take it and give it back.

import { sum } from '../../base/lists.ts'
import type { NodeSupply } from '../backing/supply.ts'

/** All of it is KiB, per node in the order of `Host.nodes`. */
export interface SizePool {
  /** Whether a cell may take memory of every node that the guest uses. */
  readonly overflows: boolean
  /** What each node has left; less than 0 where more is asked than there is. */
  readonly freeKiB: Float64Array
  /** What of it is there now; where cells overflow, all of it. */
  readonly nowKiB: Float64Array
  /** A cell takes memory of a node, or gives it back (`sign` -1, and less than 0 KiB). */
  readonly count: (node: number, kib: number, sign: 1 | -1) => void
  /** What is missing when so much more is asked beyond what nodes have. */
  readonly missingKiB: (moreKiB: number) => number
  /** What nodes have, but not now; where cells overflow, what they take of other nodes. */
  readonly lackingKiB: () => number
  /**
   * What is missing, and what is lacking, at least once cells are placed that ask for `askedKiB` more, of
   * which each alone lacks so much that it comes to `aloneKiB`.
   */
  readonly leastMissingKiB: (askedKiB: number, aloneKiB: number) => number
  readonly leastLackingKiB: (askedKiB: number, aloneKiB: number) => number
}

/**
 * Of a cell that is bound, what its node lacks beyond surplus pages is missing. Cells that overflow
 * (mode=preferred) take memory of all nodes in use, so only what these lack together is missing.
 */
export function emptyPool(supply: NodeSupply, overflows: boolean): SizePool {
  return overflows ? sharedPool(supply) : boundPool(supply)
}

function boundPool({ nodesKiB, makeableKiB, extraKiB, availableKiB }: NodeSupply): SizePool {
  const freeKiB = Float64Array.from(nodesKiB)
  const nowKiB = Float64Array.from(availableKiB)
  /** Beyond what is free: what surplus pages may make up for, and what they cannot. */
  let makeable = 0
  let never = 0
  let lacking = 0
  const overs = (node: number): readonly [number, number] => {
    const over = Math.max(0, -(freeKiB[node] as number))
    const most = makeableKiB[node] as number
    return [Math.min(over, most), Math.max(0, over - most)]
  }
  const missingKiB = (moreKiB: number): number => never + Math.max(0, makeable + moreKiB - extraKiB)
  return {
    overflows: false,
    freeKiB,
    nowKiB,
    count: (node, kib) => {
      const [makeableBefore, neverBefore] = overs(node)
      freeKiB[node] = (freeKiB[node] as number) - kib
      const [makeableAfter, neverAfter] = overs(node)
      makeable += makeableAfter - makeableBefore
      never += neverAfter - neverBefore
      const now = nowKiB[node] as number
      nowKiB[node] = now - kib
      lacking += Math.max(0, kib - now) - Math.max(0, -now)
    },
    missingKiB,
    lackingKiB: () => lacking,
    leastMissingKiB: (askedKiB, aloneKiB) => missingKiB(Math.max(aloneKiB, askedKiB - leftOf(freeKiB))),
    leastLackingKiB: (askedKiB, aloneKiB) => lacking + Math.max(0, aloneKiB, askedKiB - leftOf(nowKiB)),
  }
}

/** More than any host has, in KiB: unlike Infinity it can be added and taken away again. */
const UNKNOWN_KIB = 2 ** 45

function sharedPool({ nodesKiB, makeableKiB, extraKiB }: NodeSupply): SizePool {
  const known = (kib: number): number => Math.min(kib, UNKNOWN_KIB)
  const ofNodes = nodesKiB.map(known)
  const makeableOf = makeableKiB.map(known)
  const freeKiB = Float64Array.from(ofNodes)
  const users = new Uint32Array(ofNodes.length)
  const inAll = sum(ofNodes)
  let asked = 0
  let used = 0
  let makeable = 0
  let overflowing = 0
  return {
    overflows: true,
    freeKiB,
    nowKiB: freeKiB,
    count: (node, kib, sign) => {
      const free = freeKiB[node] as number
      freeKiB[node] = free - kib
      overflowing += Math.max(0, kib - free) - Math.max(0, -free)
      asked += kib
      const before = users[node] as number
      users[node] = before + sign
      if (before > 0 && before + sign > 0) return
      used += sign * (ofNodes[node] as number)
      makeable += sign * (makeableOf[node] as number)
    },
    missingKiB: () => Math.max(0, asked - used - Math.min(makeable, extraKiB)),
    lackingKiB: () => overflowing,
    leastMissingKiB: (askedKiB) => Math.max(0, asked + askedKiB - inAll - extraKiB),
    leastLackingKiB: (askedKiB, aloneKiB) => overflowing + Math.max(0, aloneKiB, askedKiB - leftOf(freeKiB)),
  }
}

/** What is left on the nodes in all. */
export function leftOf(nodes: Float64Array): number {
  let left = 0
  for (const each of nodes) left += Math.max(0, each)
  return left
}
