// The calls of the system by which machine/ reads, in the native programs. node/system.ts says what they do.

import type * as node from '../node/system.ts'
import { calls } from './calls.ts'
import { done, faultIn } from './errors.ts'

/** @see statusOf of Node */
export const statusOf: typeof node.statusOf = (path) => statusAt(path, 1, 'stat')

/** @see linkStatusOf of Node */
export const linkStatusOf: typeof node.linkStatusOf = (path) => statusAt(path, 0, 'lstat')

/** @see statusOfOpen of Node */
export const statusOfOpen: typeof node.statusOfOpen = (file) => toStatus(done(calls.status(file, 1), 'fstat'))

function statusAt(path: string, followsLinks: 0 | 1, syscall: string): node.Status | undefined {
  const found = calls.status(path, followsLinks)
  return found === -ENOENT || found === -ENOTDIR ? undefined : toStatus(done(found, syscall))
}

function toStatus([mode]: readonly [number, number, number]): node.Status {
  return { is: KINDS[mode >> 12] ?? 'other', mode: mode & 0o777 }
}

/** By the type bits of a mode. @see inode(7) */
const KINDS: Readonly<Record<number, node.Status['is']>> = { 4: 'folder', 8: 'file', 10: 'link' }

/** @see openToRead of Node */
export const openToRead: typeof node.openToRead = (path, kind) =>
  done(calls.open(path, kind === 'blocking' ? 0 : 1), 'open')

/** @see closeFile of Node */
export const closeFile: typeof node.closeFile = (file) => void done(calls.close(file), 'close')

/** @see readAtMost of Node */
export const readAtMost: typeof node.readAtMost = (file, most) => {
  const bytes = calls.readAll(file, most)
  if (typeof bytes === 'number') throw faultIn(bytes, 'read')
  return new Uint8Array(bytes)
}

/** @see namesIn of Node */
export const namesIn: typeof node.namesIn = (folder) => {
  const names = calls.list(folder)
  if (typeof names === 'number') throw faultIn(names, 'scandir')
  return names
}

/** @see targetOf of Node */
export const targetOf: typeof node.targetOf = (link) => {
  const target = calls.readLink(link)
  if (typeof target === 'number') throw faultIn(target, 'readlink')
  return target
}

/** @see pause of Node */
export const pause: typeof node.pause = (ms) => calls.wait(ms)

/** @see positionOf of Node */
export const positionOf: typeof node.positionOf = (bytes, text) => calls.position(bytes, text)

const ENOENT = 2
const ENOTDIR = 20
