// The binding as the domain states it, and whether it still holds on this host.

import { type CpuSet, has, intersect, type NodeSet, range, setOf, subtract, union } from '../base/idset.ts'
import type { Binding, DomainView, Placement, Request, Resources, WrittenCell } from '../model.ts'
import { canServe } from './backing/max-flow.ts'
import { memoryNodes, nodesWithMemory } from './backing/memory-nodes.ts'
import { nodeByCpu, type Offer } from './cpus/available.ts'

/** The cells that a guest has; one without cells is taken as a single one that nothing is written for. */
export function writtenCells(
  view: DomainView,
): readonly Pick<WrittenCell, 'id' | 'vcpus' | 'memoryKiB' | 'distances'>[] {
  if (view.cells.length > 0) return view.cells
  return [{ id: 0, vcpus: setOf(range(view.vcpus)), memoryKiB: view.memoryKiB, distances: new Map() }]
}

/** Nodes for a cell's memory as written: its memnode, else `<memory>`. */
export function writtenNodes({ tune, cells }: DomainView, cell: number): NodeSet | undefined {
  const memnode = tune.memnodes.find((each) => each.cell === cell)
  return memnode?.nodes ?? (cells.length === 0 ? tune.memory?.nodes : undefined)
}

/** The size of the pages behind a cell, as libvirt reads `<hugepages>`; 0 for ordinary memory, undefined where it is not known. */
export function writtenPagesize(
  { hugepages }: Pick<DomainView, 'hugepages'>,
  cell: number,
  defaultPagesizeKiB: number | undefined,
): number | undefined {
  if (hugepages === undefined) return 0
  if (hugepages.length === 0) return defaultPagesizeKiB
  const entry =
    hugepages.find(({ cells }) => cells !== undefined && has(cells, cell)) ??
    hugepages.find(({ cells }) => cells === undefined)
  return entry?.pagesizeKiB ?? 0
}

/** What the guest has now, as a placement; a cell without memnode has the nodes of `<memory>`. */
export function writtenPlacement(
  view: DomainView,
  { defaultPagesizeKiB }: Resources,
  { mode }: Request,
): Placement {
  const cells = view.cells.map(({ id, vcpus, memoryKiB, distances }) => ({
    id,
    vcpus,
    memoryKiB,
    distances:
      distances.size === 0
        ? []
        : range(view.cells.length).map((other) => distances.get(other) ?? (other === id ? 10 : 20)),
  }))
  return {
    cells,
    binding: {
      memnodes: cells.map(({ id }) => {
        const written = view.tune.memnodes.find(({ cell }) => cell === id)
        const pagesizeKiB = writtenPagesize(view, id, defaultPagesizeKiB) || undefined
        return {
          nodes: written?.nodes ?? view.tune.memory?.nodes ?? setOf<NodeSet>([]),
          // A cell without memnode has the mode of `<memory>`, as libvirt reads it.
          mode: modeOf((written ?? view.tune.memory)?.mode) ?? mode,
          ...(pagesizeKiB !== undefined && { pagesizeKiB }),
        }
      }),
      vcpupin: range(view.vcpus).map((vcpu) => view.vcpupin.get(vcpu) ?? setOf<CpuSet>([])),
      ...(view.emulatorpin !== undefined && { emulatorpin: view.emulatorpin }),
      iothreadpin: view.iothreads.map((id) => view.iothreadpin.get(id) ?? setOf<CpuSet>([])),
    },
  }
}

/** Of a guest without cells that says where its memory lies; a memnode, which libvirt refuses there, says so too. */
export function boundMemory(
  { cells, tune }: DomainView,
  { mode }: Pick<Request, 'mode'>,
  nodes: NodeSet,
): Pick<Binding, 'memory'> {
  const isBound = cells.length === 0 && (tune.memory !== undefined || tune.memnodes.length > 0)
  return isBound ? { memory: { nodes, mode: modeOf(tune.memory?.mode) ?? mode } } : {}
}

/** interleave is none of ours to write anew. */
export function modeOf(written: string | undefined): Request['mode'] | undefined {
  return written === 'strict' || written === 'preferred' || written === 'restrictive' ? written : undefined
}

/** Whether libvirt would take the binding as it is and every vCPU would run where its memory lies. */
export function holds(
  view: DomainView,
  resources: Resources,
  request: Request,
  offer: Offer,
  separation: (a: number, b: number) => number,
  shared: boolean,
): boolean {
  return (
    tuneHolds(view, resources) &&
    threadsHold(view, resources, request, offer, shared) &&
    isLocal(view, resources, offer, separation)
  )
}

function tuneHolds({ tune, cells, vcpuAuto, memoryDevices }: DomainView, resources: Resources): boolean {
  const { memory, memnodes } = tune
  const usable = setOf<NodeSet>(nodesWithMemory(resources))
  if (vcpuAuto || memory?.auto === true) return false
  if (memory?.nodes !== undefined && subtract(memory.nodes, usable).length > 0) return false
  if (
    memnodes.some(
      ({ nodes, cell }) => nodes.length === 0 || cell >= cells.length || subtract(nodes, usable).length > 0,
    )
  )
    return false
  if (new Set(memnodes.map(({ cell }) => cell)).size !== cells.length || memnodes.length !== cells.length)
    return false
  const bound = union(...memnodes.map(({ nodes }) => nodes))
  if (memory?.nodes !== undefined && memory.mode === 'strict' && subtract(bound, memory.nodes).length > 0)
    return false
  const isNarrow = (named: NodeSet): boolean =>
    memory?.nodes !== undefined && intersect(named, memory.nodes).length === 0
  if (memory?.mode === 'strict' && memoryDevices.some(({ nodes }) => nodes !== undefined && isNarrow(nodes)))
    return false
  const restrictive = memory?.mode === 'restrictive'
  return memory === undefined || memnodes.every(({ mode }) => (mode === 'restrictive') === restrictive)
}

function threadsHold(
  view: DomainView,
  { allowed }: Resources,
  request: Request,
  offer: Offer,
  shared: boolean,
): boolean {
  const { offlineInCells, emulator } = request
  // CPUs that are named for the emulator are its own, and no vCPU's.
  const threads = typeof emulator === 'object' ? union(allowed.cpus, emulator) : allowed.cpus
  const within = (cpus: CpuSet, given = offer.cpus): boolean =>
    cpus.length > 0 && subtract(cpus, given).length === 0
  const pinned = offlineInCells ? range(view.vcpus) : view.online
  const pins = pinned.map((vcpu) => view.vcpupin.get(vcpu))
  if (!pins.every((pin) => pin !== undefined && within(pin))) return false
  const others = [
    ...view.iothreadpin.values(),
    ...(view.emulatorpin ? [view.emulatorpin] : []),
    ...(view.vcpuCpuset ? [view.vcpuCpuset] : []),
  ]
  if (
    ![...view.vcpupin.values()].every((pin) => within(pin)) ||
    !others.every((cpus) => within(cpus, threads))
  )
    return false
  const iothreads = new Set(view.iothreads)
  if (
    [...view.vcpupin.keys()].some((vcpu) => vcpu >= view.vcpus) ||
    [...view.iothreadpin.keys()].some((id) => !iothreads.has(id))
  )
    return false
  return shared || canSpread(view.online.map((vcpu) => view.vcpupin.get(vcpu) as CpuSet))
}

/** Whether every vCPU can have a CPU of its own within its pin. */
export function canSpread(pins: readonly CpuSet[]): boolean {
  const cpus = union(...pins)
  if (cpus.length < pins.length || pins.every((pin) => pin.length === 1)) return cpus.length >= pins.length
  const index = new Uint32Array((cpus.at(-1) ?? 0) + 1)
  cpus.forEach((cpu, at) => {
    index[cpu] = at
  })
  const groups = new Map<CpuSet, number>()
  for (const pin of pins) groups.set(pin, (groups.get(pin) ?? 0) + 1)
  const demands = [...groups].map(([pin, amount]) => ({
    amount,
    from: pin.map((cpu) => index[cpu] as number),
  }))
  return canServe(
    demands,
    cpus.map(() => 1),
  )
}

/** Every CPU that a cell's vCPUs may run on is backed by one of the cell's nodes. */
function isLocal(
  view: DomainView,
  resources: Resources,
  offer: Offer,
  separation: (a: number, b: number) => number,
): boolean {
  const memoryOf = memoryNodes(resources, separation)
  const backing = offer.nodes.map(({ id }) => memoryOf(id)[0] as number)
  const nodeOfCpu = nodeByCpu(offer.nodes)
  return writtenCells(view).every(({ id, vcpus }) => {
    const nodes = writtenNodes(view, id)
    if (nodes === undefined) return view.cells.length === 0
    const cpus = union(...vcpus.map((vcpu) => view.vcpupin.get(vcpu) ?? setOf<CpuSet>([])))
    const under = new Set(cpus.flatMap((cpu) => nodeOfCpu.get(cpu) ?? []))
    return [...under].every((node) => has(nodes, backing[node] as number))
  })
}
