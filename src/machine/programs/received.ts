// What a program prints -> its first bytes, up to a limit, and whether there were more.

import type { ChildProcess } from 'node:child_process'

/** stdout and stderr together. A list of 100,000 guests has 7 MB. */
export const MOST_BYTES = 16 * 1024 * 1024
/** How much of stderr is kept. */
export const MOST_MESSAGE_BYTES = 64 * 1024

/** What a program printed. */
interface Received {
  readonly output: Uint8Array
  readonly stdout: string
  readonly stderr: string
  readonly isFlood: boolean
}

/** Collects what a program prints while it runs. */
export function receive({ stdout, stderr }: ChildProcess): {
  readonly flooded: Promise<void>
  readonly read: () => Received
} {
  const output = kept(MOST_BYTES)
  const messages = kept(MOST_MESSAGE_BYTES)
  let total = 0
  let flood = (): void => {}
  const flooded = new Promise<void>((resolve) => {
    flood = resolve
  })
  const into =
    ({ add }: Kept) =>
    (chunk: Uint8Array): void => {
      total += chunk.length
      add(chunk)
      if (total > MOST_BYTES) flood()
    }
  stdout?.on('data', into(output))
  stderr?.on('data', into(messages))
  const read = (): Received => {
    const isFlood = total > MOST_BYTES
    const bytes = isFlood ? new Uint8Array() : output.bytes()
    return { output: bytes, stdout: textOf(bytes), stderr: textOf(messages.bytes()), isFlood }
  }
  return { flooded, read }
}

/** UTF-8 as text. */
export const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')

interface Kept {
  readonly add: (chunk: Uint8Array) => void
  readonly bytes: () => Uint8Array
}

/**
 * The first bytes of a stream, in one growing buffer: an object per chunk of one byte would cost a hundred
 * times as much.
 */
export function kept(most: number): Kept {
  let buffer = new Uint8Array(Math.min(most, 4096))
  let length = 0
  const add = (chunk: Uint8Array): void => {
    const taken = chunk.subarray(0, most - length)
    if (length + taken.length > buffer.length) {
      const larger = new Uint8Array(Math.min(most, Math.max(2 * buffer.length, length + taken.length)))
      larger.set(buffer.subarray(0, length))
      buffer = larger
    }
    buffer.set(taken, length)
    length += taken.length
  }
  return { add, bytes: () => buffer.subarray(0, length) }
}
