// A root folder like this machine's, but without Node. What a script writes there, the next one finds; the
// machine itself stays as it is. As root.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** Runs a script of sh in the root folder. */
export type RunInRoot = (script: string) => SpawnSyncReturns<string>

/** Removed when the test ends. @param files copied to /job in it */
export function makeRoot(t: Test, files: readonly string[]): RunInRoot {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-root-'))
  // The upper folder of an overlay must not be below the lower one, so it is on another file system.
  must(['mount', '-t', 'tmpfs', 'virt-numa', folder])
  t.teardown(() => {
    must(['umount', folder])
    rmSync(folder, { recursive: true })
  })
  for (const name of ['written', 'work', 'root']) mkdirSync(join(folder, name))
  const enter = `
    mount -t overlay overlay -o lowerdir=/,upperdir=written,workdir=work root
    for name in proc dev; do mount --rbind /$name root/$name; done
    mount -t tmpfs none root/tmp
    exec chroot root /bin/sh -ec "$1"`
  const run: RunInRoot = (script) =>
    spawnSync('unshare', ['--mount', 'sh', '-ec', enter, 'sh', script], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: '/root',
        LC_ALL: 'C.UTF-8',
        DEBIAN_FRONTEND: 'noninteractive',
      },
    })
  mkdirSync(join(folder, 'written/job'))
  must(['cp', ...files, join(folder, 'written/job')])
  const { stderr, status } = run(
    'for name in node nodejs npm; do rm -f /usr/bin/$name /usr/local/bin/$name; done; ! command -v node',
  )
  if (status !== 0) throw new Error(`Node is still there: ${stderr}`)
  return run
}

function must([program = '', ...words]: readonly string[]): void {
  const { status, stderr } = spawnSync(program, words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}`)
}
