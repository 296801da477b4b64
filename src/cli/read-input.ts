// A document that a command reads, from a file or standard input.

import { isatty } from 'node:tty'
import type { DocumentKind } from '../codes/files.ts'
import { type Kind, readText } from '../machine/read/read-text.ts'
import { printLines } from './output.ts'

/**
 * Reads a file; `-` or undefined is standard input. If that is a terminal, a line on stderr says that the
 * command waits for a document there.
 * @throws Refusal as readText does
 */
export function readInput(path: string | undefined, kind: Kind): string {
  if ((path === undefined || path === '-') && isatty(0))
    printLines(2, [`reading ${names[kind.kind]} from the terminal; end it with Ctrl-D on a line of its own`])
  return readText(path, kind)
}

const names: Readonly<Record<DocumentKind, string>> = {
  domain: 'the domain',
  vmi: 'the VMI',
  configuration: 'the configuration',
  snapshot: 'the snapshot',
  capture: 'the captured machine',
}
