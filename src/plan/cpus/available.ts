// The CPUs that this guest may be pinned to, by node and by core.

import { type Diagnostic, Refusal } from '../../base/diagnostic.ts'
import { type CpuSet, intersect, setOf, subtract, union } from '../../base/idset.ts'
import { diagnostic, refuse } from '../../codes/codes.ts'
import type { Host, Resources } from '../../model/host.ts'
import type { IsolatedUse, Request } from '../../model/request.ts'

/**
 * `cpus` are the available ones. `whole` is false when the core has online threads that are not available.
 * `cache` is the index of its level-3 cache, where the host states one.
 */
export interface Core {
  readonly cpus: CpuSet
  readonly whole: boolean
  readonly cache?: number
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
  /** Those of `cpus` that other running guests have pinned one to one: they are used last. */
  readonly taken: CpuSet
}

/**
 * The CPUs that the request and the cgroup leave, by node and core.
 * @param vcpus how many vCPUs want a CPU
 * @throws Refusal `cpus-offline` when a CPU that was asked for is not online, `no-cpus` when nothing is left
 */
export function availableCpus(resources: Resources, request: Request, vcpus: number): AvailableCpus {
  const { cpuset, emulator, rules } = request
  const online = union(...resources.nodes.map((node) => node.cpus))
  const named = union(
    cpuset ?? setOf<CpuSet>([]),
    typeof emulator === 'object' ? emulator : setOf<CpuSet>([]),
  )
  const offline = subtract(named, online)
  if (offline.length > 0 && rules.offlineCpus === 'refused')
    throw new Refusal([offlineFinding(offline, online)])
  // KubeVirt has one answer to a pod without enough CPUs of this host, none included.
  if (online.length === 0 && rules.pins === 'kubevirt')
    refuse('not-enough-threads', { vcpus, cpuset: online })
  const given = intersect(resources.allowed.cpus, online)
  const usable = withIsolated[request.isolated](given, resources)
  const cpus = typeof emulator === 'object' ? withoutEmulator(usable, emulator, vcpus) : usable
  if (cpus.length === 0) {
    const isolated = resources.isolated ?? setOf<CpuSet>([])
    refuse('no-cpus', { allowed: resources.allowed.cpus, isolated, online })
  }
  const coreOf = coreByCpu(resources)
  const cacheOf = cacheByCpu(resources)
  const nodes = resources.nodes.flatMap((node): AvailableNode[] => {
    const here = intersect(node.cpus, cpus)
    return here.length === 0
      ? []
      : [{ id: node.id, cpus: here, cores: coresOf(node.cpus, here, { coreOf, cacheOf }) }]
  })
  const taken = intersect(cpus, union(...(resources.taken ?? []).map((each) => each.cpus)))
  return { nodes, cpus, given, offline, taken }
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
  return diagnostic('cpus-offline', { cpus: offline, online })
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

/** The core of each CPU that shares one with others, or is listed as a core of its own. */
export function coreByCpu({ siblings }: Pick<Host, 'siblings'>): Map<number, CpuSet> {
  const cores = new Map<number, CpuSet>()
  for (const core of siblings) for (const cpu of core) cores.set(cpu, core)
  return cores
}

/** The index of the level-3 cache that each CPU is on. */
function cacheByCpu({ caches }: Host): ReadonlyMap<number, number> {
  return new Map(
    (caches ?? []).flatMap(({ cpus }, index) => cpus.map((cpu) => [cpu as number, index] as const)),
  )
}

/**
 * A core that reaches into another node counts there with its CPUs of that node: memory is bound by node, not
 * by core.
 */
function coresOf(nodeCpus: CpuSet, available: CpuSet, { coreOf, cacheOf }: CpuFacts): Core[] {
  const seen = new Set<number>()
  const found: Core[] = []
  for (const cpu of nodeCpus) {
    if (seen.has(cpu)) continue
    const core = coreOf.get(cpu)
    const threads = core === undefined ? setOf<CpuSet>([cpu]) : intersect(core, nodeCpus)
    for (const thread of threads) seen.add(thread)
    const cpus = intersect(threads, available)
    if (cpus.length === 0) continue
    const cache = cacheOf.get(cpu)
    const whole = cpus.length === threads.length
    found.push(cache === undefined ? { cpus, whole } : { cpus, whole, cache })
  }
  return found
}

/** What the host states of each CPU: its core, and the index of its level-3 cache. */
interface CpuFacts {
  readonly coreOf: ReadonlyMap<number, CpuSet>
  readonly cacheOf: ReadonlyMap<number, number>
}

/**
 * A node without the CPUs that other guests have pinned, as far as so many CPUs are left; else with the
 * lowest of them in addition.
 */
export function untakenFirst(node: AvailableNode, taken: CpuSet, count: number): AvailableNode {
  if (taken.length === 0) return node
  const own = intersect(node.cpus, taken)
  const short = Math.max(0, count - (node.cpus.length - own.length))
  return own.length === 0 ? node : withoutCpus(node, setOf<CpuSet>(own.slice(short)))
}

/** How many CPUs of a node no other guest has pinned; Infinity where none has, so that it does not count. */
export function untakenCpus({ cpus }: AvailableNode, taken: CpuSet): number {
  const left = subtract(cpus, taken).length
  return left === cpus.length ? Number.POSITIVE_INFINITY : left
}

/** A core that loses a thread is whole no longer. */
export function withoutCpus(node: AvailableNode, without: CpuSet): AvailableNode {
  if (without.length === 0) return node
  const lost = new Set<number>(without)
  const left = (cpus: CpuSet): CpuSet => setOf(cpus.filter((cpu) => !lost.has(cpu)))
  const cores = node.cores.map((core) => {
    const cpus = left(core.cpus)
    return { ...core, cpus, whole: core.whole && cpus.length === core.cpus.length }
  })
  return { id: node.id, cpus: left(node.cpus), cores: cores.filter(({ cpus }) => cpus.length > 0) }
}
