// One guest on one host: everything that the steps of plan and rebind look at, worked out once.

import type { DomainView, Request, Resources } from '../model.ts'
import { type MemoryNodeOf, memoryNodes } from './backing/memory-nodes.ts'
import { nodeDistance } from './cells/distances.ts'
import { type GuestCore, guestCores } from './cells/guest-cores.ts'
import { type AvailableCpus, availableCpus, sharesCpus } from './cpus/available.ts'

/** What is decided from. Nothing in it changes while a placement is made. */
export interface Situation {
  readonly view: DomainView
  readonly resources: Resources
  readonly request: Request
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

/** @throws Refusal as availableCpus does */
export function situationOf(view: DomainView, resources: Resources, request: Request): Situation {
  const distance = nodeDistance(resources)
  return {
    view,
    resources,
    request,
    available: availableCpus(resources, request, view.online.length),
    sharesCpus: sharesCpus(request, resources),
    guestCores: guestCores(view),
    distance,
    memoryNodeOf: memoryNodes(resources, distance),
  }
}
