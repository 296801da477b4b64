// One guest on one host: everything that the steps of plan and rebind look at, worked out once.

import type { DomainView, Request, Resources } from '../model.ts'
import { type MemoryNodeOf, memoryNodes } from './backing/memory-nodes.ts'
import { nodeDistance } from './cells/distances.ts'
import { type GuestCore, guestCores } from './cells/guest-cores.ts'
import { type AvailableCpus, availableCpus, sharesCpus } from './cpus/available.ts'

/** What a placement is decided from: a guest, what it may use of a host, and what is requested. */
export interface PlanInput {
  readonly view: DomainView
  readonly resources: Resources
  readonly request: Request
}

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
  /** How far apart two nodes (ids) are, both directions together. */
  readonly distance: (a: number, b: number) => number
  /**
   * The node whose memory backs a cell that runs on a given node. It throws `no-memory-node` where there is
   * none.
   */
  readonly memoryNodeOf: MemoryNodeOf
}

/**
 * Works out what the steps look at.
 * @throws Refusal as availableCpus does
 */
export function situationOf(input: PlanInput): Situation {
  const { view, resources, request } = input
  const distance = nodeDistance(resources)
  return {
    ...input,
    available: availableCpus(resources, request, view.online.length),
    sharesCpus: sharesCpus(request, resources),
    guestCores: guestCores(view),
    distance,
    memoryNodeOf: memoryNodes(resources, distance),
  }
}
