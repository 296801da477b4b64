// What the host offers this guest: the CPUs it may run on, by node and by core, and how far apart the nodes are.

import { type Diagnostic, diagnostic, Refusal, refuse } from '../../base/diagnostic.ts'
import { type CpuSet, formatSet, intersect, setOf, subtract, union } from '../../base/idset.ts'
import type { Host, Request, Resources } from '../../model.ts'

/** `cpus` are those on offer. `whole` is false when the core has online threads that are not. */
export interface Core {
  readonly cpus: CpuSet
  readonly whole: boolean
}

/** A node with CPUs on offer. Cores come in the order of their lowest online CPU, on offer or not. */
export interface NodeOffer {
  readonly id: number
  readonly cores: readonly Core[]
  readonly cpus: CpuSet
}

/**
 * Nodes ascend by id. `given`: with the CPUs that are not on offer, isolated ones and the emulator's. `offline`: CPUs that were asked
 * for and are not there; only like=kubevirt lets them pass.
 */
export interface Offer {
  readonly nodes: readonly NodeOffer[]
  readonly cpus: CpuSet
  readonly given: CpuSet
  readonly offline: CpuSet
}

/**
 * The CPUs that the request and the cgroup leave, by node and core.
 * @param vcpus how many vCPUs want a CPU
 * @throws Refusal `cpus-offline` when a CPU that was asked for is not online, `no-cpus` when nothing is left
 */
export function offerOf(
  resources: Resources,
  request: Pick<Request, 'like' | 'cpuset' | 'isolated' | 'emulator'>,
  vcpus: number,
): Offer {
  const { like, cpuset, isolated, emulator } = request
  const online = setOf<CpuSet>(resources.nodes.flatMap((node) => node.cpus))
  const named = union(
    cpuset ?? setOf<CpuSet>([]),
    typeof emulator === 'object' ? emulator : setOf<CpuSet>([]),
  )
  const offline = subtract(named, online)
  if (offline.length > 0 && like !== 'kubevirt') throw new Refusal([offlineFinding(offline, online)])
  const given = intersect(cpuset ?? resources.allowed.cpus, online)
  const wanted = cpuset === undefined ? withoutIsolated(given, resources, isolated) : given
  const cpus = typeof emulator === 'object' ? besideEmulator(wanted, emulator, vcpus) : wanted
  if (cpus.length === 0) {
    const [allowed, not] = [formatSet(resources.allowed.cpus), formatSet(resources.isolated ?? [])]
    refuse('no-cpus', { allowed, isolated: not, online: formatSet(online) })
  }
  const cores = coresByCpu(resources)
  const offered = new Set<number>(cpus)
  const nodes = resources.nodes.map((node) => ({
    id: node.id,
    cpus: intersect(node.cpus, cpus),
    cores: coresOf(node.cpus, cores, offered),
  }))
  return { nodes: nodes.filter((node) => node.cpus.length > 0), cpus, given, offline }
}

/** The index of the node that each CPU is on. */
export function nodeByCpu(nodes: readonly { readonly cpus: CpuSet }[]): ReadonlyMap<number, number> {
  return new Map(nodes.flatMap(({ cpus }, index) => cpus.map((cpu) => [cpu as number, index] as const)))
}

export function offlineFinding(offline: CpuSet, online: CpuSet): Diagnostic {
  return diagnostic('cpus-offline', {
    cpus: formatSet(offline),
    count: offline.length,
    online: formatSet(online),
  })
}

/** vCPUs keep off CPUs that were named for the emulator, as long as there are enough others. */
function besideEmulator(cpus: CpuSet, emulator: CpuSet, vcpus: number): CpuSet {
  const others = subtract(cpus, emulator)
  return others.length >= vcpus ? others : cpus
}

function withoutIsolated(cpus: CpuSet, { isolated }: Resources, use: Request['isolated']): CpuSet {
  return use === 'use' || isolated === undefined ? cpus : subtract(cpus, isolated)
}

function coresByCpu({ siblings }: Host): Map<number, CpuSet> {
  const cores = new Map<number, CpuSet>()
  for (const core of siblings) for (const cpu of core) cores.set(cpu, core)
  return cores
}

/** A core that reaches into another node counts there with its CPUs of that node: memory is bound by node, not by core. */
function coresOf(nodeCpus: CpuSet, cores: ReadonlyMap<number, CpuSet>, offered: ReadonlySet<number>): Core[] {
  const here = new Set<number>(nodeCpus)
  const seen = new Set<number>()
  const found: Core[] = []
  for (const cpu of nodeCpus) {
    if (seen.has(cpu)) continue
    const threads = (cores.get(cpu) ?? [cpu]).filter((thread) => here.has(thread))
    for (const thread of threads) seen.add(thread)
    const cpus = threads.filter((thread) => offered.has(thread))
    if (cpus.length > 0) found.push({ cpus: setOf<CpuSet>(cpus), whole: cpus.length === threads.length })
  }
  return found
}
