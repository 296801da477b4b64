// The whole command beside an empty node, in turn, so that noise falls on all alike.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CpuSet, type NodeSet, setOf } from '../src/base/idset.ts'
import { formatSnapshot } from '../src/host/capture/snapshot-text.ts'
import { bare, caseOf } from './cases.ts'
import { inTurn, table } from './whole.ts'

/** Node and the bundle may take this much of an empty node's time; of 40 first fits the least took 2.0. */
const MOST_RATIO = 2.2

/** The table of whole commands, as text. */
export function commandRows(): string {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-bench-'))
  try {
    const { text, surroundings } = caseOf('10k')
    const [host, first, fitted] = ['host.json', 'bare.xml', 'fitted.xml'].map((name) =>
      join(folder, name),
    ) as [string, string, string]
    const nodes = setOf<NodeSet>(surroundings.host.nodes.map(({ id }) => id))
    writeFileSync(
      host,
      formatSnapshot(surroundings.host, { cpus: surroundings.flags?.cpuset as CpuSet, nodes }),
    )
    writeFileSync(first, bare(text))
    const transform = (file: string): string[] => [
      process.execPath,
      'dist/virt-numa.cjs',
      'transform',
      file,
      '--host',
      host,
    ]
    const [node = '', ...words] = transform(first)
    writeFileSync(fitted, execFileSync(node, words, { stdio: ['ignore', 'pipe', 'ignore'] }))
    const rows = inTurn([
      { what: 'node -e 0', words: [process.execPath, '-e', '0'] },
      { what: 'transform, nothing to change', words: transform(fitted) },
      { what: 'transform, first fit', words: transform(first) },
    ])
    return table(`whole command, median of 21; ratios to node -e 0, limit ${MOST_RATIO}`, rows, MOST_RATIO)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
