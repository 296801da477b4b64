// The systemd unit of `virt-numa watch`: written by install, removed by uninstall.

import { lstatSync, readFileSync } from 'node:fs'
import { WATCH_UNIT } from '../doctor/watch.ts'
import { runProgram } from '../machine/programs/programs.ts'
import { saveFile } from '../machine/write/save.ts'
import { isOurUnit, type unitPaths } from './watch-unit.ts'
import { removeFile, writeNew } from './write.ts'

/** Where the unit is; `root` absent: on this machine. */
interface Where {
  readonly root?: string
  readonly watch: ReturnType<typeof unitPaths>
}

/** What became of the unit. 'left alone': somebody else wrote or edited it. */
export type PutUnit = 'written' | 'unchanged' | 'would be written' | 'left alone'

const UNIT_MODE = 0o644

/** Writes the unit, or replaces one of ours. @throws Refusal `install-unwritable`, `unwritable` */
export function putUnit({ watch: { unit } }: Where, text: string, { dryRun }: { dryRun: boolean }): PutUnit {
  const before = textOf(unit)
  if (before === text) return 'unchanged'
  if (isThere(unit) && (before === undefined || !isOurUnit(before))) return 'left alone'
  if (dryRun) return 'would be written'
  if (before !== undefined) saveFile(unit, text, UNIT_MODE)
  else if (!writeNew(unit, text, UNIT_MODE)) return 'left alone'
  return 'written'
}

/** What uninstall would remove: the unit, if it is ours, and the links that enable it; and what it keeps. */
export function unitFiles({ watch: { unit, links } }: Where): {
  readonly ours: readonly string[]
  readonly kept: readonly string[]
} {
  if (!isThere(unit)) return { ours: [], kept: [] }
  const text = textOf(unit)
  return text !== undefined && isOurUnit(text)
    ? { ours: [unit, ...links.filter(isThere)], kept: [] }
    : { ours: [], kept: [unit] }
}

/**
 * Stops the service, where systemd runs here, and removes its files.
 * @returns the files that were removed
 */
export function removeUnit(files: readonly string[], { root }: Pick<Where, 'root'>): readonly string[] {
  const isRunning = files.length > 0 && root === undefined && isThere('/run/systemd/system')
  if (isRunning) runProgram('systemctl', ['stop', WATCH_UNIT])
  const removed = files.filter(removeFile)
  if (isRunning) runProgram('systemctl', ['daemon-reload'])
  return removed
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined
