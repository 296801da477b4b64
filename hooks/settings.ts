// The configuration file -> its text, read in Node's thread pool: a file system that does not answer must not
// block the main thread.

import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { refuse } from '../src/codes/codes.ts'
import type { Source } from '../src/explain/diagnostics.ts'
import { CONFIG, SETTINGS, textOf } from '../src/machine/read/read-text.ts'
import { errnoOf, systemError } from '../src/machine/system-error.ts'
import { hiddenInConfig } from '../src/request/config-shown.ts'

/**
 * @param named the file that VIRT_NUMA_CONFIG names; only the default file may be missing
 * @throws Refusal `unreadable`, `too-large`, `utf8-invalid`
 */
export async function readConfig(named: string | undefined): Promise<Source | undefined> {
  const name = named ?? CONFIG
  try {
    const bytes = await readRegular(name)
    return { name, text: textOf(bytes, name, SETTINGS), hidden: hiddenInConfig }
  } catch (error) {
    if (named === undefined && errnoOf(error) === 'ENOENT') return undefined
    throw systemError(error, (fault) => refuse('unreadable', { file: name, ...fault }))
  }
}

/** Reads one byte more than is allowed, to see whether there is more. */
async function readRegular(name: string): Promise<Uint8Array> {
  // Opening a device may trigger it, and opening a FIFO without a writer blocks.
  if (!(await stat(name)).isFile()) refuse('unreadable', { file: name, reason: 'it is not a regular file' })
  const file = await open(name, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const bytes = Buffer.alloc(SETTINGS.mostKiB * 1024 + 1)
    let done = 0
    for (let got = -1; got !== 0 && done < bytes.length; done += got) {
      got = (await file.read(bytes, done, bytes.length - done, null)).bytesRead
    }
    return bytes.subarray(0, done)
  } finally {
    await file.close()
  }
}
