// The domains of ../shared/corpora, hosts for them, and libvirt's own schema as a judge of what we write.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Refusal } from '../../src/base/diagnostic.ts'
import { type CpuSet, range, setOf, union } from '../../src/base/idset.ts'
import { decodeUtf8 } from '../../src/base/utf8.ts'
import { readDocument } from '../../src/document.ts'
import type { DomainView } from '../../src/model/domain.ts'
import type { Host } from '../../src/model/host.ts'
import { type Placed, place } from '../../src/place.ts'
import type { Move } from '../../src/plan/rebind.ts'
import type { RequestedKeys } from '../../src/request/request.ts'
import { writeElement } from '../../src/xml/build.ts'
import { runApart } from '../apart.ts'

/** The folder of the corpora, which is not in this repository. */
export const CORPORA = `${process.cwd()}/../shared/corpora`

/** A domain of the corpus, as INDEX.json lists it. */
export interface Domain {
  readonly kind: string
  readonly id: string
  readonly path: string
  readonly well_formed: boolean
  readonly domain_type: string | null
  readonly virsh9_test_define?: string
}

/** All 1,802, by id. */
export function readDomains(): Domain[] {
  const index = JSON.parse(readFileSync(`${CORPORA}/INDEX.json`, 'utf8')) as { items: Domain[] }
  return index.items.filter(({ kind }) => kind === 'domain').sort((a, b) => (a.id < b.id ? -1 : 1))
}

/**
 * The document of a domain.
 * @throws Error when it is not UTF-8
 */
export function textOf({ path }: Domain): string {
  const text = decodeUtf8(readFileSync(`${CORPORA}/${path}`))
  if (typeof text !== 'string') throw new Error(`${path} is not UTF-8`)
  return text
}

// ---- Hosts ----

const GiB = 1024 * 1024
const pages = [64, 2048, 16 * 1024, GiB].map((pagesizeKiB) => ({ pagesizeKiB, total: 1_000_000 }))
const distances = (count: number, id: number): number[] =>
  range(count).map((other) => (other === id ? 10 : 20 + Math.abs(other - id)))

/** Four nodes with more CPUs, memory and pages than any of the domains asks for. */
export const roomyHost: Host = {
  nodes: range(4).map((id) => ({
    id,
    cpus: setOf<CpuSet>(range(64).flatMap((core) => [id * 64 + core, 256 + id * 64 + core])),
    memoryKiB: 4096 * GiB,
    pages,
    distances: distances(4, id),
  })),
  siblings: range(256).map((core) => setOf<CpuSet>([core, 256 + core])),
  defaultPagesizeKiB: 2048,
}

/**
 * This many nodes, each with just enough cores for the guest to fit if it takes them all: it must spread
 * over every node.
 */
export function tightHost(count: number, { vcpus, topology }: Pick<DomainView, 'vcpus' | 'topology'>): Host {
  const threads = topology?.threads ?? 1
  const cores = Math.max(1, Math.ceil(vcpus / threads / count))
  return {
    nodes: range(count).map((id) => ({
      id,
      cpus: setOf<CpuSet>(range(cores * threads).map((cpu) => id * cores * threads + cpu)),
      memoryKiB: 8192 * GiB,
      pages,
      distances: distances(count, id),
    })),
    siblings:
      threads === 1
        ? []
        : range(count * cores).map((core) =>
            setOf<CpuSet>(range(threads).map((thread) => core * threads + thread)),
          ),
    defaultPagesizeKiB: 2048,
  }
}

/** The guest is given every CPU of the host as its own. */
export function fitTo(
  host: Host,
  text: string,
  requested: RequestedKeys = {},
  move?: Move,
): Placed | Refusal {
  const cpuset = union<CpuSet>(...host.nodes.map(({ cpus }) => cpus))
  try {
    return place(
      readDocument(text),
      { host, allowed: {}, flags: { cpuset, ...requested } },
      writeElement,
      move,
    )
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** The answer put together here: the original's own characters between the edits, in their order. */
export function outside(text: string, { edits }: Placed): string {
  let at = 0
  const parts: string[] = []
  for (const { start, end, text: put } of edits) {
    if (start < at || end < start || end > text.length) throw new Error(`edits overlap at ${start}`)
    parts.push(text.slice(at, start), put)
    at = end
  }
  return parts.join('') + text.slice(at)
}

// ---- The schema ----

/** Of the installed libvirt, or of the one that LIBVIRT_SCHEMAS names. */
const SCHEMA = `${process.env.LIBVIRT_SCHEMAS || '/usr/share/libvirt/schemas'}/domain.rng`
const BATCH = 1000

/**
 * Which of the documents libvirt's schema does not take, by name.
 * @throws Error when there is no xmllint or no schema: a judge that is away acquits nobody
 */
export function invalidBySchema(documents: ReadonlyMap<string, string>): Set<string> {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-schema-'))
  try {
    const names = [...documents.keys()]
    names.forEach((name, index) => {
      writeFileSync(join(folder, `${index}.xml`), documents.get(name) as string)
    })
    const failed = new Set<string>()
    for (let from = 0; from < names.length; from += BATCH) {
      const batch = range(Math.min(BATCH, names.length - from)).map((index) => `${from + index}.xml`)
      const { stderr, error } = runApart('xmllint', ['--noout', '--relaxng', SCHEMA, ...batch], {
        cwd: folder,
        maxBuffer: 1 << 28,
      })
      const seen = [...(stderr ?? '').matchAll(/^(\d+)\.xml (validates|fails to validate)$/gm)]
      const broken = [...(stderr ?? '').matchAll(/^(\d+)\.xml:\d+: parser error/gm)].map((match) =>
        Number(match[1]),
      )
      if (
        error !== undefined ||
        new Set([...seen.map((match) => Number(match[1])), ...broken]).size !== batch.length
      ) {
        throw new Error(
          `no verdict on ${SCHEMA}: apt-get install libxml2-utils libvirt0\n${(stderr ?? '').slice(0, 500)}`,
        )
      }
      for (const match of seen) if (match[2] !== 'validates') failed.add(names[Number(match[1])] as string)
      for (const index of broken) failed.add(names[index] as string)
    }
    return failed
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
