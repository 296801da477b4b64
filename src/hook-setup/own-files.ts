// The files of this installation that libvirt and systemd run.

import { join } from 'node:path'

/** What runs the hook, the hook's program, and the words that start the command. */
interface OwnFiles {
  readonly node: string
  readonly hook: string
  readonly command: readonly string[]
}

/** This installation. */
export function ownFiles(): OwnFiles {
  const node = process.execPath
  return {
    node,
    hook: join(__dirname, 'hooks', 'qemu.cjs'),
    command: [node, join(__dirname, 'virt-numa.cjs')],
  }
}
