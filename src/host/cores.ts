// The sibling files of the online CPUs -> cores: sets of CPUs that share one core.

import { type CpuSet, setOf } from '../base/idset.ts'
import type { Files } from './files.ts'
import { listAt, maskAt } from './kernel-text.ts'

/**
 * The cores of the given CPUs that have more than one online CPU, ascending by first CPU; the sets are
 * disjoint. A CPU that is already in a set is not read again, so the cost grows with the cores and not with
 * the threads.
 */
export function readSiblings(files: Files, cpus: CpuSet, online: CpuSet): CpuSet[] {
  const isOnline = new Set<number>(online)
  const placed = new Set<number>()
  const cores: CpuSet[] = []
  for (const cpu of cpus) {
    if (placed.has(cpu)) continue
    // Old kernels list offline CPUs too. A list without its own CPU is invalid (found in hand-made captures).
    const siblings = readCore(files, cpu)
    if (siblings === undefined || !siblings.includes(cpu)) continue
    const core = setOf<CpuSet>(siblings.filter((each) => isOnline.has(each) && !placed.has(each)))
    for (const each of core) placed.add(each)
    if (core.length > 1) cores.push(core)
  }
  return cores.sort((a, b) => (a[0] as number) - (b[0] as number))
}

/** Every kernel has the old name thread_siblings; core_cpus exists since Linux 5.3. */
function readCore(files: Files, cpu: number): CpuSet | undefined {
  const folder = `/sys/devices/system/cpu/cpu${cpu}/topology`
  return (
    listAt<CpuSet>(files, `${folder}/thread_siblings_list`) ??
    listAt<CpuSet>(files, `${folder}/core_cpus_list`) ??
    maskAt<CpuSet>(files, `${folder}/thread_siblings`) ??
    maskAt<CpuSet>(files, `${folder}/core_cpus`)
  )
}
