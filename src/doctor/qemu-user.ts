// qemu.conf, /etc/passwd and /etc/group -> the user that QEMU runs as, and whether that user may use a file.

import type { Files } from '../host/files.ts'
import { textAt } from '../host/kernel-text.ts'
import type { QemuConf } from '../model/host.ts'

/** Owner and mode of a file. */
export interface Owned {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

/** The user that QEMU runs as. */
interface QemuUser {
  readonly name: string
  readonly uid: number
  readonly gids: readonly number[]
  /** Where it is stated. */
  readonly source: string
}

/** The default users of Debian and Fedora; other builds run QEMU as root. */
const BUILT_IN = ['libvirt-qemu', 'qemu']

const CONF = '/etc/libvirt/qemu.conf'

/** The user that QEMU runs as; undefined where it is not in /etc/passwd. */
export function qemuUser(files: Files, { user, group }: QemuConf): QemuUser | undefined {
  const users = rowsOf(files, '/etc/passwd')
  const name = user ?? BUILT_IN.find((each) => users.some(([known]) => known === each)) ?? 'root'
  const row = users.find(([known, , uid]) => known === name || `+${uid}` === name || uid === name)
  if (row === undefined) return undefined
  const groups = rowsOf(files, '/etc/group')
  const primary =
    group === undefined
      ? row[3]
      : groups.find(([known, , gid]) => known === group || `+${gid}` === group || gid === group)?.[2]
  const further = groups
    .filter(([, , , members = '']) => members.split(',').includes(row[0] ?? ''))
    .map(([, , gid]) => gid)
  const gids = [primary, ...further].flatMap((gid) => (gid === undefined ? [] : [Number(gid)]))
  return {
    name: row[0] ?? name,
    uid: Number(row[2]),
    gids,
    source: user === undefined ? 'the default' : CONF,
  }
}

function rowsOf(files: Files, path: string): string[][] {
  return (textAt(files, path) ?? '').split('\n').map((line) => line.split(':'))
}

/** Whether a user may read and write a file; the first of owner, group and others that matches decides. */
export function mayUse({ uid, gids }: Pick<QemuUser, 'uid' | 'gids'>, file: Owned): boolean {
  if (uid === 0) return true
  const shift = uid === file.uid ? 6 : gids.includes(file.gid) ? 3 : 0
  return ((file.mode >> shift) & 0o6) === 0o6
}

/** "root:kvm". */
export function ownerOf(files: Files, { uid, gid }: Owned): string {
  const name = (path: string, id: number): string =>
    rowsOf(files, path).find(([, , known]) => known === String(id))?.[0] ?? String(id)
  return `${name('/etc/passwd', uid)}:${name('/etc/group', gid)}`
}
