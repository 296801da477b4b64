// libvirt through virsh: one connection, its guests, their definitions and states.

import { isUtf8 } from 'node:buffer'
import { hostname } from 'node:os'
import { type Diagnostic, Refusal } from '../base/diagnostic.ts'
import { diagnostic, refuse } from '../codes/codes.ts'
import type { ExpectedOutput } from '../codes/libvirt.ts'
import { awaitProgram, type ProgramEnd } from '../machine/programs/child-process.ts'
import type { Ended } from '../machine/programs/programs.ts'

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
  if (!isUtf8(ended.output)) refuseOutput(words, ended.stdout, { is: 'utf8' })
  return ended.stdout
}

/** Refuses output that virsh should not print; its first words are in the message. */
export function refuseOutput(words: readonly string[], printed: string, expected: ExpectedOutput): never {
  refuse('virsh-output', { words, printed: firstOf(printed), expected })
}

const MOST_PRINTED = 40

/** The start of an output of virsh, without passwords; further on it may hold anything. */
export function firstOf(printed: string): string {
  const shown = withoutPassword(printed.trim())
  return shown.length > MOST_PRINTED ? `${shown.slice(0, MOST_PRINTED - 3)}...` : shown
}

/** What kept virsh from doing what it was called for. */
export function failureOf(words: readonly string[], ended: Ended & Pick<ProgramEnd, 'cut'>): Diagnostic {
  const { status, reason = '', stderr, cut } = ended
  const command = words.slice(0, 2)
  if (cut === 'stopped') return diagnostic('virsh-stopped', { words: command, reason })
  if (reason.includes('ENOENT')) return diagnostic('virsh-missing', {})
  // If it was cut off, that is the reason, whatever it printed.
  const said = withoutPassword((cut === undefined && reasonIn(stderr)) || reason)
  const because = said === '' ? {} : { reason: said }
  if (/^error: failed to connect to the hypervisor/m.test(stderr))
    return diagnostic('libvirt-unreachable', because)
  const known = status !== undefined ? 'refused' : words[0] === 'define' ? 'unknown' : 'unchanged'
  return diagnostic('virsh-failed', { words: command, ...because, known })
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
  if (!/^[a-z][a-z\d+.-]*:\S*$/i.test(uri)) refuseOutput(['uri'], printed, { is: 'uri' })
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
