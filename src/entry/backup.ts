// What a guest's definition was before we changed it: a file of mode 0600, since passwords are in it.

import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { refuse } from '../base/diagnostic.ts'
import { systemError } from './input.ts'

/** Where copies lie when nothing else is said: the state folder of the system, or of a user who is not root. */
export function backupFolder(uid = process.getuid?.() ?? 0, env: NodeJS.ProcessEnv = process.env): string {
  return uid === 0 ? '/var/lib/virt-numa' : join(env.XDG_STATE_HOME || join(homedir(), '.local/state'), 'virt-numa')
}

/**
 * Keeps the text as NAME.UTC-TIME.xml, and says where. Where the guest's last copy is the same, that one is it.
 * @throws Refusal `unwritable`
 */
export function keepCopy(folder: string, guest: string, text: string, now: Date): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const start = `${fileName(guest)}.`
    const last = readdirSync(folder)
      .filter((name) => name.startsWith(start) && STAMPED.test(name.slice(start.length)))
      .sort()
      .at(-1)
    if (last !== undefined && readFileSync(join(folder, last), 'utf8') === text) return join(folder, last)
    return write(folder, start + now.toISOString().replace(/[-:]/g, ''), text)
  } catch (error) {
    throw systemError(error, (reason) => refuse('unwritable', { file: folder, reason }))
  }
}

/** 20261125T041112.345Z.xml */
const STAMPED = /^\d{8}T\d{6}\.\d{3}Z\.xml$/

function write(folder: string, name: string, text: string): string {
  const path = join(folder, `${name}.xml`)
  const file = openSync(path, 'wx', 0o600)
  try {
    const bytes = Buffer.from(text)
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return path
}

/** A guest may be called almost anything; a file name holds 255 bytes. */
function fileName(guest: string): string {
  return [...Buffer.from(guest)]
    .map((byte) => (/[\w.+-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`))
    .join('')
    .slice(0, 200)
}
