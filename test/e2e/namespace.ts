// A separate mount namespace, held open by a process that sleeps: what is mounted in it is seen by nobody
// else, and goes with it.

import { type Ended, type Running, run, start, until } from './programs.ts'

/** Longer than any run of the tests; what a crash leaves behind ends by itself. */
const MOST_S = 1500

/** A mount namespace that a process holds open. */
export interface Namespace {
  readonly pid: number
  /** A command and its words, to what starts it inside. */
  readonly inside: (command: string, words: readonly string[]) => [command: string, words: string[]]
  readonly run: (command: string, words: readonly string[], running?: Running) => Promise<Ended>
  /** @throws Error when it cannot be mounted */
  readonly mount: (...words: string[]) => Promise<void>
  readonly close: () => Promise<void>
}

/** With `hostname` it is a UTS namespace too. */
export async function openNamespace(hostname?: string): Promise<Namespace> {
  const own = hostname === undefined ? [] : ['--uts']
  const holder = await start('unshare', [
    '--mount',
    ...own,
    '--propagation',
    'private',
    'sh',
    '-c',
    `echo open; exec sleep ${MOST_S}`,
  ])
  await until(10, 'a namespace', () => holder.said().includes('open') || !holder.isRunning(), holder.said)
  if (!holder.isRunning()) throw new Error(`no namespace: ${holder.said()}`)
  const inside = (command: string, words: readonly string[]): [string, string[]] => [
    'nsenter',
    ['--target', String(holder.pid), '--mount', ...own, '--', command, ...words],
  ]
  const runInside = (command: string, words: readonly string[], running?: Running): Promise<Ended> =>
    run(...inside(command, words), running)
  const prepare = async (command: string, words: readonly string[]): Promise<void> => {
    const { status, stderr } = await runInside(command, words)
    if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stderr}`)
  }
  if (hostname !== undefined) await prepare('hostname', [hostname])
  return {
    pid: holder.pid,
    inside,
    run: runInside,
    mount: (...words) => prepare('mount', words),
    close: () => holder.end(),
  }
}
