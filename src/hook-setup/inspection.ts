// This host, or a captured folder -> what the doctor examines: files, versions, owners, and the reports of
// other programs.

import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Diagnostic, Refusal } from '../base/diagnostic.ts'
import type { CpuSet } from '../base/idset.ts'
import type { Inspection, OurHook } from '../doctor/inspection.ts'
import type { Source } from '../explain/diagnostics.ts'
import { readCgroup } from '../host/cgroup/cgroup.ts'
import { selinuxMode } from '../host/confinement.ts'
import { readDaemon } from '../host/daemon.ts'
import type { Files } from '../host/files.ts'
import { ifReadable, known } from '../host/kernel-text.ts'
import { onlineCpus, readHost } from '../host/sysfs.ts'
import { machineIn, thisMachine } from '../machine/files.ts'
import { partitionPaths } from '../machine/guest-cgroup.ts'
import { libvirtVersion, runProgram } from '../machine/programs/programs.ts'
import { qemuVersion } from '../machine/programs/qemu-version.ts'
import { readQemuConf } from '../machine/read/qemu-conf.ts'
import { CONFIG, readConfigText } from '../machine/read/read-text.ts'
import { parseConfig } from '../request/config.ts'
import { exposureOf } from './exposure.ts'
import { HOOKS, type HookFile, hasSeenHooks, hooksIn, hooksRun } from './locate.ts'
import { checkLabel, policyOn } from './selinux.ts'
import { shimText } from './shim.ts'

/** Collects what the doctor examines. `source` is the configuration, for findings to point into. */
export function inspect(
  host: string | undefined,
  hooksDir = HOOKS,
): { readonly inspection: Inspection; readonly source?: Source } {
  const files = host === undefined ? thisMachine : machineIn(host)
  const isThisHost = host === undefined
  const hooks = hooksIn(host === undefined ? hooksDir : join(host, hooksDir))
  const ours = [hooks.main, hooks.further].filter(({ is }) => is === 'ours')
  const daemon = readDaemon(files)
  const { config, source } = readConfiguration(host)
  const selinux = selinuxMode(files)
  const policy = isThisHost
    ? ours.flatMap(({ path }) => [
        ...checkLabel(selinux, path, runProgram),
        ...policyOn({ mode: selinux, daemon, path, shown: path }, runProgram),
      ])
    : []
  const inspection: Inspection = {
    files,
    host: readHost(files),
    isThisHost,
    versions: isThisHost ? readVersions() : {},
    ...known('daemon', daemon),
    config,
    qemuConf: readQemuConf(files),
    hooksFolder: hooksDir,
    hooks: ours.map((hook) => ourHook(hook, host)),
    otherHooks: hooksRun(hooks)
      .filter(({ is }) => is === 'foreign')
      .map(({ path }) => path),
    isHookSeen: daemon !== undefined && hasSeenHooks(hooks, daemon),
    selinux,
    policy: policy,
    ...known('partition', readPartition(files)),
    ...known(
      'kvm',
      statSync(host === undefined ? '/dev/kvm' : join(host, '/dev/kvm'), { throwIfNoEntry: false }),
    ),
  }
  return { inspection, ...(source !== undefined && { source }) }
}

function ourHook(
  { path, mode = 0, text, shim = { node: '', program: '' } }: HookFile,
  host: string | undefined,
): OurHook {
  const [node, program] = [shim.node, shim.program].map((each) =>
    host === undefined ? each : join(host, each),
  ) as [string, string]
  const missing = [
    ...(canBe(node, constants.X_OK) ? [] : [shim.node]),
    ...(canBe(program, constants.R_OK) ? [] : [shim.program]),
  ]
  // The owner of a captured file is whoever unpacked it.
  const exposed = host === undefined && missing.length === 0 ? exposureOf(node, program, [path]) : []
  return { path, mode, ...shim, missing, isOutdated: text !== shimText(shim.node, shim.program), exposed }
}

function canBe(path: string, wanted: number): boolean {
  try {
    accessSync(path, wanted)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function readConfiguration(host: string | undefined): {
  readonly config: Inspection['config']
  readonly source?: Source
} {
  const path = host === undefined ? CONFIG : join(host, CONFIG)
  const found: Diagnostic[] = []
  let source: Source | undefined
  try {
    source = readConfigText(undefined, path)
    if (source !== undefined) parseConfig(source.text, source.name)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    found.push(...error.diagnostics)
  }
  return {
    config: { path, isThere: source !== undefined || found.length > 0, found },
    ...(source !== undefined && { source }),
  }
}

function readVersions(): Inspection['versions'] {
  return {
    ...known('libvirt', libvirtVersion(undefined)),
    ...known('qemu', qemuVersion()),
    ...known('node', process.versions.node),
  }
}

/** The CPUs of the default partition, or of the nearest cgroup above it that exists. */
function readPartition(files: Files): Inspection['partition'] {
  const online = onlineCpus(files)
  if (online === undefined) return undefined
  for (const path of [...partitionPaths('/machine'), '/']) {
    const cpus: CpuSet | undefined = ifReadable(() => readCgroup(files, { path }, online).allowed.cpus)
    if (cpus !== undefined) return { name: path === '/' ? '/machine' : path.slice(1), cpus }
  }
  return undefined
}
