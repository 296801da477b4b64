// This machine, or a folder that holds the sys/ and proc/ of another, as a Files.

import type { Files } from '../host/files.ts'
import { follow, parts } from '../host/paths.ts'
import { linkStatusOf, namesIn, readAtMost, statusOf, statusOfOpen, targetOf } from './node/system.ts'
import { withFile } from './read/read-bytes.ts'

/** The largest files that are read are lists of mounts. */
const MOST_BYTES = 8 * 1024 * 1024

/** This machine. */
export const thisMachine: Files = filesWith((path) => path)

/** A captured folder: links are followed inside it, absolute ones from its root. */
export function machineIn(folder: string): Files {
  const holdsSys = isThere(`${folder}/devices/system`) && !isThere(`${folder}/sys`)
  return filesWith((path) => {
    const inside = holdsSys ? path.replace(/^\/sys(?=\/|$)/, '') : path
    return resolveIn(folder, inside)
  })
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'

/** What cannot be looked at is not there. */
function isThere(path: string): boolean {
  try {
    return statusOf(path) !== undefined
  } catch {
    return false
  }
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
    list: (path) => at(path, (real) => namesIn(real)),
    readlink: (path) =>
      at(folderOf(path), (folder) => targetOf(`${folder}/${path.slice(path.lastIndexOf('/') + 1)}`)),
  }
}

/** A captured folder may hold what no machine has: a pipe, a device, an endless file. */
function readFact(path: string): Uint8Array | undefined {
  return withFile(path, 'at-once', (file) => {
    if (statusOfOpen(file).is !== 'file') return undefined
    const bytes = readAtMost(file, MOST_BYTES)
    return bytes.length > MOST_BYTES ? undefined : bytes
  })
}

/** A path below `root`, by the real names of everything on the way. */
function resolveIn(root: string, path: string): string | undefined {
  return follow(root, parts(path), (folder, name) => {
    const at = `${folder}/${name}`
    const status = linkStatusOf(at)
    if (status === undefined) return undefined
    return status.is === 'link' ? { link: targetOf(at) } : { at }
  })
}
