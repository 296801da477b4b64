// `virt-numa snapshot`: prints this machine, or a captured one, as host.json.

import { formatSnapshot } from '../../host/capture/snapshot.ts'
import { resourcesOf } from '../../host/resources.ts'
import { readHostSource } from '../../machine/host-source.ts'
import { type CommandRow, EXITS, type Placing, pidOf, textsOf } from '../options.ts'
import { print } from '../output.ts'

/** Of the requested keys only `cpuset` can be given. */
interface Snapshot extends Omit<Placing, 'config'> {
  readonly name: 'snapshot'
}

/** Prints the host as --host reads it; always as JSON. */
export const snapshot: CommandRow<Snapshot> = {
  about: 'print the host as JSON, for --host elsewhere and for bug reports',
  maxInputs: 0,
  options: ['host', 'cgroup', 'pid', 'json'],
  keys: ['cpuset'],
  command: (given) => ({
    name: 'snapshot',
    ...textsOf(given, ['host', 'cgroup']),
    ...pidOf(given),
    requested: given.requested,
  }),
  exits: EXITS,
  examples: ['virt-numa snapshot > node7.json', 'virt-numa snapshot --pid 4242 > pod.json'],
  run: runSnapshot,
}

function runSnapshot({ host, cgroup, pid, requested }: Snapshot): number {
  const from = readHostSource({
    ...(host !== undefined && { host }),
    ...(cgroup !== undefined && { cgroup }),
    ...(pid !== undefined && { pid }),
    whole: true,
  })
  const allowed = { ...from.allowed, ...(requested.cpuset !== undefined && { cpus: requested.cpuset }) }
  const stated =
    Object.keys(allowed).length === 0 ? undefined : { ...resourcesOf(from.host, allowed).allowed, ...allowed }
  print(1, formatSnapshot(from.host, stated))
  return 0
}
