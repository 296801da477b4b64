// Hostile input at every command, through the built programs: exit status and code, time and memory, and no
// partial output. `npm test` tries each command once for each exit status; `--all` (`npm run test:long`) runs
// the whole table, and `--figures` prints what each case took.

import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { filesOfTar } from '../../src/host/capture/tar.ts'
import { readCgroup } from '../../src/host/cgroup/cgroup.ts'
import type { Files } from '../../src/host/files.ts'
import { onlineCpus, readHost } from '../../src/host/sysfs.ts'
import { COMMAND, isNative } from '../command.ts'
import { isWhole, sampled } from '../long.ts'
import { type Door, doors } from './doors.ts'

const HOOK = `${process.cwd()}/dist/hooks/qemu.cjs`

/**
 * The limit is one second on an idle machine. CPU time depends less on other load than elapsed time, but is
 * longer on a busy machine too.
 */
const MOST_MIB = 256
const MOST_CPU_MS = 5000
const MOST_MS = 60_000

/** Runs in the child as it exits: reports its peak memory and its CPU time. */
const METER = `
const { isMainThread } = require('node:worker_threads')
const fs = require('node:fs')
if (isMainThread) process.on('exit', () => {
  const peak = /VmHWM:\\s*(\\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]
  const { user, system } = process.cpuUsage()
  fs.writeFileSync(process.env.METER, peak + ' ' + (user + system) / 1000)
})
`

/** `npm test` takes the first input of every second command. */
const walked = process.argv.includes('--figures')
  ? doors
  : sampled(isWhole ? doors : doors.filter(isFirst), 2)

function isFirst({ door }: Door, at: number): boolean {
  return doors.findIndex((each) => each.door === door) === at
}

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  readonly wallMs: number
  readonly cpuMs: number
  readonly peakMiB: number
  /** Files in the case's folder that the case did not put there. */
  readonly left: readonly string[]
}

async function knock(door: Door, scratch: string): Promise<Ended> {
  const place = mkdtempSync(join(scratch, 'door-'))
  try {
    door.lay?.(place)
    if (door.config !== undefined) {
      const settings = door.config.replace(/^(?=.|\n)/, `root = "${place}/root"\nlog_file = "${place}/log"\n`)
      writeFileSync(
        join(place, 'hook.conf'),
        door.config.length > 1_000_000 ? Buffer.from(settings, 'latin1') : settings,
      )
    }
    const before = readdirSync(place)
    const ended = await start(door, place, join(scratch, 'meter.cjs'))
    return {
      ...ended,
      left: readdirSync(place).filter((name) => !before.includes(name) && name !== 'log' && name !== 'meter'),
    }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

function start(
  { program, words, input = '' }: Door,
  place: string,
  meter: string,
): Promise<Omit<Ended, 'left'>> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const from = typeof input === 'function' ? openSync(input(place), 'r') : undefined
  const began = performance.now()
  const [command = '', ...own] =
    program === 'hook'
      ? [process.execPath, '-r', meter, HOOK]
      : isNative
        ? COMMAND
        : [process.execPath, '-r', meter, ...COMMAND.slice(1)]
  const child = spawn(command, [...own, ...words(place)], {
    cwd: place,
    env: { ...env, METER: join(place, 'meter'), VIRT_NUMA_CONFIG: join(place, 'hook.conf') },
    stdio: [from ?? 'pipe', 'pipe', 'pipe'],
    timeout: MOST_MS,
    killSignal: 'SIGKILL',
  })
  const watched = program !== 'hook' && isNative ? watch(child.pid, join(place, 'meter')) : undefined
  const said = { stdout: '', stderr: '' }
  child.stdout?.on('data', (data: Buffer) => {
    said.stdout += data
  })
  child.stderr?.on('data', (data: Buffer) => {
    said.stderr += data
  })
  // A child may leave its input unread.
  child.stdin?.on('error', () => {})
  child.stdin?.end(typeof input === 'function' ? undefined : input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => {
      if (from !== undefined) closeSync(from)
      clearInterval(watched)
      const wallMs = performance.now() - began
      const [peak = Number.NaN, cpuMs = Number.NaN] = metered(join(place, 'meter'))
      resolve({ status, ...said, wallMs, cpuMs, peakMiB: peak / 1024 })
    })
  })
}

/** For a program that cannot load the meter: what the kernel says of it, every few milliseconds. */
function watch(pid: number | undefined, meter: string): NodeJS.Timeout {
  writeFileSync(meter, '0 0')
  return setInterval(() => {
    try {
      const peak = /VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      const ticks = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
        .slice(11, 13)
      if (peak !== undefined)
        writeFileSync(meter, `${peak} ${ticks.reduce((sum, each) => sum + Number(each) * 10, 0)}`)
    } catch {
      // It has ended.
    }
  }, 10)
}

function metered(file: string): number[] {
  try {
    return readFileSync(file, 'utf8').split(' ').map(Number)
  } catch {
    return []
  }
}

const codeOf = (stderr: string): string => /^error\[([\w-]+)\]/m.exec(stderr)?.[1] ?? ''

/** A few at a time, in the order of the table. */
async function walk(check: (door: Door, ended: Ended) => void, atOnce: number): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'virt-numa-doors-'))
  try {
    writeFileSync(join(scratch, 'meter.cjs'), METER)
    const open = [...walked]
    const worker = async (): Promise<void> => {
      for (let door = open.shift(); door !== undefined; door = open.shift())
        check(door, await knock(door, scratch))
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

t.setTimeout(600_000)
if (process.argv.includes('--figures')) {
  const most = { wallMs: 0, cpuMs: 0, peakMiB: 0 }
  let wrong = 0
  walk((door, ended) => {
    const code = codeOf(ended.stderr)
    const isRight = ended.status === door.status && (door.code === '*' || code === door.code)
    if (!isRight) wrong += 1
    for (const key of ['wallMs', 'cpuMs', 'peakMiB'] as const) most[key] = Math.max(most[key], ended[key])
    const numbers = [ended.wallMs, ended.cpuMs, ended.peakMiB]
      .map((each) => each.toFixed(0).padStart(6))
      .join('')
    console.log(
      `${numbers}  ${isRight ? '  ' : '!!'} ${door.door}: ${door.name}: ${ended.status} ` +
        `${code}${isRight ? '' : ` instead of ${door.status} ${door.code}`}`,
    )
  }, 1).then(() => {
    console.log(
      `${walked.length} cases, ${wrong} wrong; at most ${most.wallMs.toFixed(0)} ms, ` +
        `${most.cpuMs.toFixed(0)} ms on a CPU, ${most.peakMiB.toFixed(0)} MiB`,
    )
    process.exitCode = wrong === 0 ? 0 : 1
  })
} else {
  t.test(`${walked.length} hostile inputs of ${doors.length}`, async (t) => {
    await walk((door, ended) => {
      const name = `${door.door}: ${door.name}`
      const code = codeOf(ended.stderr)
      t.same(
        [ended.status, door.code === '*' ? code !== '' : code],
        [door.status, door.code === '*' ? true : door.code],
        `${name}\n${ended.stderr.slice(0, 300)}`,
      )
      if (ended.status !== 0) t.equal(ended.stdout, '', `${name}: no output`)
      t.ok(ended.peakMiB <= MOST_MIB, `${name}: ${ended.peakMiB.toFixed(0)} MiB`)
      t.ok(ended.cpuMs < MOST_CPU_MS, `${name}: ${ended.cpuMs.toFixed(0)} ms on a CPU`)
      t.same(ended.left, [], `${name}: nothing is left behind`)
    }, 2)
  })

  t.test('files that vanish between two reads', (t) => {
    const whole = filesOfTar(gunzipSync(readFileSync('golden/2n4c2t-seed/sys.tar.gz')))
    const reads = countReads(whole)
    const outcomes = new Set<string>()
    for (let left = 0; left <= reads; left++) outcomes.add(outcomeOf(vanishing(whole, left)))
    t.ok(reads > 30, `${reads} reads`)
    t.same([...outcomes].sort(), ['host-unreadable', 'read'], 'a host, or a refusal')
    t.end()
  })

  t.test('-i under SIGTERM: the file is the former or the new one', async (t) => {
    const place = mkdtempSync(join(tmpdir(), 'virt-numa-doors-'))
    t.teardown(() => rmSync(place, { recursive: true, force: true }))
    const file = join(place, 'domain.xml')
    const before = readFileSync('golden/2n4c2t-seed/domain.xml', 'utf8')
    const after = readFileSync('golden/2n4c2t-seed/expected.xml', 'utf8')
    const ends = new Set<string>()
    for (let run = 0; run < 12; run++) {
      writeFileSync(file, before)
      ends.add(
        await terminated(
          ['transform', '-i', '--host', `${process.cwd()}/golden/2n4c2t-seed/host.json`, file],
          run * 15,
        ),
      )
      t.ok([before, after].includes(readFileSync(file, 'utf8')), 'the file is complete')
      t.same(readdirSync(place), ['domain.xml'], 'nothing is left behind')
    }
    t.ok(
      [...ends].every((end) => ['0', '143', 'SIGTERM'].includes(end)),
      [...ends].join(' '),
    )
  })
}

/** The files of a machine, of which only the first reads succeed. */
function vanishing(files: Files, reads: number): Files {
  let left = reads
  const still =
    <T>(read: (path: string) => T | undefined) =>
    (path: string): T | undefined =>
      left-- > 0 ? read(path) : undefined
  return { read: still(files.read), list: still(files.list), readlink: still(files.readlink) }
}

function countReads(files: Files): number {
  let reads = 0
  const counted =
    <T>(read: (path: string) => T) =>
    (path: string): T => {
      reads += 1
      return read(path)
    }
  outcomeOf({ read: counted(files.read), list: counted(files.list), readlink: counted(files.readlink) })
  return reads
}

function outcomeOf(files: Files): string {
  try {
    readHost(files)
    const online = onlineCpus(files)
    if (online !== undefined) readCgroup(files, { pid: 'self' }, online)
    return 'read'
  } catch (error) {
    if (error instanceof Refusal) return error.diagnostics[0]?.code ?? ''
    throw error
  }
}

function terminated(words: readonly string[], afterMs: number): Promise<string> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(COMMAND[0], [...COMMAND.slice(1), ...words], { env, stdio: 'ignore' })
  setTimeout(() => child.kill('SIGTERM'), afterMs)
  return new Promise((resolve) => child.on('close', (status, signal) => resolve(String(status ?? signal))))
}
