// Opens a file or a pipe for as long as it is read.

import { closeFile, openToRead } from '../node/system.ts'

/** Opens a path for reading. Only 'blocking' waits for the writer of a pipe. */
export function withFile<T>(path: string, kind: 'blocking' | 'at-once', read: (file: number) => T): T {
  const file = openToRead(path, kind)
  try {
    return read(file)
  } finally {
    closeFile(file)
  }
}
