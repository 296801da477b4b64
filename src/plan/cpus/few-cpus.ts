// Whether there are CPUs for all vCPUs that are to have one of their own.

import { sum } from '../../base/lists.ts'
import { refuse } from '../../codes/codes.ts'
import { guestThreads, onlineCores } from '../cells/guest-cores.ts'
import type { Situation } from '../situation.ts'
import { isOneToOne } from './sharing.ts'

/**
 * @throws Refusal `not-enough-threads` where each vCPU is to have a CPU of its own and there are too few;
 * `cores-few` where each guest core is to have a host core
 */
export function refuseFewCpus(situation: Situation): void {
  const { view, available, request, guestCores, sharesCpus } = situation
  const { cpus, offline, nodes } = available
  const cores = onlineCores(guestCores).length
  const hostCores = sum(nodes.map((node) => node.cores.length))
  if (request.cores === 'whole' && cores > hostCores)
    refuse('cores-few', { guestCores: cores, hostCores, threads: guestThreads(view), cpus })
  if (sharesCpus || view.online.length <= cpus.length + offline.length) return
  const owns = request.pin === 'cpu' ? undefined : ownedBecause(situation)
  refuse('not-enough-threads', { vcpus: view.online.length, cpuset: cpus, ...(owns && { owns }) })
}

function ownedBecause(situation: Situation): 'realtime' | 'one-to-one' | undefined {
  if (situation.view.realtime.length > 0) return 'realtime'
  return isOneToOne(situation) ? 'one-to-one' : undefined
}
