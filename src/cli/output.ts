// What a command prints: stdout and stderr to the last byte.

import { fstatSync, fsyncSync } from 'node:fs'
import type { Span } from '../base/diagnostic.ts'
import { refuse } from '../base/diagnostic.ts'
import { visible, visibleJson, visibleLines } from '../base/visible.ts'
import { errnoOf, systemError } from '../machine/system-error.ts'
import { writeAll } from '../machine/write/bytes.ts'
import { redacted } from '../redact/secrets.ts'
import type { Edit } from '../xml/edit.ts'

/** Lines of ours, each with what others wrote in it. */
export function printLines(stream: 1 | 2, lines: readonly string[]): void {
  print(stream, lines.map((line) => `${visible(line)}\n`).join(''))
}

/** Prints a value as JSON on stdout, with every character shown. */
export function printJson(value: unknown): void {
  print(1, visibleJson(value))
}

/** Text whose lines are ours. That every other character can be shown is seen to here, whoever made it. */
export function print(stream: 1 | 2, text: string): void {
  printDocument(stream, visibleLines(text))
}

/**
 * A document that was asked for, to the last byte, also on a terminal: what reads it is a program. Blocks
 * until all is written, and on disk where it is a file; a reader that went away (EPIPE) is no error of ours.
 * @throws Refusal `unwritable`
 */
export function printDocument(stream: 1 | 2, text: string): void {
  try {
    writeAll(stream, Buffer.from(text))
    // Some file systems report a full disk only then.
    if (stream === 1 && fstatSync(stream).isFile()) syncStream(stream)
  } catch (error) {
    if (errnoOf(error) === 'EPIPE') return
    const file = stream === 1 ? 'stdout' : 'stderr'
    throw systemError(error, (fault) => refuse('unwritable', { file, ...fault, isStream: true }))
  }
}

function syncStream(stream: number): void {
  try {
    fsyncSync(stream)
  } catch (error) {
    // Files of the kernel's own, such as those of /sys, are on no disk.
    if (errnoOf(error) !== 'EINVAL') throw error
  }
}

/**
 * The unified diff of a document and its edits, as it may be shown: the lines that hold a secret are masked,
 * and characters that a terminal would obey are written out. Such a line no longer fits the document, so
 * `patch` refuses its hunk rather than write a mask; a diff that holds neither is exact.
 */
export function shownDiff(
  name: string,
  text: string,
  secrets: readonly Span[],
  edits: readonly Edit[],
): string {
  const { unifiedDiff } = require('./unified.cjs') as typeof import('./unified-diff.ts')
  return visibleLines(unifiedDiff(name, redacted(text, secrets), redacted(text, secrets, edits)))
}
