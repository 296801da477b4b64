// The files of a native installation: two programs in one folder.

import { dirname, join } from 'node:path'
import type * as node from './own-files.ts'

/** @see ownFiles. The hook runs itself. */
export const ownFiles: typeof node.ownFiles = () => {
  const command = process.execPath
  const hook = join(dirname(command), 'qemu-hook')
  return { node: hook, hook, command: [command] }
}
