// `npm run soak`: virt-launcher's calls, thousands of them, a new connection each, against one server. Prints
// what the server holds before, after 1,000 calls and at the end, how many calls a second it answers, and how
// long a call takes without a socket. Ends with status 1 where a limit is not kept. `-- --calls 2000` is
// shorter.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lineReader } from '../src/machine/programs/lines.ts'
import { defaultConfig } from '../src/request/config.ts'
import { defineWith } from '../src/serve/define.ts'
import { methodsOf } from '../src/serve/methods.ts'
import { writeMessage } from '../src/serve/wire.ts'
import { endOf, startApart } from '../test/apart.ts'
import { PROGRAM } from '../test/seed.ts'
import { domain, vmi } from '../test/serve/guest.ts'
import { type Call, call, listening } from '../test/serve/launcher.ts'

const CAPTURE = 'golden/2n4c2t-hook-migrate/sys.tar.gz'
const AT_ONCE = 8
const FIRST = 1000

/** The options of node in the image and in the manifests. */
const NODE_OPTIONS = ['--max-semi-space-size=1', '--max-old-space-size=128']

/**
 * The heap after a collection may grow by this much once the first quarter of the calls is over. Until then
 * V8 compiles: its code and what it knows of types are part of the heap. Shorter runs say nothing about it.
 */
const MOST_GROWTH = 0.05
const SETTLED = 20_000
const MOST_RSS_MB = 90

const folder = mkdtempSync(join(tmpdir(), 'virt-numa-soak-'))
const given = process.argv.indexOf('--calls')
const calls = given < 0 ? 20_000 : Number(process.argv[given + 1])

async function soak(): Promise<boolean> {
  execFileSync('tar', ['-xzf', CAPTURE, '-C', folder])
  print(`${inProcessMs().toFixed(2)} ms of CPU a call in process, without a socket`)
  const preload = join(folder, 'heap.cjs')
  writeFileSync(
    preload,
    "process.on('SIGUSR2', () => { gc(); gc(); console.error('heap ' + process.memoryUsage().heapUsed) })",
  )
  const words = ['--expose-gc', ...NODE_OPTIONS, '-r', preload, PROGRAM, 'serve', '--host', folder]
  const child = startApart(process.execPath, [...words, '--socket', folder], {})
  const ended = endOf(child)
  const socket = await listening(child, ended)
  const pid = child.pid as number
  const heaps: number[] = []
  const linesOf = lineReader()
  child.stderr.on('data', (chunk) => {
    const said = linesOf(chunk).lines.filter((line) => line.startsWith('heap '))
    heaps.push(...said.map((line) => Number(line.slice(5))))
  })
  const rest = rssOf(pid)
  const files = filesOf(pid)
  const asked: Call = {
    socket,
    service: 'plugins.v1alpha1.LauncherHookService',
    method: 'GuestDefinition',
    request: {
      domain_type: 'libvirt',
      domain: Buffer.from(domain),
      vmi: Buffer.from(vmi()),
      sidecar_context: { invocation_context: 'Boot' },
    },
  }
  await callTimes(asked, FIRST)
  const first = await heapOf(pid, heaps)
  const [began, usedMs] = [performance.now(), cpuMsOf(pid)]
  for (const part of [1, 2, 3, 4]) {
    await callTimes(asked, (calls - FIRST) / 4)
    if (part < 4) await heapOf(pid, heaps)
  }
  const cpuMs = (cpuMsOf(pid) - usedMs) / (calls - FIRST)
  const perSecond = (calls - FIRST) / ((performance.now() - began) / 1000)
  await new Promise((resolve) => setTimeout(resolve, 500))
  const last = await heapOf(pid, heaps)
  const [rss, open] = [rssOf(pid), filesOf(pid)]
  child.kill('SIGTERM')
  await ended
  const growth = last / (heaps[1] ?? first) - 1
  print(`RSS at rest ${rest.now} MB; after ${calls} calls ${rss.now} MB, at most ${rss.most} MB`)
  print(`heap after gc, from call ${FIRST} to ${calls}: ${heaps.map(mb).join(', ')} MB`)
  print(`open files: ${files} at rest, ${open} at the end`)
  print(`${cpuMs.toFixed(2)} ms of CPU a call in the server, the connection included`)
  print(`${perSecond.toFixed(0)} calls a second, ${AT_ONCE} at a time, a new connection each`)
  const isFlat = growth <= MOST_GROWTH || calls < SETTLED
  return isFlat && open <= files && rss.most <= MOST_RSS_MB
}

async function callTimes(asked: Call, count: number): Promise<void> {
  let left = count
  const caller = async (): Promise<void> => {
    while (left-- > 0) await call(asked)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, caller))
}

/**
 * The handler alone, from the request's bytes to the answer's, the host read every time. The least of 20
 * batches, since noise only adds.
 */
function inProcessMs(): number {
  const define = defineWith({
    host: folder,
    flags: {},
    config: defaultConfig,
    configSource: 'none',
    log: () => {},
  })
  const method = methodsOf(define)['/kubevirt.hooks.plugins.v1alpha1.LauncherHookService/GuestDefinition']
  const request = writeMessage([
    [1, 'libvirt'],
    [2, domain],
    [3, vmi()],
    [4, writeMessage([[1, 'Boot']])],
  ])
  const took = Array.from({ length: 20 }, () => {
    const began = process.cpuUsage()
    for (let index = 0; index < 50; index++) method?.(request)
    const { user, system } = process.cpuUsage(began)
    return (user + system) / 1000 / 50
  })
  return Math.min(...took)
}

async function heapOf(pid: number, heaps: readonly number[]): Promise<number> {
  const seen = heaps.length
  process.kill(pid, 'SIGUSR2')
  while (heaps.length === seen) await new Promise((resolve) => setTimeout(resolve, 50))
  return heaps[seen] as number
}

function rssOf(pid: number): { readonly now: number; readonly most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
  return { now: Math.round(kib('VmRSS') / 1024), most: Math.round(kib('VmHWM') / 1024) }
}

/** User and system time, which the kernel counts in hundredths of a second. @see proc_pid_stat(5) */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

const filesOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length
const mb = (bytes: number): string => (bytes / 1e6).toFixed(2)
const print = (line: string): unknown => process.stdout.write(`${line}\n`)

soak().then(
  (isKept) => {
    rmSync(folder, { recursive: true })
    if (isKept) return
    print('a limit is not kept')
    process.exitCode = 1
  },
  (error) => {
    rmSync(folder, { recursive: true })
    throw error
  },
)
