// Runs the input that shown.ts has for a code.

import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { endOf, startApart } from '../apart.ts'
import { UUID } from '../doors/fake-virsh.ts'
import { WELL, writeTree } from '../doors/well-host.ts'
import { HOST, PROGRAM, SEED, seed } from '../seed.ts'

const VIRSH = `#!/bin/sh
while case "$1" in --*) true;; *) false;; esac; do shift; done
if [ -e "on-$1" ]; then . "./on-$1"; fi
case "$1" in
uri) echo qemu:///system;;
list) echo '${UUID} db1';;
dominfo) cat info;;
domstate) echo 'shut off (unknown)';;
dumpxml) cat guest.xml;;
define) cat /dev/stdin > new.xml; mv new.xml guest.xml;;
esac
`

/** Runs a line of sh in a new folder; both streams of its output. */
export async function outputOf(line: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-code-'))
  try {
    chmodSync(folder, 0o755)
    copyFileSync(`${SEED}/domain.xml`, join(folder, 'domain.xml'))
    writeTree(join(folder, 'well'), WELL)
    writeFileSync(join(folder, 'virsh'), VIRSH, { mode: 0o755 })
    writeFileSync(join(folder, 'info'), 'Id:             -\nPersistent:     yes\nManaged save:   no\n')
    const named = `<name>db1</name><uuid>${UUID}</uuid>`
    writeFileSync(join(folder, 'guest.xml'), seed.replace('<name>seed</name>', named))
    const env = {
      ...process.env,
      PATH: `${folder}:${process.env.PATH}`,
      N: `${process.execPath} ${PROGRAM}`,
      NODE: process.execPath,
      HOOK: resolve('dist/hooks/qemu.cjs'),
      DIST: resolve('dist'),
      HOST,
    }
    const child = startApart('/bin/sh', ['-c', line], { cwd: folder, env })
    child.stdin.end()
    const { stdout, stderr } = await endOf(child)
    return stdout + stderr
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
