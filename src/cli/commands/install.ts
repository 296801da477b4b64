// `virt-numa install`: the hook of this installation, to where libvirt looks for it.

import { lstatSync, realpathSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { classOf, type Diagnostic, diagnostic, refuse, refuseAll } from '../../base/diagnostic.ts'
import { apparmorFindings } from '../../doctor/confinement.ts'
import { diagnosticFacts } from '../../explain/facts.ts'
import { exposureOf } from '../../hook-setup/exposure.ts'
import {
  HOOKS,
  type HookFile,
  type Hooks,
  hasSeenHooks,
  lookAtHooks,
  placeFor,
} from '../../hook-setup/locate.ts'
import { reload, reloadCommand } from '../../hook-setup/reload.ts'
import { labelHook, policyOn } from '../../hook-setup/selinux.ts'
import { shimText } from '../../hook-setup/shim.ts'
import { tryHook } from '../../hook-setup/trial.ts'
import { HOOK_MODE, putHook, removeFile, tryElsewhere, writeNew } from '../../hook-setup/write.ts'
import { selinuxMode } from '../../host/confinement.ts'
import { type Daemon, readDaemon } from '../../host/daemon.ts'
import { thisMachine } from '../../machine/files.ts'
import { libvirtVersion, runProgram } from '../../machine/programs/programs.ts'
import { CONFIG, readConfigText } from '../../machine/read/read-text.ts'
import { systemError } from '../../machine/system-error.ts'
import { parseConfig } from '../../request/config.ts'
import { configText } from '../../request/config-text.ts'
import { type CommandRow, EXITS, switchesOf, textsOf } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { type Running, tell } from '../report.ts'

/** `root` is put before every path, `hooksDir` replaces /etc/libvirt/hooks. */
interface Install {
  readonly name: 'install'
  readonly root?: string
  readonly hooksDir?: string
  readonly reload: boolean
  readonly dryRun: boolean
  readonly json: boolean
}

/** Installs the hook. */
export const install: CommandRow<Install> = {
  about: 'install the libvirt hook and a default configuration',
  maxInputs: 0,
  options: ['root', 'hooksDir', 'reload', 'dryRun', 'json'],
  keys: [],
  command: (given) => ({
    name: 'install',
    ...textsOf(given, ['root', 'hooksDir']),
    ...switchesOf(given, ['reload', 'dryRun', 'json']),
  }),
  exits: EXITS,
  examples: ['virt-numa install --dry-run', 'virt-numa install --reload'],
  run: runInstall,
}

/** Where everything lies, the root folder before it. */
export interface Sites {
  readonly root?: string
  readonly hooks: string
  readonly config: string
  readonly run: string
  /**
   * The hooks folder is not the one that libvirt reads: then the configuration, which counts for all hooks,
   * is left alone.
   */
  readonly isElsewhere: boolean
}

/** What libvirt is to run: real paths, and as they are seen from the root folder. */
interface Program {
  readonly node: string
  readonly program: string
  readonly text: string
  readonly trialText: string
}

type Done = 'written' | 'unchanged' | 'would be written' | 'left alone'

/** @throws Refusal `unreadable` for a root folder that is not there */
export function sitesOf({ root, hooksDir = HOOKS }: Pick<Install, 'root' | 'hooksDir'>): Sites {
  const above = root === undefined ? '/' : resolve(root)
  if (root !== undefined) checkRoot(root)
  const hooks = root === undefined ? resolve(hooksDir) : join(above, hooksDir)
  return {
    ...(root !== undefined && { root: above }),
    hooks,
    config: join(above, CONFIG),
    run: join(above, '/run'),
    isElsewhere: realOrSame(hooks) !== realOrSame(join(above, HOOKS)),
  }
}

function checkRoot(root: string): void {
  try {
    if (statSync(root).isDirectory()) return
  } catch (error) {
    throw systemError(error, (fault) =>
      refuse('unreadable', { file: root, ...fault, fix: `check the path that --root names: ${root}` }),
    )
  }
  refuse('unreadable', {
    file: root,
    reason: 'it is not a folder',
    fix: 'name the folder that holds etc/: --root DIR',
  })
}

/** A folder that is not there yet is only itself. */
function realOrSame(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}

function runInstall(command: Install, running: Running): number {
  const sites = sitesOf(command)
  const program = programOf(sites.root)
  const exposure = exposureOf(program.node, program.program)
  refuseAll(exposure.filter(({ code }) => classOf(code) !== 'note'))
  readConfig(sites.config, running)
  const before = lookAtHooks(sites.hooks)
  const place = placeFor(before, () => libvirtVersion(sites.root))
  const daemon = readDaemon(thisMachine, sites.run)
  refuseAll(apparmorFindings(thisMachine, daemon, program.node))
  const notes = [...exposure]
  const { operations, hook, config } = settle(command, sites, { program, place, daemon, notes })
  const double = before.main.is === 'ours' && before.further.is === 'ours' ? [before.further.path] : []
  if (!command.dryRun) for (const path of double) removeFile(path)
  const failed = settleReload(command, before, daemon, notes)
  const says = [
    `${hook}: ${place.path}, which runs ${program.program} with ${program.node}; it answered at ${operations} operations`,
    `${config}: ${sites.config}, ${CONFIG_SAYS[config]}`,
    ...double.map(
      (path) => `${command.dryRun ? 'would be removed' : 'removed'}: ${path}, a second one of ours`,
    ),
    ...daemonSays(command, before, daemon, failed.length > 0),
  ]
  const told = [...failed, ...notes]
  if (command.json)
    printJson({
      hook: { path: place.path, is: hook },
      config: { path: sites.config, is: config },
      diagnostics: diagnosticFacts(told, running.severity, undefined),
    })
  else printLines(1, says)
  tell(told, running)
  return failed.length === 0 ? 0 : 1
}

const CONFIG_SAYS: Readonly<Record<Done, string>> = {
  written: 'every key with its default',
  'would be written': 'every key with its default',
  unchanged: 'which is there already',
  'left alone': 'which goes with the hooks in /etc/libvirt/hooks',
}

function programOf(root: string | undefined): Program {
  const named = join(__dirname, 'hooks', 'qemu.cjs')
  try {
    const [node, program] = [realpathSync(process.execPath), realpathSync(named)]
    const text = shimText(insideOf(root, node), insideOf(root, program))
    return { node, program, text, trialText: shimText(node, program) }
  } catch (error) {
    throw systemError(error, (fault) => refuse('unreadable', { file: named, ...fault }))
  }
}

/** What lies in the root folder is named as it will be when that folder is the root. */
function insideOf(root: string | undefined, path: string): string {
  const above = root === undefined ? '/' : realpathSync(root)
  return above !== '/' && path.startsWith(`${above}/`) ? path.slice(above.length) : path
}

/** One that cannot be read would cancel every migration: it is told before a hook is there. */
function readConfig(path: string, running: Running): void {
  const source = readConfigText(undefined, path)
  if (source === undefined) return
  running.source = source
  parseConfig(source.text, source.name)
  delete running.source
}

interface Settling {
  readonly program: Program
  readonly place: HookFile
  readonly daemon: Daemon | undefined
  /** Gathers what is worth knowing. */
  readonly notes: Diagnostic[]
}

interface Settled {
  readonly operations: number
  readonly hook: Done
  readonly config: Done
}

/** @throws Refusal of the trial, of SELinux's policy, and `install-unwritable`: then nothing has changed */
function settle(command: Install, sites: Sites, { program, place, daemon, notes }: Settling): Settled {
  const mode = sites.root === undefined ? selinuxMode(thisMachine) : 'off'
  const attempt = (words: readonly string[]): number => {
    const { operations, found } = tryHook(words)
    refuseAll(found)
    return operations
  }
  const confine = (file: string): void => {
    const found = [
      ...labelHook(mode, file, runProgram),
      ...policyOn({ mode, daemon, path: file, shown: place.path }, runProgram),
    ]
    refuseAll(found.filter(({ code }) => classOf(code) !== 'note'))
    notes.push(...found)
  }
  if (isThere(place, program) || command.dryRun) {
    // A folder for temporary files may forbid to run what lies there; sh may read it all the same.
    const operations = tryElsewhere(program.trialText, (file) => attempt(['/bin/sh', file]))
    if (isThere(place, program) && !command.dryRun) confine(place.path)
    return {
      operations,
      hook: isThere(place, program) ? 'unchanged' : 'would be written',
      config: putConfig(sites, command.dryRun),
    }
  }
  const put: { config: Done } = { config: 'unchanged' }
  try {
    const operations = putHook(sites.hooks, place.path, program, (file) => {
      confine(file)
      const answered = attempt([file])
      put.config = putConfig(sites, false)
      return answered
    })
    return { operations, hook: 'written', config: put.config }
  } catch (error) {
    if (put.config === 'written') removeFile(sites.config)
    throw error
  }
}

function isThere({ is, text, mode, uid }: HookFile, program: Program): boolean {
  return is === 'ours' && text === program.text && mode === HOOK_MODE && uid === (process.getuid?.() ?? 0)
}

function putConfig({ config: path, isElsewhere }: Sites, dryRun: boolean): Done {
  if (isElsewhere) return 'left alone'
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return 'unchanged'
  if (dryRun) return 'would be written'
  return writeNew(path, configText(), 0o644) ? 'written' : 'unchanged'
}

function settleReload(
  { reload: isAsked, dryRun }: Install,
  before: Hooks,
  daemon: Daemon | undefined,
  notes: Diagnostic[],
): Diagnostic[] {
  if (daemon === undefined || hasSeenHooks(before, daemon)) return []
  if (isAsked && !dryRun) return reload(daemon)
  notes.push(
    diagnostic('daemon-reload-needed', {
      daemon: `${daemon.name} (process ${daemon.pid})`,
      command: reloadCommand(daemon),
    }),
  )
  return []
}

function daemonSays(
  { reload: isAsked, dryRun }: Install,
  before: Hooks,
  daemon: Daemon | undefined,
  hasFailed: boolean,
): string[] {
  if (daemon === undefined) return ['no libvirt daemon is running: it sees the hook when it starts']
  const named = `${daemon.name} (process ${daemon.pid})`
  if (hasSeenHooks(before, daemon)) return [`${named} sees the hook: it has run hooks since it was started`]
  return isAsked && !dryRun && !hasFailed ? [`${named} was told to reload, and sees the hook`] : []
}
