// A placement and its diagnostics, as plain data for --json: the same facts as in the texts, sets as text.

import type { Diagnostic } from '../base/diagnostic.ts'
import { type CpuSet, formatSet, formatSets, type IdSet, setOf, union, type VcpuSet } from '../base/idset.ts'
import type { Facts } from '../codes/codes.ts'
import type { NodesReason, Placement } from '../model/placement.ts'
import { lineAndColumn } from '../xml/parse.ts'
import { firstOf, labelOf, type Severity, type Source, sourceOf } from './diagnostics.ts'
import { messageOf } from './message.ts'
import { cachesOf } from './reason.ts'
import type { Explained } from './text.ts'

/** The placement of a guest and the request behind it. */
export function placementFacts(explained: Explained): object {
  const { view, request, resources, placement, reason, shape, edits } = explained
  const { cells, binding } = placement
  const { reserve, cpuset, emulator, rules, recorded, ...keys } = request
  return {
    guest: view.name,
    cells: cells.map(({ id, vcpus, memoryKiB, distances }, index) => {
      const memnode = binding.memnodes[index]
      return {
        id,
        vcpus: formatSet(vcpus),
        memoryKiB,
        nodes: formatSet(memnode?.nodes ?? []),
        mode: memnode?.mode,
        pagesizeKiB: memnode?.pagesizeKiB,
        ...(distances.length > 0 && { distances }),
        ...(resources.caches && {
          caches: formatSet(cachesOf(cpusOf(vcpus, binding.vcpupin), resources.caches)),
        }),
      }
    }),
    ...(placement.topology && { topology: placement.topology }),
    ...(binding.memory && { memory: { nodes: formatSet(binding.memory.nodes), mode: binding.memory.mode } }),
    memoryDevices: view.memoryDevices.map(({ model, cell, sizeKiB, nodes }) => ({
      model,
      cell,
      sizeKiB,
      ...(nodes && { nodes: formatSet(nodes) }),
    })),
    ...deviceFacts(placement),
    vcpupin: formatSets(binding.vcpupin).flatMap((cpus, vcpu) => (cpus === '' ? [] : [{ vcpu, cpus }])),
    ...(binding.emulatorpin !== undefined && { emulatorpin: formatSet(binding.emulatorpin) }),
    iothreadpin: formatSets(binding.iothreadpin).map((cpus, index) => ({
      iothread: view.iothreads[index],
      cpus,
    })),
    request: {
      ...keys,
      emulator: typeof emulator === 'string' ? emulator : formatSet(emulator),
      ...(cpuset !== undefined && { cpuset: formatSet(cpuset) }),
    },
    ...(reason && { reason: reasonFacts(reason) }),
    ...(shape && { shape }),
    allowed: { cpus: formatSet(resources.allowed.cpus), nodes: formatSet(resources.allowed.nodes) },
    edits: edits.length,
  }
}

/** PCI devices of the host; `isNew`: one that gets an address behind the bus of its cell. */
function deviceFacts({ devices }: Placement): object {
  if (devices === undefined) return {}
  const facts = devices.places.map(({ hostdev: _, name, node, root, cell, port }) => ({
    device: name,
    ...{ node, root, cell },
    isNew: port !== undefined,
  }))
  return { devices: facts }
}

const cpusOf = (vcpus: VcpuSet, vcpupin: readonly CpuSet[]): CpuSet =>
  union(...vcpus.map((vcpu) => vcpupin[vcpu] ?? setOf<CpuSet>([])))

function reasonFacts({ nodes, next, isExact }: NodesReason): object {
  return {
    nodes: formatSet(nodes),
    ...(next && { next: { ...next, nodes: formatSet(next.nodes) } }),
    exact: isExact,
  }
}

/** Diagnostics for --json: severity, code, what, why, fix, facts and position of each. */
export function diagnosticFacts(
  all: readonly Diagnostic[],
  severity: Severity,
  sources: readonly Source[],
): object[] {
  return firstOf(all).map((each) => ({
    severity: labelOf(each, severity),
    code: each.code,
    ...messageOf(each),
    facts: plainFacts(each.facts),
    ...placeFacts(each, sources),
  }))
}

function placeFacts(each: Diagnostic, sources: readonly Source[]): object {
  const source = sourceOf(each, sources)
  if (each.at === undefined || source === undefined) return {}
  return { at: { file: source.name, ...lineAndColumn(source.text, each.at.start) } }
}

/** Texts of others may have any length, and further on they may hold anything. */
const MOST_LETTERS = 100

/** Facts as JSON: sets as text, long texts cut; memory has its unit in the key (KiB). */
function plainFacts(facts: object): object {
  const plain = Object.entries(facts).map(([key, value]) => [
    key,
    key in setKeys ? setFact(value) : plainFact(value),
  ])
  return Object.fromEntries(plain)
}

function plainFact(value: unknown): unknown {
  if (typeof value === 'string')
    return value.length > MOST_LETTERS ? `${value.slice(0, MOST_LETTERS - 3)}...` : value
  if (Array.isArray(value)) return value.map(plainFact)
  return typeof value === 'object' && value !== null ? plainFacts(value) : value
}

/** A set, or a list of sets; of some codes it is something else. */
function setFact(value: unknown): unknown {
  if (!Array.isArray(value)) return plainFact(value)
  return value.some(Array.isArray) ? value.map((set) => formatSet(set)) : formatSet(value)
}

/**
 * Where facts have sets: at run time a set is a list of numbers like any other, and an empty one a list of
 * anything. The type holds every key under which any fact, at any depth, is a set or a list of sets.
 */
const setKeys: Readonly<Record<SetKeyIn<Facts[keyof Facts]>, true>> = {
  allowed: true,
  before: true,
  cpus: true,
  cpuset: true,
  defined: true,
  expected: true,
  group: true,
  has: true,
  idleNodes: true,
  isolated: true,
  left: true,
  live: true,
  memory: true,
  memoryNodes: true,
  missing: true,
  nodemask: true,
  nodes: true,
  now: true,
  online: true,
  others: true,
  own: true,
  pinned: true,
  reaching: true,
  recorded: true,
  theirs: true,
  vcpus: true,
  wanted: true,
}

type SetKeyIn<T> =
  T extends IdSet<string>
    ? never
    : T extends readonly (infer Member)[]
      ? SetKeyIn<Member>
      : T extends object
        ? { [K in keyof T]-?: HasSets<T[K]> extends true ? K : SetKeyIn<T[K]> }[keyof T]
        : never

type HasSets<T> = Extract<T, IdSet<string> | readonly IdSet<string>[]> extends never ? false : true
