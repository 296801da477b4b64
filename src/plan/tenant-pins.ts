// cpus=as-pinned as a tenant's request: the guest's own pins, within the tenant's bounds.
//
// A pin that leaves the bounds is cut where something of it is left. A guest that gets new cells is refused when
// nothing is left of a vCPU's pin, since the pins are all that its cells would be made of. A guest that keeps its cells
// may be on its way from another host, whose CPUs its pins still name: where what is left of them does not hold it, it
// gets other CPUs within the bounds, as it would without the key.

import { type Bound, boundWords, cutTo } from '../base/bounds.ts'
import { type Diagnostic, diagnostic, refuseAll } from '../base/diagnostic.ts'
import { type CpuSet, formatSet, setOf, union } from '../base/idset.ts'
import type { DomainView, Request, Resources } from '../model.ts'
import { type PinnedThread, pinnedThreads, threadWords } from './pinned-threads.ts'
import { bindingHolds } from './rebind.ts'

/**
 * A tenant's request for as-pinned. `source`: where it stands; `bounds`: with the tenant's own cpuset; `otherwise`: the
 * request without that key.
 */
export interface TenantPins {
  readonly source: string
  readonly bounds: readonly Bound[]
  readonly otherwise: Request
}

/** What a placement is decided from. `pins`: whether those of the view are still those of the document. */
export interface Bounded {
  readonly view: DomainView
  readonly request: Request
  readonly resources: Resources
  readonly pins: 'as-written' | 'cut'
  readonly notes: readonly Diagnostic[]
}

/**
 * @param from its resources allow what the request's cpuset names, or else what the guest was given
 * @param cells whether the guest keeps those that it has
 * @throws Refusal `pin-outside` for each vCPU that nothing of its pin is left of, where cells are new
 */
export function pinsWithinBounds(from: Bounded, tenant: TenantPins, cells: 'kept' | 'new'): Bounded {
  const { view, request } = from
  const { bounds, source } = tenant
  const leaving = pinnedThreads(view).filter(({ pin }) => cutTo(bounds, pin).length < pin.length)
  const within = withPins(from, bounds)
  if (leaving.length === 0) return { ...within, view }
  const pinned = union(...leaving.map(({ pin }) => pin))
  const facts = { source, threads: threadWords(leaving), pinned: formatSet(pinned), bounds: boundWords(pinned, bounds) }
  const left = formatSet(cutTo(bounds, pinned))
  const cut: Bounded = { ...within, pins: 'cut', notes: [diagnostic('pins-cut', { ...facts, left })] }
  const lost = leaving.filter(({ pin }) => cutTo(bounds, pin).length === 0)
  if (cells === 'new') {
    refuseAll(pinsOutside(lost, from, bounds))
    return cut
  }
  if (lost.length === 0 && bindingHolds(cut.view, cut.resources, request)) return cut
  const allowed = formatSet(cutTo(bounds, from.resources.allowed.cpus))
  return { ...from, request: tenant.otherwise, notes: [diagnostic('pins-moved', { ...facts, allowed })] }
}

/** With as-pinned the pins are the allowed CPUs, unless a cpuset is. */
function withPins(from: Bounded, bounds: readonly Bound[]): Bounded {
  const { resources, request } = from
  const view = cutView(from.view, bounds)
  const pins = union(...pinnedThreads(view).map(({ pin }) => pin))
  if (pins.length === 0 || request.cpuset !== undefined) return { ...from, view }
  return { ...from, view, resources: { ...resources, allowed: { ...resources.allowed, cpus: pins } } }
}

/** A pin that nothing is left of is gone. `<vcpu cpuset>` becomes what is in use whenever pins are written. */
function cutView(view: DomainView, bounds: readonly Bound[]): DomainView {
  const { emulatorpin, vcpuCpuset: _, ...others } = view
  const emulator = cutTo(bounds, emulatorpin ?? setOf<CpuSet>([]))
  return {
    ...others,
    vcpupin: cutAll(view.vcpupin, bounds),
    iothreadpin: cutAll(view.iothreadpin, bounds),
    ...(emulator.length > 0 && { emulatorpin: emulator }),
  }
}

function cutAll(pins: ReadonlyMap<number, CpuSet>, bounds: readonly Bound[]): ReadonlyMap<number, CpuSet> {
  const cut = [...pins].map(([id, pin]) => [id, cutTo(bounds, pin)] as const)
  return new Map(cut.filter(([, pin]) => pin.length > 0))
}

/** Of vCPUs that are online at boot; others get the CPUs of their cell. */
function pinsOutside(lost: readonly PinnedThread[], { view, resources }: Bounded, bounds: readonly Bound[]): Diagnostic[] {
  const cpuset = formatSet(cutTo(bounds, resources.allowed.cpus))
  const online = new Set<number>(view.online)
  return lost
    .filter(({ role, id }) => role === 'vcpu' && online.has(id))
    .map(({ id, pin }) => {
      const facts = { vcpu: id, cpus: formatSet(pin), cpuset, bounds: boundWords(pin, bounds) }
      return diagnostic('pin-outside', facts)
    })
}
