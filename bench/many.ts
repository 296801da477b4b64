// Many hosts or many guests in one command.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { range } from '../src/base/idset.ts'
import { hostOfShape } from '../src/host/capture/shape.ts'
import { formatSnapshot } from '../src/host/capture/snapshot-text.ts'
import type { Host } from '../src/model/host.ts'

const COUNT = 1000
const SEED = 'golden/2n4c2t-seed'
const SHAPES = ['2n16c2t,128G,1G:32,2M:1024', '4n24c1t,192G,1G:16', '8n16c2t,96G,2M:512', '1n8c2t,32G']

/** The rows, with their limits. */
export function manyRows(): string {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-bench-'))
  try {
    return `\n${COUNT} hosts or guests in one command\n${fleetRow(folder)}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function fleetRow(folder: string): string {
  const hosts = join(folder, 'hosts')
  mkdirSync(hosts)
  for (const index of range(COUNT))
    writeFileSync(join(hosts, `host${index}.json`), formatSnapshot(hostAt(index)))
  const { seconds, text } = timed(['fleet', `${SEED}/domain.xml`, hosts])
  return row(`fleet, ${/: (starts on \d+ of \d+)/.exec(text)?.[1] ?? 'failed'}`, seconds, 10)
}

/** Hosts of different shapes, with other amounts of free pages. */
function hostAt(index: number): Host {
  const host = hostOfShape(SHAPES[index % SHAPES.length] as string)
  return {
    ...host,
    nodes: host.nodes.map((node) => ({
      ...node,
      pages: node.pages.map((pages) => ({ ...pages, free: Math.floor((pages.total * (index % 97)) / 96) })),
    })),
  }
}

/** The median of three runs. */
function timed(words: readonly string[]): { readonly seconds: number; readonly text: string } {
  const runs = range(3).map(() => {
    const start = process.hrtime.bigint()
    const { stdout } = spawnSync(process.execPath, ['dist/virt-numa.cjs', ...words], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    return { seconds: Number(process.hrtime.bigint() - start) / 1e9, text: stdout }
  })
  return runs.sort((a, b) => a.seconds - b.seconds)[1] as (typeof runs)[number]
}

const row = (what: string, seconds: number, limit: number): string =>
  `${what.padEnd(44)} ${seconds.toFixed(2).padStart(7)} s   limit ${limit}${seconds > limit ? ' over' : ''}\n`
