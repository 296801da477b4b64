// The chunks of a stream -> its lines. However long a line is, only a limited part of it is held.

import { isUtf8 } from 'node:buffer'

/** A line of `virsh event` has a name and a few words. */
const MOST_LINE_BYTES = 64 * 1024

const NEWLINE = 0x0a

/** `unreadable`: a line that is too long or not UTF-8 was left out; true for every chunk of such a line. */
interface Lines {
  readonly lines: readonly string[]
  readonly unreadable: boolean
}

/** @returns what takes the next chunk, and gives the lines that it completes, without their ends */
export function lineReader(most = MOST_LINE_BYTES): (chunk: Uint8Array) => Lines {
  const begun = Buffer.alloc(most)
  let length = 0
  let isTooLong = false

  const hold = (part: Uint8Array): void => {
    if (length + part.length > most) isTooLong = true
    else begun.set(part, length)
    length = isTooLong ? 0 : length + part.length
  }

  return (chunk) => {
    const lines: string[] = []
    let unreadable = false
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      if (!isTooLong) hold(chunk.subarray(from, end))
      const line = begun.subarray(0, length)
      if (isTooLong || !isUtf8(line)) unreadable = true
      else lines.push(line.toString('utf8'))
      from = end + 1
      length = 0
      isTooLong = false
    }
    if (!isTooLong) hold(chunk.subarray(from))
    return { lines, unreadable: unreadable || isTooLong }
  }
}
