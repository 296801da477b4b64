// The calls of the system by which the ledger is changed, in the native programs. node/ledger-calls.ts says
// what they do.

import type * as node from '../node/ledger-calls.ts'
import { calls } from './calls.ts'
import { done } from './errors.ts'

/** @see ownFolder of Node */
export const ownFolder: typeof node.ownFolder = (path) => void done(calls.ownFolder(path), 'mkdir')

/** @see makeLink of Node */
export const makeLink: typeof node.makeLink = (target, path) => {
  const result = calls.makeLink(target, path)
  if (result === -EEXIST) return false
  done(result, 'symlink')
  return true
}

/** @see removeFile of Node */
export const removeFile: typeof node.removeFile = (path) => {
  const result = calls.remove(path)
  if (result !== -ENOENT) done(result, 'unlink')
}

/** @see writeNewFile of Node */
export const writeNewFile: typeof node.writeNewFile = (path, text) =>
  void done(calls.writeNew(path, text), 'open')

/** @see elapsedMs of Node */
export const elapsedMs: typeof node.elapsedMs = () => calls.elapsed()

const ENOENT = 2
const EEXIST = 17
