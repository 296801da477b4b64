// CPUs in the order in which KubeVirt assigns them.
//
// Nodes in the order of ids, their cores in the order of the lowest CPU. A core with at least as many
// available CPUs as a guest core has threads is full, the CPUs of the others are fragments of their node.
// Guest cores take full cores of all nodes first, then groups of fragments within one node. What remains of
// a bigger core joins the fragments.

import { sum } from '../../base/lists.ts'
import type { AvailableNode } from '../cpus/available.ts'

/** Threads for one guest core, and where they lie. */
export interface CoreCpus {
  readonly node: number
  readonly cpus: readonly number[]
}

interface NodePool {
  readonly id: number
  full: (readonly number[])[]
  fragments: number[]
  /** How many CPUs these are together. */
  left: number
}

/** What is left to hand out; every call takes. */
export interface CpuPool {
  /** The CPUs of as many guest cores as there are, up to `count`. */
  readonly takeCores: (count: number) => CoreCpus[]
  /** Threads of one node that need not be siblings. */
  readonly takeFromNode: (count: number) => CoreCpus | undefined
  /**
   * Single threads, of any nodes: fragments of the first node that has a CPU left, else the first of its
   * cores.
   */
  readonly takeThread: () => number | undefined
}

/** @see KubeVirt pkg/virt-launcher/virtwrap/converter/vcpu, cpuPool */
export function cpuPool(nodes: readonly AvailableNode[], threads: number): CpuPool {
  const pools: NodePool[] = nodes.map(({ id, cores }) => ({
    id,
    full: cores.filter(({ cpus }) => cpus.length >= threads).map(({ cpus }) => cpus),
    fragments: cores.filter(({ cpus }) => cpus.length < threads).flatMap(({ cpus }) => cpus),
    left: sum(cores.map(({ cpus }) => cpus.length)),
  }))
  return {
    takeCores: (count) => {
      const found = takeWhile(pools, count, (pool) => takeCore(pool, threads))
      return [...found, ...takeWhile(pools, count - found.length, (pool) => takeFragments(pool, threads))]
    },
    takeFromNode: (count) => {
      const pool = pools.find(({ left }) => left >= count)
      if (pool === undefined) return undefined
      return { node: pool.id, cpus: Array.from({ length: count }, () => takeThread(pool, threads) as number) }
    },
    takeThread: () => {
      const pool = pools.find(({ left }) => left > 0)
      return pool && takeThread(pool, threads)
    },
  }
}

function takeWhile(
  pools: readonly NodePool[],
  count: number,
  take: (pool: NodePool) => readonly number[] | undefined,
): CoreCpus[] {
  const found: CoreCpus[] = []
  for (const pool of pools) {
    while (found.length < count) {
      const cpus = take(pool)
      if (cpus === undefined) break
      found.push({ node: pool.id, cpus })
    }
  }
  return found
}

function takeCore(pool: NodePool, threads: number): readonly number[] | undefined {
  const core = pool.full.shift()
  if (core === undefined) return undefined
  pool.left -= threads
  putBack(pool, core.slice(threads), threads)
  return core.slice(0, threads)
}

function takeFragments(pool: NodePool, threads: number): readonly number[] | undefined {
  if (pool.fragments.length < threads) return undefined
  pool.left -= threads
  return pool.fragments.splice(0, threads)
}

function takeThread(pool: NodePool, threads: number): number | undefined {
  pool.left -= 1
  const fragment = pool.fragments.shift()
  if (fragment !== undefined) return fragment
  const core = pool.full.shift()
  putBack(pool, core?.slice(1) ?? [], threads)
  return core?.[0]
}

function putBack(pool: NodePool, rest: readonly number[], threads: number): void {
  if (rest.length >= threads) pool.full.unshift(rest)
  else pool.fragments.push(...rest)
}
