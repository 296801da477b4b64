// Whether vCPUs share all CPUs of their cell, or have one CPU each.

import { has, intersect, type NodeSet, setOf, subtract, union } from '../../base/idset.ts'
import type { Resources } from '../../model/host.ts'
import type { Memnode, PlanInput } from '../../model/placement.ts'
import type { Pin } from '../../model/request.ts'
import { allocationOf, needsPinnedEmulator, nodesWithCpus } from '../backing/allocation.ts'
import { pagesizeKiBOf } from '../cells/pagesize.ts'

/**
 * With pin=auto each vCPU has a CPU of its own where the CPUs are this guest's, or where its owner wants it
 * so: its pins are one to one already, its vCPUs are scheduled real-time, or its guest cores get whole host
 * cores. On an open host the others share, so that two guests are never on one CPU by our doing.
 */
export function sharesCpus(input: PlanInput): boolean {
  return sharing[input.request.pin](input)
}

const sharing: Record<Pin, (input: PlanInput) => boolean> = {
  cpu: () => false,
  cell: () => true,
  auto: (input) =>
    isOpen(input.resources) &&
    input.request.cores === 'any' &&
    input.view.realtime.length === 0 &&
    !isOneToOne(input),
}

/** Whether the guest may use every online CPU, as may others. */
function isOpen({ allowed, allowedBy, nodes }: Resources): boolean {
  if (allowedBy === 'cpuset' || allowedBy === 'pins') return false
  const online = union(...nodes.map((node) => node.cpus))
  return subtract(online, allowed.cpus).length === 0
}

/**
 * Whether every vCPU that is online at boot is pinned to one CPU that is its own: no other vCPU is pinned to
 * it, nor the emulator, unless that is requested. Of a node with one CPU, vCPUs that share it have such a pin
 * too. An emulator may run among vCPUs only where it must (emulator.ts): on a node of the guest's memory of
 * which it has no other CPU, beside CPUs of its own; or on all their CPUs, if libvirt must know some for it,
 * here or on the host that the guest comes from.
 */
export function isOneToOne(input: PlanInput): boolean {
  const { view, request, resources } = input
  const { online, vcpupin, emulatorpin, tune } = view
  const pins = online.map((vcpu) => vcpupin.get(vcpu))
  if (pins.length === 0 || !pins.every((pin) => pin?.length === 1)) return false
  const cpus = union(...pins.flatMap((pin) => (pin === undefined ? [] : [pin])))
  if (cpus.length < pins.length) return false
  if (request.emulator === 'shared' || emulatorpin === undefined) return true
  const among = intersect(emulatorpin, cpus)
  const own = subtract(emulatorpin, cpus)
  if (among.length === 0) return true
  if (own.length === 0) {
    const backed = written(input)
    return (
      among.length === cpus.length && (isFromElsewhere(input, backed) || needsPinnedEmulator(input, backed))
    )
  }
  const backing = union(...tune.memnodes.map(({ nodes }) => nodes))
  const reached = resources.nodes.filter(
    ({ id, cpus: there }) => has(backing, id) && intersect(there, own).length === 0,
  )
  return subtract(among, union(...reached.map((node) => node.cpus))).length === 0
}

/** Whether memory that QEMU allocates is bound to nodes of which this host lacks some and has no CPUs. */
function isFromElsewhere({ view, resources }: PlanInput, backed: readonly Backed[]): boolean {
  const known = setOf<NodeSet>(resources.nodes.map(({ id }) => id))
  const withCpus = setOf<NodeSet>(nodesWithCpus(resources))
  return backed.some(
    ({ nodes, pagesizeKiB }) =>
      allocationOf(pagesizeKiB, resources, view) === 'at-start' &&
      subtract(nodes, known).length > 0 &&
      intersect(nodes, withCpus).length === 0,
  )
}

type Backed = Pick<Memnode, 'nodes' | 'pagesizeKiB'>

function written({ view, resources }: PlanInput): Backed[] {
  return view.tune.memnodes.map(({ cell, nodes }) => {
    const pagesizeKiB = pagesizeKiBOf(view.cellPages[cell], resources)
    return { nodes, ...(pagesizeKiB !== undefined && { pagesizeKiB }) }
  })
}
