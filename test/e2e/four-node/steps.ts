// The steps that the job is made of: a guest is fitted, started, restored and looked at through one of the
// libvirtds, and each step is reported as it ends.

import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import type { CommandReport, Daemon, PodName, Report } from './report.ts'
import { CGROUPS, podScopes } from './tree.ts'

/** Where the program lies. */
export const PROGRAM = '/opt/virt-numa/dist'

/** For one step, in seconds: twenty times what it takes on a machine that has nothing else to do. */
export const LIMIT_S = 240

/** Prints a line of the report. */
export function say(report: Report): void {
  writeFileSync(1, `${JSON.stringify(report)}\n`)
}

/** Sets how many pages of 2 MiB a node has. */
export function setPages(node: number, pages: number): void {
  writeFileSync(`/sys/devices/system/node/node${node}/hugepages/hugepages-2048kB/nr_hugepages`, String(pages))
}

/** Waits until the daemon answers. */
export async function daemonAnswers(daemon: Daemon): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { status } = await ended('virsh', ['-c', uri(daemon), 'uri'], 30)
    if (status === 0) return
    await wait(300)
  }
  throw new Error(`libvirtd in ${daemon} does not answer`)
}

/** Fits /job/<guest>.xml and defines it. */
export async function fit(
  name: string,
  daemon: Daemon,
  guest: string,
  flags: readonly string[],
): Promise<void> {
  const { stdout } = await virtNuma(daemon, name, ['transform', ...flags, `/job/${guest}.xml`])
  writeFileSync('/job/fitted.xml', stdout)
  await virsh(daemon, `${name}, defined`, ['define', '--validate', '/job/fitted.xml'])
}

/** Reports where a running guest is: its own XML, what the kernel says, and what `verify` says. */
export async function look(name: string, daemon: Daemon, guest: string): Promise<void> {
  const { stdout: xml } = await ended('virsh', ['-c', uri(daemon), 'dumpxml', guest], LIMIT_S)
  const pid = pidOf(daemon, guest)
  const numaMaps = linesOf(`/proc/${pid}/numa_maps`).filter((line) => /^\S+ bind:| huge /.test(line))
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => {
    const own = `/proc/${pid}/task/${thread}`
    const status = readFileSync(`${own}/status`, 'utf8')
    return {
      name: readFileSync(`${own}/comm`, 'utf8').trim(),
      cpus: /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '',
      policy: policyIn(readFileSync(`${own}/stat`, 'utf8')),
      cgroup: readFileSync(`${own}/cgroup`, 'utf8').trim(),
    }
  })
  say({ is: 'guest', name, daemon, xml, numaMaps, threads })
  await verify(name, daemon, guest)
}

/** Field 41. The name, in brackets, is field 2 and may hold spaces. */
function policyIn(stat: string): number {
  const fromState = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fromState[41 - 3])
}

/** Reports what `verify` prints about a running guest. */
export async function verify(name: string, daemon: Daemon, guest: string): Promise<void> {
  await virtNuma(daemon, `${name}, verified`, ['verify', guest])
}

// ---- Programs ----

/** Where a daemon of the system keeps its sockets and the state of its guests. */
const runOf = (daemon: Daemon): string => (daemon === 'open' ? '/run/libvirt' : `/job/pods/${daemon}/run`)

/** The URI of a daemon, for virsh. */
export const uri = (daemon: Daemon): string => `qemu:///system?socket=${runOf(daemon)}/libvirt-sock`
/** The lines of a file. */
export const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n')
/** The process of a running guest. */
export const pidOf = (daemon: Daemon, guest: string): string =>
  readFileSync(`${runOf(daemon)}/qemu/${guest}.pid`, 'utf8').trim()

/** Runs virsh and reports how it ended. */
export function virsh(daemon: Daemon, name: string, words: readonly string[]): Promise<CommandReport> {
  return run(name, 'virsh', ['-q', '-c', uri(daemon), ...words])
}

/** Runs our command beside a daemon and reports how it ended. */
export function virtNuma(daemon: Daemon, name: string, words: readonly string[]): Promise<CommandReport> {
  const [command, ...itsWords] = [process.execPath, `${PROGRAM}/virt-numa.cjs`, ...words] as const
  return daemon === 'open'
    ? run(name, command, itsWords)
    : run(name, ...inPod(daemon, [command, ...itsWords]))
}

/** In the pod's cgroup and namespaces, as `kubectl exec` does it. */
export function inPod(pod: PodName, words: readonly string[]): [command: string, words: string[]] {
  const scope = `${CGROUPS}/${podScopes[pod]}`
  const own = existsSync(`${scope}/init`) ? `${scope}/init` : scope
  const daemon = readFileSync(`/job/pods/${pod}/libvirtd.pid`, 'utf8').trim()
  const enter = ['nsenter', '--target', daemon, '--mount', '--uts', '--cgroup', ...words]
  return ['sh', ['-c', 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"', 'sh', own, ...enter]]
}

/** Runs a program and reports how it ended. */
export async function run(name: string, command: string, words: readonly string[]): Promise<CommandReport> {
  const report: CommandReport = { is: 'command', name, ...(await ended(command, words, LIMIT_S)) }
  say(report)
  return report
}

type Ended = Omit<CommandReport, 'is' | 'name'>

/** With its standard output and error to their ends, unless a child that goes on running keeps them open. */
export function ended(command: string, words: readonly string[], limitS: number): Promise<Ended> {
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
