// Bounds of what a tenant may request: sets of CPUs, each with who sets it.

import { type Diagnostic, Refusal } from './diagnostic.ts'
import { type CpuSet, formatSet, intersect, subtract } from './idset.ts'

/**
 * The CPUs that a tenant's request may use. `whose` says in messages what sets the bound: a cpuset of the
 * administrator or of the tenant itself, the administrator's isolated=avoid, or what the guest was given.
 */
export interface Bound {
  readonly by: 'cpuset' | 'isolated' | 'given'
  readonly whose: string
  readonly cpus: CpuSet
}

/** The CPUs of a set that are within every bound. */
export function cutTo(bounds: readonly Bound[], cpus: CpuSet): CpuSet {
  return bounds.reduce((left, bound) => intersect(left, bound.cpus), cpus)
}

/** The bounds that do not hold all CPUs of a set. */
export function boundsLeft(cpus: CpuSet, bounds: readonly Bound[]): readonly Bound[] {
  return bounds.filter((bound) => subtract(cpus, bound.cpus).length > 0)
}

/** "cpuset in virt-numa.conf (2-3,6-7)". */
export function boundWord({ whose, cpus }: Bound): string {
  return `${whose} (${formatSet(cpus) || 'none'})`
}

/** Whether a note reports that a tenant's request was cut to its bounds. */
export function isCut({ code }: Diagnostic): boolean {
  return ['cpuset-cut', 'isolated-avoided', 'pins-cut', 'pins-moved'].includes(code)
}

/**
 * Runs `decide`. A cut of the tenant's request may be the reason for a refusal, so a refusal also lists the
 * cuts among the notes.
 * @throws Refusal of `decide`, with the cuts
 */
export function withCuts<T>(notes: readonly Diagnostic[], decide: () => T): T {
  try {
    return decide()
  } catch (error) {
    const cuts = notes.filter(isCut)
    throw error instanceof Refusal && cuts.length > 0 ? new Refusal([...error.diagnostics, ...cuts]) : error
  }
}
