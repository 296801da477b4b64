// Libvirt as virsh tells it: one connection, its guests, and what a guest's definition and state are.

import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Diagnostic, diagnostic, Refusal, refuse } from '../base/diagnostic.ts'
import { writeContent } from './bytes.ts'
import { awaitProgram, type Ended } from './programs.ts'
import { systemError } from './system-error.ts'

/** Runs virsh with these words on one connection; never throws for what it answers. `file` is opened as its /dev/stdin. */
export type Virsh = (words: readonly string[], file?: number) => Promise<Ended>

/** `connect` absent: virsh's own default, which its environment and libvirt.conf may set. */
export function virshAt(connect: string | undefined): Virsh {
  return (words, file) => awaitProgram('virsh', [...connectWords(connect), ...words], { timeoutS: 60, ...(file !== undefined && { file }) })
}

export const connectWords = (connect: string | undefined): readonly string[] => [
  '--quiet',
  ...(connect === undefined ? [] : [`--connect=${connect}`]),
]

/** @throws Refusal `virsh-missing`, `libvirt-unreachable`, `virsh-failed` */
export async function ask(virsh: Virsh, words: readonly string[], file?: number): Promise<string> {
  const ended = await virsh(words, file)
  if (ended.status !== 0) throw new Refusal([failureOf(words, ended)])
  return ended.stdout
}

export function failureOf(words: readonly string[], { status, reason, stderr }: Ended): Diagnostic {
  if (reason?.includes('ENOENT')) return diagnostic('virsh-missing', {})
  const said = saidBy(stderr) || reason || 'it says nothing'
  if (/^error: failed to connect to the hypervisor/m.test(stderr)) return diagnostic('libvirt-unreachable', { reason: said })
  return diagnostic('virsh-failed', { words: words.slice(0, 2).join(' '), reason: said, ended: status !== undefined })
}

/** The first line tells what was tried, the others why it failed. */
export function saidBy(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  return (lines.length > 1 ? lines.slice(1) : lines).map((line) => line.replace(/^error: /, '').trim()).join(' ')
}

/**
 * Fails where virsh or libvirt is not there, and where the guests would run on another machine than the one that is planned for.
 * @throws Refusal also `libvirt-elsewhere`
 */
export async function checkConnection(virsh: Virsh, hostGiven: string | undefined): Promise<void> {
  const uri = (await ask(virsh, ['uri'])).trim()
  const machine = machineOf(uri)
  if (machine !== undefined && machine !== hostname() && hostGiven === undefined) refuse('libvirt-elsewhere', { uri, machine })
}

/** The machine that a libvirt URI names, if it is not this one: "qemu+ssh://root@node7/system" names node7. */
export function machineOf(uri: string): string | undefined {
  const authority = /^[^:/?#]+:\/\/([^/?#]*)/.exec(uri)?.[1] ?? ''
  const machine = /^(?:[^@]*@)?(\[[^\]]*\]|[^:]*)/.exec(authority)?.[1] ?? ''
  return /^(localhost|127\..*|\[::1\])?$/.test(machine) ? undefined : machine
}

/** A guest as libvirt lists it. */
export interface Listed {
  readonly uuid: string
  readonly name: string
}

/** Everything is asked by UUID afterwards: virsh takes a name of digits for an id. */
export async function listGuests(virsh: Virsh, ...which: readonly string[]): Promise<readonly Listed[]> {
  return readList(await ask(virsh, ['list', '--all', '--uuid', '--name', ...which]))
}

/** "UUID NAME" per line, the name padded. */
export function readList(text: string): readonly Listed[] {
  return text.split('\n').flatMap((line) => {
    const [, uuid, name] = /^([0-9a-f-]{36}) (.+?) *$/.exec(line) ?? []
    return uuid === undefined || name === undefined ? [] : [{ uuid, name }]
  })
}

export interface State {
  readonly runs: boolean
  readonly persistent: boolean
  /** Whether a managed save is there: the next start restores it. */
  readonly saved: boolean
}

/** What `virsh dominfo` says. */
export function readState(text: string): State {
  const said = (name: string): string => new RegExp(`^${name}: +(.*?) *$`, 'm').exec(text)?.[1] ?? ''
  return { runs: /^\d+$/.test(said('Id')), persistent: said('Persistent') === 'yes', saved: said('Managed save') === 'yes' }
}

export async function stateOf(virsh: Virsh, { uuid }: Listed): Promise<State> {
  return readState(await ask(virsh, ['dominfo', uuid]))
}

/** The definition that the next start uses, with its secrets. */
export function dumpDefinition(virsh: Virsh, { uuid }: Listed): Promise<string> {
  return ask(virsh, ['dumpxml', '--inactive', '--security-info', uuid])
}

/** The same as libvirt shows it to everybody. */
export function dumpPublic(virsh: Virsh, { uuid }: Listed): Promise<string> {
  return ask(virsh, ['dumpxml', '--inactive', uuid])
}

export function dumpLive(virsh: Virsh, { uuid }: Listed): Promise<string> {
  return ask(virsh, ['dumpxml', uuid])
}

/** Defines it, checked against libvirt's schema. The text, which may hold passwords, never has a name in a file system. */
export async function defineText(virsh: Virsh, text: string): Promise<void> {
  const file = unnamedFile(text)
  try {
    await ask(virsh, ['define', '/dev/stdin', '--validate'], file)
  } finally {
    closeSync(file)
  }
}

/** @throws Refusal `unwritable` */
function unnamedFile(text: string): number {
  const start = join(tmpdir(), 'virt-numa-')
  let file: number | undefined
  try {
    const folder = mkdtempSync(start)
    try {
      file = openSync(join(folder, 'domain.xml'), 'wx+', 0o600)
    } finally {
      rmSync(folder, { recursive: true })
    }
    writeContent(file, Buffer.from(text))
    return file
  } catch (error) {
    if (file !== undefined) closeSync(file)
    throw systemError(error, (fault) => refuse('unwritable', { file: `${start}...`, ...fault }))
  }
}

/** Names of what hangs on a guest's disks; a driver that knows no such thing has none. */
export async function namesOf(virsh: Virsh, { uuid }: Listed, kind: 'snapshot-list' | 'checkpoint-list'): Promise<readonly string[]> {
  const { status, stdout } = await virsh([kind, uuid, '--name'])
  return status === 0 ? stdout.split('\n').filter((name) => name !== '') : []
}
