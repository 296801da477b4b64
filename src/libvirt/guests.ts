// The guests of libvirt through virsh: their list, their states, and their definitions.

import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Refusal } from '../base/diagnostic.ts'
import { type Code, refuse } from '../codes/codes.ts'
import { readDocument } from '../document.ts'
import type { ProgramEnd } from '../machine/programs/child-process.ts'
import { systemError } from '../machine/system-error.ts'
import { writeContent } from '../machine/write/bytes.ts'
import { lineAndColumn, type XmlDocument } from '../xml/parse.ts'
import { answerOf, failureOf, firstOf, refuseOutput, type Virsh } from './virsh.ts'

/** A guest as libvirt lists it. */
export interface Listed {
  readonly uuid: string
  readonly name: string
}

const LIST = ['list', '--all', '--uuid', '--name'] as const
const LIST_NAMES = ['list', '--all', '--name'] as const
const LIST_RUNNING = ['list', '--uuid', '--name'] as const
const LIST_RUNNING_NAMES = ['list', '--name'] as const

/**
 * Later calls use the UUID: virsh takes a name of digits for an id. Before libvirt 8, names after UUIDs are
 * padded with blanks, and a name may itself end in blanks: then the names are listed again, alone, where
 * nothing is padded.
 */
export const listGuests = (virsh: Virsh): Promise<readonly Listed[]> => list(virsh, LIST, LIST_NAMES)

/** Those that run now, paused ones too. */
export const listRunning = (virsh: Virsh): Promise<readonly Listed[]> =>
  list(virsh, LIST_RUNNING, LIST_RUNNING_NAMES)

async function list(
  virsh: Virsh,
  both: readonly string[],
  namesOnly: readonly string[],
): Promise<readonly Listed[]> {
  for (let tries = 0; tries < 3; tries++) {
    const listing = await answerOf(virsh, both)
    const names = / $/m.test(listing) ? await answerOf(virsh, namesOnly) : undefined
    const guests = readList(listing, names)
    if (guests !== undefined) return guests
  }
  return refuseOutput(namesOnly, '', { is: 'same-guests', words: both })
}

/**
 * Reads "UUID NAME" per line. `names`, one per line in the same order, take precedence; undefined where the
 * two listings differ.
 * @throws Refusal `virsh-output`
 */
export function readList(text: string, names?: string): readonly Listed[] | undefined {
  const guests = linesOf(text).map((line) => {
    const [, uuid, name] =
      /^([\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}) ([^\n]+)$/.exec(line) ?? []
    return uuid === undefined || name === undefined
      ? refuseOutput(LIST, line, { is: 'uuids-and-names' })
      : { uuid, name }
  })
  if (names === undefined) return guests
  const exact = linesOf(names)
  const isPadded = (padded: string, name: string): boolean =>
    padded.startsWith(name) && /^ *$/.test(padded.slice(name.length))
  if (exact.length !== guests.length || !guests.every(({ name }, at) => isPadded(name, exact[at] as string)))
    return undefined
  return guests.map(({ uuid }, at) => ({ uuid, name: exact[at] as string }))
}

/** No guest has an empty name, or a newline in it. */
const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')

/** What libvirt knows about a guest besides its definition. */
export interface State {
  readonly runs: boolean
  readonly persistent: boolean
  /** Whether a managed save is there: the next start restores it. */
  readonly saved: boolean
}

/** What `virsh dominfo` says. @throws Refusal `virsh-output` */
export function readState(text: string, words: readonly string[] = ['dominfo']): State {
  const said = (name: string, values: RegExp): string => {
    const value = new RegExp(`^${name}: +(.*?) *$`, 'm').exec(text)?.[1] ?? ''
    return values.test(value) ? value : refuseOutput(words, text, { is: 'line', name })
  }
  const isYes = (name: string): boolean => said(name, /^(yes|no|unknown)$/) === 'yes'
  return {
    runs: said('Id', /^(-|\d+)$/) !== '-',
    persistent: isYes('Persistent'),
    saved: isYes('Managed save'),
  }
}

/** @throws Refusal of virsh */
export async function stateOf(virsh: Virsh, { uuid }: Listed): Promise<State> {
  const words = ['dominfo', uuid]
  return readState(await answerOf(virsh, words), words)
}

/** Whether it is still arriving by migration: it has no definition yet, and an event follows when it has. */
export async function isArriving(virsh: Virsh, { uuid }: Listed): Promise<boolean> {
  const words = ['domstate', uuid, '--reason']
  const state = await answerOf(virsh, words)
  if (!/^[a-z][a-z -]*( \([^\n]*\))?\n*$/.test(state)) refuseOutput(words, state, { is: 'state' })
  return /^paused \((migrating|starting up)\)/.test(state)
}

/** The definition that the next start uses, with its secrets. */
export function dumpDefinition(virsh: Virsh, { uuid }: Listed): Promise<XmlDocument> {
  return dump(virsh, ['dumpxml', '--inactive', '--security-info', uuid])
}

/** The same definition as everybody may see it. */
export function dumpPublic(virsh: Virsh, { uuid }: Listed): Promise<XmlDocument> {
  return dump(virsh, ['dumpxml', '--inactive', uuid])
}

/** The domain of a running guest, as libvirt shows it to everybody. */
export function dumpLive(virsh: Virsh, { uuid }: Listed): Promise<XmlDocument> {
  return dump(virsh, ['dumpxml', uuid])
}

async function dump(virsh: Virsh, words: readonly string[]): Promise<XmlDocument> {
  const text = await answerOf(virsh, words)
  const document = read(text, words)
  return document.root.local === 'domain' ? document : refuseOutput(words, unsaid(text), { is: 'domain' })
}

/** libvirt itself never prints these faults. */
const MALFORMED: readonly string[] = [
  'xml-malformed',
  'xml-doctype',
  'xml-prefix-undeclared',
] satisfies readonly Code[]

function read(text: string, words: readonly string[]): XmlDocument {
  try {
    return readDocument(text)
  } catch (error) {
    const [first] = error instanceof Refusal ? error.diagnostics : []
    if (first === undefined || !MALFORMED.includes(first.code)) throw error
    const { line, column } = lineAndColumn(text, first.at?.start ?? 0)
    const isText = !text.includes('<')
    return refuse('virsh-output', {
      words,
      printed: firstOf(unsaid(text)),
      expected: { is: isText ? 'domain' : 'whole-domain' },
      ...(!isText && { cause: { line, column, diagnostic: first } }),
    })
  }
}

/**
 * Shows only the first tag of what may be part of a definition: before it is parsed, any of it may be secret.
 */
const unsaid = (text: string): string =>
  text.includes('<') ? `${/^\s*<[!?]?[\w:.-]{1,30}/.exec(text)?.[0] ?? ''}...` : text

/**
 * Defines a domain, validated against libvirt's schema. The text, which may hold passwords, never gets a name
 * in a file system.
 */
export async function defineText(virsh: Virsh, text: string): Promise<ProgramEnd> {
  const file = unnamedFile(text)
  try {
    return await virsh(DEFINE, file)
  } finally {
    closeSync(file)
  }
}

/** How a definition is given to virsh: on stdin. */
export const DEFINE = ['define', '/dev/stdin', '--validate'] as const

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

/** The names of a guest's snapshots or checkpoints; none where the driver has no such thing. */
export async function namesOf(
  virsh: Virsh,
  { uuid }: Listed,
  kind: 'snapshot-list' | 'checkpoint-list',
): Promise<readonly string[]> {
  const words = [kind, uuid, '--name']
  const ended = await virsh(words)
  if (ended.status === undefined) throw new Refusal([failureOf(words, ended)])
  return ended.status === 0 ? linesOf(ended.stdout) : []
}
