// The examples of `virt-numa explain`: where each can come from, and whether that still prints it.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { type Code, classes } from '../../src/codes/codes.ts'
import { explanationOf } from '../../src/explain/code/explanation.ts'
import { outcomesOf } from '../../src/explain/code/outcome.ts'
import { readCases } from '../core/golden-case.ts'

/** Where a code is printed: `from` is the folder of a case. */
export interface Printed {
  readonly from: string
  readonly command: string
  readonly text: string
}

/** What golden cases and captured guests print, by code. */
export function printedByCases(): ReadonlyMap<string, readonly Printed[]> {
  const golden = readCases().flatMap(({ folder, run }) =>
    ['refusal.txt', 'explain.txt'].map((file) => ({ from: folder, command: commandOf(run), file })),
  )
  const guests = readdirSync('test/guests').map((name) => ({
    from: `test/guests/${name}`,
    command: 'virt-numa verify',
    file: 'text.txt',
  }))
  const found = new Map<string, Printed[]>()
  for (const { from, command, file } of [...golden, ...guests]) {
    if (!existsSync(`${from}/${file}`)) continue
    for (const { code, text } of diagnosticsIn(readFileSync(`${from}/${file}`, 'utf8')))
      found.set(code, [...(found.get(code) ?? []), { from, command, text }])
  }
  return found
}

function commandOf(run: string): string {
  if (run === 'rebind') return 'virt-numa transform --rebind'
  return run.startsWith('hook ') ? `the hook at ${run.split(' ')[1]}` : `virt-numa ${run}`
}

const DIAGNOSTIC =
  /(?<=^|[,:] )(?:error|warning|note)\[([\w-]+)\]: .*(?:\n {3,4}(?:why|fix|at): .*|\n +\^~*$)*/gm

/** Every diagnostic in an output or in the hook's log, with the lines that belong to it. */
export function diagnosticsIn(output: string): readonly { readonly code: string; readonly text: string }[] {
  return [...output.matchAll(DIAGNOSTIC)].map((match) => ({ code: match[1] as string, text: match[0] }))
}

/** The last command of a line of sh that is virt-numa, or the hook. */
export function commandIn(line: string): string {
  if (/(hooks\/qemu|\$HOOK) \S+ migrate/.test(line)) return 'the hook at migrate'
  const found = [...line.matchAll(/(?:\$N|virt-numa\.cjs) (\w+)/g)].at(-1)?.[1] ?? ''
  return `virt-numa ${found}`
}

/** How the example of a code differs from what a line of sh prints; nothing if it does not. */
export function differences(code: string, line: string, output: string): readonly string[] {
  const example = explanationOf(code)?.example
  if (example === undefined) return [`${code} has no example`]
  const printed = diagnosticsIn(output).filter((each) => each.code === code)
  const isPrinted = printed.some(({ text }) => text === example.text)
  return [
    ...(example.command === commandIn(line) ? [] : [`${example.command}, not ${commandIn(line)}`]),
    ...(isPrinted ? [] : [`${example.text}\nis not among\n${printed.map(({ text }) => text).join('\n')}`]),
  ]
}

/** The exit statuses that explain states for a code; all where the code does not change it. */
export function statusesOf(code: string): readonly (number | null)[] {
  const stated = outcomesOf(code).map(({ exit }) => exit)
  return stated.flatMap((exit) => (exit === undefined ? [0, 1, 2] : [exit]))
}

/** Every code that a diagnostic can have. */
export const codes = Object.keys(classes) as readonly Code[]
