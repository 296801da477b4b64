// A disk, a kernel and a job to what the job reported: the four-node host, run in QEMU without KVM until it
// powers itself off.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Report } from './report.ts'

/**
 * Each has two CPUs and 1 GiB: node 1 has CPUs 2 and 3. Nodes 0 and 1 are near to each other, 2 and 3 too.
 */
const NODES = 4
const CPUS = 2
const DISTANCES: readonly (readonly [from: number, to: number, distance: number])[] = [
  [0, 1, 12],
  [0, 2, 20],
  [0, 3, 22],
  [1, 2, 22],
  [1, 3, 20],
  [2, 3, 12],
]

/** What a machine left behind. */
export interface Booted {
  readonly reports: readonly Report[]
  /** What the kernel, libvirt and the job's scripts said, for whoever reads a failure. */
  readonly console: string
}

/** What a machine is booted from, and who receives its reports. */
export interface Machine {
  readonly scratch: string
  readonly kernel: string
  readonly initramfs: string
  readonly disk: string
  /** Then its power is taken. */
  readonly limitS: number
  readonly hear: (report: Report) => void
}

/** Boots the four-node machine and waits until it has powered off. */
export async function boot({ scratch, kernel, initramfs, disk, limitS, hear }: Machine): Promise<Booted> {
  const said = join(scratch, 'console.log')
  const nodes = Array.from({ length: NODES }, (_, id) => [
    ...['-object', `memory-backend-ram,id=ram${id},size=1G`],
    ...['-numa', `node,nodeid=${id},cpus=${CPUS * id}-${CPUS * id + CPUS - 1},memdev=ram${id}`],
  ])
  const words = [
    // One thread for all its CPUs: with one for each, some machines lock up for seconds or for good.
    ...['-accel', 'tcg,thread=single,tb-size=1024', '-M', 'q35', '-cpu', 'max,la57=off', '-m', `${NODES}G`],
    ...['-smp', `${CPUS * NODES},sockets=${NODES},cores=${CPUS},threads=1`],
    ...nodes.flat(),
    ...DISTANCES.flatMap(([from, to, distance]) => ['-numa', `dist,src=${from},dst=${to},val=${distance}`]),
    ...['-nodefaults', '-display', 'none', '-no-reboot', '-serial', `file:${said}`, '-serial', 'stdio'],
    ...['-drive', `file=${disk},format=raw,if=virtio,snapshot=on`],
    ...['-kernel', kernel, '-initrd', initramfs],
    ...[
      '-append',
      'console=ttyS0 panic=-1 quiet mitigations=off nokaslr tsc=reliable no_timer_check random.trust_cpu=on',
    ],
  ]
  const machine = spawn('qemu-system-x86_64', words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitS * 1000,
    killSignal: 'SIGKILL',
  })
  // A test that is ended from outside takes it along.
  const kill = (): void => void machine.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise<string>((resolve) => {
    machine.once('error', ({ message }) => resolve(message))
    machine.once('close', (code, signal) =>
      resolve(signal === null ? `QEMU ended with ${code}` : `after ${limitS} s: ${signal}`),
    )
  })
  let complaints = ''
  machine.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const reports: Report[] = []
  try {
    for await (const line of createInterface({ input: machine.stdout })) {
      const report = readReport(line)
      if (report === undefined) continue
      reports.push(report)
      hear(report)
    }
  } catch (error) {
    machine.kill('SIGKILL')
    throw error
  }
  const how = await ended
  process.off('exit', kill)
  return { reports, console: `${readFileSync(said, 'utf8')}\n${complaints}${how}\n` }
}

/** The line may have noise on it before the job has made it raw. */
function readReport(line: string): Report | undefined {
  const start = line.indexOf('{"is":')
  return start < 0 ? undefined : (JSON.parse(line.slice(start)) as Report)
}
