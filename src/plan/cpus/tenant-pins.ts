// cpus=as-pinned as a tenant's request: the guest's own pins, within the tenant's bounds.
//
// A pin that leaves the bounds is cut where something of it is left. A guest that gets new cells is refused
// when nothing is left of a vCPU's pin, or vCPUs would have to share CPUs: the pins are all that its cells
// are made of. A guest that keeps its cells may be on its way from another host, whose CPUs its pins still
// name: where what is left of them does not hold it, it gets other CPUs within the bounds, as it would
// without the key.

import { type Bound, boundsLeft, cutTo, withCuts } from '../../base/bounds.ts'
import type { Diagnostic } from '../../base/diagnostic.ts'
import { type CpuSet, formatSet, setOf, union } from '../../base/idset.ts'
import { diagnostic, refuseAll } from '../../codes/codes.ts'
import type { DomainView } from '../../model/domain.ts'
import type { PlanInput } from '../../model/placement.ts'
import type { TenantPins } from '../../model/request.ts'
import { bindingHolds, canSpread } from '../holds.ts'
import { situationOf } from '../situation.ts'
import { type PinnedThread, pinnedThreads, threadIds } from './pinned-threads.ts'

/** What a placement is decided from. `pins`: whether those of the view are still those of the document. */
export interface BoundedInput {
  readonly input: PlanInput
  readonly pins: 'as-written' | 'cut'
  readonly notes: readonly Diagnostic[]
}

/**
 * The input with its pins cut to their bounds, or without cpus=as-pinned where that does not do.
 * @param from its resources allow what the request's cpuset names, or else what the guest was given
 * @param cells whether the guest keeps those that it has
 * @throws Refusal `pin-outside` for each vCPU that nothing of its pin is left of, and `not-enough-threads`,
 * where cells are new
 */
export function pinsWithinBounds(from: PlanInput, tenant: TenantPins, cells: 'kept' | 'new'): BoundedInput {
  const { view } = from
  const leaving = pinnedThreads(view).filter((thread) => leftOf(thread, tenant).length < thread.pin.length)
  const within = withPins(from, tenant)
  if (leaving.length === 0) return { input: { ...within, view }, pins: 'as-written', notes: [] }
  const facts = {
    source: tenant.source,
    threads: threadIds(leaving),
    pinned: union(...leaving.map(({ pin }) => pin)),
    bounds: [...new Set(leaving.flatMap((thread) => boundsLeft(thread.pin, boundsOf(thread, tenant))))],
  }
  const left = union(...leaving.map((thread) => leftOf(thread, tenant)))
  const notes = [diagnostic('pins-cut', { ...facts, left })]
  const lost = leaving.filter((thread) => leftOf(thread, tenant).length === 0)
  if (cells === 'new') {
    refuseAll(pinsOutside(lost, from, tenant))
    withCuts(notes, () => refuseAll(cpusNowShared(within, view)))
    return { input: within, pins: 'cut', notes }
  }
  if (lost.length === 0 && bindingHolds(situationOf(within))) return { input: within, pins: 'cut', notes }
  const allowed = cutTo(tenant.vcpus, from.resources.allowed.cpus)
  const moved = diagnostic('pins-moved', { ...facts, allowed })
  return { input: { ...from, request: tenant.otherwise }, pins: 'as-written', notes: [moved] }
}

const boundsOf = ({ role }: Pick<PinnedThread, 'role'>, { vcpus, threads }: TenantPins): readonly Bound[] =>
  role === 'vcpu' ? vcpus : threads

const leftOf = (thread: PinnedThread, tenant: TenantPins): CpuSet =>
  thread.role === 'vcpu' ? cutTo(tenant.vcpus, thread.pin) : leftOfThread(thread.pin, tenant)

/**
 * CPUs that are requested for these threads stay: a tenant's own request was cut before, a flag is not
 * bounded.
 */
function leftOfThread(pin: CpuSet, { threads, otherwise: { emulator } }: TenantPins): CpuSet {
  const isRequested = typeof emulator !== 'string' && formatSet(emulator) === formatSet(pin)
  return isRequested ? pin : cutTo(threads, pin)
}

function withPins(from: PlanInput, tenant: TenantPins): PlanInput {
  const view = cutView(from.view, tenant)
  const pins = union(...pinnedThreads(view).map(({ pin }) => pin))
  return { ...from, view, resources: tenant.resourcesWith(pins) }
}

/**
 * A pin that nothing is left of is gone. `<vcpu cpuset>` becomes what is in use whenever pins are written.
 */
function cutView(view: DomainView, tenant: TenantPins): DomainView {
  const { emulatorpin, vcpuCpuset: _, ...others } = view
  const emulator = leftOfThread(emulatorpin ?? setOf<CpuSet>([]), tenant)
  return {
    ...others,
    vcpupin: cutAll(view.vcpupin, (pin) => cutTo(tenant.vcpus, pin)),
    iothreadpin: cutAll(view.iothreadpin, (pin) => leftOfThread(pin, tenant)),
    ...(emulator.length > 0 && { emulatorpin: emulator }),
  }
}

function cutAll(
  pins: ReadonlyMap<number, CpuSet>,
  left: (pin: CpuSet) => CpuSet,
): ReadonlyMap<number, CpuSet> {
  const cut = [...pins].map(([id, pin]) => [id, left(pin)] as const)
  return new Map(cut.filter(([, pin]) => pin.length > 0))
}

/** A finding where vCPUs that had CPUs of their own would now share some. */
function cpusNowShared(cut: PlanInput, before: DomainView): readonly Diagnostic[] {
  const pinsOf = (view: DomainView): CpuSet[] =>
    before.online.map((vcpu) => view.vcpupin.get(vcpu) ?? setOf<CpuSet>([]))
  const pins = pinsOf(cut.view)
  if (cut.request.pin === 'cell' || canSpread(pins) || !canSpread(pinsOf(before))) return []
  const cpus = union(...pins)
  return [diagnostic('not-enough-threads', { vcpus: pins.length, cpuset: cpus })]
}

/** Of vCPUs that are online at boot; others get the CPUs of their cell. */
function pinsOutside(
  lost: readonly PinnedThread[],
  { view, resources }: PlanInput,
  { vcpus }: TenantPins,
): Diagnostic[] {
  const cpuset = cutTo(vcpus, resources.allowed.cpus)
  const online = new Set<number>(view.online)
  return lost
    .filter(({ role, id }) => role === 'vcpu' && online.has(id))
    .map(({ id, pin }) =>
      diagnostic('pin-outside', { vcpu: id, cpus: pin, cpuset, bounds: boundsLeft(pin, vcpus) }),
    )
}
