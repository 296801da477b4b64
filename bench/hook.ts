// The hook as libvirtd calls it: the native one by itself and behind the script that `install` writes, the
// Node hook, and a hook in Python that does the same rebind; all in turn, in one run, as ratios to /bin/true.
// bench/processes.c starts them, measures, and compares what they print.

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { shimText } from '../src/hook-setup/shim.ts'
import { type HookCase, hugeDocument, largeCase, smallCase, written } from './hook-cases.ts'
import { median } from './whole.ts'

const ROUNDS = 15
const NATIVE = resolve('dist/native/qemu-hook')

/** A program that is measured. `most` is the limit of its ratio. */
interface Row {
  readonly what: string
  readonly words: readonly string[]
  readonly input: string
  readonly config?: string
  readonly expected?: string
  readonly most?: number
  /** KiB */
  readonly mostPeak?: number
}

const MOST_PEAK_KIB = 2.5 * 1024
const NOWHERE = '/dev/null'

/** The table of the hook's operations, as text. */
export function hookRows(): string {
  if (!existsSync(NATIVE)) return '\n(no native hook here: npm run build:native)\n'
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-bench-'))
  try {
    const harness = join(folder, 'processes')
    execFileSync('musl-gcc', ['-static', '-O2', '-o', harness, 'bench/processes.c'])
    const small = smallCase(folder)
    const rows = rowsOf(folder, small)
    return (
      measured(rows, costsOf(harness, small, rows)) + inFlight(harness, rows) + huge(harness, folder, small)
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

// ---- Rows ----

function rowsOf(folder: string, small: HookCase): readonly Row[] {
  const large = largeCase(folder)
  const script = (name: string, program: string, file: string): string => {
    const path = written(join(folder, name), shimText(program, file))
    chmodSync(path, 0o755)
    return path
  }
  const installed = script('native', NATIVE, NATIVE)
  const onNode = script('node', process.execPath, resolve('dist/hooks/qemu.cjs'))
  let configs = 0
  const config = (...lines: readonly string[]): string =>
    written(
      join(folder, `${configs++}.conf`),
      [...lines, `log_file = "${folder}/log"`, `timeout_s = 30`, ''].join('\n'),
    )
  const cpuset = (each: HookCase): string => `cpuset = "${each.cpuset}"`
  const [smallRoot, direct, largeRoot] = [
    config(`root = "${small.root}"`, cpuset(small)),
    config(cpuset(small)),
    config(`root = "${large.root}"`, cpuset(large)),
  ]
  const answers = new Map<string, string>()
  const hook = (program: string, operation: string, input: string, settings?: string): Omit<Row, 'what'> => {
    const row = {
      words: [program, 'numa', ...operation.split(' '), '-'],
      input,
      ...(settings !== undefined && { config: settings }),
    }
    if (operation !== 'migrate begin' || settings === undefined) return { ...row, expected: NOWHERE }
    const rooted = settings === direct ? smallRoot : settings
    const known = answers.get(input + rooted)
    const expected =
      known ??
      written(
        join(folder, `answer-${answers.size}`),
        outputOf({ what: '', ...row, words: [onNode, ...row.words.slice(1)], config: rooted }),
      )
    answers.set(input + rooted, expected)
    return { ...row, expected }
  }
  const [idle, prepare, migrate] = ['start begin', 'prepare begin', 'migrate begin']
  const python: Row = {
    what: 'Python hook with lxml: rebind, no checks',
    words: ['/usr/bin/python3', resolve('bench/lxml-hook.py'), small.root],
    input: small.rebinds,
  }
  const direct10 = isRoot() ? { most: 11, mostPeak: MOST_PEAK_KIB } : undefined
  return [
    { what: '/bin/true', words: ['/bin/true'], input: NOWHERE },
    { what: 'a shell that does nothing', words: ['/bin/sh', '-c', ':'], input: NOWHERE },
    { what: 'nothing to do', ...hook(NATIVE, idle, small.fits), most: 0.5, mostPeak: MOST_PEAK_KIB },
    {
      what: 'not opted in, no configuration',
      ...hook(NATIVE, migrate, small.silent),
      most: 2,
      mostPeak: MOST_PEAK_KIB,
    },
    {
      what: 'not opted in',
      ...hook(NATIVE, migrate, small.silent, smallRoot),
      most: 2,
      mostPeak: MOST_PEAK_KIB,
    },
    { what: 'prepare, 10 KB, root =', ...hook(NATIVE, prepare, small.fits, smallRoot), ...limited(11) },
    { what: 'migrate, 10 KB, kept, root =', ...hook(NATIVE, migrate, small.fits, smallRoot), ...limited(11) },
    {
      what: 'migrate, 10 KB, rebinds, root =',
      ...hook(NATIVE, migrate, small.rebinds, smallRoot),
      ...limited(11),
    },
    ...(direct10 === undefined
      ? []
      : [
          { what: 'prepare, 10 KB, directly', ...hook(NATIVE, prepare, small.fits, direct), ...direct10 },
          {
            what: 'migrate, 10 KB, rebinds, directly',
            ...hook(NATIVE, migrate, small.rebinds, direct),
            ...direct10,
          },
        ]),
    { what: 'prepare, 128 vCPUs', ...hook(NATIVE, prepare, large.fits, largeRoot), most: 20 },
    { what: 'migrate, 128 vCPUs, kept', ...hook(NATIVE, migrate, large.fits, largeRoot), most: 20 },
    { what: 'migrate, 128 vCPUs, rebinds', ...hook(NATIVE, migrate, large.rebinds, largeRoot), most: 20 },
    { what: 'installed: nothing to do', ...hook(installed, idle, small.fits) },
    { what: 'installed: prepare, 10 KB', ...hook(installed, prepare, small.fits, smallRoot) },
    { what: 'installed: migrate, 10 KB, rebinds', ...hook(installed, migrate, small.rebinds, smallRoot) },
    { what: 'Node: nothing to do', ...hook(onNode, idle, small.fits) },
    { what: 'Node: prepare, 10 KB', ...hook(onNode, prepare, small.fits, smallRoot) },
    { what: 'Node: migrate, 10 KB, rebinds', ...hook(onNode, migrate, small.rebinds, smallRoot) },
    ...(hasLxml() ? [{ ...python, expected: written(join(folder, 'python'), outputOf(python)) }] : []),
  ]
}

const limited = (most: number): Pick<Row, 'most' | 'mostPeak'> => ({ most, mostPeak: MOST_PEAK_KIB })
const isRoot = (): boolean => process.getuid?.() === 0
const hasLxml = (): boolean =>
  spawnSync('/usr/bin/python3', ['-c', 'import lxml.etree'], { stdio: 'ignore' }).status === 0

/** What a program prints. @throws Error when it fails or prints nothing */
function outputOf({ words: [program = '', ...words], input, config }: Row): string {
  const env = { HOME: '/root', LC_ALL: 'C', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
  const { status, stdout, stderr } = spawnSync(program, words, {
    input: readFileSync(input),
    env: { ...env, ...(config !== undefined && { VIRT_NUMA_CONFIG: config }) },
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  if (status !== 0) throw new Error(`${program} ${words.join(' ')} ended with ${status}: ${stderr}`)
  return stdout
}

// ---- Runs ----

const lineOf = ({ input, expected = '-', config = '-', words }: Row): string =>
  `${[input, expected, config, ...words].join('\t')}\n`

/** Medians. */
interface Cost {
  readonly ms: number
  readonly ratio: number
  /** By the time on a CPU, which a busy machine changes least. */
  readonly cpuRatio: number
  readonly peakKiB: number
}

/** For the direct calls, where this is root: /sys and /proc are those of the case, and /run is empty. */
function costsOf(harness: string, { root }: HookCase, rows: readonly Row[]): readonly Cost[] {
  const script =
    'mount --bind "$1/sys" /sys && mount --bind "$1/proc" /proc && mount -t tmpfs none /run && ' +
    'exec "$2" rounds "$3"'
  const [program, ...words] = isRoot()
    ? ['unshare', '--mount', 'sh', '-c', script, 'sh', root, harness, String(ROUNDS)]
    : [harness, 'rounds', String(ROUNDS)]
  const { status, stdout, stderr } = spawnSync(program as string, words, {
    input: rows.map(lineOf).join(''),
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  if (status !== 0) throw new Error(`${stderr}${stdout.slice(-200)}`)
  const runs = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number) as [row: number, ms: number, peakKiB: number, cpuMs: number])
  const unit = runs.filter(([row]) => row === 0).map(([, ms]) => ms)
  const cpuUnit = median(runs.filter(([row]) => row === 0).map(([, , , cpuMs]) => cpuMs))
  return rows.map((_, at) => {
    const own = runs.filter(([row]) => row === at)
    return {
      ms: median(own.map(([, ms]) => ms)),
      ratio: median(own.map(([, ms], round) => ms / (unit[round] ?? Number.NaN))),
      cpuRatio: median(own.map(([, , , cpuMs]) => cpuMs)) / cpuUnit,
      peakKiB: median(own.map(([, , peakKiB]) => peakKiB)),
    }
  })
}

function measured(rows: readonly Row[], costs: readonly Cost[]): string {
  const lines = rows.map(({ what, most, mostPeak }, at) => {
    const { ms, ratio, cpuRatio, peakKiB } = costs[at] as Cost
    const limit = most?.toFixed(1) ?? ''
    const columns = [ms.toFixed(2), ratio.toFixed(2), cpuRatio.toFixed(2), limit, (peakKiB / 1024).toFixed(1)]
    const isOver = ratio > (most ?? Number.POSITIVE_INFINITY)
    const isLarge = peakKiB > (mostPeak ?? Number.POSITIVE_INFINITY)
    const marks = `${isOver ? ' over' : ''}${isLarge ? ' large' : ''}`
    return `${what.padEnd(44)} ${columns.map((each) => each.padStart(7)).join(' ')}${marks}`
  })
  return (
    `\nthe hook through pipes, medians of ${ROUNDS} rounds in turn, ratio to /bin/true in its round\n` +
    `${''.padEnd(44)}      ms   ratio     CPU   limit     MiB\n${lines.join('\n')}\n`
  )
}

const IN_FLIGHT = 200

/** Many hooks at once, none of which may fail, take little longer than one after another. */
function inFlight(harness: string, rows: readonly Row[]): string {
  const row = rows.find(({ what }) => what === 'migrate, 10 KB, rebinds, root =') as Row
  const shares = [1, 2, 3].map(() => {
    const found = execFileSync(harness, ['flight', String(IN_FLIGHT)], {
      input: lineOf(row),
      encoding: 'utf8',
    })
    const [sumMs = 0, totalMs = 0] = found.split(' ').map(Number)
    return { sumMs, totalMs, share: totalMs / sumMs }
  })
  const { sumMs, totalMs, share } = [...shares].sort((a, b) => a.share - b.share)[1] as (typeof shares)[0]
  return (
    `\n${IN_FLIGHT} rebinds at once: ${totalMs.toFixed(0)} ms; one after another: ${sumMs.toFixed(0)} ms; ` +
    `share ${share.toFixed(2)}, limit 1.2${share > 1.2 ? ' over' : ''}\n`
  )
}

const MOST_HUGE_MS = 1000

function huge(harness: string, folder: string, small: HookCase): string {
  const input = hugeDocument(folder, small)
  const config = written(
    join(folder, 'huge.conf'),
    `root = "${small.root}"\nlog_file = "${folder}/log"\ntimeout_s = 60\n`,
  )
  const row: Row = { what: '', words: [NATIVE, 'numa', 'migrate', 'begin', '-'], input, config }
  const expected = written(join(folder, 'huge-answer'), outputOf(row))
  const found = execFileSync(harness, ['rounds', '3'], {
    input: lineOf({ ...row, expected }),
    encoding: 'utf8',
  })
  const all = found
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number))
  const ms = median(all.map(([, each = 0]) => each))
  const mib = median(all.map(([, , each = 0]) => each)) / 1024
  const size = (readFileSync(input).length / 1e6).toFixed(1)
  return (
    `rebind of a domain of ${size} MB: ${ms.toFixed(0)} ms, ${mib.toFixed(0)} MiB, ` +
    `limit ${MOST_HUGE_MS} ms${ms > MOST_HUGE_MS ? ' over' : ''}\n`
  )
}
