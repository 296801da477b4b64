// Runs the input that shown.ts has for a code.

import { chmodSync, copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
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

/** What a line printed on both streams, and the exit status of its last command. */
export interface Output {
  readonly status: number | null
  readonly text: string
}

/** Runs a line of sh in a new folder. Paths of this machine are written as those of an installation. */
export async function outputOf(line: string): Promise<Output> {
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
    const { status, stdout, stderr } = await endOf(child)
    return { status, text: asInstalled(stdout + stderr, folder) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** An example must not depend on where and when the tests run, or on which numbers processes get. */
function asInstalled(text: string, folder: string): string {
  return text
    .replaceAll(`${realpathSync(folder)}/`, '/')
    .replaceAll(`${folder}/`, '/')
    .replaceAll(folder, '/')
    .replaceAll(resolve('dist'), '/usr/lib/node_modules/virt-numa/dist')
    .replaceAll(`${process.cwd()}/`, '')
    .replaceAll(realpathSync(process.execPath), '/usr/bin/node')
    .replaceAll(process.execPath, '/usr/bin/node')
    .replace(/\b\d{8}T\d{6}\.\d{3}Z/g, '20260101T120000.000Z')
    .replace(/(virt-numa-|process |kill -HUP )\d+/g, '$1812')
}
