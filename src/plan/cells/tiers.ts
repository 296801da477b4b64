// tiers=expose: a cell without vCPUs for each allowed node that has memory but no CPUs (CXL, HBM, persistent
// memory), after the cells with vCPUs, in the order of the nodes.
//
// With tier-memory each of them has that much. Without it the guest's memory is divided in proportion to what
// is free: each such node against all of them and the nodes that back cells with vCPUs. Free is what huge
// pages or available memory come to. Shares are whole units, as for other cells; a node whose share comes to
// nothing gets no cell, nor do nodes where QEMU cannot allocate memory at start (backing/allocation.ts).

import type { Diagnostic } from '../../base/diagnostic.ts'
import { has, type NodeSet, setOf } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import { diagnostic, refuse } from '../../codes/codes.ts'
import type { HostNode, Resources } from '../../model/host.ts'
import type { PlanInput } from '../../model/placement.ts'
import { allocationOfNew, backingNodes, type EmulatorCpus, emulatorToBe } from '../backing/allocation.ts'
import { nodeSupply } from '../backing/supply.ts'
import type { PlannedCell } from '../cpus/assigned.ts'
import { type GuestMemory, memoryUnits } from './memory.ts'
import { pagesizeOf } from './pagesize.ts'

/** Cells without vCPUs, the input that is left for the others, and what is worth knowing. */
export interface Tiers {
  readonly cells: readonly PlannedCell[]
  readonly input: PlanInput
  readonly notes: readonly Diagnostic[]
}

/**
 * Takes the memory of tiers out of the guest's.
 * @param others the cells with vCPUs, as they are placed without tiers
 * @throws Refusal `tier-memory-units`, `tiers-too-large`
 */
export function tiersOf(input: PlanInput, others: readonly PlannedCell[]): Tiers {
  const { view, resources, request } = input
  const ofDevices = nodesOfDevices(input, others)
  const tiers = resources.nodes.filter(
    (node) => (isTier(node) || ofDevices.includes(node.id)) && has(resources.allowed.nodes, node.id),
  )
  if (tiers.length === 0) return { cells: [], input, notes: [diagnostic('tiers-none', {})] }
  const emulator = emulatorToBe(view, request)
  const usable = backingNodes(resources, emulator)[allocationOfNew(input)]
  const nodes = tiers.filter(({ id }) => usable.includes(id))
  if (nodes.length === 0) return { cells: [], input, notes: [unusable(tiers, resources, emulator)] }
  const memory = memoryUnits(view, request, pagesizeOf(view, resources, request))
  const sizes =
    request.tierMemoryKiB === undefined ? shares(input, nodes, others, memory) : fixed(input, nodes, memory)
  const tiersKiB = sum(sizes)
  const most = memory.totalKiB - others.length * memory.unitKiB
  if (tiersKiB > most)
    refuse('tiers-too-large', { memoryKiB: memory.totalKiB, tiersKiB, mostKiB: Math.max(0, most) })
  const cells = nodes.map(({ id }, index) => ({
    node: id,
    memory: setOf<NodeSet>([id]),
    cores: [],
    memoryKiB: sizes[index] as number,
  }))
  return {
    cells: cells.filter(({ memoryKiB }) => memoryKiB > 0),
    input: { ...input, view: { ...view, memoryKiB: view.memoryKiB - tiersKiB } },
    notes: cells
      .filter(({ memoryKiB }) => memoryKiB === 0)
      .map(({ node }) => diagnostic('tier-empty', { node })),
  }
}

const isTier = ({ cpus, memoryKiB = 0 }: HostNode): boolean => cpus.length === 0 && memoryKiB > 0

/**
 * Nodes of PCI devices that would have no cell: with devices=cell or root these become cells as well. Devices
 * with an address count too, so that a second run gives the same cells.
 */
function nodesOfDevices(
  { view, resources, request }: PlanInput,
  others: readonly PlannedCell[],
): readonly number[] {
  if (request.devices === 'leave') return []
  const sources = view.hostdevs.map(({ source }) => source)
  const inUse = others.flatMap(({ node, memory }) => [node, ...memory])
  const withMemory = resources.nodes.filter(({ memoryKiB = 0 }) => memoryKiB > 0).map(({ id }) => id)
  return (resources.devices ?? []).flatMap(({ address, node }) =>
    node !== undefined && sources.includes(address) && withMemory.includes(node) && !inUse.includes(node)
      ? [node]
      : [],
  )
}

function unusable(tiers: readonly HostNode[], { libvirt }: Resources, emulator: EmulatorCpus): Diagnostic {
  const nodes = setOf<NodeSet>(tiers.map(({ id }) => id))
  return diagnostic('tiers-without-cpus', { nodes, emulator, ...(libvirt !== undefined && { libvirt }) })
}

function fixed(
  { request: { tierMemoryKiB = 0 } }: PlanInput,
  nodes: readonly HostNode[],
  { unitKiB }: GuestMemory,
): number[] {
  if (tierMemoryKiB % unitKiB !== 0) refuse('tier-memory-units', { tierMemoryKiB, unitKiB })
  return nodes.map(() => tierMemoryKiB)
}

function shares(
  { view, resources, request }: PlanInput,
  nodes: readonly HostNode[],
  others: readonly PlannedCell[],
  { totalKiB, unitKiB }: GuestMemory,
): number[] {
  const { nodesKiB, availableKiB } = nodeSupply(resources, request, pagesizeOf(view, resources, request) ?? 0)
  const backing = setOf<NodeSet>([...others.flatMap(({ memory }) => memory), ...nodes.map(({ id }) => id)])
  const freeKiB = new Map(
    resources.nodes.map(({ id }, index) => [
      id,
      has(backing, id) ? Math.min(nodesKiB[index] as number, availableKiB[index] as number) : 0,
    ]),
  )
  const all = sum([...freeKiB.values()])
  return nodes.map(({ id }) => {
    const part = all === 0 ? 0 : (totalKiB * (freeKiB.get(id) as number)) / all
    return Number.isFinite(part) ? Math.floor(part / unitKiB) * unitKiB : 0
  })
}
