// The job that runs as root inside of the four-node host: three libvirtds in three pods, a guest that is
// fitted, started, saved, restored and migrated among them, each state reported as it is found (report.ts).
// Then what one daemon does to several guests (open-host.ts).

import { spawn } from 'node:child_process'
import {
  type Dirent,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { shimText } from '../../../src/hook-setup/shim.ts'
import { openHost } from './open-host.ts'
import type { PodName } from './report.ts'
import {
  daemonAnswers,
  ended,
  fit,
  inPod,
  LIMIT_S,
  linesOf,
  look,
  PROGRAM,
  pidOf,
  run,
  say,
  setPages,
  uri,
  verify,
  virsh,
} from './steps.ts'
import { CGROUPS, makeTree, podScopes, sleepers } from './tree.ts'

const PODS = Object.keys(podScopes) as PodName[]
const SEES: Readonly<Record<PodName, string>> = {
  guaranteed: 'own',
  burstable: 'read-only',
  'one-node': 'host',
}

/** Per node: db1 whole. */
const PAGES = 64
/** A cell of db1 needs 32. */
const FEW_PAGES = 10

async function job(): Promise<void> {
  for (const node of [0, 1, 2, 3]) setPages(node, PAGES)
  makeTree()
  mkdirSync('/etc/libvirt/hooks', { recursive: true })
  writeFileSync('/etc/libvirt/hooks/qemu', shimText('/usr/bin/node', `${PROGRAM}/hooks/qemu.cjs`), {
    mode: 0o755,
  })
  // On a busy machine without KVM the hook may take longer than its ten seconds.
  writeFileSync('/etc/libvirt/virt-numa.conf', 'timeout_s = 120\n')
  for (const [name, scope] of Object.entries(sleepers)) startSleeper(name, scope)
  await Promise.all(PODS.map(startPod))

  await fit('fitted', 'guaranteed', 'db1', ['--cpuset', '2,4'])
  await virsh('guaranteed', 'started', ['start', 'db1'])
  await look('started', 'guaranteed', 'db1')
  for (const from of ['host', ...PODS] as const) await captureFrom(from)

  await virsh('guaranteed', 'saved', ['save', 'db1', '/job/db1.save'])
  await restore('restored in burstable', 'burstable')
  const thread = await vcpuThread('burstable', 0)
  await run('moved away', 'taskset', ['-p', '-c', '4', thread])
  await verify('moved away', 'burstable', 'db1')
  await virsh('burstable', 'destroyed in burstable', ['destroy', 'db1'])

  await restore('restored where it was', 'guaranteed')
  const migrate = ['migrate', '--live', 'db1', uri('burstable'), '--migrateuri', 'tcp://127.0.0.1']
  await virsh('guaranteed', 'migrated', migrate)
  await look('migrated', 'burstable', 'db1')
  await virsh('burstable', 'destroyed after migration', ['destroy', 'db1'])

  await restore('restored in one-node', 'one-node')
  await virsh('one-node', 'destroyed in one-node', ['destroy', 'db1'])

  setPages(2, FEW_PAGES)
  await virsh('guaranteed', 'short of pages', ['start', 'db1'])
  await fit('fitted by free pages', 'guaranteed', 'db1', [
    '--cpuset',
    '2,4',
    '--existing',
    'replace',
    '--memory',
    'by-free-pages',
  ])
  await virsh('guaranteed', 'started by free pages', ['start', 'db1'])
  await look('started by free pages', 'guaranteed', 'db1')
  await virsh('guaranteed', 'destroyed by free pages', ['destroy', 'db1'])

  setPages(2, PAGES)
  await fit('fitted with one CPU to spare', 'guaranteed', 'db2', [])
  await virsh('guaranteed', 'started with one CPU to spare', ['start', 'db2'])
  await look('started with one CPU to spare', 'guaranteed', 'db2')
  await virsh('guaranteed', 'destroyed with one CPU to spare', ['destroy', 'db2'])

  await fit('fitted with vCPUs to plug in', 'guaranteed', 'plug1', ['--cpuset', '2,4'])
  await virsh('guaranteed', 'started with vCPUs to plug in', ['start', 'plug1'])
  await virsh('guaranteed', 'vCPUs plugged in', ['setvcpus', 'plug1', '4', '--live'])
  await virsh('guaranteed', 'memory plugged in', ['attach-device', 'plug1', '/job/dimm.xml', '--live'])
  await look('plugged in', 'guaranteed', 'plug1')
  await virsh('guaranteed', 'destroyed after plugging', ['destroy', 'plug1'])

  await openHost()
}

// ---- The steps ----

/** Named by its link: /proc/<pid>/comm is the last part of what was run. */
function startSleeper(name: string, scope: string): void {
  mkdirSync('/job/bin', { recursive: true })
  symlinkSync('/bin/sleep', `/job/bin/${name}`)
  spawn(
    'sh',
    ['-c', 'echo $$ >"$1/cgroup.procs"; exec "$2" 3600', 'sh', `${CGROUPS}/${scope}`, `/job/bin/${name}`],
    { stdio: 'ignore' },
  )
}

async function startPod(pod: PodName): Promise<void> {
  await run(`pod ${pod}`, 'sh', ['/job/pod.sh', pod, `${CGROUPS}/${podScopes[pod]}`, SEES[pod]])
  await daemonAnswers(pod)
}

async function restore(name: string, pod: PodName): Promise<void> {
  await virsh(pod, name, ['restore', '/job/db1.save'])
  await look(name, pod, 'db1')
}

async function captureFrom(from: 'host' | PodName): Promise<void> {
  const folder = `/job/captures/${from}`
  const words = ['sh', '/job/capture.sh', folder, 'libvirtd', 'qemu-system-x86_64', ...Object.keys(sleepers)]
  const [command, its] = from === 'host' ? (['env', words] as const) : inPod(from, words)
  await ended(command, its, LIMIT_S)
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  const texts = files.map(
    (entry) => [`${entry.parentPath}/${entry.name}`.slice(folder.length), textOf(entry)] as const,
  )
  say({ is: 'capture', from, texts: Object.fromEntries(texts.sort(([a], [b]) => (a < b ? -1 : 1))) })
}

const textOf = (entry: Dirent): string => readFileSync(`${entry.parentPath}/${entry.name}`, 'utf8')

async function vcpuThread(pod: PodName, vcpu: number): Promise<string> {
  const tasks = `/proc/${pidOf(pod, 'db1')}/task`
  const thread = readdirSync(tasks).find((each) =>
    readFileSync(`${tasks}/${each}/comm`, 'utf8').startsWith(`CPU ${vcpu}/`),
  )
  if (thread === undefined) throw new Error(`no thread of vCPU ${vcpu} in ${tasks}`)
  return thread
}

async function main(): Promise<void> {
  try {
    await job()
  } catch (error) {
    say({ is: 'crash', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
  for (const daemon of [...PODS, 'open'] as const) {
    const folder = daemon === 'open' ? '/var/log/libvirt' : `/job/pods/${daemon}/log`
    const log = `${folder}/virt-numa.log`
    if (existsSync(log)) say({ is: 'hook-log', daemon, text: readFileSync(log, 'utf8') })
  }
  say({ is: 'end', upS: Math.round(Number(linesOf('/proc/uptime')[0]?.split(' ')[0])) })
  process.exit(0)
}

main()
