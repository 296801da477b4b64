// File systems that do not answer, or take no more, made for a test and taken away behind it. Root only.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** @throws Error with what the program said */
export function must(command: string, words: readonly string[], descriptor?: number): void {
  const stdio: ('ignore' | 'pipe' | number)[] = ['ignore', 'pipe', 'pipe']
  if (descriptor !== undefined) stdio.push(descriptor)
  const { status, stderr, error } = spawnSync(command, [...words], { stdio })
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${error?.message ?? stderr}`)
}

/** A mounted file system; `end` unmounts it. */
export interface Mount {
  readonly end: () => Promise<void>
}

/**
 * A server that hangs, as with NFS or lxcfs (dead-server.ts). The test must not look into the folder itself.
 */
export async function mountDead(folder: string): Promise<Mount> {
  mkdirSync(folder, { recursive: true })
  const server = spawn(process.execPath, [join(__dirname, '../faults/dead-server.cjs'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    server.stdout.once('data', () => resolve())
    server.once('exit', (status) => reject(new Error(`the server of ${folder} ended with ${status}`)))
  })
  return {
    end: async () => {
      server.kill('SIGKILL')
      await ended
      must('umount', ['--lazy', folder])
    },
  }
}

/** An ext4 of 16 MiB in `image`, of which no byte can be written until it ends. */
export function mountFrozen(folder: string, image: string): Mount {
  mkdirSync(folder, { recursive: true })
  must('truncate', ['--size=16M', image])
  must('mkfs.ext4', ['-q', image])
  must('mount', ['-o', 'loop', image, folder])
  must('fsfreeze', ['--freeze', folder])
  return {
    end: async () => {
      must('fsfreeze', ['--unfreeze', folder])
      must('umount', ['--lazy', folder])
    },
  }
}

/** A disk of 64 KiB. */
export function mountSmall(folder: string): Mount {
  mkdirSync(folder, { recursive: true })
  must('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'small', folder])
  return { end: async () => must('umount', ['--lazy', folder]) }
}

/** A group of processes of this kernel's that may have no more of something than this. */
export function makeGroup(
  controller: 'pids' | 'memory',
  name: string,
  limit: number,
): { readonly path: string; readonly end: () => void } {
  const isUnified = spawnSync('test', ['-e', '/sys/fs/cgroup/cgroup.controllers']).status === 0
  const path = isUnified ? `/sys/fs/cgroup/${name}` : `/sys/fs/cgroup/${controller}/${name}`
  const file = controller === 'pids' ? 'pids.max' : isUnified ? 'memory.max' : 'memory.limit_in_bytes'
  mkdirSync(path, { recursive: true })
  must('sh', ['-c', `echo ${limit} > ${path}/${file}`])
  return {
    path,
    end: () =>
      must('sh', [
        '-c',
        `for id in $(cat ${path}/cgroup.procs); do kill -9 $id; done; sleep 0.3; rmdir ${path}`,
      ]),
  }
}
