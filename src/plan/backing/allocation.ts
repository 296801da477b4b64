// Memory that QEMU allocates when a guest starts, and on which nodes it can.
//
// libvirt has QEMU allocate huge pages, and all memory with <allocation mode='immediate'/>, from threads on
// the CPUs of the nodes that the memory is bound to (QEMU's thread-context: libvirt 8.10, QEMU 7.2). If none
// of these nodes has an online CPU, QEMU ends with "The nodes select no CPUs". Since 9.2 (and in RHEL's
// 9.0.0-10.1) libvirt leaves out nodes that the emulator has no CPU of, and the thread-context where none is
// left: a guest whose emulator has CPUs of its own, by <emulatorpin> or <vcpu cpuset>, starts then. Memory
// that is only locked, ordinary memory and virtio-mem get no thread-context, and mode restrictive binds
// nothing.
// @see libvirt qemuBuildThreadContextProps, qemu util/thread-context.c

import { intersect, type NodeSet, setOf, subtract } from '../../base/idset.ts'
import type { CellPages, DomainView } from '../../model/domain.ts'
import type { Host, Resources } from '../../model/host.ts'
import type { Memnode, PlanInput } from '../../model/placement.ts'
import type { Request } from '../../model/request.ts'
import { nodesWithMemory } from './memory-nodes.ts'
import { hasPool } from './supply.ts'

/** Whether QEMU allocates memory before the guest runs, or as the guest uses it. */
export type Allocation = 'at-start' | 'later'

/** Whether libvirt knows CPUs for the emulator. */
export type EmulatorCpus = 'pinned' | 'unpinned'

/** How a cell is, or memory that pages of this size back; 0 or undefined is ordinary memory. */
export function allocationOf(
  pagesizeKiB: number | undefined,
  host: Host,
  { allocation }: Pick<DomainView, 'allocation'>,
): Allocation {
  const isPages = pagesizeKiB !== undefined && pagesizeKiB > 0 && isHuge(pagesizeKiB, host)
  return isPages || allocation === 'immediate' ? 'at-start' : 'later'
}

/** The same of a cell that the guest has; a default size that is not known is a huge one. */
export function allocationOfCell(
  pages: CellPages | undefined,
  host: Host,
  view: Pick<DomainView, 'allocation'>,
): Allocation {
  if (pages === 'default') return 'at-start'
  return allocationOf(typeof pages === 'object' ? pages.pagesizeKiB : undefined, host, view)
}

/** The same of all cells that are still to be made. */
export function allocationOfNew({ view, request, resources }: PlanInput): Allocation {
  const { pagesizeKiB } = request
  if (request.rules.allocation === 'immediate') return 'at-start'
  if (pagesizeKiB !== undefined)
    return allocationOf(pagesizeKiB === 'none' ? undefined : pagesizeKiB, resources, view)
  // A size that is not stated is the default, a huge one.
  const sizes = view.hugepages?.map((page) => page.pagesizeKiB)
  const isHugeHere = (size: number | undefined): boolean =>
    size === undefined || allocationOf(size, resources, view) === 'at-start'
  if (sizes?.length === 0 || sizes?.some(isHugeHere)) return 'at-start'
  return allocationOf(undefined, resources, view)
}

/** The size of an ordinary page means ordinary memory: 4, 16 or 64 KiB, unless the host has such a pool. */
export const isHuge = (pagesizeKiB: number, host: Host): boolean =>
  pagesizeKiB > 64 || hasPool(host, pagesizeKiB)

/** On nodes without CPUs a guest starts, starts if libvirt knows CPUs for the emulator, or does not. */
const starts: Record<'always' | 'with-emulator' | 'never', (emulator: EmulatorCpus) => boolean> = {
  always: () => true,
  'with-emulator': (emulator) => emulator === 'pinned',
  never: () => false,
}

/** Whether QEMU can allocate memory on nodes without online CPUs. A version that is not known cannot. */
export function startsWithoutCpus({ libvirt }: Pick<Host, 'libvirt'>, emulator: EmulatorCpus): boolean {
  return starts[verdictOf(libvirt)](emulator)
}

function verdictOf(libvirt: string | undefined): keyof typeof starts {
  const [major, minor] = (libvirt ?? '').split('.').map(Number)
  if (major === undefined || minor === undefined) return 'never'
  const isBefore = (since: readonly [number, number]): boolean =>
    major < since[0] || (major === since[0] && minor < since[1])
  if (isBefore([8, 10])) return 'always'
  return isBefore([9, 2]) ? 'never' : 'with-emulator'
}

/**
 * Whether a guest with this backing starts only if libvirt knows CPUs for the emulator. A node that this host
 * does not have needs nothing here.
 */
export function needsPinnedEmulator(
  { view, resources }: Pick<PlanInput, 'view' | 'resources'>,
  backing: readonly Pick<Memnode, 'nodes' | 'pagesizeKiB'>[],
): boolean {
  if (startsWithoutCpus(resources, 'unpinned') || !startsWithoutCpus(resources, 'pinned')) return false
  const withCpus = setOf<NodeSet>(nodesWithCpus(resources))
  const known = setOf<NodeSet>(resources.nodes.map(({ id }) => id))
  return backing.some(
    ({ nodes, pagesizeKiB }) =>
      allocationOf(pagesizeKiB, resources, view) === 'at-start' &&
      nodes.length > 0 &&
      intersect(nodes, withCpus).length === 0 &&
      subtract(nodes, known).length === 0,
  )
}

/** What the emulator gets: nothing only where that is requested. */
export function emulatorToBe(
  { vcpuCpuset }: Pick<DomainView, 'vcpuCpuset'>,
  { emulator }: Pick<Request, 'emulator'>,
): EmulatorCpus {
  return emulator === 'none' && vcpuCpuset === undefined ? 'unpinned' : 'pinned'
}

/** What the document says. With placement='auto' libvirt takes the CPUs of the nodes that numad names. */
export function emulatorAsWritten({
  emulatorpin,
  vcpuCpuset,
  vcpuAuto,
}: Pick<DomainView, 'emulatorpin' | 'vcpuCpuset' | 'vcpuAuto'>): EmulatorCpus {
  return emulatorpin !== undefined || vcpuCpuset !== undefined || vcpuAuto ? 'pinned' : 'unpinned'
}

/**
 * The nodes (ids, ascending) that may back memory: where it is allocated at start those with CPUs, as far as
 * there are any. Where there are none, it is refused when the placement is known.
 */
export function backingNodes(
  resources: Resources,
  emulator: EmulatorCpus,
): Readonly<Record<Allocation, readonly number[]>> {
  const later = nodesWithMemory(resources)
  if (startsWithoutCpus(resources, emulator)) return { later, 'at-start': later }
  const withCpus = nodesWithCpus(resources).filter((id) => later.includes(id))
  return { later, 'at-start': withCpus.length > 0 ? withCpus : later }
}

/** Nodes (ids) with online CPUs. */
export function nodesWithCpus({ nodes }: Host): number[] {
  return nodes.filter(({ cpus }) => cpus.length > 0).map(({ id }) => id)
}
