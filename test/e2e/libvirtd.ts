// A libvirtd of the test's own: its configuration, state, sockets and hugetlbfs lie in one folder and in one
// mount namespace, so that neither this machine's libvirt nor a second one here sees it.

import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LEDGER } from '../../src/host/ledger/promise.ts'
import { openNamespace } from './namespace.ts'
import { type Ended, type Running, type Started, start, until } from './programs.ts'

/** A machine with a libvirtd; two of them on one machine can migrate guests to each other. */
export interface LibvirtHost {
  readonly name: string
  readonly folder: string
  /** What lies at /etc/libvirt. */
  readonly etc: string
  /** For virsh on another host. */
  readonly uri: string
  readonly run: (command: string, words: readonly string[], running?: Running) => Promise<Ended>
  readonly virsh: (...words: string[]) => Promise<Ended>
  /** @returns standard output. @throws Error when virsh refuses */
  readonly ask: (...words: string[]) => Promise<string>
  /** Our command, as typed on this host. */
  readonly virtNuma: (...words: string[]) => Promise<Ended>
  readonly startDaemon: () => Promise<void>
  readonly stopDaemon: () => Promise<void>
  readonly close: () => Promise<void>
}

const BOUND = {
  run: '/run/libvirt',
  lib: '/var/lib/libvirt',
  etc: '/etc/libvirt',
  cache: '/var/cache/libvirt',
  log: '/var/log/libvirt',
  ledger: LEDGER,
}
/** The built command. */
export const PROGRAM = resolve('dist/virt-numa.cjs')

/** Its daemon does not run yet: hooks that are there when it starts are seen. */
export async function openHost(name: string, folder: string): Promise<LibvirtHost> {
  for (const each of Object.keys(BOUND)) mkdirSync(`${folder}/${each}`, { recursive: true })
  writeFileSync(`${folder}/etc/libvirtd.conf`, `host_uuid = "${randomUUID()}"\n`)
  // Root can open /dev/kvm: as another user libvirt probes again what it cannot open, at each define. The
  // handler spares virtlogd.
  writeFileSync(
    `${folder}/etc/qemu.conf`,
    'user = "root"\ngroup = "root"\nremember_owner = 0\nstdio_handler = "file"\n',
  )
  for (const path of [...Object.values(BOUND), '/dev/hugepages']) mkdirSync(path, { recursive: true })
  const space = await openNamespace(name)
  for (const [each, path] of Object.entries(BOUND)) await space.mount('--bind', `${folder}/${each}`, path)
  // Before the daemon starts, or it never sees it.
  await space.mount('-t', 'hugetlbfs', '-o', 'pagesize=2M', 'hugetlbfs', '/dev/hugepages')

  let daemon: Started | undefined
  const virsh = (...words: string[]): Promise<Ended> =>
    space.run('virsh', ['-q', '-c', 'qemu:///system', ...words], { limitS: 120 })
  const ask = async (...words: string[]): Promise<string> => {
    const { status, stdout, stderr } = await virsh(...words)
    if (status !== 0) throw new Error(`virsh ${words.join(' ')} on ${name}: ${stderr}`)
    return stdout
  }
  const startDaemon = async (): Promise<void> => {
    const started = await start(
      ...space.inside('libvirtd', ['-f', `${folder}/etc/libvirtd.conf`, '-p', `${folder}/libvirtd.pid`]),
    )
    daemon = started
    // Its first start looks at QEMU, some four seconds on a machine that has nothing else to do.
    await until(
      90,
      `libvirtd of ${name} answers`,
      async () => !started.isRunning() || (await virsh('list')).status === 0,
      started.said,
    )
    if (!started.isRunning()) throw new Error(`libvirtd of ${name} ended: ${started.said()}`)
  }
  const stopDaemon = async (): Promise<void> => {
    await daemon?.end(30)
    daemon = undefined
  }
  const end = (): void => endGuests(`${folder}/run/qemu`)
  process.on('exit', end)
  const close = async (): Promise<void> => {
    await stopDaemon()
    end()
    process.off('exit', end)
    await space.close()
  }
  return {
    name,
    folder,
    etc: `${folder}/etc`,
    uri: `qemu:///system?socket=${folder}/run/libvirt-sock`,
    run: space.run,
    virsh,
    ask,
    virtNuma: (...words) => space.run(process.execPath, [PROGRAM, ...words]),
    startDaemon,
    stopDaemon,
    close,
  }
}

/** Guests outlive their daemon; those of this one are known by their pid files. */
function endGuests(folder: string): void {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.pid')) : []
  for (const file of files) {
    const pid = Number(readFileSync(`${folder}/${file}`, 'utf8'))
    const isQemu =
      existsSync(`/proc/${pid}/cmdline`) &&
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('qemu-system')
    if (isQemu) process.kill(pid, 'SIGKILL')
  }
}

/** The QEMU of a guest that runs on this host. */
export function qemuPid({ folder }: LibvirtHost, guest: string): number {
  return Number(readFileSync(`${folder}/run/qemu/${guest}.pid`, 'utf8'))
}
