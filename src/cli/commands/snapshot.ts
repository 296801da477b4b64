// `virt-numa snapshot`: prints this machine, or a captured one, as host.json.

import { anonymous, formatSnapshot } from '../../host/capture/snapshot-text.ts'
import { known } from '../../host/kernel-text.ts'
import { resourcesOf } from '../../host/resources.ts'
import { readHostSource } from '../../machine/host-source.ts'
import { libvirtVersion } from '../../machine/programs/programs.ts'
import { qemuVersion } from '../../machine/programs/qemu-version.ts'
import type { About } from '../../model/host.ts'
import { type CommandRow, EXITS, type Placing, pidOf, switchesOf, textsOf } from '../options.ts'
import { print } from '../output.ts'
import { type Running, report } from '../report.ts'

/** The version in package.json, which packaging/build.mjs fills in. */
declare const VERSION: string

/** Of the requested keys only `cpuset` can be given. */
interface Snapshot extends Omit<Placing, 'config'> {
  readonly name: 'snapshot'
  readonly anonymous: boolean
}

/** Prints the host as --host reads it; always as JSON. */
export const snapshot: CommandRow<Snapshot> = {
  about: 'print the host as JSON, for --host elsewhere and for bug reports',
  maxInputs: 0,
  options: ['host', 'cgroup', 'pid', 'anonymous', 'json'],
  keys: ['cpuset'],
  command: (given) => ({
    name: 'snapshot',
    ...textsOf(given, ['host', 'cgroup']),
    ...pidOf(given),
    ...switchesOf(given, ['anonymous']),
    requested: given.requested,
  }),
  exits: EXITS,
  examples: [
    'virt-numa snapshot > node7.json',
    'virt-numa snapshot --anonymous > report.json',
    'virt-numa snapshot --pid 4242 > pod.json',
  ],
  run: runSnapshot,
}

function runSnapshot(command: Snapshot, running: Running): number {
  const { host, cgroup, pid, requested } = command
  const from = readHostSource({
    ...(host !== undefined && { host }),
    ...(cgroup !== undefined && { cgroup }),
    ...(pid !== undefined && { pid }),
    whole: true,
    everyDevice: true,
  })
  const allowed = { ...from.allowed, ...(requested.cpuset !== undefined && { cpus: requested.cpuset }) }
  const stated =
    Object.keys(allowed).length === 0 ? undefined : { ...resourcesOf(from.host, allowed).allowed, ...allowed }
  report(from.notes ?? [], running)
  const about = host === undefined ? { ...from.about, ...aboutNow() } : from.about
  print(1, formatSnapshot(command.anonymous ? anonymous(from.host) : from.host, stated, about))
  return 0
}

/** What only this machine can say. */
function aboutNow(): About {
  return {
    tool: VERSION,
    ...known('libvirt', libvirtVersion(undefined)),
    ...known('qemu', qemuVersion()),
    date: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  }
}
