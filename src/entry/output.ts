// What a command writes: stdout and stderr to the last byte, and files whole or not at all.

import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { refuse } from '../base/diagnostic.ts'
import { systemError } from './input.ts'

/**
 * Replaces the file in one step: a temporary file beside it is filled, brought to disk and renamed over it. Owner and mode stay;
 * a link is followed. Whatever goes wrong before the rename, the file is as it was. Pipes and devices are written to directly.
 * @throws Refusal `unwritable`
 */
export function saveFile(path: string, text: string): void {
  try {
    // The link /dev/stdout leads to a pipe that has no path.
    const before = statSync(path, { throwIfNoEntry: false })
    if (before === undefined || before.isFile()) replace(isLink(path) ? realpathSync(path) : path, text, before)
    else writeDirectly(path, text)
  } catch (error) {
    throw systemError(error, (reason) => refuse('unwritable', { file: path, reason }))
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
}

function writeDirectly(target: string, text: string): void {
  const file = openSync(target, 'w')
  try {
    writeAll(file, text)
  } finally {
    closeSync(file)
  }
}

/** These wait until the file is whole and in its place: the loop of events, where they are heard, does not turn before. */
function holdSignals(): void {
  for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const)
    process.once(signal, () => process.exit(128 + number))
}

function replace(target: string, text: string, before: { mode: number; uid: number; gid: number } | undefined): void {
  holdSignals()
  const beside = join(dirname(target), `.${basename(target)}.virt-numa-${process.pid}`)
  const file = openSync(beside, 'wx', before === undefined ? 0o666 : before.mode & 0o777)
  try {
    try {
      writeAll(file, text)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    if (before !== undefined) keepOwner(beside, before)
    renameSync(beside, target)
  } catch (error) {
    unlinkSync(beside)
    throw error
  }
}

/** Another's file can be replaced by whoever may write the folder, but not be given back to its owner: then the file stays as it is. */
function keepOwner(beside: string, { mode, uid, gid }: { mode: number; uid: number; gid: number }): void {
  const now = statSync(beside)
  if (now.uid !== uid || now.gid !== gid) chownSync(beside, uid, gid)
  chmodSync(beside, mode & 0o7777)
}

/** Blocks until all is written; a reader that went away (EPIPE) is no error of ours. */
export function print(stream: 1 | 2, text: string): void {
  try {
    writeAll(stream, text)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return
    throw systemError(error, (reason) => refuse('unwritable', { file: stream === 1 ? 'stdout' : 'stderr', reason }))
  }
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(file, bytes, done)
    } catch (error) {
      // A pipe that another process made non-blocking is full for the moment.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}
