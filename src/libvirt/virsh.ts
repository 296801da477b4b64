// libvirt through virsh: one connection, its guests, their definitions and states.

import { isUtf8 } from 'node:buffer'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Diagnostic, Refusal } from '../base/diagnostic.ts'
import { type Code, diagnostic, refuse } from '../codes/codes.ts'
import { readDocument } from '../document.ts'
import { awaitProgram, type ProgramEnd } from '../machine/programs/child-process.ts'
import type { Ended } from '../machine/programs/programs.ts'
import { systemError } from '../machine/system-error.ts'
import { writeContent } from '../machine/write/bytes.ts'
import { lineAndColumn, type XmlDocument } from '../xml/parse.ts'

/**
 * Runs virsh with these words on one connection; never throws for its answer. `file` is opened as its
 * /dev/stdin.
 */
export type Virsh = (words: readonly string[], file?: number) => Promise<ProgramEnd>

/** How long a `define` that was sent may still answer, so that its result is known. */
const DEFINE_PATIENCE_MS = 400

/**
 * `connect` absent: virsh's own default, which its environment and libvirt.conf may set. Aborting `stop`
 * aborts every call.
 */
export function virshAt(connect: string | undefined, stop: AbortSignal): Virsh {
  return (words, file) =>
    awaitProgram('virsh', [...connectWords(connect), ...words], {
      timeoutS: 60,
      stop,
      patienceMs: words[0] === 'define' ? DEFINE_PATIENCE_MS : 0,
      ...(file !== undefined && { file }),
    })
}

/** The options of virsh itself, before its command. */
export const connectWords = (connect: string | undefined): readonly string[] => [
  '--quiet',
  ...(connect === undefined ? [] : [`--connect=${connect}`]),
]

/** @throws Refusal `virsh-missing`, `libvirt-unreachable`, `virsh-failed`, `virsh-stopped`, `virsh-output` */
export async function answerOf(virsh: Virsh, words: readonly string[]): Promise<string> {
  const ended = await virsh(words)
  if (ended.status !== 0) throw new Refusal([failureOf(words, ended)])
  if (!isUtf8(ended.output)) refuseOutput(words, ended.stdout, 'text in UTF-8')
  return ended.stdout
}

/** Refuses output that virsh should not print; its first words are in the message. */
export function refuseOutput(words: readonly string[], printed: string, expected: string): never {
  refuse('virsh-output', { words: words.join(' '), printed: withoutPassword(printed.trim()), expected })
}

/** What kept virsh from doing what it was called for. */
export function failureOf(words: readonly string[], ended: Ended & Pick<ProgramEnd, 'cut'>): Diagnostic {
  const { status, reason, stderr, cut } = ended
  const command = words.slice(0, 2).join(' ')
  if (cut === 'stopped') return diagnostic('virsh-stopped', { words: command, reason: reason ?? '' })
  if (reason?.includes('ENOENT')) return diagnostic('virsh-missing', {})
  // If it was cut off, that is the reason, whatever it printed.
  const said = withoutPassword((cut === undefined ? reasonIn(stderr) || reason : reason) || 'it says nothing')
  if (/^error: failed to connect to the hypervisor/m.test(stderr))
    return diagnostic('libvirt-unreachable', { reason: said })
  const known = status !== undefined ? 'refused' : words[0] === 'define' ? 'unknown' : 'unchanged'
  return diagnostic('virsh-failed', { words: command, reason: said, known })
}

/** Masks the passwords in URLs. */
export function withoutPassword(text: string): string {
  return text.replace(/(\/\/[^\s/@:]*:)[^\s/]*@/g, '$1*****@')
}

const MOST_REASON = 500

/** What virsh says went wrong. Its first line only says what was tried. */
export function reasonIn(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  const said = (lines.length > 1 ? lines.slice(1) : lines)
    .map((line) => line.replace(/^error: /, '').trim())
    .join(' ')
  return said.length > MOST_REASON ? `${said.slice(0, MOST_REASON)}...` : said
}

/**
 * Refuses where virsh or libvirt cannot be reached, and where guests would run on another machine than the
 * one that is planned for.
 * @throws Refusal also `libvirt-elsewhere`
 */
export async function checkConnection(virsh: Virsh, hostGiven: string | undefined): Promise<void> {
  const printed = await answerOf(virsh, ['uri'])
  const uri = printed.replace(/\n+$/, '')
  if (!/^[a-z][a-z\d+.-]*:\S*$/i.test(uri)) refuseOutput(['uri'], printed, 'the URI of a connection')
  const machine = machineOf(uri)
  if (machine !== undefined && machine !== hostname() && hostGiven === undefined)
    refuse('libvirt-elsewhere', { uri: withoutPassword(uri), machine })
}

/**
 * The machine that a libvirt URI names, if it is not this one: "qemu+ssh://root@node7/system" names node7.
 */
export function machineOf(uri: string): string | undefined {
  const authority = /^[^:/?#]+:\/\/([^/?#]*)/.exec(uri)?.[1] ?? ''
  const machine = /^(?:.*@)?(\[[^\]]*\]|[^:]*)/.exec(authority)?.[1] ?? ''
  return /^(localhost|127\..*|\[::1\])?$/.test(machine) ? undefined : machine
}

/** A guest as libvirt lists it. */
export interface Listed {
  readonly uuid: string
  readonly name: string
}

const LIST = ['list', '--all', '--uuid', '--name'] as const
const LIST_NAMES = ['list', '--all', '--name'] as const

/**
 * Later calls use the UUID: virsh takes a name of digits for an id. Before libvirt 8, names after UUIDs are
 * padded with blanks, and a name may itself end in blanks: then the names are listed again, alone, where
 * nothing is padded.
 */
export async function listGuests(virsh: Virsh): Promise<readonly Listed[]> {
  for (let tries = 0; tries < 3; tries++) {
    const listing = await answerOf(virsh, LIST)
    const names = / $/m.test(listing) ? await answerOf(virsh, LIST_NAMES) : undefined
    const guests = readList(listing, names)
    if (guests !== undefined) return guests
  }
  return refuseOutput(LIST_NAMES, '', `the guests of virsh ${LIST.join(' ')}, three times`)
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
      ? refuseOutput(LIST, line, 'a UUID and a name on each line')
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
    return values.test(value)
      ? value
      : refuseOutput(words, text, `a line "${name}:" with a value that is known`)
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
  if (!/^[a-z][a-z -]*( \([^\n]*\))?\n*$/.test(state)) refuseOutput(words, state, 'a state and its reason')
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
  return document.root.local === 'domain' ? document : refuseOutput(words, unsaid(text), 'a <domain>')
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
      words: words.join(' '),
      printed: withoutPassword(unsaid(text).trim()),
      expected: isText ? 'a <domain>' : 'a whole <domain>',
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
