// A hook that is written, but not yet where libvirt looks, to its answers: every operation as the daemon would ask it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Diagnostic, diagnostic } from '../base/diagnostic.ts'
import { NAMESPACE } from '../domain/metadata.ts'
import { operations, PROGRAM_OPERATIONS } from './operations.ts'
import { type Ended, runProgram } from './programs.ts'

/** Those of libvirt's qemu driver, and one that it may come to ask. */
export const OPERATIONS = [...operations, 'unknown begin']

/** What libvirtd hands on to a hook: these and nothing else. */
const ENVIRONMENT = { HOME: '/root', LC_ALL: 'C', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }

const GUEST = 'virt-numa-trial'

/** On the program's own limit (timeout_s, 10) it must have answered by itself. */
const TIMEOUT_S = 15

export interface Trial {
  readonly operations: number
  readonly found: readonly Diagnostic[]
}

/**
 * For a guest that does not ask, with the host's own configuration; then the operations that need the program for one that
 * asks, with a configuration that logs nowhere else. It stops at the first that takes too long.
 */
export function tryHook(command: readonly string[], timeoutS = TIMEOUT_S): Trial {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-trial-'))
  try {
    const config = join(folder, 'virt-numa.conf')
    writeFileSync(config, `log_file = "${join(folder, 'log')}"\n`)
    const runs = [
      ...OPERATIONS.map((operation) => ({ operation, guest: 'does not ask', xml: guestXml(''), env: {} })),
      ...PROGRAM_OPERATIONS.map((operation) => ({ operation, guest: 'asks', xml: guestXml(ASKS), env: { VIRT_NUMA_CONFIG: config } })),
    ]
    return { operations: OPERATIONS.length, found: findingsOf(command, runs, timeoutS) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const ASKS = `<metadata><numa:guestMappingPassthrough xmlns:numa='${NAMESPACE}'/></metadata>`

/** Of no cells, so that on every host nothing stands against it. */
function guestXml(metadata: string): string {
  return `<domain type='kvm'>
  <name>${GUEST}</name>
  ${metadata}
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
  readonly guest: string
  readonly xml: string
  readonly env: Readonly<Record<string, string>>
}

function findingsOf([program = '', ...words]: readonly string[], runs: readonly Run[], timeoutS: number): Diagnostic[] {
  const found: Diagnostic[] = []
  for (const { operation, guest, xml, env } of runs) {
    const ended = runProgram(program, [...words, GUEST, ...operation.split(' '), '-'], {
      input: xml,
      timeoutS,
      bare: { ...ENVIRONMENT, ...env },
    })
    const what = wrongIn(ended)
    if (what === undefined) continue
    const shown = `echo "<domain/>" | ${[program, ...words, GUEST, operation].join(' ')} -`
    found.push(diagnostic('hook-trial-failed', { operation, guest, what, command: shown }))
    if (ended.status === undefined) break
  }
  return found
}

/** A guest that does not ask may be covered by the configuration: what is printed is a domain, or nothing. */
function wrongIn({ status, stdout, stderr, reason }: Ended): string | undefined {
  const said = stderr.trim().split('\n')[0]
  if (status === undefined) return /timed out/.test(reason ?? '') ? 'did not answer in time' : `could not be run: ${firstLine(reason)}`
  if (status !== 0) return `ended with status ${status}${said ? `: ${said}` : ''}`
  if (stdout.trim() !== '' && !stdout.includes('<domain')) return `printed what is no domain: ${stdout.trim().slice(0, 60)}`
  return undefined
}

const firstLine = (text = ''): string => text.split('\n').at(-1) ?? ''
