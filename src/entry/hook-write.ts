// A hook's text to the file that libvirt runs: tried before it is there, and then there whole.

import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { refuse } from '../base/diagnostic.ts'
import { systemError } from './input.ts'

export const HOOK_MODE = 0o755

/**
 * Writes `trialText` into the hooks folder under a name that libvirt does not look at, so that it is tried on the very file
 * system, then puts `text` in its place and moves it to `target`. Whatever goes wrong before, all is as it was.
 * @param folder the hooks folder: in qemu.d libvirt would run any name
 * @param attempt tries the file, and throws to refuse
 * @throws Refusal `install-unwritable`
 */
export function putHook<Answer>(
  folder: string,
  target: string,
  texts: { readonly text: string; readonly trialText: string },
  attempt: (file: string) => Answer,
): Answer {
  const made: string[] = []
  const beside = join(folder, `.virt-numa-${process.pid}`)
  try {
    for (const each of [folder, dirname(target)]) made.push(...makeFolders(each))
    writeHook(beside, texts.trialText)
    const answer = attempt(beside)
    if (texts.text !== texts.trialText) writeHook(beside, texts.text)
    renameSync(beside, target)
    return answer
  } catch (error) {
    rmSync(beside, { force: true })
    for (const each of made.reverse()) removeEmpty(each)
    throw systemError(error, (reason) => unwritable(target, reason))
  }
}

/** The same trial where nothing may be written, or nothing needs to be. */
export function tryElsewhere<Answer>(text: string, attempt: (file: string) => Answer): Answer {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-hook-'))
  try {
    const file = join(folder, 'qemu')
    writeHook(file, text)
    return attempt(file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Never over a file that is there. */
export function writeNew(path: string, text: string, mode: number): void {
  try {
    makeFolders(dirname(path))
    writeWhole(path, text, mode)
  } catch (error) {
    throw systemError(error, (reason) => unwritable(path, reason))
  }
}

/** @throws Refusal `install-unwritable` */
export function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    throw systemError(error, (reason) => unwritable(path, reason))
  }
}

export function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Somebody has put something there.
  }
}

function unwritable(file: string, reason: string): never {
  const isRoot = process.getuid?.() === 0
  refuse('install-unwritable', {
    file,
    reason,
    fix: isRoot ? `make ${dirname(file)} writable, or choose another: --hooks-dir DIR` : 'run it as root',
  })
}

function writeHook(path: string, text: string): void {
  rmSync(path, { force: true })
  writeWhole(path, text, HOOK_MODE)
}

function writeWhole(path: string, text: string, mode: number): void {
  const file = openSync(path, 'wx', mode)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  // Neither the umask nor a folder that hands on its group has a say.
  chmodSync(path, mode)
  if (process.getuid?.() === 0) chownSync(path, 0, 0)
}

/** Those that were made, the outermost first. */
function makeFolders(path: string): string[] {
  const first = mkdirSync(path, { recursive: true, mode: 0o755 })
  if (first === undefined) return []
  const made = [path]
  while (made[0] !== first) made.unshift(dirname(made[0] as string))
  return made
}
