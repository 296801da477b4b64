// One guest on one host: everything that the steps of plan and rebind look at, worked out once.

import type { DomainView } from '../model/domain.ts'
import type { PlanInput } from '../model/placement.ts'
import type { Request } from '../model/request.ts'
import { type Allocation, allocationOfNew, backingNodes, emulatorToBe } from './backing/allocation.ts'
import { type NodesBehind, nodesBehind } from './backing/memory-nodes.ts'
import { nodeDistance } from './cells/distances.ts'
import { type GuestCore, guestCores, guestThreads } from './cells/guest-cores.ts'
import { type AvailableCpus, availableCpus } from './cpus/available.ts'
import { sharesCpus } from './cpus/sharing.ts'
import { wholeCores } from './cpus/whole-cores.ts'

/** The input, and what follows from it. Nothing in it changes while a placement is made. */
export interface Situation extends PlanInput {
  /** The CPUs that this guest may be pinned to. */
  readonly available: AvailableCpus
  /**
   * Whether vCPUs share all CPUs of their cell, and may be more than these; else each has a CPU of its own.
   */
  readonly sharesCpus: boolean
  /** All guest cores, ascending; some may have no vCPU that is online at boot. */
  readonly guestCores: readonly GuestCore[]
  /** Whether the guest gets cells where they are built anew. */
  readonly getsCells: boolean
  /** How far apart two nodes (ids) are, both directions together. */
  readonly distance: (a: number, b: number) => number
  /** When QEMU allocates the memory of cells that are still to be made. */
  readonly allocation: Allocation
  /** The nodes that may back memory, by when QEMU allocates it. */
  readonly backingNodes: Readonly<Record<Allocation, readonly number[]>>
  /**
   * Of these the ones that may back a cell that runs on a given node: the nearest ones. It throws
   * `no-memory-node` where there is none.
   */
  readonly nodesBehind: Readonly<Record<Allocation, NodesBehind>>
}

/**
 * Works out what the steps look at.
 * @throws Refusal as availableCpus does
 */
export function situationOf(input: PlanInput): Situation {
  const { view, resources, request } = input
  const distance = nodeDistance(resources)
  const backing = backingNodes(resources, emulatorToBe(view, request))
  const available = availableCpus(resources, request, view.online.length)
  return {
    ...input,
    available: request.cores === 'whole' ? wholeCores(available, guestThreads(view)) : available,
    sharesCpus: sharesCpus(input),
    guestCores: guestCores(view),
    getsCells: !request.pinsOnly && hasCells(view, request),
    distance,
    allocation: allocationOfNew(input),
    backingNodes: backing,
    nodesBehind: {
      later: nodesBehind(resources, distance, backing.later),
      'at-start': nodesBehind(resources, distance, backing['at-start']),
    },
  }
}

/**
 * QEMU has no NUMA on s390x. KubeVirt writes cells all the same, and like=kubevirt is KubeVirt's own answer.
 */
export function hasCells({ arch }: DomainView, { rules }: Request): boolean {
  return rules.cellsOn === 'every-machine' || !(arch ?? '').startsWith('s390')
}
