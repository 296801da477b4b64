// The job that runs as root inside of the four-node host: three libvirtds in three pods, a guest that is
// fitted, started, saved, restored and migrated among them, each state told as it is found (report.ts).

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
import { setTimeout as wait } from 'node:timers/promises'
import { shimText } from '../../../src/hook-setup/shim.ts'
import type { CommandReport, PodName, Report } from './report.ts'
import { CGROUPS, makeTree, podScopes, sleepers } from './tree.ts'

const PROGRAM = '/opt/virt-numa/dist'
const PODS = Object.keys(podScopes) as PodName[]
const SEES: Readonly<Record<PodName, string>> = {
  guaranteed: 'own',
  burstable: 'read-only',
  'one-node': 'host',
}

/** For one step: twenty times what it takes on a machine that has nothing else to do. */
const LIMIT_S = 240

/** Per node: db1 whole. */
const PAGES = 64
/** A cell of db1 needs 32. */
const FEW_PAGES = 10

function say(report: Report): void {
  writeFileSync(1, `${JSON.stringify(report)}\n`)
}

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

  await fit('fitted', 'db1', ['--cpuset', '2,4'])
  await virsh('guaranteed', 'started', ['start', 'db1'])
  await look('started', 'guaranteed')
  for (const from of ['host', ...PODS] as const) await captureFrom(from)

  await virsh('guaranteed', 'saved', ['save', 'db1', '/job/db1.save'])
  await restore('restored in burstable', 'burstable')
  const thread = await vcpuThread('burstable', 0)
  await run('moved away', 'taskset', ['-p', '-c', '4', thread])
  await verify('moved away', 'burstable')
  await virsh('burstable', 'destroyed in burstable', ['destroy', 'db1'])

  await restore('restored where it was', 'guaranteed')
  const migrate = ['migrate', '--live', 'db1', uri('burstable'), '--migrateuri', 'tcp://127.0.0.1']
  await virsh('guaranteed', 'migrated', migrate)
  await look('migrated', 'burstable')
  await virsh('burstable', 'destroyed after migration', ['destroy', 'db1'])

  await restore('restored in one-node', 'one-node')
  await virsh('one-node', 'destroyed in one-node', ['destroy', 'db1'])

  setPages(2, FEW_PAGES)
  await virsh('guaranteed', 'short of pages', ['start', 'db1'])
  await fit('fitted by free pages', 'db1', [
    '--cpuset',
    '2,4',
    '--existing',
    'replace',
    '--memory',
    'by-free-pages',
  ])
  await virsh('guaranteed', 'started by free pages', ['start', 'db1'])
  await look('started by free pages', 'guaranteed')
  await virsh('guaranteed', 'destroyed by free pages', ['destroy', 'db1'])

  setPages(2, PAGES)
  await fit('fitted with one CPU to spare', 'db2', [])
  await virsh('guaranteed', 'started with one CPU to spare', ['start', 'db2'])
  await look('started with one CPU to spare', 'guaranteed', 'db2')
  await virsh('guaranteed', 'destroyed with one CPU to spare', ['destroy', 'db2'])
}

// ---- The steps ----

function setPages(node: number, pages: number): void {
  writeFileSync(`/sys/devices/system/node/node${node}/hugepages/hugepages-2048kB/nr_hugepages`, String(pages))
}

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
  for (let tries = 0; tries < 100; tries += 1) {
    const { status } = await ended('virsh', ['-c', uri(pod), 'uri'], 30)
    if (status === 0) return
    await wait(300)
  }
  throw new Error(`libvirtd in ${pod} does not answer`)
}

async function fit(name: string, guest: string, flags: readonly string[]): Promise<void> {
  const { stdout } = await virtNuma('guaranteed', name, ['transform', ...flags, `/job/${guest}.xml`])
  writeFileSync('/job/fitted.xml', stdout)
  await virsh('guaranteed', `${name}, defined`, ['define', '--validate', '/job/fitted.xml'])
}

async function restore(name: string, pod: PodName): Promise<void> {
  await virsh(pod, name, ['restore', '/job/db1.save'])
  await look(name, pod)
}

async function look(name: string, pod: PodName, guest = 'db1'): Promise<void> {
  const { stdout: xml } = await ended('virsh', ['-c', uri(pod), 'dumpxml', guest], LIMIT_S)
  const pid = pidOf(pod, guest)
  const numaMaps = linesOf(`/proc/${pid}/numa_maps`).filter((line) => line.includes(' huge '))
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => {
    const own = `/proc/${pid}/task/${thread}`
    const cpus = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(`${own}/status`, 'utf8'))?.[1] ?? ''
    return {
      name: readFileSync(`${own}/comm`, 'utf8').trim(),
      cpus,
      cgroup: readFileSync(`${own}/cgroup`, 'utf8').trim(),
    }
  })
  say({ is: 'guest', name, pod, xml, numaMaps, threads })
  await verify(name, pod, guest)
}

async function verify(name: string, pod: PodName, guest = 'db1'): Promise<void> {
  await virtNuma(pod, `${name}, verified`, ['verify', guest])
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

// ---- Programs ----

const uri = (pod: PodName): string => `qemu:///system?socket=/job/pods/${pod}/run/libvirt-sock`
const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n')
const pidOf = (pod: PodName, guest = 'db1'): string =>
  readFileSync(`/job/pods/${pod}/run/qemu/${guest}.pid`, 'utf8').trim()

async function vcpuThread(pod: PodName, vcpu: number): Promise<string> {
  const tasks = `/proc/${pidOf(pod)}/task`
  const thread = readdirSync(tasks).find((each) =>
    readFileSync(`${tasks}/${each}/comm`, 'utf8').startsWith(`CPU ${vcpu}/`),
  )
  if (thread === undefined) throw new Error(`no thread of vCPU ${vcpu} in ${tasks}`)
  return thread
}

function virsh(
  pod: PodName,
  name: string,
  words: readonly string[],
  limitS = LIMIT_S,
): Promise<CommandReport> {
  return run(name, 'virsh', ['-q', '-c', uri(pod), ...words], limitS)
}

function virtNuma(pod: PodName, name: string, words: readonly string[]): Promise<CommandReport> {
  return run(name, ...inPod(pod, [process.execPath, `${PROGRAM}/virt-numa.cjs`, ...words]))
}

/** In the pod's cgroup and namespaces, as `kubectl exec` does it. */
function inPod(pod: PodName, words: readonly string[]): [command: string, words: string[]] {
  const scope = `${CGROUPS}/${podScopes[pod]}`
  const own = existsSync(`${scope}/init`) ? `${scope}/init` : scope
  const daemon = readFileSync(`/job/pods/${pod}/libvirtd.pid`, 'utf8').trim()
  const enter = ['nsenter', '--target', daemon, '--mount', '--uts', '--cgroup', ...words]
  return ['sh', ['-c', 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"', 'sh', own, ...enter]]
}

async function run(
  name: string,
  command: string,
  words: readonly string[],
  limitS = LIMIT_S,
): Promise<CommandReport> {
  const report: CommandReport = { is: 'command', name, ...(await ended(command, words, limitS)) }
  say(report)
  return report
}

type Ended = Omit<CommandReport, 'is' | 'name'>

/** With its standard output and error to their ends, unless a child that goes on running keeps them open. */
function ended(command: string, words: readonly string[], limitS: number): Promise<Ended> {
  return new Promise((resolve) => {
    const started = performance.now()
    const child = spawn(command, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limitS * 1000,
      killSignal: 'SIGKILL',
    })
    const said = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text
      })
    }
    const end = (code: number | null): void => {
      const tookS = Math.round((performance.now() - started) / 100) / 10
      resolve({ ...(code !== null && { status: code }), ...said, tookS })
    }
    child.once('close', end)
    child.once('error', ({ message }) => {
      said.stderr += message
      end(null)
    })
    child.once('exit', (code) => setTimeout(end, 1000, code).unref())
  })
}

async function main(): Promise<void> {
  try {
    await job()
  } catch (error) {
    say({ is: 'crash', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
  for (const pod of PODS) {
    const log = `/job/pods/${pod}/log/virt-numa.log`
    if (existsSync(log)) say({ is: 'hook-log', pod, text: readFileSync(log, 'utf8') })
  }
  say({ is: 'end', upS: Math.round(Number(linesOf('/proc/uptime')[0]?.split(' ')[0])) })
  process.exit(0)
}

main()
