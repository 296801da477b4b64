// The CPUs that this guest may be pinned to, by node and by core, and whether its vCPUs share them.

import { type Diagnostic, Refusal } from '../../base/diagnostic.ts'
import { type CpuSet, formatSet, intersect, setOf, subtract, union } from '../../base/idset.ts'
import { diagnostic, refuse } from '../../codes/codes.ts'
import type { DomainView, Host, IsolatedUse, Pin, Request, Resources } from '../../model.ts'

/**
 * `cpus` are the available ones. `whole` is false when the core has online threads that are not available.
 */
export interface Core {
  readonly cpus: CpuSet
  readonly whole: boolean
}

/** A node with available CPUs. Cores come in the order of their lowest online CPU, available or not. */
export interface AvailableNode {
  readonly id: number
  readonly cores: readonly Core[]
  readonly cpus: CpuSet
}

/** Nodes ascend by id. */
export interface AvailableCpus {
  readonly nodes: readonly AvailableNode[]
  /** Those of all nodes. */
  readonly cpus: CpuSet
  /** Those, and the online CPUs that are kept from vCPUs: isolated ones and the emulator's. */
  readonly given: CpuSet
  /** CPUs that were requested and are offline; only KubeVirt's rules let them pass. */
  readonly offline: CpuSet
}

/**
 * The CPUs that the request and the cgroup leave, by node and core.
 * @param vcpus how many vCPUs want a CPU
 * @throws Refusal `cpus-offline` when a CPU that was asked for is not online, `no-cpus` when nothing is left
 */
export function availableCpus(resources: Resources, request: Request, vcpus: number): AvailableCpus {
  const { cpuset, emulator, rules } = request
  const online = setOf<CpuSet>(resources.nodes.flatMap((node) => node.cpus))
  const named = union(
    cpuset ?? setOf<CpuSet>([]),
    typeof emulator === 'object' ? emulator : setOf<CpuSet>([]),
  )
  const offline = subtract(named, online)
  if (offline.length > 0 && rules.offlineCpus === 'refused')
    throw new Refusal([offlineFinding(offline, online)])
  // KubeVirt has one answer to a pod without enough CPUs of this host, none included.
  if (online.length === 0 && rules.pins === 'kubevirt')
    refuse('not-enough-threads', { vcpus, cpus: 0, cpuset: '(none)' })
  const given = intersect(resources.allowed.cpus, online)
  const usable = withIsolated[request.isolated](given, resources)
  const cpus = typeof emulator === 'object' ? withoutEmulator(usable, emulator, vcpus) : usable
  if (cpus.length === 0) {
    const [allowed, not] = [formatSet(resources.allowed.cpus), formatSet(resources.isolated ?? [])]
    refuse('no-cpus', { allowed, isolated: not, online: formatSet(online) })
  }
  const coreOf = coreByCpu(resources)
  const available = new Set<number>(cpus)
  const nodes = resources.nodes.map((node) => ({
    id: node.id,
    cpus: intersect(node.cpus, cpus),
    cores: coresOf(node.cpus, coreOf, available),
  }))
  return { nodes: nodes.filter((node) => node.cpus.length > 0), cpus, given, offline }
}

/**
 * Whether vCPUs share the CPUs of their cell. With pin=auto each has one of its own where the CPUs are this
 * guest's, and on an open host they are shared, so that two guests never sit on one CPU by our doing.
 */
export function sharesCpus({ pin }: Request, resources: Resources): boolean {
  return sharing[pin](resources)
}

const sharing: Record<Pin, (resources: Resources) => boolean> = {
  cpu: () => false,
  cell: () => true,
  auto: isOpen,
}

/** Whether the guest may use every online CPU, as may others. */
function isOpen({ allowed, allowedBy, nodes }: Resources): boolean {
  if (allowedBy === 'cpuset' || allowedBy === 'pins') return false
  const online = setOf<CpuSet>(nodes.flatMap((node) => node.cpus))
  return subtract(online, allowed.cpus).length === 0
}

/** @throws Refusal `not-enough-threads` where each vCPU is to have a CPU of its own and there are too few */
export function refuseFewCpus({ online }: DomainView, { cpus, offline }: AvailableCpus): void {
  if (online.length <= cpus.length + offline.length) return
  refuse('not-enough-threads', { vcpus: online.length, cpus: cpus.length, cpuset: formatSet(cpus) })
}

/** @throws an error of ours: a node without available CPUs was never chosen */
export function availableNode({ nodes }: AvailableCpus, id: number): AvailableNode {
  const node = nodes.find((each) => each.id === id)
  if (node === undefined) throw new Error(`node ${id} has no available CPUs`)
  return node
}

/** The index of the node that each CPU is on. */
export function nodeByCpu(nodes: readonly { readonly cpus: CpuSet }[]): ReadonlyMap<number, number> {
  return new Map(nodes.flatMap(({ cpus }, index) => cpus.map((cpu) => [cpu as number, index] as const)))
}

/** CPUs that were requested and are not online. */
export function offlineFinding(offline: CpuSet, online: CpuSet): Diagnostic {
  return diagnostic('cpus-offline', {
    cpus: formatSet(offline),
    count: offline.length,
    online: formatSet(online),
  })
}

/** vCPUs keep off CPUs that were named for the emulator, as long as there are enough others. */
function withoutEmulator(cpus: CpuSet, emulator: CpuSet, vcpus: number): CpuSet {
  const others = subtract(cpus, emulator)
  return others.length >= vcpus ? others : cpus
}

/** What becomes of allowed CPUs that are isolated. A cpuset that names them may use them. */
const withIsolated: Record<IsolatedUse, (cpus: CpuSet, resources: Resources) => CpuSet> = {
  use: (cpus) => cpus,
  avoid: (cpus, { isolated, allowedBy }) =>
    isolated === undefined || allowedBy === 'cpuset' ? cpus : subtract(cpus, isolated),
}

function coreByCpu({ siblings }: Host): Map<number, CpuSet> {
  const cores = new Map<number, CpuSet>()
  for (const core of siblings) for (const cpu of core) cores.set(cpu, core)
  return cores
}

/**
 * A core that reaches into another node counts there with its CPUs of that node: memory is bound by node, not
 * by core.
 */
function coresOf(
  nodeCpus: CpuSet,
  coreOf: ReadonlyMap<number, CpuSet>,
  available: ReadonlySet<number>,
): Core[] {
  const here = new Set<number>(nodeCpus)
  const seen = new Set<number>()
  const found: Core[] = []
  for (const cpu of nodeCpus) {
    if (seen.has(cpu)) continue
    const threads = (coreOf.get(cpu) ?? [cpu]).filter((thread) => here.has(thread))
    for (const thread of threads) seen.add(thread)
    const cpus = threads.filter((thread) => available.has(thread))
    if (cpus.length > 0) found.push({ cpus: setOf<CpuSet>(cpus), whole: cpus.length === threads.length })
  }
  return found
}
