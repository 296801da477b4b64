// This machine, or a folder that holds the sys/ and proc/ of another, as a Files.

import { existsSync, fstatSync, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { posix } from 'node:path'
import type { Files } from '../host/files.ts'
import { readAtMost, withFile } from './read-bytes.ts'

/** The largest files of a machine that we read are lists of mounts. */
const MOST_BYTES = 8 * 1024 * 1024

/** This machine. */
export const thisMachine: Files = filesWith((path) => path)

/** A captured folder: links are followed inside it, absolute ones from its root, and none leads out. */
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

/** A folder may hold what no machine has: a pipe, a device, a file without end. */
function readFact(path: string): Uint8Array | undefined {
  return withFile(path, 'at-once', (file) => {
    if (!fstatSync(file).isFile()) return undefined
    const bytes = readAtMost(file, MOST_BYTES)
    return bytes.length > MOST_BYTES ? undefined : bytes
  })
}

const MOST_LINKS = 40

/** Walks the path by names, so that a link that leads out of the capture is followed from the capture's root instead. */
function resolveIn(root: string, path: string): string | undefined {
  const open = path.split('/').filter((name) => name !== '')
  const done: string[] = []
  for (let links = 0; open.length > 0; ) {
    const name = open.shift() as string
    if (name === '.') continue
    if (name === '..') {
      done.pop()
      continue
    }
    const here = posix.join(root, ...done, name)
    const status = lstatSync(here, { throwIfNoEntry: false })
    if (status === undefined) return undefined
    if (!status.isSymbolicLink()) {
      done.push(name)
      continue
    }
    links += 1
    if (links > MOST_LINKS) return undefined
    const target = readlinkSync(here)
    if (target.startsWith('/')) done.length = 0
    open.unshift(...target.split('/').filter((part) => part !== ''))
  }
  return posix.join(root, ...done)
}
