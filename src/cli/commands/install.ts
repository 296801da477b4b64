// `virt-numa install`: puts the hook of this installation where libvirt looks for it.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { classOf, diagnostic, refuseAll } from '../../codes/codes.ts'
import { apparmorFindings } from '../../doctor/confinement.ts'
import { named } from '../../doctor/inspection.ts'
import { WATCH_UNIT } from '../../doctor/watch.ts'
import { diagnosticFacts } from '../../explain/facts.ts'
import { exposureOf } from '../../hook-setup/exposure.ts'
import { type HookFile, type Hooks, hasSeenHooks, hooksIn, placeFor } from '../../hook-setup/locate.ts'
import { type PutUnit, putUnit } from '../../hook-setup/put-unit.ts'
import { reload, reloadCommand } from '../../hook-setup/reload.ts'
import { labelHook, policyOn } from '../../hook-setup/selinux.ts'
import { tryHook } from '../../hook-setup/trial.ts'
import { HOOK_MODE, putHook, removeFile, tryElsewhere, writeNew } from '../../hook-setup/write.ts'
import { selinuxMode } from '../../host/confinement.ts'
import { type Daemon, readDaemon } from '../../host/daemon.ts'
import { thisMachine } from '../../machine/files.ts'
import { libvirtVersion, runProgram } from '../../machine/programs/programs.ts'
import { readConfigText } from '../../machine/read/read-text.ts'
import { parseConfig } from '../../request/config.ts'
import { configText } from '../../request/config-text.ts'
import { type CommandRow, EXITS, switchesOf, textsOf } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { type Running, report } from '../report.ts'
import { isThere, type Paths, type Program, pathsFor, programFor } from './install-paths.ts'

/** `root` is put before every path, `hooksDir` replaces /etc/libvirt/hooks. */
interface Install {
  readonly name: 'install'
  readonly root?: string
  readonly hooksDir?: string
  readonly reload: boolean
  readonly watchUnit: boolean
  readonly dryRun: boolean
  readonly json: boolean
}

/** Installs the hook. */
export const install: CommandRow<Install> = {
  about: 'install the libvirt hook and a default configuration',
  maxInputs: 0,
  options: ['root', 'hooksDir', 'reload', 'watchUnit', 'dryRun', 'json'],
  keys: [],
  command: (given) => ({
    name: 'install',
    ...textsOf(given, ['root', 'hooksDir']),
    ...switchesOf(given, ['reload', 'watchUnit', 'dryRun', 'json']),
  }),
  exits: EXITS,
  examples: ['virt-numa install --dry-run', 'virt-numa install --reload', 'virt-numa install --watch'],
  run: runInstall,
}

type Done = 'written' | 'unchanged' | 'would be written' | 'left alone'

function runInstall(command: Install, running: Running): number {
  const paths = pathsFor(command.root, command.hooksDir)
  const program = programFor(paths.root)
  const exposure = exposureOf(program.node, program.program)
  refuseAll(exposure.filter(({ code }) => classOf(code) !== 'note'))
  checkConfig(paths.config, running)
  const before = hooksIn(paths.hooks)
  const place = placeFor(before, () => libvirtVersion(paths.root))
  const daemon = readDaemon(thisMachine, paths.run)
  refuseAll(apparmorFindings(thisMachine, daemon, program.node))
  const { operations, hook, config, notes } = putInPlace(command, paths, { program, place, daemon })
  const second = before.main.is === 'ours' && before.further.is === 'ours' ? [before.further.path] : []
  if (!command.dryRun) second.forEach(removeFile)
  const unit = command.watchUnit ? putUnit(paths, program.unitText, command) : undefined
  const reloaded = reloadDaemon(command, before, daemon)
  const failed = reloaded.failed ?? []
  const found = [...failed, ...exposure, ...notes, ...(reloaded.notes ?? [])]
  if (command.json)
    printJson({
      hook: { path: place.path, is: hook },
      config: { path: paths.config, is: config },
      ...(unit !== undefined && { unit: { path: paths.watch.unit, is: unit } }),
      diagnostics: diagnosticFacts(found, running.severity, []),
    })
  else
    printLines(1, [
      `hook ${hook}: ${place.path} runs ${program.program} with ${program.node}`,
      `tested: the hook answered ${operations} operations`,
      `configuration ${config}: ${paths.config}${CONFIG_SAYS[config]}`,
      ...second.map(
        (path) => `${command.dryRun ? 'would be removed' : 'removed'}: ${path}, a duplicate hook`,
      ),
      ...(unit === undefined ? [] : unitSays(unit, paths)),
      ...(reloaded.says ?? []),
    ])
  report(found, running)
  return failed.length === 0 ? 0 : 1
}

/** The unit is not enabled here: the administrator decides when `watch` may define guests. */
function unitSays(unit: PutUnit, { watch }: Paths): string[] {
  const says = `unit ${unit}: ${watch.unit}`
  if (unit === 'left alone') return [`${says} (not written by virt-numa install, or edited since)`]
  return [says, `to start it: systemctl daemon-reload && systemctl enable --now ${WATCH_UNIT}`]
}

const CONFIG_SAYS: Readonly<Record<Done, string>> = {
  written: ' (every key with its default)',
  'would be written': ' (every key with its default)',
  unchanged: '',
  'left alone': ' (used by /etc/libvirt/hooks)',
}

/**
 * A configuration that cannot be read would cancel every migration: it is refused before the hook is
 * installed.
 */
function checkConfig(path: string, running: Running): void {
  const source = readConfigText(undefined, path)
  if (source === undefined) return
  running.sources.push(source)
  parseConfig(source.text, source.name)
}

interface Target {
  readonly program: Program
  readonly place: HookFile
  readonly daemon: Daemon | undefined
}

interface Outcome {
  readonly operations: number
  readonly hook: Done
  readonly config: Done
  readonly notes: readonly Diagnostic[]
}

/**
 * Tries the hook, and writes it and the configuration.
 * @throws Refusal of the trial, of SELinux's policy, and `install-unwritable`: then nothing has changed
 */
function putInPlace(command: Install, paths: Paths, { program, place, daemon }: Target): Outcome {
  const mode = paths.root === undefined ? selinuxMode(thisMachine) : 'off'
  const notes: Diagnostic[] = []
  const confine = (file: string): void => {
    const found = [
      ...labelHook(mode, file, runProgram),
      ...policyOn({ mode, daemon, path: file, shown: place.path }, runProgram),
    ]
    refuseAll(found.filter(({ code }) => classOf(code) !== 'note'))
    notes.push(...found)
  }
  const isInstalled = isSame(place, program)
  if (isInstalled || command.dryRun) {
    // The folder for temporary files may be mounted noexec; sh can still read a script in it.
    const operations = tryElsewhere(program.trialText, (file) => attempt(['/bin/sh', file]))
    if (isInstalled && !command.dryRun) confine(place.path)
    const hook = isInstalled ? 'unchanged' : 'would be written'
    return { operations, hook, config: putConfig(paths, command), notes }
  }
  const put: { config: Done } = { config: 'unchanged' }
  try {
    const operations = putHook(paths.hooks, place.path, program, (file) => {
      confine(file)
      const answered = attempt([file])
      put.config = putConfig(paths, command)
      return answered
    })
    return { operations, hook: 'written', config: put.config, notes }
  } catch (error) {
    if (put.config === 'written') removeFile(paths.config)
    throw error
  }
}

/** @returns how many operations were answered. @throws Refusal of the trial */
function attempt(words: readonly string[]): number {
  const { operations, found } = tryHook(words)
  refuseAll(found)
  return operations
}

function isSame({ is, text, mode, uid }: HookFile, program: Program): boolean {
  return is === 'ours' && text === program.text && mode === HOOK_MODE && uid === (process.getuid?.() ?? 0)
}

function putConfig({ config: path, isElsewhere }: Paths, { dryRun }: Install): Done {
  if (isElsewhere) return 'left alone'
  if (isThere(path)) return 'unchanged'
  if (dryRun) return 'would be written'
  return writeNew(path, configText(), 0o644) ? 'written' : 'unchanged'
}

/** What became of a reload: what to print, and what is worth knowing or went wrong. */
interface Reloaded {
  readonly says?: readonly string[]
  readonly notes?: readonly Diagnostic[]
  readonly failed?: readonly Diagnostic[]
}

/**
 * Reloads the daemon if that is requested and needed. Whether the daemon then runs the hook cannot be seen
 * from outside.
 */
function reloadDaemon(
  { reload: isRequested, dryRun }: Install,
  before: Hooks,
  daemon: Daemon | undefined,
): Reloaded {
  if (daemon === undefined)
    return { says: ['no libvirt daemon is running: it finds the hook when it starts'] }
  if (hasSeenHooks(before, daemon)) return { says: [`no reload needed: ${named(daemon)} already runs hooks`] }
  if (!isRequested || dryRun) {
    const facts = { daemon: named(daemon), command: reloadCommand(daemon) }
    return { notes: [diagnostic('daemon-reload-needed', facts)] }
  }
  const failed = reload(daemon)
  const message = `${named(daemon)} was asked to reload; whether it has reloaded cannot be checked`
  return failed.length > 0 ? { failed } : { says: [message] }
}
