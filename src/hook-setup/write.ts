// The text of a hook -> the file that libvirt runs: tried first, then put in place atomically.

import {
  closeSync,
  fchmodSync,
  fchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { refuse } from '../codes/codes.ts'
import { errnoOf, systemError } from '../machine/system-error.ts'
import { writeContent } from '../machine/write/bytes.ts'
import { writeInPlace } from '../machine/write/in-place.ts'
import { createFile, openTemporary, removeIfThere } from '../machine/write/temporary-file.ts'

/** The mode of an installed hook. */
export const HOOK_MODE = 0o755

/**
 * Writes `trialText` into the hooks folder under a name that libvirt ignores, so that it is tried on the same
 * file system, then renames `text` to `target`. If anything fails before, nothing has changed.
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
  const written: string[] = []
  const write = (text: string): string => {
    const path = writeTemporary(join(folder, 'hook'), text)
    written.push(path)
    return path
  }
  try {
    for (const each of [folder, dirname(target)]) made.push(...makeFolders(each))
    const tried = write(texts.trialText)
    const answer = attempt(tried)
    moveTo(target, texts.text === texts.trialText ? tried : write(texts.text), texts.text)
    return answer
  } catch (error) {
    written.forEach(removeIfThere)
    for (const each of made.reverse()) removeEmpty(each)
    throw unwritable(target, error)
  } finally {
    if (texts.text !== texts.trialText) written.slice(0, 1).forEach(removeIfThere)
  }
}

/** A mount point, as of a container's manifest, cannot be replaced by a rename. */
function moveTo(target: string, written: string, text: string): void {
  try {
    renameSync(written, target)
  } catch (error) {
    if (errnoOf(error) !== 'EBUSY') throw error
    writeInPlace(target, Buffer.from(text), lstatSync(target))
    removeIfThere(written)
  }
}

/** Tries a hook in a folder for temporary files, if the hook must not or need not be installed. */
export function tryElsewhere<Answer>(text: string, attempt: (file: string) => Answer): Answer {
  const folder = makeTemporaryFolder('virt-numa-hook-')
  try {
    return attempt(writeTrial(join(folder, 'qemu'), text))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @throws Refusal `install-unwritable` */
export function makeTemporaryFolder(name: string): string {
  const start = join(tmpdir(), name)
  try {
    return mkdtempSync(start)
  } catch (error) {
    throw unwritable(start, error)
  }
}

function writeTrial(path: string, text: string): string {
  try {
    createFile(path, { bytes: Buffer.from(text), mode: HOOK_MODE, finish: (file) => own(file, HOOK_MODE) })
    return path
  } catch (error) {
    throw unwritable(path, error)
  }
}

/**
 * @returns false where a file is there already, by another install that runs at the same time
 * @throws Refusal `install-unwritable`
 */
export function writeNew(path: string, text: string, mode: number): boolean {
  const made: string[] = []
  try {
    made.push(...makeFolders(dirname(path)))
    createFile(path, { bytes: Buffer.from(text), mode, finish: (file) => own(file, mode) })
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' && lstatSync(path, { throwIfNoEntry: false }) !== undefined) return false
    for (const each of made.reverse()) removeEmpty(each)
    throw unwritable(path, error)
  }
}

/**
 * @returns false where it is gone already, by another uninstall that runs at the same time
 * @throws Refusal `install-unwritable`
 */
export function removeFile(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw unwritable(path, error)
  }
}

/** Removes a folder that is empty, and leaves any other. */
export function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // It is not empty.
  }
}

/** Refuses for an error of the system, and returns any other error. */
function unwritable(file: string, error: unknown): unknown {
  const isRoot = process.getuid?.() === 0
  return systemError(error, (fault) => refuse('install-unwritable', { file, ...fault, isRoot }))
}

/** @returns the path of an executable temporary file */
function writeTemporary(near: string, text: string): string {
  const { path, file } = openTemporary(near, HOOK_MODE)
  try {
    writeContent(file, Buffer.from(text))
    own(file, HOOK_MODE)
    return path
  } catch (error) {
    removeIfThere(path)
    throw error
  } finally {
    closeSync(file)
  }
}

/** Sets owner and mode, whatever the umask and a setgid folder made of them. */
function own(file: number, mode: number): void {
  fchmodSync(file, mode)
  if (process.getuid?.() === 0) fchownSync(file, 0, 0)
}

/** @returns the folders that were created, outermost first */
function makeFolders(path: string): string[] {
  const first = mkdirSync(path, { recursive: true, mode: 0o755 })
  if (first === undefined) return []
  const made = [path]
  while (made[0] !== first) made.unshift(dirname(made[0] as string))
  return made
}
