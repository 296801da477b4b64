// What a guest's definition was before we changed it: a file of mode 0600, since passwords are in it.

import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { refuse } from '../base/diagnostic.ts'
import { systemError } from '../machine/system-error.ts'
import { createFile } from '../machine/write/temporary-file.ts'

/**
 * Where copies lie when nothing else is said: the state folder of the system, or of a user who is not root.
 */
export function backupFolder(uid = process.getuid?.() ?? 0, env: NodeJS.ProcessEnv = process.env): string {
  return uid === 0
    ? '/var/lib/virt-numa'
    : join(env.XDG_STATE_HOME || join(homedir(), '.local/state'), 'virt-numa')
}

/**
 * Keeps the text as NAME.UTC-TIME.xml, and says where. Where the guest's last copy is the same, that one is
 * it. A file of such a name is whole, even when the disk gets full or this process is killed.
 * @throws Refusal `unwritable`
 */
export function keepCopy(folder: string, guest: string, text: string, now: Date): string {
  const start = `${fileName(guest)}.`
  const path = join(folder, `${start}${now.toISOString().replace(/[-:]/g, '')}.xml`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const last = readdirSync(folder)
      .filter((name) => name.startsWith(start) && STAMPED.test(name.slice(start.length)))
      .sort()
      .at(-1)
    if (last !== undefined && readFileSync(join(folder, last), 'utf8') === text) return join(folder, last)
    createFile(path, { bytes: Buffer.from(text), mode: 0o600 })
    return path
  } catch (error) {
    throw systemError(error, (fault) => refuse('unwritable', { file: path, ...fault }))
  }
}

/** 20261125T041112.345Z.xml */
const STAMPED = /^\d{8}T\d{6}\.\d{3}Z\.xml$/

/** A guest may be called almost anything; a file name holds 255 bytes. */
function fileName(guest: string): string {
  return [...Buffer.from(guest)]
    .map((byte) =>
      /[\w.+-]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).padStart(2, '0')}`,
    )
    .join('')
    .slice(0, 200)
}
