// Copies of definitions before we change them: files of mode 0600, since they hold passwords.

import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { refuse } from '../codes/codes.ts'
import { systemError } from '../machine/system-error.ts'
import { createFile, removeIfThere } from '../machine/write/temporary-file.ts'

/** The default folder of copies: the state folder of the system, or of the user. */
export function backupFolder(uid = process.getuid?.() ?? 0, env: NodeJS.ProcessEnv = process.env): string {
  return uid === 0
    ? '/var/lib/virt-numa'
    : join(env.XDG_STATE_HOME || join(homedir(), '.local/state'), 'virt-numa')
}

/**
 * Writes the text to NAME.UTC-TIME.xml, unless the guest's last copy is the same, and returns the path. A
 * file of such a name is complete, even when the disk is full or this process is killed.
 * @throws Refusal `unwritable`
 */
export function keepCopy(folder: string, guest: string, text: string, now: Date): string {
  const start = `${fileName(guest)}.`
  const path = join(folder, `${start}${stampOf(now)}`)
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

/** Removes a copy that was made at this time: nothing was defined. */
export function dropCopy(path: string, now: Date): void {
  if (path.endsWith(`.${stampOf(now)}`)) removeIfThere(path)
}

const stampOf = (now: Date): string => `${now.toISOString().replace(/[-:]/g, '')}.xml`

/** 20261125T041112.345Z.xml */
const STAMPED = /^\d{8}T\d{6}\.\d{3}Z\.xml$/

/** A guest may have almost any name; a file name has at most 255 bytes. */
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
