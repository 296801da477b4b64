// The live domain, or QEMU's command line alone -> where the threads and the memory of a running guest should
// be.

import type { CpuSet, NodeSet, VcpuSet } from '../base/idset.ts'
import { sum } from '../base/lists.ts'
import type { DomainView, MemoryDevice, MemoryMode } from '../model/domain.ts'
import type { Host } from '../model/host.ts'
import type { BackingKind, MemoryBackend, QemuCommand, RunningGuest } from '../model/running-guest.ts'
import { pagesizeKiBOf } from '../plan/cells/pagesize.ts'
import { writtenCells } from '../plan/written.ts'

/** A cell, or the whole guest where it has no cells. `nodes` absent: the memory may be on any node. */
export interface ExpectedCell {
  readonly id: number
  readonly vcpus: VcpuSet
  /** Without its memory devices. */
  readonly memoryKiB: number
  readonly nodes?: NodeSet
  readonly mode?: MemoryMode
  readonly pagesizeKiB?: number
}

/** One block of guest memory and its expected nodes. `backend` absent: QEMU has no separate block for it. */
export interface ExpectedMemory {
  readonly cell: number
  readonly sizeKiB: number
  readonly backend?: MemoryBackend
  readonly nodes?: NodeSet
  readonly mode?: MemoryMode
  /** Absent for memory devices. */
  readonly pagesizeKiB?: number
}

/**
 * The placement that a running guest should have. `others` holds the CPUs of every thread without a pin.
 * `online` holds the vCPUs that should have a thread; it is absent when only QEMU's command line is known.
 * `source` names where all this is stated.
 */
export interface Expected {
  readonly guest: string
  readonly source: string
  readonly cellular: boolean
  readonly online?: VcpuSet
  readonly iothreads: readonly number[]
  readonly vcpupin: ReadonlyMap<number, CpuSet>
  readonly iothreadpin: ReadonlyMap<number, CpuSet>
  readonly emulatorpin?: CpuSet
  readonly others?: CpuSet
  readonly cells: readonly ExpectedCell[]
  readonly memory: readonly ExpectedMemory[]
}

/**
 * Facts that the domain does not state: numad's answer for placement='auto', the size of a bare
 * `<hugepages/>`, and that of ordinary pages.
 */
interface OutsideDomain {
  readonly source: string
  readonly autoNodes?: NodeSet
  readonly autoCpus?: CpuSet
  readonly defaultPagesizeKiB?: number
  readonly ordinaryPagesizeKiB?: number
}

/** The sizes that a guest may leave unsaid. QEMU itself has ordinary pages, the smallest of its mappings. */
export function pagesizesOf(
  host: Host | undefined,
  { mappings = [] }: RunningGuest,
): Pick<OutsideDomain, 'defaultPagesizeKiB' | 'ordinaryPagesizeKiB'> {
  const defaultPagesizeKiB = host?.defaultPagesizeKiB
  const sizes = mappings.flatMap(({ pagesizeKiB }) => pagesizeKiB ?? [])
  return {
    ...(defaultPagesizeKiB !== undefined && { defaultPagesizeKiB }),
    ...(sizes.length > 0 && { ordinaryPagesizeKiB: Math.min(...sizes) }),
  }
}

/**
 * The expected placement of a guest whose live domain is known.
 * @see libvirt formatdomain, cputune: emulator and I/O threads without a pin use `<vcpu cpuset>`
 */
export function expectedOfDomain(view: DomainView, command: QemuCommand, outside: OutsideDomain): Expected {
  const cells = writtenCells(view).map((cell) => expectedCell(view, cell, outside))
  const others = view.vcpuAuto ? outside.autoCpus : view.vcpuCpuset
  return {
    guest: view.name,
    source: outside.source,
    cellular: view.cells.length > 0,
    online: view.online,
    iothreads: view.iothreads,
    vcpupin: view.vcpupin,
    iothreadpin: view.iothreadpin,
    ...(view.emulatorpin && { emulatorpin: view.emulatorpin }),
    ...(others && { others }),
    cells,
    memory: cells.flatMap((cell) => [ramOf(cell, command), ...devicesOf(view, cell, { command, outside })]),
  }
}

function expectedCell(
  view: DomainView,
  cell: Pick<ExpectedCell, 'id' | 'vcpus' | 'memoryKiB'>,
  outside: OutsideDomain,
): ExpectedCell {
  const { memory, memnodes } = view.tune
  const memnode = view.cells.length === 0 ? undefined : memnodes.find((each) => each.cell === cell.id)
  // placement='auto' overrides memnodes; a cell without a memnode uses <memory>.
  const nodes = memory?.auto ? outside.autoNodes : (memnode?.nodes ?? memory?.nodes)
  const mode = memnode?.mode ?? memory?.mode
  const pagesizeKiB = pagesizeKiBOf(view.cellPages[cell.id], outside)
  const { id, vcpus } = cell
  const pluggedKiB = view.cells.length > 0 ? 0 : sum(view.memoryDevices.map(({ sizeKiB }) => sizeKiB))
  return {
    ...{ id, vcpus, memoryKiB: cell.memoryKiB - pluggedKiB },
    ...(nodes && { nodes, ...(mode && { mode }) }),
    ...(pagesizeKiB !== undefined && { pagesizeKiB }),
  }
}

function ramOf(
  { id, memoryKiB, nodes, mode, pagesizeKiB }: ExpectedCell,
  command: QemuCommand,
): ExpectedMemory {
  const ram = command.cells.find((cell) => cell.id === id)?.ram
  const backend = command.backends.find((each) => each.id === ram)
  return {
    ...{ cell: id, sizeKiB: memoryKiB },
    ...(backend && { backend }),
    ...(nodes && { nodes }),
    ...(mode && { mode }),
    ...(pagesizeKiB !== undefined && { pagesizeKiB }),
  }
}

/** libvirt names the backend of device dimm0 "memdimm0". A hot-plugged device is not on the command line. */
function devicesOf(
  view: DomainView,
  { id, nodes, mode }: ExpectedCell,
  { command, outside }: { readonly command: QemuCommand; readonly outside: OutsideDomain },
): ExpectedMemory[] {
  const isPlaced = ({ model, cell = 0 }: MemoryDevice): boolean =>
    cell === id && /^(dimm|virtio-mem)$/.test(model)
  const devices = view.memoryDevices.filter(isPlaced)
  const unnamed = devices.some(({ alias }) => alias === undefined)
    ? command.devices.filter(({ cell }) => cell === id)
    : []
  return devices.map((device, index) => {
    const name = device.alias === undefined ? unnamed[index]?.backend : `mem${device.alias}`
    const stated = command.backends.find((each) => each.id === name)
    const kind = pluggedKind(device, view, { command, outside })
    const plugged = device.alias !== undefined &&
      name !== undefined && { id: name, sizeKiB: device.sizeKiB, ...(kind && { kind }) }
    const backend = stated ?? (plugged || undefined)
    const own = device.nodes ?? nodes
    return {
      cell: id,
      sizeKiB: device.sizeKiB,
      ...(backend && { backend }),
      ...(own && { nodes: own }),
      ...(own && mode && { mode }),
    }
  })
}

/**
 * What is behind a device that was plugged in: memfd where the guest has that; else a file for huge pages,
 * and for ordinary pages anonymous memory, or a file that has the device's name.
 * @see libvirt qemuBuildMemoryBackendProps
 */
function pluggedKind(
  { pagesizeKiB, cell = 0 }: MemoryDevice,
  { cellPages }: DomainView,
  { command, outside }: { readonly command: QemuCommand; readonly outside: OutsideDomain },
): BackingKind | undefined {
  const kind = command.backends[0]?.kind
  if (kind !== 'file') return kind
  const isOrdinary =
    pagesizeKiB === undefined
      ? (cellPages[cell] ?? 'ordinary') === 'ordinary'
      : pagesizeKiB === outside.ordinaryPagesizeKiB
  return isOrdinary ? 'ram' : 'file'
}

const MODES: Readonly<Record<string, MemoryMode>> = {
  bind: 'strict',
  preferred: 'preferred',
  interleave: 'interleave',
}

/**
 * The expected placement of a guest without a known domain: memory on the nodes of QEMU's backends, no pins.
 */
export function expectedOfCommand(command: QemuCommand, source: string): Expected {
  const ids = new Set(command.cells.map(({ id }) => id))
  const block = (cell: number, id: string | undefined): ExpectedMemory => {
    const backend = command.backends.find((each) => each.id === id)
    const mode = MODES[backend?.policy?.mode ?? '']
    const nodes = backend?.policy?.nodes
    return {
      cell,
      sizeKiB: backend?.sizeKiB ?? 0,
      ...(backend && { backend }),
      ...(nodes && { nodes }),
      ...(mode && { mode }),
    }
  }
  const memory = command.cells.map(({ id, ram }) => block(id, ram))
  return {
    guest: command.guest ?? '',
    source,
    cellular: command.cells.length > 1,
    iothreads: [],
    vcpupin: new Map(),
    iothreadpin: new Map(),
    cells: command.cells.map(({ id, vcpus }, index) => {
      const { nodes, mode, sizeKiB } = memory[index] as ExpectedMemory
      return { id, vcpus, memoryKiB: sizeKiB, ...(nodes && { nodes }), ...(mode && { mode }) }
    }),
    memory: [
      ...memory,
      ...command.devices.filter(({ cell }) => ids.has(cell)).map(({ cell, backend }) => block(cell, backend)),
    ],
  }
}
