// The /sys and /proc of a running or captured machine -> Host.

import { type CpuSet, intersect, MAX_NODES, type NodeSet, setOf, subtract, union } from '../base/idset.ts'
import { refuse } from '../codes/codes.ts'
import type { Host, HostNode } from '../model/host.ts'
import { readSiblings } from './cores.ts'
import { soundDistances } from './distances.ts'
import type { Files } from './files.ts'
import { readNodePages, readPools } from './hugepages.ts'
import { kibIn, known, listAt, maskAt, numberAt, numberedIn, textAt } from './kernel-text.ts'
import { readCaches, readLevels } from './shared-by.ts'

const CPU = '/sys/devices/system/cpu'
const NODE = '/sys/devices/system/node'

/**
 * Nodes, CPUs, cores and huge pages as the kernel states them; what it does not state is absent.
 * A kernel without NUMA has no node folders: then the host is node 0 with every online CPU.
 * @param scope the CPUs whose cores and caches are read (a pod's); absent: all online CPUs
 * @param detail sockets, dies and clusters too, which only a snapshot states, or what placement looks at
 * @throws Refusal `host-unreadable` when no online CPU is found
 * @see Documentation/ABI/stable/sysfs-devices-node, testing/sysfs-devices-system-cpu
 */
export function readHost(files: Files, scope?: CpuSet, detail: 'all' | 'for-placement' = 'all'): Host {
  const ids = readNodeIds(files)
  if (ids.length > MAX_NODES) {
    const because = { is: 'too-many-nodes', folder: NODE, count: ids.length, max: MAX_NODES } as const
    refuse('host-unreadable', { because })
  }
  const stated = new Map(ids.map((id) => [id, readNodeCpus(files, id)]))
  const online = onlineCpus(files) ?? union(...stated.values())
  if (online.length === 0)
    refuse('host-unreadable', { because: { is: 'no-online-cpu', folders: [CPU, NODE] } })
  const meminfo = textAt(files, '/proc/meminfo')
  const nodes =
    ids.length === 0 ? [readOnlyNode(files, online, meminfo)] : readNodes(files, ids, stated, online)
  const defaultPagesizeKiB = kibIn(meminfo, 'Hugepagesize')
  const sizes = nodes.flatMap((node) => node.pages.map(({ pagesizeKiB }) => pagesizeKiB))
  const isolated = intersect(listAt<CpuSet>(files, `${CPU}/isolated`) ?? setOf<CpuSet>([]), online)
  const inScope = scope === undefined ? online : intersect(scope, online)
  return {
    nodes,
    siblings: readSiblings(files, inScope, online),
    ...readCaches(files, inScope, online),
    ...(detail === 'all' ? readLevels(files, inScope, online) : {}),
    ...known('pools', readPools(files, sizes, defaultPagesizeKiB)),
    ...known('defaultPagesizeKiB', defaultPagesizeKiB),
    ...known('isolated', isolated.length === 0 ? undefined : isolated),
  }
}

/**
 * The ids in node/online, or else those of the node folders; none without node folders, whatever node/online
 * says.
 */
function readNodeIds(files: Files): NodeSet {
  const folders = setOf<NodeSet>(numberedIn(files, NODE, 'node') ?? [])
  const online = listAt<NodeSet>(files, `${NODE}/online`) ?? folders
  return folders.length === 0 || online.length === 0 ? folders : online
}

/** The CPUs of a node; old kernels include offline ones. */
function readNodeCpus(files: Files, id: number): CpuSet {
  const folder = `${NODE}/node${id}`
  return (
    listAt<CpuSet>(files, `${folder}/cpulist`) ??
    maskAt<CpuSet>(files, `${folder}/cpumap`) ??
    setOf<CpuSet>(numberedIn(files, folder, 'cpu') ?? [])
  )
}

/**
 * The online CPUs: cpu/online, or else the CPU folders; undefined when there are none. A CPU that cannot be
 * taken offline (often CPU 0) has no `online` file.
 */
export function onlineCpus(files: Files): CpuSet | undefined {
  const online = listAt<CpuSet>(files, `${CPU}/online`)
  if (online !== undefined && online.length > 0) return online
  const present = numberedIn(files, CPU, 'cpu') ?? []
  return present.length === 0
    ? undefined
    : setOf<CpuSet>(present.filter((cpu) => numberAt(files, `${CPU}/cpu${cpu}/online`) !== 0))
}

function readNodes(
  files: Files,
  ids: NodeSet,
  stated: ReadonlyMap<number, CpuSet>,
  online: CpuSet,
): HostNode[] {
  let left = online
  return ids.map((id) => {
    // A CPU is on one node: if two nodes list it, the lower id gets it.
    const cpus = intersect(left, stated.get(id) as CpuSet)
    left = subtract(left, cpus)
    const folder = `${NODE}/node${id}`
    return {
      id,
      cpus,
      ...memoryOf(textAt(files, `${folder}/meminfo`)),
      pages: readNodePages(files, `${folder}/hugepages`),
      ...known('distances', readDistances(files, `${folder}/distance`, ids.length)),
    }
  })
}

/** The kernel writes one column per online node, in id order. */
function readDistances(files: Files, path: string, nodes: number): readonly number[] | undefined {
  const row = textAt(files, path)?.trim().split(/\s+/).map(Number)
  return row === undefined ? undefined : soundDistances(row, nodes)
}

function readOnlyNode(files: Files, online: CpuSet, meminfo: string | undefined): HostNode {
  return { id: 0, cpus: online, ...memoryOf(meminfo), pages: readNodePages(files) }
}

type NodeMemory = Pick<HostNode, 'memoryKiB' | 'freeKiB' | 'availableKiB'>

function memoryOf(meminfo: string | undefined): NodeMemory {
  return {
    ...known('memoryKiB', kibIn(meminfo, 'MemTotal')),
    ...known('freeKiB', kibIn(meminfo, 'MemFree')),
    ...known('availableKiB', availableIn(meminfo)),
  }
}

/** The kernel states MemAvailable for the whole host only, so a node's is summed from its parts. */
function availableIn(meminfo: string | undefined): number | undefined {
  const freeKiB = kibIn(meminfo, 'MemFree')
  const fileKiB = kibIn(meminfo, 'Inactive(file)')
  const slabKiB = kibIn(meminfo, 'SReclaimable')
  if (freeKiB === undefined || fileKiB === undefined || slabKiB === undefined) return undefined
  // The parts are counted at different times, so that their sum may exceed the total.
  return Math.min(freeKiB + fileKiB + slabKiB, kibIn(meminfo, 'MemTotal') ?? Number.POSITIVE_INFINITY)
}
