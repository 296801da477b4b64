// Other programs of this machine: restorecon, systemctl, QEMU. Each is started by name and arguments, never
// through a shell. virsh, which may take long, runs in child-process.ts.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const LC_ALL = 'C'

/**
 * How a program ended. `status` absent: it could not be started, was killed, or took too long; `reason` says
 * which.
 */
export interface Ended {
  readonly status?: number
  readonly stdout: string
  readonly stderr: string
  readonly reason?: string
}

/** How a program is run; all absent: without stdin, for at most 60 seconds. */
interface Running {
  readonly input?: string
  readonly timeoutS?: number
  /**
   * The whole environment, with `/` as the working folder, as a daemon starts programs. It is killed at its
   * time limit.
   */
  readonly bare?: Readonly<Record<string, string>>
}

/** An open file to be its stdin, and the time limit. */
interface Brief {
  readonly file: number
  readonly timeoutS: number
}

/** A domain with many disks has 100 KB; no program that we run prints more than this. */
const MOST_BYTES = 64 * 1024 * 1024

const loaded = (): typeof import('./execa.ts') => require('./execa.cjs') as typeof import('./execa.ts')

/** Runs a program to its end. Never throws for what the program does. Its messages are in English. */
export function runProgram(command: string, words: readonly string[], running: Running = {}): Ended {
  return endedOf(loaded().execaSync(command, [...words], optionsOf(running)))
}

/**
 * For a program that does and prints little: loading the library would take longer than running it. `file` is
 * its stdin.
 */
export function runBriefly(command: string, words: readonly string[], { file, timeoutS }: Brief): Ended {
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    stdio: [file, 'pipe', 'pipe'],
    timeout: timeoutS * 1000,
    env: { ...process.env, LC_ALL },
    encoding: 'utf8',
  })
  return {
    ...(status !== null && { status }),
    stdout: stdout ?? '',
    stderr: stderr ?? '',
    ...(error !== undefined && { reason: error.message }),
  }
}

function optionsOf({ input, timeoutS = 60, bare }: Running) {
  return {
    reject: false,
    stripFinalNewline: false,
    timeout: timeoutS * 1000,
    maxBuffer: MOST_BYTES,
    env: { ...bare, LC_ALL },
    ...(bare !== undefined && { extendEnv: false, cwd: '/', killSignal: 'SIGKILL' as const }),
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  } as const
}

/** What the library reports about a program that ended. */
interface Reported {
  readonly exitCode?: number | undefined
  readonly stdout?: unknown
  readonly stderr?: unknown
  readonly shortMessage?: string | undefined
  readonly failed: boolean
}

function endedOf({ exitCode, stdout, stderr, shortMessage, failed }: Reported): Ended {
  return {
    ...(exitCode !== undefined && { status: exitCode }),
    stdout: String(stdout ?? ''),
    stderr: String(stderr ?? ''),
    ...(failed && exitCode === undefined && shortMessage !== undefined && { reason: shortMessage }),
  }
}

/** The daemon first: the client may be of another version. */
const OF_LIBVIRT = ['/usr/sbin/libvirtd', '/usr/sbin/virtqemud', '/usr/bin/virsh'] as const

/** The version of libvirt, "9.0.0"; undefined where no program prints one. */
export function libvirtVersion(root: string | undefined): string | undefined {
  for (const path of OF_LIBVIRT) {
    // On this host they may be anywhere in the PATH.
    const program = root === undefined ? path.replace(/^.*\//, '') : join(root, path)
    const version = versionIn(runProgram(program, ['--version'], { timeoutS: 20 }).stdout)
    if (version !== undefined) return version
  }
  return undefined
}

/** The version in "libvirtd (libvirt) 9.0.0", "9.0.0", "QEMU emulator version 7.2.22 (Debian ...)". */
export function versionIn(text: string): string | undefined {
  return /\b(\d+\.\d+(?:\.\d+)?)\b/.exec(text)?.[1]
}
