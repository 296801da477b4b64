// How our work grows: the largest guests and hosts that we answer, each input at half its size and at its
// full one. Milliseconds of the processor, not of the clock, and the exponent: 1 is linear, 2 quadratic.
// Every row starts cold, as a command does.

import { execFileSync } from 'node:child_process'
import { Refusal } from '../src/base/diagnostic.ts'
import { preflight } from '../src/check.ts'
import { readDocument } from '../src/document.ts'
import { readDomain } from '../src/domain/view.ts'
import { placementFacts } from '../src/explain/facts.ts'
import { drawPlan } from '../src/explain/svg.ts'
import { explain } from '../src/explain/text.ts'
import { place, requestFor, type Surroundings } from '../src/place.ts'
import type { Move } from '../src/plan/rebind.ts'
import { writeElement } from '../src/xml/build.ts'
import { type GuestShape, guestOf, type HostShape, hostOf, oddOnes } from './growth-inputs.ts'

/** What one case may take at its full size. */
const MOST_MS = 1000

interface Case {
  readonly what: string
  readonly full: number
  readonly run: (size: number) => () => unknown
}

const all = (
  guest: GuestShape,
  host: HostShape,
  flags: Surroundings['flags'],
  move?: Move,
): (() => unknown) => {
  const [text, surroundings] = [guestOf(guest), { host: hostOf(host), allowed: {}, ...(flags && { flags }) }]
  return () => {
    const placed = place(readDocument(text), surroundings, writeElement, move)
    return [explain(placed), JSON.stringify(placementFacts(placed)), drawPlan(placed)]
  }
}

const check = (guest: GuestShape, host: HostShape): (() => unknown) => {
  const [text, surroundings] = [guestOf(guest), { host: hostOf(host), allowed: {} }]
  return () => {
    const view = readDomain(readDocument(text))
    return preflight(view, requestFor(view, surroundings, 'check').resources)
  }
}

const CASES: readonly Case[] = [
  ...(['pack', 'in-order', 'spread'] as const).flatMap((cpus) =>
    (['cpu', 'cell'] as const).map((pin) => ({
      what: `plan, cpus=${cpus} pin=${pin}, vCPUs on 16 nodes`,
      full: 4096,
      run: (vcpus: number) => all({ vcpus }, { nodes: 16, cpus: 2 * vcpus }, { cpus, pin }),
    })),
  ),
  {
    what: 'plan, half of all nodes',
    full: 256,
    run: (nodes) => all({ vcpus: 2 * nodes, memoryGiB: 256 }, { nodes, cpus: 4 * nodes }, { pin: 'cpu' }),
  },
  {
    what: 'plan, cores of which some threads are available',
    full: 4096,
    run: (vcpus) => all({ vcpus }, { nodes: 1, cpus: 2 * vcpus, partialCores: true }, { pin: 'cpu' }),
  },
  {
    what: 'plan, cpus=as-pinned, vCPUs',
    full: 4096,
    run: (vcpus) => all({ vcpus, pin: `own` }, { nodes: 128, cpus: 8192 }, { cpus: 'as-pinned' }),
  },
  {
    what: 'plan, pins for every other vCPU',
    full: 4096,
    run: (vcpus) => all({ vcpus, pin: 'every other' }, { nodes: 8, cpus: 8192 }, { pin: 'cpu' }),
  },
  {
    what: 'plan, I/O threads',
    full: 16_000,
    run: (iothreads) => all({ vcpus: 64, iothreads }, { nodes: 8, cpus: 8192 }, { pin: 'cpu' }),
  },
  {
    what: 'rebind, no cells, pin=cell, vCPUs',
    full: 4096,
    run: (vcpus) => all({ vcpus }, { nodes: 16, cpus: 2 * vcpus }, { pin: 'cell' }, 'if-better'),
  },
  ...[64, 256].map((nodes) => ({
    what: `rebind, cells with distances on ${nodes} nodes`,
    full: 128,
    run: (cells: number) =>
      all({ vcpus: 4 * cells, cells, distances: true }, { nodes, cpus: 4096 }, { pin: 'cpu' }, 'if-better'),
  })),
  {
    what: 'rebind, no cells on nodes of one CPU',
    full: 256,
    run: (nodes) => all({ vcpus: nodes }, { nodes, cpus: nodes, threads: 1 }, { pin: 'cpu' }, 'if-better'),
  },
  {
    what: 'rebind, cells over two nodes of one CPU',
    full: 256,
    run: (nodes) =>
      all(
        { vcpus: nodes, cells: nodes / 2, distances: true },
        { nodes, cpus: nodes, threads: 1 },
        { pin: 'cpu' },
        'if-better',
      ),
  },
  {
    what: 'rebind, as many cells as nodes, short of pages',
    full: 8,
    run: (nodes) =>
      all(
        { vcpus: 4 * nodes, cells: nodes, distances: true, hugepages: true },
        { nodes, cpus: 8 * nodes, freePages: (node) => 60 * node },
        { pin: 'cpu' },
        'if-better',
      ),
  },
  {
    what: 'rebind, pins in a chain',
    full: 4096,
    run: (vcpus) =>
      all(
        { vcpus, pin: 'chain', memoryNodes: '0' },
        { nodes: 1, cpus: vcpus, threads: 1 },
        { pin: 'cpu' },
        'if-better',
      ),
  },
  {
    what: 'check, pins of 1,024 ids each',
    full: 2048,
    run: (vcpus) =>
      check(
        { vcpus, cells: 8, pin: (vcpu) => oddOnes(vcpu % 2, 1024), bound: true, hugepages: true },
        { nodes: 8, cpus: 8192 },
      ),
  },
  {
    what: 'check, 128 cells and wide pins on 256 nodes',
    full: 1024,
    run: (vcpus) =>
      check(
        { vcpus, cells: 128, pin: (vcpu) => oddOnes(vcpu % 2, 2048), bound: true },
        { nodes: 256, cpus: 8192 },
      ),
  },
]

/** The table of all cases at half and at full size, as text. */
export function growthRows(): string {
  const lines = CASES.map(({ what, full }, index) => {
    const [half, whole] = [msOf(index, full / 2), msOf(index, full)]
    const exponent = Math.log2(whole / half)
    const over = whole > MOST_MS ? ' over' : ''
    const times = [half.toFixed(0), whole.toFixed(0)].map((ms) => ms.padStart(7))
    const row = [what.padEnd(50), String(full).padStart(6), ...times, exponent.toFixed(1).padStart(8)]
    return `${row.join(' ')}${over}\n`
  })
  const head = `${''.padEnd(50)}   size ms, half    full exponent`
  return `\ngrowth, cold; at most ${MOST_MS} ms\n${head}\n${lines.join('')}`
}

/** In a separate process, since what V8 has seen before makes a row faster. */
function msOf(index: number, size: number): number {
  return Number(
    execFileSync(process.execPath, [__filename, 'growth', String(index), String(size)], { encoding: 'utf8' }),
  )
}

/** @returns the processor's milliseconds for one run */
export function growthOnce(index: number, size: number): number {
  const run = CASES[index]?.run(size)
  if (run === undefined) throw new Error(`there is no case ${index}`)
  const start = process.cpuUsage()
  try {
    run()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}
