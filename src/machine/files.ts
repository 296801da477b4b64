// This machine, or a folder that holds the sys/ and proc/ of another, as a Files.

import { existsSync, fstatSync, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { posix } from 'node:path'
import type { Files } from '../host/files.ts'
import { follow, parts } from '../host/paths.ts'
import { readAtMost, withFile } from './read/read-bytes.ts'

/** The largest files that are read are lists of mounts. */
const MOST_BYTES = 8 * 1024 * 1024

/** This machine. */
export const thisMachine: Files = filesWith((path) => path)

/** A captured folder: links are followed inside it, absolute ones from its root. */
export function machineIn(folder: string): Files {
  const holdsSys = existsSync(`${folder}/devices/system`) && !existsSync(`${folder}/sys`)
  return filesWith((path) => {
    const inside = holdsSys ? path.replace(/^\/sys(?=\/|$)/, '') : path
    return resolveIn(folder, inside)
  })
}

function filesWith(locate: (path: string) => string | undefined): Files {
  const at = <T>(path: string, read: (real: string) => T): T | undefined => {
    try {
      const real = locate(path)
      return real === undefined ? undefined : read(real)
    } catch {
      return undefined
    }
  }
  return {
    read: (path) => at(path, readFact),
    list: (path) => at(path, (real) => readdirSync(real).sort()),
    readlink: (path) =>
      at(posix.dirname(path), (folder) => readlinkSync(`${folder}/${posix.basename(path)}`)),
  }
}

/** A captured folder may hold what no machine has: a pipe, a device, an endless file. */
function readFact(path: string): Uint8Array | undefined {
  return withFile(path, 'at-once', (file) => {
    if (!fstatSync(file).isFile()) return undefined
    const bytes = readAtMost(file, MOST_BYTES)
    return bytes.length > MOST_BYTES ? undefined : bytes
  })
}

/** A path below `root`, by the real names of everything on the way. */
function resolveIn(root: string, path: string): string | undefined {
  return follow(root, parts(path), (folder, name) => {
    const at = posix.join(folder, name)
    const status = lstatSync(at, { throwIfNoEntry: false })
    if (status === undefined) return undefined
    return status.isSymbolicLink() ? { link: readlinkSync(at) } : { at }
  })
}
