// `virt-numa snapshot`: this machine, or a captured one, as host.json.

import { formatSnapshot } from '../../host/capture/snapshot.ts'
import { resourcesOf } from '../../host/resources.ts'
import { readHostSource } from '../../machine/host-source.ts'
import type { Command } from '../commands.ts'
import { print } from '../output.ts'

export function snapshotCommand({
  host,
  cgroup,
  pid,
  wishes,
}: Extract<Command, { name: 'snapshot' }>): number {
  const from = readHostSource({
    ...(host !== undefined && { host }),
    ...(cgroup !== undefined && { cgroup }),
    ...(pid !== undefined && { pid }),
    whole: true,
  })
  const allowed = { ...from.allowed, ...(wishes.cpuset !== undefined && { cpus: wishes.cpuset }) }
  const stated =
    Object.keys(allowed).length === 0 ? undefined : { ...resourcesOf(from.host, allowed).allowed, ...allowed }
  print(1, formatSnapshot(from.host, stated))
  return 0
}
