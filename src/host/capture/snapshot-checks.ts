// A host snapshot -> the problems in it (it may be written by hand), and its nodes in order.

import { type CpuSet, MAX_NODES } from '../../base/idset.ts'
import type { HostNode, Pool } from '../../model.ts'
import { isDistance } from '../distances.ts'
import { problem, type Shape } from './json-shape.ts'

export function reportContradictions(
  shape: Shape,
  nodes: readonly HostNode[],
  siblings: readonly (CpuSet | undefined)[],
  pools?: readonly Pool[],
): void {
  if (nodes.length === 0)
    problem(
      shape,
      'nodes',
      'is empty',
      'a host has a node, also without NUMA',
      'write one node 0 with all CPUs',
    )
  if (nodes.length > MAX_NODES) {
    problem(
      shape,
      'nodes',
      `has ${nodes.length} members`,
      `Linux has at most ${MAX_NODES} nodes`,
      'delete some',
    )
    return
  }
  const places = firstPlaces(nodes.map(({ id }) => id))
  for (const [index, node] of nodes.entries()) {
    const path = `nodes[${index}]`
    const first = places.get(node.id) ?? index
    if (first < index)
      problem(
        shape,
        `${path}.id`,
        `is ${node.id} like nodes[${first}].id`,
        'a node is there once',
        'number them as the kernel does',
      )
    reportPages(shape, node, path)
    reportMemory(shape, node, path)
    reportDistances(shape, node, path, nodes.length)
  }
  const sets = nodes.map(({ cpus }, index): [string, CpuSet] => [`nodes[${index}].cpus`, cpus])
  reportOverlap(shape, sets, 'a CPU lives on one node')
  const cores = siblings.flatMap((core, index): [string, CpuSet][] =>
    core === undefined ? [] : [[`siblings[${index}]`, core]],
  )
  reportOverlap(shape, cores, 'a CPU belongs to one core')
  for (const [path, core] of cores)
    if (core.length === 0) problem(shape, path, 'is empty', 'a core has CPUs', 'delete it')
  reportTwice(shape, pools ?? [], 'pools')
}

/** Where each number stands first; what is wrong already (NaN) is like no other. */
function firstPlaces(numbers: readonly number[]): ReadonlyMap<number, number> {
  const places = new Map<number, number>()
  for (const [index, number] of numbers.entries())
    if (!Number.isNaN(number) && !places.has(number)) places.set(number, index)
  return places
}

function reportPages(shape: Shape, { pages }: HostNode, path: string): void {
  reportTwice(shape, pages, `${path}.pages`)
  for (const [index, { total, free }] of pages.entries()) {
    if (free === undefined || !(free > total)) continue
    problem(
      shape,
      `${path}.pages[${index}].free`,
      `is ${free}, more than the total of ${total}`,
      'free pages are counted in the total',
      'mend one',
    )
  }
}

function reportTwice(shape: Shape, pools: readonly { readonly pagesizeKiB: number }[], path: string): void {
  const places = firstPlaces(pools.map(({ pagesizeKiB }) => pagesizeKiB))
  for (const [index, { pagesizeKiB }] of pools.entries()) {
    const first = places.get(pagesizeKiB) ?? index
    if (first === index) continue
    problem(
      shape,
      `${path}[${index}]`,
      `is of ${pagesizeKiB} KiB like ${path}[${first}]`,
      'a page size has one pool here',
      'delete one of the two',
    )
  }
}

function reportMemory(shape: Shape, { memoryKiB, freeKiB }: HostNode, path: string): void {
  if (memoryKiB === undefined || freeKiB === undefined || freeKiB <= memoryKiB) return
  problem(
    shape,
    `${path}.freeKiB`,
    `is ${freeKiB}, more than memoryKiB ${memoryKiB}`,
    'free memory is part of the memory',
    'mend one of the two',
  )
}

function reportDistances(shape: Shape, { distances }: HostNode, path: string, nodes: number): void {
  if (distances === undefined) return
  const at = `${path}.distances`
  if (distances.length !== nodes) {
    problem(
      shape,
      at,
      `has ${distances.length} numbers for ${nodes} nodes`,
      'there is one per node, in the order of nodes',
      'add or delete some',
    )
  }
  for (const [index, distance] of distances.entries()) {
    if (!Number.isNaN(distance) && !isDistance(distance))
      problem(
        shape,
        `${at}[${index}]`,
        `is ${distance}`,
        'distances are from 10 to 255',
        'see numactl --hardware',
      )
  }
}

function reportOverlap(shape: Shape, sets: readonly [path: string, cpus: CpuSet][], why: string): void {
  const places = new Map<number, string>()
  for (const [path, cpus] of sets) {
    for (const cpu of cpus) {
      const first = places.get(cpu)
      if (first === undefined) places.set(cpu, path)
      else
        problem(shape, path, `has CPU ${cpu}, which ${first} has too`, why, 'take it out of one of the two')
    }
  }
}

/** Ascending by id; the distances, which follow the order of the nodes, move along. */
export function orderNodes(written: readonly HostNode[]): HostNode[] {
  const order = written.map((_, index) => index).sort((a, b) => idAt(written, a) - idAt(written, b))
  return order.map((index) => {
    const node = written[index] as HostNode
    return node.distances === undefined
      ? node
      : { ...node, distances: order.map((column) => node.distances?.[column] as number) }
  })
}

const idAt = (nodes: readonly HostNode[], index: number): number => (nodes[index] as HostNode).id
