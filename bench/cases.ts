// What is measured warm, row by row; the inputs are those of ../shared/bench.

import { readFileSync } from 'node:fs'
import { SaxesParser } from 'saxes'
import { type CpuSet, type NodeSet, range, setOf } from '../src/base/idset.ts'
import { parseQuantity } from '../src/base/memory.ts'
import { readDocument } from '../src/document.ts'
import { readDomain } from '../src/domain/view.ts'
import { resourcesOf } from '../src/host/resources.ts'
import type { Host } from '../src/model/host.ts'
import { place, type Surroundings } from '../src/place.ts'
import { plan } from '../src/plan/plan.ts'
import { rebind } from '../src/plan/rebind.ts'
import { type RequestedKeys, requestFrom } from '../src/request/request.ts'
import { writeElement } from '../src/xml/build.ts'
import { hostOf } from '../test/corpora/kubevirt-cases.ts'

/** `limitMs` is that of a machine on which saxes alone takes `SAXES_MS`. */
export interface WarmRow {
  readonly what: string
  readonly limitMs: number
  readonly run: () => unknown
}

/** What reading a 10 KB domain with saxes took where the limits were set. */
export const SAXES_MS = 0.19

/** The same document for all rows: the yardstick. */
export function saxesAlone(): () => unknown {
  const { text, surroundings } = caseOf('10k')
  const fitted = place(readDocument(bare(text)), surroundings, writeElement).text
  return () => new SaxesParser({ xmlns: true, position: true }).write(fitted).close()
}

/** All rows that are measured warm. */
export function warmRows(): readonly WarmRow[] {
  const small = caseOf('10k')
  const large = caseOf('128')
  const first = bare(small.text)
  const fitted = place(readDocument(first), small.surroundings, writeElement).text
  const view = readDomain(readDocument(wideGuest(256)))
  const wide = resourcesOf(wideHost(32, 1024), {})
  const request = requestFrom([{ pin: 'cpu' }])
  const moved = {
    ...small.surroundings,
    flags: { ...small.surroundings.flags, cpuset: elsewhere(small.surroundings) },
  }
  return [
    {
      what: `first fit, ${kilobytes(first)}`,
      limitMs: 1,
      run: () => place(readDocument(first), small.surroundings, writeElement),
    },
    {
      what: `nothing to change, ${kilobytes(fitted)}`,
      limitMs: 0.5,
      run: () => place(readDocument(fitted), small.surroundings, writeElement),
    },
    {
      what: `rebind, ${kilobytes(fitted)}`,
      limitMs: 0.5,
      run: () => place(readDocument(fitted), moved, writeElement, 'if-better'),
    },
    {
      what: 'plan 256 vCPUs, 1024 CPUs, 32 nodes',
      limitMs: 10,
      run: () => plan({ view, resources: wide, request }),
    },
    {
      what: `rebind 128 vCPUs on 8 nodes, ${kilobytes(large.text)}`,
      limitMs: 2,
      run: () => place(readDocument(large.text), large.surroundings, writeElement, 'if-better'),
    },
    { what: 'rebind 32 cells on 64 nodes', limitMs: 50, run: rebindCase(32, 64) },
    { what: 'plan 8 cells on 16 nodes', limitMs: 20, run: planCase(16, 16 * 32, { cells: 8 }) },
    {
      what: 'the same where pages are short',
      limitMs: 20,
      run: planCase(16, 16 * 32, { cells: 8, pagesize: 2048 }),
    },
    { what: 'rebind 8 cells on 16 nodes', limitMs: 20, run: rebindCase(8, 16) },
    { what: 'plan 256 vCPUs, 4096 CPUs, 64 nodes', limitMs: 50, run: planCase(64, 4096, {}) },
  ]
}

/** The case `10k` or `128` of ../shared/bench: its document, its host and the CPUs of its pod. */
export function caseOf(name: string): { readonly text: string; readonly surroundings: Surroundings } {
  const { vmi, topology, cpuset } = JSON.parse(readFileSync(`../shared/bench/case-${name}.json`, 'utf8'))
  const pagesize = parseQuantity(vmi.spec.domain.memory.hugepages.pageSize, 'pageSize').kib
  return {
    text: readFileSync(`../shared/bench/domain-${name}.xml`, 'utf8'),
    surroundings: {
      host: hostOf(topology.numa_cells),
      allowed: {},
      flags: { pagesize, cpuset: setOf<CpuSet>(cpuset) },
    },
  }
}

/** A guest without cells, pins or numatune: what a first fit starts from. */
export function bare(text: string): string {
  return text.replace(/<(cputune|numatune|numa)>[\s\S]*?<\/\1>\s*/g, '')
}

/** Many nodes, two threads per core, distances by ring. */
function wideHost(nodes: number, cpus: number): Host {
  const each = cpus / nodes
  return {
    nodes: range(nodes).map((id) => ({
      id,
      cpus: setOf<CpuSet>(
        range(each / 2).flatMap((core) => [id * (each / 2) + core, cpus / 2 + id * (each / 2) + core]),
      ),
      memoryKiB: 64 << 20,
      pages: [{ pagesizeKiB: 2048, total: 4096, free: 4096 }],
      distances: range(nodes).map((other) =>
        other === id ? 10 : 12 + 2 * Math.min(Math.abs(id - other), nodes - Math.abs(id - other)),
      ),
    })),
    siblings: range(cpus / 2).map((core) => setOf<CpuSet>([core, cpus / 2 + core])),
  }
}

function wideGuest(vcpus: number): string {
  return `<domain type='kvm'><name>wide</name><memory unit='GiB'>64</memory><vcpu>${vcpus}</vcpu></domain>`
}

function planCase(nodes: number, cpus: number, keys: RequestedKeys): () => unknown {
  const view = readDomain(readDocument(wideGuest(256)))
  const resources = resourcesOf(wideHost(nodes, cpus), {})
  const request = requestFrom([{ pin: 'cpu', ...keys }])
  return () => plan({ view, resources, request })
}

function rebindCase(cells: number, nodes: number): () => unknown {
  const host = wideHost(nodes, nodes * 8)
  const list = range(cells).map(
    (id) => `<cell id='${id}' cpus='${id * 4}-${id * 4 + 3}' memory='1048576' unit='KiB'/>`,
  )
  const text =
    `<domain type='kvm'><name>wide</name><memory unit='GiB'>${cells}</memory><vcpu>${cells * 4}</vcpu>` +
    `<cpu><numa>${list.join('')}</numa></cpu></domain>`
  const view = readDomain(readDocument(text))
  const resources = resourcesOf(host, { nodes: setOf<NodeSet>(range(nodes)) })
  const request = requestFrom([{ pin: 'cpu' }])
  return () => rebind({ view, resources, request }, 'if-better')
}

/** Other CPUs of the same host, as many. */
function elsewhere({ host, flags }: Surroundings): CpuSet {
  const taken: readonly number[] = flags?.cpuset ?? []
  const free = host.nodes.flatMap(({ cpus }) => cpus).filter((cpu) => !taken.includes(cpu))
  return setOf<CpuSet>(free.length >= taken.length ? free.slice(0, taken.length) : taken)
}

const kilobytes = (text: string): string => `${(text.length / 1024).toFixed(1)} KB`
