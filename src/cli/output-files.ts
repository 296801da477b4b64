// The files that a command writes and reads: an output never replaces an input, another output, or a file
// that holds something of another kind.

import { fstatSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import type { Diagnostic } from '../base/diagnostic.ts'
import { diagnostic, refuseAll } from '../codes/codes.ts'
import type { OutputKind } from '../codes/files.ts'
import { kindOf } from './output-kind.ts'

/** `path` as typed. `shown` says what it is: "the host", "-o". */
interface Named {
  readonly shown: string
  readonly path: string
}

/** A file that the command reads. */
export interface Input extends Named {
  /** An output file may replace it; what is printed may not. */
  readonly mayBeReplaced?: boolean
}

/** A file that the command writes, and what it will hold. */
export interface Output extends Named {
  readonly kind: OutputKind
}

/** The files that a command reads and writes. */
export interface Targets {
  readonly outputs: readonly Output[]
  readonly inputs: readonly Input[]
  /** Whether something is printed on stdout too. */
  readonly prints: boolean
}

/**
 * Refuses before anything is written, and before a document is read. Links, hard links and folders of a
 * captured host count; pipes count only where two outputs would mix in one, and devices never.
 * @throws Refusal `output-taken`, `output-kind`
 */
export function checkTargets({ outputs, inputs, prints }: Targets): void {
  const found: Diagnostic[] = []
  const ends = outputs.map((output) => ({ output, end: endOf(output.path) }))
  const read = inputs.map((input) => ({ ...input, end: endOf(input.path) }))
  for (const [at, { output, end }] of ends.entries()) {
    const taken = (other: string, isInput: boolean): void => {
      found.push(diagnostic('output-taken', { output: output.shown, file: output.path, other, isInput }))
    }
    for (const { shown, path, mayBeReplaced, end: input } of read) {
      if (mayBeReplaced !== true && isPartOf(end, input)) taken(`${shown} ${path}`, true)
    }
    for (const other of ends.slice(0, at))
      if (isSame(end, other.end)) taken(`${other.output.shown} ${other.output.path}`, false)
    if (prints && isSame(end, streamEnd(1), 'pipes')) taken('standard output', false)
    if (isSame(end, streamEnd(2))) taken('standard error', false)
  }
  for (const { shown, path, end } of prints ? read : []) {
    const facts = { output: 'standard output', other: `${shown} ${path}`, isInput: true }
    if (isSame(streamEnd(1), end)) found.push(diagnostic('output-taken', facts))
  }
  refuseAll(found)
  const others = ends.filter(({ end }) => end.status?.isFile() && !read.some((each) => isSame(end, each.end)))
  refuseAll(others.flatMap(({ output }) => otherKind(output)))
}

function otherKind({ shown, path, kind }: Output): Diagnostic[] {
  const holds = kindOf(path)
  if (holds === 'empty' || holds === kind) return []
  return [diagnostic('output-kind', { output: shown, file: path, writes: kind, holds })]
}

/** Whether an output is the file that the domain was read from, also by redirection. */
export const isSameAsInput = (output: string, input: string | undefined): boolean =>
  isSame(endOf(output), input === undefined || input === '-' ? streamEnd(0) : endOf(input))

/** What a path resolves to; a file that does not exist yet is identified by its folder. */
interface End {
  readonly path?: string
  readonly status?: Stats
}

function endOf(path: string): End {
  try {
    const status = statSync(path, { throwIfNoEntry: false })
    if (status === undefined) return { path: join(realpathSync(dirname(path)), basename(path)) }
    // A pipe and a deleted file have no real path.
    return { status, ...(isNamed(status) && { path: realpathSync(path) }) }
  } catch {
    return {}
  }
}

const isNamed = (status: Stats): boolean => status.isFile() || status.isDirectory()

function streamEnd(stream: 0 | 1 | 2): End {
  try {
    return { status: fstatSync(stream) }
  } catch {
    return {}
  }
}

function isSame(one: End, other: End, kinds: 'files' | 'pipes' = 'files'): boolean {
  if (one.status !== undefined && other.status !== undefined) {
    const counts =
      one.status.isFile() || (kinds === 'pipes' && (one.status.isFIFO() || one.status.isSocket()))
    return counts && one.status.dev === other.status.dev && one.status.ino === other.status.ino
  }
  return one.path !== undefined && one.path === other.path
}

/** Folders of a captured host that are read. */
const READ = /^(sys|proc|run|etc)\//

function isPartOf(output: End, input: End): boolean {
  if (input.status?.isDirectory() !== true) return isSame(output, input)
  return input.path !== undefined && output.path !== undefined && READ.test(relative(input.path, output.path))
}
