// QEMU's memory backends and the process's mappings -> which mappings belong to which backend, without
// guessing.
//
// 1. A mapped file carries the name of its backend.
// 2. All memfds have one name and anonymous memory has none: these are distinguished by kind and size, then
// by policy.
// 3. Backends of the same kind, size and policy stay together, with all of their mappings. If those mappings
// are equal to the page, they are distributed in order: it makes no difference which belongs to which.

import { formatSet } from '../../base/idset.ts'
import { groupBy } from '../../base/lists.ts'
import type { Mapping, MemoryBackend, MemoryPolicy } from '../../model/running-guest.ts'

/**
 * Backends and their mappings. No mappings: none were found. Several backends: the mappings belong to them,
 * but which to which is unknown.
 */
export interface MemoryRegion {
  readonly backends: readonly MemoryBackend[]
  readonly mappings: readonly Mapping[]
}

/** Assigns the mappings to the backends; regions are in the order of their first backend. */
export function findMemory(backends: readonly MemoryBackend[], mappings: readonly Mapping[]): MemoryRegion[] {
  const files = mappings.flatMap((mapping) =>
    mapping.file === undefined ? [] : [nameOf(mapping, mapping.file)],
  )
  const named = backends.map((backend) => ({
    backends: [backend],
    mappings: files.filter((file) => isNamed(file, backend)).map(({ mapping }) => mapping),
  }))
  const certain = named.filter((region) => region.mappings.length > 0)
  const taken = new Set(certain.flatMap((region) => region.mappings))
  const left = mappings.filter((mapping) => !taken.has(mapping))
  const nameless = named.filter((region) => region.mappings.length === 0).flatMap((region) => region.backends)
  const classes = groupBy(nameless, ({ kind = 'ram', sizeKiB }) => `${kind} ${sizeKiB}`)
  const found = [...classes.values()].flatMap((alike) => findAlike(alike, left))
  const order = new Map([...backends.entries()].reverse().map(([position, backend]) => [backend, position]))
  const positionOf = ({ backends: [first] }: MemoryRegion): number =>
    order.get(first as MemoryBackend) as number
  return [...certain, ...found].sort((a, b) => positionOf(a) - positionOf(b))
}

/** A mapped file: its base name, and the backend for which QEMU created it, where the name says so. */
interface NamedMapping {
  readonly mapping: Mapping
  readonly file: string
  readonly name: string
  readonly made: string | undefined
}

function nameOf(mapping: Mapping, file: string): NamedMapping {
  const name = file.slice(file.lastIndexOf('/') + 1)
  return { mapping, file, name, made: /^qemu_back_mem\.(?:_objects_)?(.+)\.\w{6}$/.exec(name)?.[1] }
}

/**
 * Whether a file is the backend's: a file that QEMU created in the given folder and unlinked, the given file
 * itself, or a memfd with the backend's name.
 */
function isNamed({ mapping, file, name, made }: NamedMapping, { id, path, sizeKiB }: MemoryBackend): boolean {
  if (made !== undefined) return made === id
  if (file === `/memfd:${id}` || file === `/memfd:/objects/${id}`) return true
  // In another mount namespace the path has another beginning.
  return (
    path !== undefined &&
    (file === path || (name !== '' && path.endsWith(`/${name}`) && mapping.sizeKiB === sizeKiB))
  )
}

function findAlike(alike: readonly MemoryBackend[], mappings: readonly Mapping[]): MemoryRegion[] {
  const { kind = 'ram', sizeKiB } = alike[0] as MemoryBackend
  const candidates = mappings.filter((mapping) => mapping.sizeKiB === sizeKiB && isOfKind(mapping, kind))
  const bound = groupBy(
    alike.filter(({ policy }) => policy !== undefined),
    ({ policy }) => policyText(policy),
  )
  const byPolicy = groupBy(candidates, ({ policy }) => policyText(policy))
  const byTheirPolicy = [...bound].map(([policy, backends]) => ({
    backends,
    mappings: byPolicy.get(policy) ?? [],
  }))
  const loose = alike.filter(({ policy }) => policy === undefined)
  const claimed = new Set(byTheirPolicy.flatMap((region) => region.mappings))
  const rest = candidates.filter((mapping) => !claimed.has(mapping))
  const fits =
    byTheirPolicy.every((region) => region.backends.length === region.mappings.length) &&
    (loose.length === 0 || loose.length === rest.length)
  // A changed cpuset changes policies too: unless all of them fit, none is reliable.
  if (fits)
    return [...byTheirPolicy, ...(loose.length === 0 ? [] : [{ backends: loose, mappings: rest }])].flatMap(
      splitIfEqual,
    )
  return candidates.length === alike.length
    ? splitIfEqual({ backends: alike, mappings: candidates })
    : alike.map((one) => ({ backends: [one], mappings: [] }))
}

/** Shared anonymous memory is mapped from /dev/zero or /anon_hugepage. */
function isOfKind({ file }: Mapping, kind: NonNullable<MemoryBackend['kind']>): boolean {
  if (kind === 'memfd') return file === '/memfd:memory-backend-memfd'
  return kind === 'ram' && (file === undefined || file === '/dev/zero' || file === '/anon_hugepage')
}

/** QEMU writes "preferred" where the kernel writes "prefer" or "prefer (many)". */
function policyText(policy: MemoryPolicy | undefined): string {
  return policy === undefined
    ? ''
    : `${policy.mode.replace(/^prefer.*$/, 'prefer')}:${formatSet(policy.nodes)}`
}

/** Distributes mappings that are equal to the page in order; other mappings stay together. */
function splitIfEqual(region: MemoryRegion): MemoryRegion[] {
  const { backends, mappings } = region
  if (new Set(mappings.map(looksOf)).size > 1) return [region]
  return backends.map((backend, index) => ({
    backends: [backend],
    mappings: mappings.slice(index, index + 1),
  }))
}

function looksOf({ policy, sizeKiB, pagesizeKiB, nodesKiB, thpKiB, swapKiB }: Mapping): string {
  const nodes = nodesKiB && [...nodesKiB].sort(([a], [b]) => a - b)
  return JSON.stringify([policyText(policy), sizeKiB, pagesizeKiB, nodes, thpKiB, swapKiB])
}
