// The sibling files of the online CPUs -> cores: sets of CPUs that share one core.

import { type CpuSet, setOf } from '../base/idset.ts'
import type { Files } from './files.ts'
import { listAt, maskAt } from './kernel-text.ts'

/**
 * The cores of the given CPUs that have more than one online CPU, ascending by first CPU; the sets are
 * disjoint.
 */
export function readSiblings(files: Files, cpus: CpuSet, online: CpuSet): CpuSet[] {
  return disjoint(cpus, online, (cpu) => {
    const core = readCore(files, cpu)
    return core && { cpus: core }
  })
    .map((core) => core.cpus)
    .filter((core) => core.length > 1)
}

/**
 * The sets that the given CPUs are in, ascending by first CPU: each without offline CPUs and without those of
 * an earlier set. A CPU that is already in a set is not read again, so the cost grows with the sets and not
 * with the CPUs.
 * @param read the set of one CPU
 */
export function disjoint<Group extends { readonly cpus: CpuSet }>(
  cpus: CpuSet,
  online: CpuSet,
  read: (cpu: number) => Group | undefined,
): Group[] {
  const isOnline = new Set<number>(online)
  const placed = new Set<number>()
  const groups: Group[] = []
  for (const cpu of cpus) {
    if (placed.has(cpu)) continue
    // Old kernels list offline CPUs too. A list without its own CPU is invalid (found in hand-made captures).
    const group = read(cpu)
    if (group === undefined || !group.cpus.includes(cpu)) continue
    const members = setOf<CpuSet>(group.cpus.filter((each) => isOnline.has(each) && !placed.has(each)))
    for (const each of members) placed.add(each)
    groups.push({ ...group, cpus: members })
  }
  return groups.sort((a, b) => (a.cpus[0] as number) - (b.cpus[0] as number))
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
