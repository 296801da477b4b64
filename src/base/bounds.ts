// Bounds of what a tenant may request: sets of CPUs, each with who sets it.

import { type Diagnostic, Refusal } from './diagnostic.ts'
import { type CpuSet, formatSet, intersect, subtract } from './idset.ts'

/**
 * `whose` names for messages what sets the bound: a cpuset of the administrator or of the tenant itself, the
 * administrator's isolated=avoid, or what the guest was given.
 */
export interface Bound {
  readonly by: 'cpuset' | 'isolated' | 'given'
  readonly whose: string
  readonly cpus: CpuSet
}

/** What of the CPUs is within every bound. */
export function cutTo(bounds: readonly Bound[], cpus: CpuSet): CpuSet {
  return bounds.reduce((left, bound) => intersect(left, bound.cpus), cpus)
}

/** The bounds that a set of CPUs leaves. */
export function boundsLeft(cpus: CpuSet, bounds: readonly Bound[]): readonly Bound[] {
  return bounds.filter((bound) => subtract(cpus, bound.cpus).length > 0)
}

/** "cpuset in virt-numa.conf (2-3,6-7)" for each bound that the set leaves. */
export function boundWords(cpus: CpuSet, bounds: readonly Bound[]): string[] {
  return boundsLeft(cpus, bounds).map((bound) => `${bound.whose} (${formatSet(bound.cpus) || 'none'})`)
}

/** Whether a note tells of a tenant's request that was cut to its bounds. */
export function isCut({ code }: Diagnostic): boolean {
  return ['cpuset-cut', 'isolated-avoided', 'pins-cut', 'pins-moved'].includes(code)
}

/** Decides, and adds to a refusal what was cut of the tenant's request before: it may be why. */
export function withCuts<T>(notes: readonly Diagnostic[], decide: () => T): T {
  try {
    return decide()
  } catch (error) {
    const cuts = notes.filter(isCut)
    throw error instanceof Refusal && cuts.length > 0 ? new Refusal([...error.diagnostics, ...cuts]) : error
  }
}
