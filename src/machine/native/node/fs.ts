// The calls of node:fs that the program makes, in the native command.

import type { Stats } from 'node:fs'
import { errnoOf } from '../../system-error.ts'
import { calls } from '../calls.ts'
import { done } from '../errors.ts'
import { type Bytes, bytesOf, type Encoding } from './buffer.ts'
import { more, type Stated } from './calls.ts'
import { dirname, join } from './path.ts'

/** Of Linux, as on all architectures that the program is built for. @see open(2), access(2) */
export const constants = {
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_NOCTTY: 0o400,
  O_NONBLOCK: 0o4000,
  O_NOFOLLOW: 0o400000,
  R_OK: 4,
  X_OK: 1,
} as const

const FLAGS: Readonly<Record<string, number>> = {
  r: constants.O_RDONLY,
  'wx+': constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
}

/** @throws an error of the system, like everything here */
export function openSync(path: string, flags: number | string, mode = 0o666): number {
  return done(more.openWith(path, typeof flags === 'number' ? flags : (FLAGS[flags] as number), mode), 'open')
}

/** Closes a file. */
export const closeSync = (file: number): void => void done(calls.close(file), 'close')

/** Into `bytes` from `offset` on. @returns how many bytes were read */
export function readSync(
  file: number,
  bytes: Uint8Array,
  ...[offset, length, position]: readonly [offset: number, length: number, position: number | null]
): number {
  return done(more.readSome(file, bytes.subarray(offset, offset + length), position ?? -1), 'read')
}

/** Of `bytes` from `offset` on. @returns how many bytes were written */
export function writeSync(
  file: number,
  bytes: Uint8Array,
  ...[offset, length, position]: readonly [offset: number, length: number, position: number | null]
): number {
  return done(more.writeSome(file, bytes.subarray(offset, offset + length), position ?? -1), 'write')
}

/** Truncates or extends a file. */
export const ftruncateSync = (file: number, length: number): void =>
  void done(more.truncate(file, length), 'ftruncate')

/** Writes a file to disk. */
export const fsyncSync = (file: number): void => void done(more.sync(file), 'fsync')

/** Changes the permissions of a file. */
export const fchmodSync = (file: number, mode: number): void =>
  void done(more.changeMode(file, mode), 'fchmod')

/** Changes the owner of a file. */
export const fchownSync = (file: number, user: number, group: number): void =>
  void done(more.changeOwner(file, user, group), 'fchown')

/** Gives a file a second name. */
export const linkSync = (from: string, to: string): void => void done(more.giveName(from, to, 0), 'link')

/** Renames a file. */
export const renameSync = (from: string, to: string): void => void done(more.giveName(from, to, 1), 'rename')

/** Removes a file. */
export const unlinkSync = (path: string): void => void done(more.removeFile(path), 'unlink')

/** Removes an empty folder. */
export const rmdirSync = (path: string): void => void done(more.removeFolder(path), 'rmdir')

/** Throws where a file may not be used so. */
export const accessSync = (path: string, mode: number): void => void done(more.access(path, mode), 'access')

/** The real path of what is there. */
export const realpathSync = (path: string): string => done(more.realPath(path), 'realpath')

/** The target of a link. */
export const readlinkSync = (path: string): string => done(calls.readLink(path), 'readlink')

/** The names in a folder. */
export const readdirSync = (folder: string): string[] => done(calls.list(folder), 'scandir')

/** Makes a folder with a new name. */
export const mkdtempSync = (start: string): string => done(more.makeTemporary(start), 'mkdtemp')

/** Makes a folder and those above it. @returns the first one that was made */
export function mkdirSync(path: string, { mode }: { recursive: true; mode: number }): string | undefined {
  const made = more.makeFolder(path, mode)
  if (made === -EEXIST && statSync(path, OR_NOTHING)?.isDirectory() === true) return undefined
  if (made !== -ENOENT || dirname(path) === path) {
    done(made, 'mkdir')
    return path
  }
  const first = mkdirSync(dirname(path), { recursive: true, mode })
  const again = more.makeFolder(path, mode)
  if (again !== -EEXIST) done(again, 'mkdir')
  return first ?? path
}

/** Removes a file or a folder with all that is in it. With `force` it may be gone. */
export function rmSync(path: string, { force = false }: { recursive: true; force?: boolean }): void {
  try {
    if (lstatSync(path).isDirectory()) {
      for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true, force })
      rmdirSync(path)
    } else unlinkSync(path)
  } catch (error) {
    if (!force || errnoOf(error) !== 'ENOENT') throw error
  }
}

/** Whether something is there. */
export const existsSync = (path: string): boolean => more.access(path, 0) === 0

/** The content of a file: as text, or without an encoding as bytes. */
export const readFileSync = ((path: string, encoding?: Encoding): string | Bytes => {
  const file = openSync(path, constants.O_RDONLY)
  try {
    const bytes = bytesOf(done(calls.readAll(file, MOST_BYTES), 'read'))
    return encoding === undefined ? bytes : bytes.toString(encoding)
  } finally {
    closeSync(file)
  }
}) as { (path: string, encoding: Encoding): string; (path: string): Bytes }

const MOST_BYTES = 2 ** 31
const [ENOENT, EEXIST, ENOTDIR] = [2, 17, 20]

/** For a path of which nothing may be there. */
interface OrNothing {
  readonly throwIfNoEntry: false
}
const OR_NOTHING: OrNothing = { throwIfNoEntry: false }

/** Of a path of which nothing may be there, or which must lead to something. */
interface StatsOf {
  (path: string): Stats
  (path: string, or: OrNothing): Stats | undefined
}

/** What a path leads to. */
export const statSync = ((path: string, or?: OrNothing) => statsAt(path, 1, or)) as StatsOf

/** What a path is: a link itself. */
export const lstatSync = ((path: string, or?: OrNothing) => statsAt(path, 0, or)) as StatsOf

/** What an open file is. */
export const fstatSync = (file: number): Stats => statsOf(done(more.statusWhole(file, 1), 'fstat'))

function statsAt(path: string, followsLinks: 0 | 1, or: OrNothing | undefined): Stats | undefined {
  const found = more.statusWhole(path, followsLinks)
  if (or !== undefined && (found === -ENOENT || found === -ENOTDIR)) return undefined
  return statsOf(done(found, followsLinks === 1 ? 'stat' : 'lstat'))
}

/** The type bits of a mode. @see inode(7) */
const [FIFO, FOLDER, FILE, LINK, SOCKET] = [1, 4, 8, 10, 12]

function statsOf([mode, size, rdev, dev, ino, nlink, uid, gid, ctimeMs]: Stated): Stats {
  const is = (kind: number | undefined) => (): boolean => mode >> 12 === kind
  return {
    ...{ mode, size, rdev, dev, ino, nlink, uid, gid, ctimeMs },
    isFile: is(FILE),
    isDirectory: is(FOLDER),
    isSymbolicLink: is(LINK),
    isFIFO: is(FIFO),
    isSocket: is(SOCKET),
  } as Stats
}
