// A guest's name, QEMU's process id, or all guests -> the processes, and libvirt's status files.

import { collectRefusals, type Diagnostic, Refusal } from '../../../base/diagnostic.ts'
import { decodeUtf8 } from '../../../base/utf8.ts'
import { diagnostic, refuse } from '../../../codes/codes.ts'
import { absentMetrics } from '../../../explain/metrics.ts'
import type { Files } from '../../../host/files.ts'
import { ifReadable } from '../../../host/kernel-text.ts'
import { readCommandOf } from '../../../host/qemu/process.ts'
import { type GuestStatus, readStatus, STATUS_FOLDERS } from '../../../host/qemu/status.ts'
import { saveFile } from '../../../machine/write/save.ts'
import { child, parseXml, type XmlDocument } from '../../../xml/parse.ts'

/** What a status file says, and its path. */
export type Located = GuestStatus & { readonly file: string }

/**
 * The folders with status files: of the system daemon, and of a session daemon, which virt-launcher runs
 * without root.
 */
export function folders(isThisMachine: boolean): string[] {
  const runtime = isThisMachine ? process.env.XDG_RUNTIME_DIR : undefined
  return [...STATUS_FOLDERS, ...(runtime?.startsWith('/') ? [`${runtime}/libvirt/qemu/run`] : [])]
}

/** A guest by its name, the captured host that it runs on, and where its metrics go. */
interface Named {
  readonly guest?: string
  readonly host?: string
  readonly metrics?: string
}

/** The guests that libvirt's status files name, by process id, and what keeps others from being read. */
export interface AllLocated {
  readonly located: readonly Located[]
  readonly problems: readonly Diagnostic[]
  /** Whether some folder with status files could be listed, and all files could be read. */
  readonly isComplete: boolean
}

/** Finds all guests, of the system daemon and of every session daemon. A file that vanishes is skipped. */
export function locateAll(files: Files, isThisMachine: boolean): AllLocated {
  const sessions = (files.list('/run/user') ?? []).map((user) => `/run/user/${user}/libvirt/qemu/run`)
  const all = [...new Set([...folders(isThisMachine), ...sessions])]
  const lists = all.map((folder) => ({ folder, names: files.list(folder) }))
  const located = new Map<number, Located>()
  const problems: Diagnostic[] = []
  const unread: string[] = []
  for (const { folder, names = [] } of lists) {
    for (const name of names.filter((each) => each.endsWith('.xml'))) {
      const file = `${folder}/${name}`
      const bytes = files.read(file)
      if (bytes === undefined && files.list(folder)?.includes(name)) unread.push(file)
      const status = bytes && collectRefusals(problems, () => statusIn(bytes, file))
      if (status !== undefined && !located.has(status.pid)) located.set(status.pid, status)
    }
  }
  return {
    located: [...located.values()],
    problems: [...problems, ...(unread.length > 0 ? [diagnostic('guests-unread', { files: unread })] : [])],
    isComplete: unread.length === 0 && lists.some(({ names }) => names !== undefined),
  }
}

/** Finds a guest by its name. If it is not running, its metrics say so. */
export function byName(
  files: Files,
  { guest = '', host, metrics }: Named,
): { readonly pid: number; readonly status: Located } {
  try {
    const status = findStatus(files, guest, folders(host === undefined))
    if (status === undefined) {
      const looked = folders(host === undefined).map((folder) => `${folder}/${guest}.xml`)
      refuse('guest-not-running', {
        guest,
        because: guest.includes('/') ? { is: 'not-a-name' } : { is: 'no-status', files: looked },
      })
    }
    const { pid, file } = status
    if (files.list(`/proc/${pid}`) === undefined)
      refuse('guest-not-running', { guest, because: { is: 'process-gone', file, pid } })
    return { pid, status }
  } catch (error) {
    if (
      metrics !== undefined &&
      error instanceof Refusal &&
      error.diagnostics.some(({ code }) => code === 'guest-not-running')
    )
      saveFile(metrics, absentMetrics(guest))
    throw error
  }
}

/**
 * Finds the status file by the guest name on QEMU's command line; a file that names another process does not
 * count.
 */
export function byPid(
  files: Files,
  pid: number,
  host: string | undefined,
): { readonly pid: number; readonly status?: Located } {
  const { guest } = readCommandOf(files, pid)
  const status =
    guest === undefined ? undefined : ifReadable(() => findStatus(files, guest, folders(host === undefined)))
  return status?.pid === pid ? { pid, status } : { pid }
}

/** @throws Refusal `unreadable` where only root may read the file, and that of its content */
function findStatus(files: Files, guest: string, inFolders: readonly string[]): Located | undefined {
  const name = `${guest}.xml`
  const folder =
    guest === '' || guest.includes('/')
      ? undefined
      : inFolders.find((each) => files.list(each)?.includes(name))
  if (folder === undefined) return undefined
  const file = `${folder}/${name}`
  const bytes = files.read(file)
  if (bytes === undefined) refuse('unreadable', { file, reason: 'only root may read it' })
  return statusIn(bytes, file)
}

function statusIn(bytes: Uint8Array, file: string): Located {
  const text = decodeUtf8(bytes)
  if (typeof text !== 'string') refuse('utf8-invalid', { file, offset: text.invalidAt })
  return { ...readStatus(text, file), file }
}

/** Where the system daemon keeps definitions. */
const DEFINITIONS = '/etc/libvirt/qemu'

/**
 * The definition that the guest was started from, as libvirt keeps it; undefined where there is none, or it
 * is of another guest of this name.
 */
export function readDefinition(files: Files, { file, domain }: Located): XmlDocument | undefined {
  const isSystems = STATUS_FOLDERS.some((folder) => file.startsWith(`${folder}/`))
  const bytes = isSystems ? files.read(`${DEFINITIONS}${file.slice(file.lastIndexOf('/'))}`) : undefined
  const text = bytes && decodeUtf8(bytes)
  const defined = typeof text === 'string' ? ifReadable(() => parseXml(text)) : undefined
  const uuidOf = ({ root }: XmlDocument): string | undefined => child(root, 'uuid')?.text.trim()
  return defined !== undefined && uuidOf(defined) === uuidOf(domain) ? defined : undefined
}
