// Runs the command on the guest and the host of the first golden case, in folders that are removed when a
// test ends.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { runApart } from './apart.ts'
import { COMMAND } from './command.ts'

/** The built command. */
export const PROGRAM = `${process.cwd()}/dist/virt-numa.cjs`
/** The folder of the first golden case. */
export const SEED = `${process.cwd()}/golden/2n4c2t-seed`
/** Its host. */
export const HOST = `${SEED}/host.json`
/** Whether the tests run as root. */
export const isRoot = process.getuid?.() === 0
/** Whether a test can mount file systems. */
export const canMount = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0
/** Its domain. */
export const seed = readFileSync(`${SEED}/domain.xml`, 'utf8')

/** A new folder, readable by other users, that is removed when the test ends. */
export function folder(t: Test): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), 'virt-numa-test-')))
  chmodSync(made, 0o755)
  t.teardown(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** How a command ended, and what it wrote. */
export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a line of sh; `$N` is the command, `$HOST` the seed's host. */
export function shell(line: string, cwd: string, env: Readonly<Record<string, string>> = {}): Ended {
  const words = { ...process.env, N: COMMAND.join(' '), HOST, ...env }
  const { status, stdout, stderr } = runApart('/bin/sh', ['-c', line], { cwd, env: words, timeout: 60_000 })
  return { status, stdout, stderr }
}

/** The codes of the errors on stderr, in order. */
export const codesOf = (stderr: string): string[] =>
  [...stderr.matchAll(/^error\[([\w-]+)\]/gm)].map((match) => match[1] as string)
