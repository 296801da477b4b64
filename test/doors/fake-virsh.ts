// A fake virsh at the front of PATH, with one guest whose definition is a file. It accepts every definition.
// Tests with a real libvirt are in e2e/.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The UUID of its guest. */
export const UUID = '310937af-7f32-4f44-9dfc-89ad45f59eee'

/** A virsh of this kind in a separate folder. */
export interface FakeVirsh {
  /** The environment for the program. */
  readonly env: NodeJS.ProcessEnv
  /** The file with its guest's definition, as --security-info prints it. */
  readonly definition: string
}

interface Guest {
  readonly name: string
  readonly text: string
  /** Without --security-info. */
  readonly shown?: string
  /** The error that `define` prints instead of defining. */
  readonly refuses?: string
}

/** Writes a virsh of this kind into the folder; a guest with an empty name is not there. */
export function fakeVirsh(folder: string, { name, text, shown = text, refuses = '' }: Guest): FakeVirsh {
  mkdirSync(folder, { recursive: true })
  const definition = join(folder, 'definition.xml')
  writeFileSync(definition, text)
  writeFileSync(join(folder, 'shown.xml'), shown)
  writeFileSync(join(folder, 'list'), name === '' ? '' : `${UUID} ${name}\n`)
  writeFileSync(join(folder, 'refuses'), refuses)
  writeFileSync(
    join(folder, 'virsh'),
    `#!/bin/sh
cd '${folder}' || exit 1
while :; do case "$1" in --*) shift;; *) break;; esac; done
case "$1 $*" in
uri*) echo qemu:///system;;
list*) cat list;;
dumpxml*--security-info*) cat definition.xml;;
dumpxml*) cat shown.xml;;
dominfo*) printf 'Id:             -\\nPersistent:     yes\\nManaged save:   no\\n';;
domstate*) echo 'shut off (unknown)';;
define*) if [ -s refuses ]; then cat refuses >&2; exit 1; fi; cat /dev/stdin > definition.xml;;
esac
`,
  )
  chmodSync(join(folder, 'virsh'), 0o755)
  return { env: { PATH: `${folder}:${process.env.PATH}`, HOME: folder }, definition }
}
