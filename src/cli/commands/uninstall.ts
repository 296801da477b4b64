// `virt-numa uninstall`: removes what install wrote, and nothing else.

import { lstatSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { contentWords } from '../../explain/texts/hook.ts'
import { type HookFile, hooksIn } from '../../hook-setup/locate.ts'
import { removeUnit, unitFiles } from '../../hook-setup/put-unit.ts'
import { removeEmpty, removeFile } from '../../hook-setup/write.ts'
import { configText } from '../../request/config-text.ts'
import { type CommandRow, EXITS, switchesOf, textsOf } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { isThere, pathsFor } from './install-paths.ts'

/** `root` is put before every path, `hooksDir` replaces /etc/libvirt/hooks. */
interface Uninstall {
  readonly name: 'uninstall'
  readonly root?: string
  readonly hooksDir?: string
  readonly dryRun: boolean
  readonly json: boolean
}

/** Removes what install wrote. */
export const uninstall: CommandRow<Uninstall> = {
  about: 'remove the libvirt hook, the unit of watch, and an unchanged configuration',
  maxInputs: 0,
  options: ['root', 'hooksDir', 'dryRun', 'json'],
  keys: [],
  command: (given) => ({
    name: 'uninstall',
    ...textsOf(given, ['root', 'hooksDir']),
    ...switchesOf(given, ['dryRun', 'json']),
  }),
  exits: EXITS,
  examples: ['virt-numa uninstall'],
  run: runUninstall,
}

function runUninstall(command: Uninstall): number {
  const paths = pathsFor(command.root, command.hooksDir)
  const { hooks, config, isElsewhere } = paths
  const { main, further } = hooksIn(hooks)
  const found = [main, further].filter(({ is }) => is === 'ours').map(({ path }) => path)
  const hasConfig = isThere(config)
  const mayGo = hasConfig && !isElsewhere && isUnchanged(config) ? [config] : []
  // The unit, like the configuration, belongs to the hooks folder that libvirt reads.
  const unit = isElsewhere ? { ours: [], kept: [] } : unitFiles(paths)
  // What another uninstall has removed meanwhile is not reported.
  const [ours, unchanged] = command.dryRun
    ? [found, mayGo]
    : [found.filter(removeFile), mayGo.filter(removeFile)]
  if (!command.dryRun) {
    // libvirt ships no qemu.d, and an empty one is useless.
    if (found.includes(further.path)) removeEmpty(dirname(further.path))
  }
  const units = command.dryRun ? unit.ours : removeUnit(unit.ours, paths)
  const removed = command.dryRun ? 'would be removed' : 'removed'
  const left = [main, further].filter(({ is }) => is === 'foreign')
  const kept = hasConfig && mayGo.length === 0 ? config : undefined
  if (command.json)
    printJson({
      [command.dryRun ? 'wouldRemove' : 'removed']: [...ours, ...unchanged, ...units],
      left: [...left.map(({ path }) => path), ...(kept === undefined ? [] : [kept]), ...unit.kept],
    })
  else {
    const isNothing = [...ours, ...unchanged, ...units].length === 0
    const says = saysOf({ ours, unchanged, removed, left, kept, hooks, isElsewhere, isNothing })
    const unitsSay = [
      ...units.map((path) => `${removed}: ${path}`),
      ...unit.kept.map((path) => `kept: ${path} (not written by virt-numa install, or edited since)`),
    ]
    printLines(1, [...says, ...unitsSay])
  }
  return 0
}

interface Says {
  readonly ours: readonly string[]
  readonly unchanged: readonly string[]
  readonly removed: string
  readonly left: readonly HookFile[]
  readonly kept: string | undefined
  readonly hooks: string
  readonly isElsewhere: boolean
  /** Neither a hook nor anything else is removed. */
  readonly isNothing: boolean
}

function saysOf({ ours, unchanged, removed, left, kept, hooks, isElsewhere, isNothing }: Says): string[] {
  return [
    ...(ours.length === 0
      ? [`${isNothing ? 'nothing to remove: ' : ''}no virt-numa hook in ${hooks}`]
      : ours.map((path) => `${removed}: ${path}`)),
    ...unchanged.map((path) => `${removed}: ${path} (unchanged since install)`),
    ...left.map(
      ({ path, holds }) => `kept: ${path}${holds === undefined ? '' : ` (${contentWords(holds)})`}`,
    ),
    ...(kept === undefined
      ? []
      : [`kept: ${kept} (${isElsewhere ? 'used by /etc/libvirt/hooks' : 'it has your settings'})`]),
    ...(ours.length === 0 ? [] : ['no reload needed: libvirt checks for the hook every time']),
  ]
}

function isUnchanged(config: string): boolean {
  try {
    return lstatSync(config).isFile() && readFileSync(config, 'utf8') === configText()
  } catch {
    return false
  }
}
