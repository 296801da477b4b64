// One virsh for many commands. Its embedded driver probes QEMU once for all of them, while each new virsh may
// find that the cached capabilities no longer hold, and probe again for seconds.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'

/** What virsh answered to a command. */
export interface Answer {
  /** Both streams, as they came. */
  readonly text: string
  /** Of the signal that ended virsh at this command; the next command has a new one. */
  readonly signal?: NodeJS.Signals
}

/** A virsh that waits for commands. */
export interface VirshSession {
  /** One command at a time, on one line. @throws Error when virsh exits; after a minute it is killed */
  readonly ask: (command: string) => Promise<Answer>
  readonly close: () => Promise<void>
}

const END = '==answered=='
const LIMIT_S = 60

/**
 * @param inside what a command and its words become where virsh is to run
 * @param words of virsh, before its command
 */
export function openSession(
  inside: (command: string, words: readonly string[]) => [command: string, words: string[]],
  words: readonly string[],
): VirshSession {
  let virsh: ChildProcessWithoutNullStreams | undefined
  const started = (): ChildProcessWithoutNullStreams => {
    // Unbuffered, and on one stream: an answer must be whole before its end is printed.
    const script = 'exec stdbuf -o0 virsh "$@" 2>&1'
    const [command, own] = inside('sh', ['-c', script, 'sh', ...words])
    const environment = ['-u', 'NODE_OPTIONS', '-u', 'DISPLAY', 'LC_ALL=C']
    const child = spawn('/usr/bin/env', [...environment, command, ...own])
    child.stdout.setEncoding('utf8')
    // Of a virsh that has ended; its end is what counts.
    child.stdin.on('error', () => {})
    return child
  }
  const close = async (): Promise<void> => {
    if (virsh === undefined) return
    const ended = once(virsh, 'close')
    virsh.stdin.end()
    virsh = undefined
    await ended
  }
  const ask = async (command: string): Promise<Answer> => {
    virsh ??= started()
    const answer = await answerOf(virsh, command)
    if (answer.signal !== undefined) virsh = undefined
    return answer
  }
  return { ask, close }
}

function answerOf(virsh: ChildProcessWithoutNullStreams, command: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let text = ''
    const done = (settle: () => void): void => {
      clearTimeout(timer)
      virsh.stdout.off('data', hear)
      virsh.off('close', ended)
      settle()
    }
    const hear = (data: string): void => {
      text += data
      const end = text.search(new RegExp(`^${END}`, 'm'))
      if (end >= 0) done(() => resolve({ text: withoutEcho(text.slice(0, end)) }))
    }
    const ended = (status: number | null, signal: NodeJS.Signals | null): void =>
      done(() =>
        signal === null
          ? reject(new Error(`virsh ended with ${status} at ${command}: ${text}`))
          : resolve({ text: withoutEcho(text), signal }),
      )
    const timer = setTimeout(() => virsh.kill('SIGKILL'), LIMIT_S * 1000)
    virsh.stdout.on('data', hear)
    virsh.once('close', ended)
    virsh.stdin.write(`${command}\necho ${END}\n`)
  })
}

/** virsh prints its prompt and what it reads, in lines that may be wrapped by carriage returns. */
const withoutEcho = (text: string): string => text.replace(/^(?:virsh # ).*(?:\r.*)*\n/gm, '')
