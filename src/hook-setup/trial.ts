// A hook that is written but not yet in place -> its answers to every operation, called as the daemon calls
// it.

import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnostic } from '../base/diagnostic.ts'
import { diagnostic } from '../codes/codes.ts'
import type { TrialProblem } from '../codes/hook.ts'
import { NAMESPACE } from '../domain/metadata.ts'
import { type Ended, runProgram } from '../machine/programs/programs.ts'
import { CONFIG } from '../machine/read/read-text.ts'
import { callOf, operations, PROGRAM_OPERATIONS, ruleOf } from './operations.ts'
import { makeTemporaryFolder, writeNew } from './write.ts'

/** Every operation of libvirt's qemu driver, and an unknown one. */
export const OPERATIONS = [...operations, 'unknown begin']

/** The whole environment that libvirtd gives a hook. */
const ENVIRONMENT = {
  HOME: '/root',
  LC_ALL: 'C',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
}

const GUEST = 'virt-numa-trial'

/** Longer than the program's own limit (timeout_s, 10), within which it must answer. */
const TIMEOUT_S = 15

/** How many operations were tried, and what was wrong with the answers. */
interface Trial {
  readonly operations: number
  readonly found: readonly Diagnostic[]
}

/**
 * Runs every operation for a guest that has not opted in, with the host's own configuration; then the
 * operations that need the program for an opted-in guest, on a made-up host of one node. That guest is placed
 * on node 7: the hook must refuse to start it, and must rebind it to node 0, which no empty, half-written or
 * incomplete program does. Stops at the first call that takes too long.
 */
export function tryHook(command: readonly string[], timeoutS = TIMEOUT_S): Trial {
  const folder = makeTemporaryFolder('virt-numa-trial-')
  try {
    const root = join(folder, 'host')
    for (const [path, text] of HOST) writeNew(join(root, path), text, 0o644)
    const config = join(folder, 'virt-numa.conf')
    writeNew(config, `root = "${root}"\nlog_file = "${join(folder, 'log')}"\n`, 0o644)
    const runs: Run[] = [
      ...OPERATIONS.map((operation) => ({
        operation,
        guest: 'not-opted-in' as const,
        xml: guestXml(''),
        env: { VIRT_NUMA_CONFIG: ownConfig(folder) },
        problemIn,
      })),
      ...PROGRAM_OPERATIONS.map((operation) => ({
        operation,
        guest: 'opted-in' as const,
        xml: guestXml(OPTED_IN),
        env: { VIRT_NUMA_CONFIG: config },
        problemIn:
          ruleOf(callOf(['', ...operation.split(' ')])).does === 'rebind'
            ? problemInRebind
            : problemInPreflight,
      })),
    ]
    return { operations: OPERATIONS.length, found: findingsOf(command, runs, timeoutS) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * The host's own configuration, or an empty one. The hook does not log to the default log if one is named.
 */
function ownConfig(folder: string): string {
  if (existsSync(CONFIG)) return CONFIG
  const empty = join(folder, 'empty.conf')
  writeNew(empty, '', 0o644)
  return empty
}

/** One node with one CPU. */
const HOST: readonly (readonly [path: string, text: string])[] = [
  ['sys/devices/system/node/online', '0\n'],
  ['sys/devices/system/node/has_memory', '0\n'],
  ['sys/devices/system/node/node0/cpulist', '0\n'],
  ['sys/devices/system/node/node0/distance', '10\n'],
  ['sys/devices/system/node/node0/meminfo', 'Node 0 MemTotal: 1048576 kB\nNode 0 MemFree: 1048576 kB\n'],
  ['sys/devices/system/cpu/online', '0\n'],
  ['sys/devices/system/cpu/cpu0/topology/thread_siblings_list', '0\n'],
  ['proc/meminfo', 'MemTotal: 1048576 kB\nHugepagesize: 2048 kB\n'],
]

const OPTED_IN = `<metadata><numa:guestMappingPassthrough xmlns:numa='${NAMESPACE}'/></metadata>
  <cputune>
    <vcpupin vcpu='0' cpuset='6-7'/>
  </cputune>
  <numatune>
    <memory mode='strict' nodeset='7'/>
    <memnode cellid='0' mode='strict' nodeset='7'/>
  </numatune>
  <cpu>
    <numa>
      <cell id='0' cpus='0' memory='1024' unit='KiB'/>
    </numa>
  </cpu>`

/** A guest that could start on any host, unless `more` says otherwise. */
function guestXml(more: string): string {
  return `<domain type='kvm'>
  <name>${GUEST}</name>
  ${more}
  <memory unit='KiB'>1024</memory>
  <vcpu>1</vcpu>
  <os>
    <type>hvm</type>
  </os>
</domain>
`
}

interface Run {
  readonly operation: string
  readonly guest: 'opted-in' | 'not-opted-in'
  readonly xml: string
  readonly env: Readonly<Record<string, string>>
  readonly problemIn: (ended: Ended) => TrialProblem | undefined
}

function findingsOf(
  [program = '', ...words]: readonly string[],
  runs: readonly Run[],
  timeoutS: number,
): Diagnostic[] {
  const found: Diagnostic[] = []
  for (const { operation, guest, xml, env, problemIn } of runs) {
    const call = [...words, GUEST, ...operation.split(' '), '-']
    const ended = runProgram(program, call, { input: xml, timeoutS, bare: { ...ENVIRONMENT, ...env } })
    const problem = unansweredBy(ended) ?? problemIn(ended)
    if (problem === undefined) continue
    found.push(diagnostic('hook-trial-failed', { operation, guest, problem, command: [program, ...call] }))
    if (ended.status === undefined) break
  }
  return found
}

function unansweredBy({ status, reason = '' }: Ended): TrialProblem | undefined {
  if (status !== undefined) return undefined
  if (/timed out/.test(reason)) return { is: 'no-answer' }
  return { is: 'not-run', reason: reason.split('\n').at(-1) ?? '' }
}

/** The configuration may opt in every guest: then a domain is printed, else nothing. */
function problemIn(ended: Ended): TrialProblem | undefined {
  const { status, stdout } = ended
  if (status !== 0) return endedWith(ended)
  const printed = stdout.trim()
  return printed === '' || printed.includes('<domain')
    ? undefined
    : { is: 'not-a-domain', printed: printed.slice(0, MOST_PRINTED) }
}

/** Characters of what a hook printed. */
const MOST_PRINTED = 60

function problemInRebind(ended: Ended): TrialProblem | undefined {
  const { status, stdout } = ended
  if (status !== 0) return endedWith(ended)
  const isRebound =
    /<memnode[^>]* nodeset='0'/.test(stdout) &&
    /<emulatorpin cpuset='0'/.test(stdout) &&
    stdout.endsWith('</domain>\n')
  return isRebound ? undefined : { is: 'not-rebound' }
}

function problemInPreflight(ended: Ended): TrialProblem | undefined {
  const { status, stderr } = ended
  if (status === 1 && stderr.startsWith('error[node-missing]')) return undefined
  return status === 0 ? { is: 'not-refused' } : endedWith(ended)
}

function endedWith({ status = 0, stderr }: Ended): TrialProblem {
  const error = stderr.trim().split('\n')[0]
  return { is: 'ended', status, ...(error && { error }) }
}
