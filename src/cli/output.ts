// What a command prints: stdout and stderr to the last byte.

import { fstatSync, fsyncSync } from 'node:fs'
import type { Span } from '../base/diagnostic.ts'
import { visible, visibleJson, visibleLines } from '../base/visible.ts'
import { refuse } from '../codes/codes.ts'
import { errnoOf, systemError } from '../machine/system-error.ts'
import { writeAll } from '../machine/write/bytes.ts'
import { redacted } from '../redact/secrets.ts'
import type { Edit } from '../xml/edit.ts'

/** Prints lines that may contain foreign text: its control and invisible characters are escaped. */
export function printLines(stream: 1 | 2, lines: readonly string[]): void {
  print(stream, lines.map((line) => `${visible(line)}\n`).join(''))
}

/** Prints a value as JSON on stdout, with every character shown. */
export function printJson(value: unknown): void {
  print(1, visibleJson(value))
}

/** Prints our own text; characters that cannot be shown are escaped. */
export function print(stream: 1 | 2, text: string): void {
  printDocument(stream, visibleLines(text))
}

/**
 * Prints a document unchanged, also to a terminal, since a program reads it. Blocks until everything is
 * written, and synced if stdout is a file; a reader that has gone (EPIPE) is not an error.
 * @throws Refusal `unwritable`
 */
export function printDocument(stream: 1 | 2, text: string): void {
  try {
    writeAll(stream, Buffer.from(text))
    // Some file systems report a full disk only here.
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
    // Files of the kernel, such as those in /sys, cannot be synced.
    if (errnoOf(error) !== 'EINVAL') throw error
  }
}

/**
 * The unified diff of a document and its edits: lines with a secret are masked, and control characters
 * escaped. Such a line no longer matches the document, so `patch` rejects its hunk rather than write a mask;
 * any other diff is exact.
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
