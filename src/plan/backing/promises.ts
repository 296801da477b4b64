// Memory that guests which are starting were promised -> what it leaves to another guest.
//
// Whether a guest can start is asked of all demands together (max-flow.ts): a promise that may be met by
// several nodes is then met by those that this guest does not need. Nodes are chosen by one division of the
// promises: each takes, in its order, from the node that has the most left.

import { has } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import type { HostNode, PromisedMemory, Resources } from '../../model/host.ts'
import type { Demand } from './max-flow.ts'

/** A promise in pages of one size, as a demand on nodes (by index). */
export interface PromisedPages extends Demand {
  readonly promise: PromisedMemory
}

/** The promises of pages of one size; those of nodes that the host does not have are left out. */
export function promisedPages({ promised = [], nodes }: Resources, pagesizeKiB: number): PromisedPages[] {
  return promised.flatMap((promise) => {
    const from = promise.pagesizeKiB === pagesizeKiB ? indicesOf(promise, nodes) : []
    return from.length === 0 ? [] : [{ promise, amount: Math.ceil(promise.memoryKiB / pagesizeKiB), from }]
  })
}

/** The promises of ordinary memory, in KiB. */
export function promisedOrdinary({ promised = [], nodes }: Resources): Demand[] {
  return promised
    .filter(({ pagesizeKiB }) => pagesizeKiB === undefined)
    .map((promise) => ({ amount: promise.memoryKiB, from: indicesOf(promise, nodes) }))
}

const indicesOf = (promise: PromisedMemory, nodes: readonly HostNode[]): number[] =>
  nodes.flatMap(({ id }, index) => (has(promise.nodes, id) ? [index] : []))

/** What promises leave of what each place has, and how much of them no place can give. */
export function leftBy(
  promises: readonly Demand[],
  supplies: readonly number[],
): { readonly left: readonly number[]; readonly unmet: number } {
  const left = [...supplies]
  const unmet = promises.map(({ amount, from }) => {
    let open = amount
    const mostFirst = [...from].sort((a, b) => (left[b] as number) - (left[a] as number) || a - b)
    for (const place of mostFirst) {
      const taken = Math.max(0, Math.min(open, left[place] as number))
      left[place] = (left[place] as number) - taken
      open -= taken
    }
    return open
  })
  return { left, unmet: sum(unmet) }
}

/** How many pages of each guest may come from these nodes; guests in the order of the promises. */
export function holdersOn(
  promises: readonly PromisedPages[],
  isOnNodes: (place: number) => boolean,
): { readonly guest?: string; readonly pages: number }[] {
  const holders = new Map<string | undefined, number>()
  for (const { promise, amount, from } of promises)
    if (from.some(isOnNodes)) holders.set(promise.guest, (holders.get(promise.guest) ?? 0) + amount)
  return [...holders].map(([guest, pages]) => ({ ...(guest !== undefined && { guest }), pages }))
}
