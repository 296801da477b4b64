// A libvirtd of our own, beside whatever runs on the machine: its folders and its host name are seen by it
// alone (unshare), it is reached through its socket. Needs root.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runApart } from '../apart.ts'

/** A libvirt daemon with its own folder and socket. */
export interface Libvirt {
  readonly folder: string
  readonly uri: string
  /** @throws Error when virsh fails */
  readonly virsh: (...words: readonly string[]) => string
  readonly start: () => Promise<void>
  /** Ends the daemon; its guests run on. */
  readonly stop: () => Promise<void>
  /** Ends its guests, the daemons, and removes what they wrote. */
  readonly remove: () => Promise<void>
}

/** A socket's path holds 107 bytes: the folder stands near the root. */
export function makeFolder(): string {
  return mkdtempSync('/tmp/vn-e2e-')
}

/**
 * QEMU runs as root: else libvirt finds /dev/kvm closed to it and probes QEMU again at every call, 44 seconds
 * each.
 */
const QEMU_CONF = 'user = "root"\ngroup = "root"\ncgroup_controllers = [ ]\nremember_owner = 0\n'

/** Starts a daemon of this name in a folder below `parent`; `uuid` is that of its host. */
export async function startLibvirt(parent: string, name: string, uuid: string): Promise<Libvirt> {
  const folder = join(parent, name)
  for (const each of ['run', 'lib', 'etc/qemu', 'cache', 'log'])
    mkdirSync(join(folder, each), { recursive: true })
  writeFileSync(join(folder, 'etc/qemu.conf'), QEMU_CONF)
  writeFileSync(join(folder, 'etc/libvirtd.conf'), `host_uuid = "${uuid}"\n`)
  writeFileSync(join(folder, 'etc/virtlogd.conf'), '')
  const uri = `qemu:///system?socket=${folder}/run/libvirt-sock`
  const virsh = (...words: readonly string[]): string => {
    const { status, stdout, stderr } = runApart('virsh', ['-q', `--connect=${uri}`, ...words], {
      timeout: 120_000,
    })
    if (status !== 0) throw new Error(`virsh ${words.join(' ')}: ${stderr}`)
    return stdout
  }
  const start = async (): Promise<void> => {
    const { status, stderr } = runApart(
      'unshare',
      ['--mount', '--uts', 'bash', '-c', enterScript(folder, name)],
      { timeout: 60_000 },
    )
    if (status !== 0) throw new Error(`libvirtd does not start: ${stderr}`)
    await until(() => runApart('virsh', [`--connect=${uri}`, 'list'], { timeout: 60_000 }).status === 0, 60)
  }
  const stop = (): Promise<void> => endByFile(join(folder, 'libvirtd.pid'))
  const remove = async (): Promise<void> => {
    for (const id of virsh('list', '--id').split('\n').filter(Boolean))
      runApart('virsh', [`--connect=${uri}`, 'destroy', id.trim()])
    await stop()
    await endByFile(join(folder, 'virtlogd.pid'))
    rmSync(folder, { recursive: true, force: true })
  }
  await start()
  return { folder, uri, virsh, start, stop, remove }
}

function enterScript(folder: string, name: string): string {
  const bind = (inside: string, seen: string): string =>
    `mkdir -p ${seen}; mount --bind ${folder}/${inside} ${seen}`
  return [
    'set -eu',
    'mount --make-rprivate /',
    bind('run', '/run/libvirt'),
    bind('lib', '/var/lib/libvirt'),
    bind('etc', '/etc/libvirt'),
    bind('cache', '/var/cache/libvirt'),
    bind('log', '/var/log/libvirt'),
    `hostname ${name}`,
    `[ -s ${folder}/virtlogd.pid ] || virtlogd -d -p ${folder}/virtlogd.pid`,
    `libvirtd -d -p ${folder}/libvirtd.pid`,
  ].join('\n')
}

async function endByFile(file: string): Promise<void> {
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8'))
  const runs = (): boolean => existsSync(`/proc/${pid}`)
  if (runs()) process.kill(pid)
  await until(() => !runs(), 30)
  rmSync(file, { force: true })
}

/** @throws Error if it does not happen in this time */
export async function until(
  isSo: () => boolean,
  limitS: number,
  about = 'what is waited for',
): Promise<void> {
  const end = Date.now() + limitS * 1000
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`${about} did not happen within ${limitS} s`)
    await sleep(100)
  }
}
