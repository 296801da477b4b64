// --socket -> the path that the server listens on. A socket that no server answers on is removed; a live one
// is left to its server.

import { randomBytes } from 'node:crypto'
import { lstatSync, statSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { refuse } from '../codes/codes.ts'
import { errnoOf, systemError } from '../machine/system-error.ts'

/** sun_path has 108 bytes, the last of which is 0. @see unix(7) */
const MOST_BYTES = 107

/**
 * The path to listen on, free to be bound.
 * @param named a path, or a folder: then the name in it is unique, since virt-launcher distinguishes the
 * sockets of all sidecars by their base names
 * @throws Refusal `socket-unusable`
 */
export async function freeSocketPath(named: string): Promise<string> {
  const path = isFolder(named) ? join(named, `virt-numa-${randomBytes(4).toString('hex')}.sock`) : named
  const bytes = Buffer.byteLength(path)
  if (bytes > MOST_BYTES)
    refuse('socket-unusable', { path, problem: { is: 'too-long', bytes, max: MOST_BYTES } })
  // Where the folder is missing, the library would report that it may not be written to.
  withSystem(path, () => statSync(dirname(path)))
  await removeDead(path)
  return path
}

function isFolder(path: string): boolean {
  return withSystem(path, () => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
}

async function removeDead(path: string): Promise<void> {
  const status = withSystem(path, () => lstatSync(path, { throwIfNoEntry: false }))
  if (status === undefined) return
  if (!status.isSocket()) refuse('socket-unusable', { path, problem: { is: 'not-a-socket' } })
  if (await isAnswered(path)) refuse('socket-unusable', { path, problem: { is: 'in-use' } })
  withSystem(path, () => unlinkSync(path))
}

/** A full queue of connections, or no permission to connect, is the sign of a server too. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(errnoOf(error) ?? '')))
  })
}

function withSystem<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw systemError(error, (fault) =>
      refuse('socket-unusable', { path, problem: { is: 'refused', ...fault } }),
    )
  }
}
