// A hooks folder -> what is at the paths that libvirt runs: our hook, another one, or nothing; and where ours
// belongs.

import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { refuse } from '../codes/codes.ts'
import type { PathContent } from '../codes/hook.ts'
import type { Daemon } from '../host/daemon.ts'
import { errnoOf, systemError } from '../machine/system-error.ts'
import { readShim } from './shim.ts'

/** The folder in which libvirt looks for hooks. */
export const HOOKS = '/etc/libvirt/hooks'

/**
 * What is at one path. `ours`: a regular file with a hook of virt-numa, unchanged. `holds` describes anything
 * else. `changedS`: seconds since 1970 of the last change, of content or attributes.
 */
export interface HookFile {
  readonly path: string
  readonly is: 'absent' | 'ours' | 'foreign'
  readonly holds?: PathContent
  /** The text of our hook, and the two paths in it. */
  readonly text?: string
  readonly shim?: { readonly node: string; readonly program: string }
  readonly mode?: number
  readonly uid?: number
  readonly changedS?: number
  /** libvirt runs it: it is a file, or a link to one, and executable. */
  readonly isRun: boolean
  /** A link to one of our hooks. */
  readonly leadsToOurs: boolean
}

/** What is in a hooks folder. */
export interface Hooks {
  readonly folder: string
  readonly main: HookFile
  /** qemu.d/50-virt-numa. */
  readonly further: HookFile
  /** Everything else in qemu.d that libvirt runs. */
  readonly others: readonly HookFile[]
}

/** libvirt runs `qemu` first, then qemu.d in this order. */
const MAIN = 'qemu'
/** The folder of further hooks. */
const FURTHER_FOLDER = 'qemu.d'
const FURTHER = '50-virt-numa'

/** The first version that reads qemu.d. */
const FURTHER_SINCE = [6, 5] as const

/** @throws Refusal `unreadable` */
export function hooksIn(folder: string): Hooks {
  try {
    return readHooks(folder)
  } catch (error) {
    throw systemError(error, (fault) => refuse('unreadable', { file: folder, ...fault }))
  }
}

function readHooks(folder: string): Hooks {
  const further = join(folder, FURTHER_FOLDER)
  const names = unlessGone(() => (isFolder(further) ? readdirSync(further).sort() : [])) ?? []
  const others = names.filter((name) => name !== FURTHER).map((name) => hookAt(join(further, name)))
  return {
    folder,
    main: hookAt(join(folder, MAIN)),
    further: hookAt(join(further, FURTHER)),
    others: others.filter(({ isRun }) => isRun),
  }
}

/** Everything that libvirt runs for a QEMU guest. */
export const hooksRun = ({ main, further, others }: Hooks): HookFile[] =>
  [main, further, ...others].filter(({ isRun }) => isRun)

/** An uninstall at the same time may remove the file meanwhile. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    return undefined
  }
}

const hookAt = (path: string): HookFile =>
  unlessGone(() => fileAt(path)) ?? { path, is: 'absent', isRun: false, leadsToOurs: false }

function fileAt(path: string): HookFile {
  // Below a file nothing exists, but lstat reports that as another error.
  const own = isFolder(dirname(path)) ? lstatSync(path, { throwIfNoEntry: false }) : undefined
  if (own === undefined) return { path, is: 'absent', isRun: false, leadsToOurs: false }
  const end = own.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : own
  const text = end?.isFile() && end.size < 65_536 ? readFileSync(path, 'utf8') : ''
  const shim = readShim(text)
  const isOurs = shim !== undefined && own.isFile()
  return {
    path,
    is: isOurs ? 'ours' : 'foreign',
    ...(isOurs ? { text, shim } : { holds: contentOf(path, own) }),
    mode: own.mode & 0o7777,
    uid: own.uid,
    changedS: own.ctimeMs / 1000,
    isRun: end?.isFile() === true && (end.mode & 0o111) !== 0,
    leadsToOurs: shim !== undefined && !isOurs,
  }
}

function contentOf(path: string, status: Stats): PathContent {
  if (status.isSymbolicLink()) return { is: 'link', to: readlinkSync(path) }
  if (status.isDirectory()) return { is: 'folder' }
  return { is: status.isFile() ? 'other-file' : 'not-a-file' }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/**
 * Where our hook belongs: where it is, else at `qemu` unless another hook is there, else in qemu.d.
 * @param version of libvirt, asked for only when it counts
 * @throws Refusal `hook-place-taken`, `hook-foreign`
 */
export function placeFor({ folder, main, further }: Hooks, version: () => string | undefined): HookFile {
  for (const each of [main, further]) {
    if (each.leadsToOurs)
      refuse('hook-place-taken', {
        path: each.path,
        holds: each.holds ?? { is: 'other-file' },
        role: 'link-to-ours',
      })
  }
  if (main.is === 'ours') return main
  if (further.is === 'ours') return further
  if (main.is === 'absent') return main
  const { path, holds = { is: 'other-file' } } = further
  if (further.is === 'foreign')
    refuse('hook-place-taken', {
      path,
      holds,
      role: 'our-name',
    })
  const known = version()
  if (known === undefined || !isSince(known, FURTHER_SINCE)) {
    refuse('hook-foreign', { path: main.path, version: known, folder: '/usr/local/lib/virt-numa' })
  }
  const above = join(folder, FURTHER_FOLDER)
  const status = lstatSync(above, { throwIfNoEntry: false })
  if (status !== undefined && !isFolder(above))
    refuse('hook-place-taken', { path: above, holds: contentOf(above, status), role: 'folder' })
  return further
}

/** "9.0.0" is since [6, 5]; anything that is not a version is not. */
export function isSince(version: string, [major, minor]: readonly [major: number, minor: number]): boolean {
  const [, first = '', second = ''] = /^(\d+)\.(\d+)/.exec(version) ?? []
  return first !== '' && (Number(first) > major || (Number(first) === major && Number(second) >= minor))
}

/**
 * Whether a daemon looks for hooks at every operation: it does if it found any hook when it was started. The
 * kernel's boot time is in whole seconds.
 */
export function hasSeenHooks(before: Hooks, { startedS }: Pick<Daemon, 'startedS'>): boolean {
  return (
    startedS !== undefined &&
    hooksRun(before).some(({ changedS = Number.POSITIVE_INFINITY }) => changedS < startedS - 1)
  )
}
