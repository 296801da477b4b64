// The calls of the system by which machine/ reads, as Node makes them. The native programs have the same
// calls in native/system.ts; their build takes one file for the other.

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs'
import { errnoOf } from '../system-error.ts'

/** What a path or an open file is. */
export interface Status {
  readonly is: 'file' | 'folder' | 'link' | 'other'
  /** The permission bits. */
  readonly mode: number
}

/** Follows links; undefined where nothing is. @throws an error of the system */
export function statusOf(path: string): Status | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats && toStatus(stats)
}

/** Of a link itself; undefined where nothing is. @throws an error of the system */
export function linkStatusOf(path: string): Status | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats && toStatus(stats)
}

/** @throws an error of the system */
export const statusOfOpen = (file: number): Status => toStatus(fstatSync(file))

function toStatus(stats: Stats): Status {
  const is = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'folder'
      : stats.isSymbolicLink()
        ? 'link'
        : 'other'
  return { is, mode: stats.mode & 0o777 }
}

/** Only 'blocking' waits for the writer of a pipe. @throws an error of the system */
export function openToRead(path: string, kind: 'blocking' | 'at-once'): number {
  return openSync(path, kind === 'blocking' ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK)
}

/** @throws an error of the system */
export const closeFile = (file: number): void => closeSync(file)

const FIRST_BYTES = 64 * 1024

/**
 * At most `most` bytes, and one more where there are more. Waits for the writer of a pipe.
 * @throws an error of the system
 */
export function readAtMost(file: number, most: number): Uint8Array {
  const stated = fstatSync(file)
  let bytes: Buffer = Buffer.allocUnsafe(
    Math.min(most, stated.isFile() ? Math.max(stated.size, FIRST_BYTES) : FIRST_BYTES) + 1,
  )
  for (let done = 0; ; ) {
    if (done === bytes.length && done <= most) bytes = enlarged(bytes, Math.min(most + 1, done * 2))
    const got = done > most ? 0 : readSome(file, bytes, done)
    if (got === 0) return bytes.subarray(0, done)
    done += got
  }
}

function enlarged(bytes: Buffer, length: number): Buffer {
  const larger = Buffer.allocUnsafe(length)
  bytes.copy(larger)
  return larger
}

function readSome(file: number, bytes: Buffer, at: number): number {
  for (;;) {
    try {
      return readSync(file, bytes, at, bytes.length - at, null)
    } catch (error) {
      // A pipe that another process has set to non-blocking is empty at the moment.
      if (errnoOf(error) !== 'EAGAIN') throw error
      pause(5)
    }
  }
}

/** The names in a folder, sorted by code unit. @throws an error of the system */
export const namesIn = (folder: string): string[] => readdirSync(folder).sort()

/** The target of a symbolic link, as written. @throws an error of the system */
export const targetOf = (link: string): string => readlinkSync(link)

/** Blocks this thread. */
export function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** The offset of the first occurrence of a text in bytes, or -1. */
export const positionOf = (bytes: Uint8Array, text: string): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(text)
