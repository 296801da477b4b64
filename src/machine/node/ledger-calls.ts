// The calls of the system by which the ledger is changed, as Node makes them. The native programs have the
// same calls in native/ledger-calls.ts.

import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { errnoOf, faultOf } from '../system-error.ts'

/**
 * Makes a folder of mode 0700 where there is none. An existing one must be this user's, and no link; it gets
 * that mode too.
 * @throws an error of the system
 */
export function ownFolder(path: string): void {
  try {
    mkdirSync(path, 0o700)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
  const found = lstatSync(path)
  if (!found.isDirectory()) throw faultOf('ENOTDIR', 'not a directory', 'mkdir')
  if (found.uid !== process.geteuid?.()) throw faultOf('EPERM', 'operation not permitted', 'mkdir')
  if ((found.mode & 0o777) !== 0o700) chmodSync(path, 0o700)
}

/** Creates a symbolic link. @returns false where the name exists @throws an error of the system */
export function makeLink(target: string, path: string): boolean {
  try {
    symlinkSync(target, path)
    return true
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    return false
  }
}

/** Removes a file or link, where there is one. @throws an error of the system */
export function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants

/** Writes a file of mode 0600 that must not exist; for short texts. @throws an error of the system */
export function writeNewFile(path: string, text: string): void {
  const file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    if (writeSync(file, text) < Buffer.byteLength(text)) throw faultOf('EIO', 'it accepts no more', 'write')
  } finally {
    closeSync(file)
  }
}

/** From some time on, in ms. */
export const elapsedMs = (): number => performance.now()
