// The host room against machines that no one here captured: ../shared/corpora and ../shared/conformance.

import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { type CpuSet, formatSet, setOf, union } from '../../src/base/idset.ts'
import { groupBy } from '../../src/base/lists.ts'
import { parseMask, parseSet } from '../../src/base/parse-set.ts'
import { readCapabilities } from '../../src/host/capabilities.ts'
import { parseSnapshot } from '../../src/host/capture/snapshot.ts'
import { formatSnapshot } from '../../src/host/capture/snapshot-text.ts'
import { filesOfTar } from '../../src/host/capture/tar.ts'
import { readCgroup } from '../../src/host/cgroup/cgroup.ts'
import type { Files } from '../../src/host/files.ts'
import { readHost } from '../../src/host/sysfs.ts'
import type { Host } from '../../src/model/host.ts'
import { elementsAt, readXml, type XmlData } from '../../src/xml/read.ts'
import { worded } from '../core/worded.ts'

const SHARED = `${process.cwd()}/../shared`
const CORPORA = `${SHARED}/corpora`

interface Capture {
  readonly kind: string
  readonly id: string
  readonly path: string
  readonly nodes: number
  readonly node_ids: string
  readonly cpus_online: number
  readonly cpu_online: string | null
  readonly threads_per_core: Record<string, number>
  readonly node_cpus: Record<string, string | null>
  readonly node_memory_kib: Record<string, number | null>
  readonly node_hugepages: Record<string, Record<string, string>>
  readonly distance: Record<string, string | null>
  readonly memory_only_nodes: readonly number[]
  readonly oracle: readonly string[]
}

const read = (path: string): string => readFileSync(`${CORPORA}/${path}`, 'utf8')
const index = JSON.parse(read('INDEX.json')) as { items: Capture[] }
const captures = index.items.filter(({ kind }) => kind === 'sysfs')
const filesOf = new Map(
  captures.map(({ id, path }) => [id, filesOfTar(gunzipSync(readFileSync(`${CORPORA}/${path}`)))]),
)
const hostOf = new Map([...filesOf].map(([id, files]) => [id, readHost(files)]))
const host = (id: string): Host => hostOf.get(id) as Host
const online = (each: Host): CpuSet => union(...each.nodes.map(({ cpus }) => cpus))

/** Facts in which a witness and we differ, each with its reason: `capture witness fact`. */
const NO_LISTS =
  'libvirt reads thread_siblings_list only, and this kernel has masks: it takes each CPU for a ' +
  'core of its own'
const NO_ONLINE_FILE =
  'without cpu/online the witness takes every CPU of the node mask for online; four have 0 in ' +
  'their own online file'
const CGROUP = 'hwloc leaves out what the cgroup of the capture does not allow'
const NO_SLIT = 'the kernel writes 0 for want of a matrix: unknown'
const NO_PACKAGE = 'the kernel writes -1, or nothing, for the package: the witness makes one up'
const EMPTY_MAPS =
  'the maps of its caches lack their own CPU; hwloc takes each cache for one of that CPU alone'
const EXCEPTIONS: Record<string, string> = {
  'hwloc-4ia64-4s libvirt sockets': NO_PACKAGE,
  'hwloc-20s390-2g6s4c lscpu sockets': NO_PACKAGE,
  'lscpu-ppc64-POWER7-64cpu lscpu sockets': NO_PACKAGE,
  'lscpu-ppc64-POWER7 lscpu sockets': NO_PACKAGE,
  'lscpu-s390-kvm lscpu sockets': NO_PACKAGE,
  'lscpu-s390-lpar lscpu sockets': NO_PACKAGE,
  'hwloc-20s390-2g6s4c hwloc sockets': NO_PACKAGE,
  'hwloc-256ppc-8n8s4t hwloc sockets': NO_PACKAGE,
  'hwloc-2s390-2c hwloc sockets': NO_PACKAGE,
  'hwloc-4ia64-4s hwloc sockets': NO_PACKAGE,
  'lscpu-ppc64-POWER7-64cpu hwloc sockets': NO_PACKAGE,
  'lscpu-ppc64-POWER7 hwloc sockets': NO_PACKAGE,
  'lscpu-rv64-linux hwloc sockets': NO_PACKAGE,
  'lscpu-s390-kvm hwloc sockets': NO_PACKAGE,
  'lscpu-s390-lpar hwloc sockets': NO_PACKAGE,
  'hwloc-8ia64-2n2s2c hwloc caches': EMPTY_MAPS,
  'hwloc-8ia64-2s2c2t hwloc caches': EMPTY_MAPS,
  'hwloc-8ia64-4s2c hwloc caches': EMPTY_MAPS,
  'hwloc-16amd64-8n2c-cpusets hwloc sockets': CGROUP,
  'hwloc-16em64t-4s2ca2c-cpusetreorder hwloc sockets': CGROUP,
  'hwloc-16em64t-4s2ca2c-cpusetreorder hwloc caches': CGROUP,
  'hwloc-4fake-4gr1nu1pu hwloc sockets': CGROUP,
  'hwloc-16em64t-4s2c2t-offlines libvirt sockets': NO_ONLINE_FILE,
  'hwloc-40intel64-4n10c+pci-conflicts lscpu sockets': 'the mask of CPU 3 contradicts its list, by design',
  'hwloc-40intel64-4n10c+pci-conflicts hwloc sockets': 'the mask of CPU 3 contradicts its list, by design',
  'hwloc-40intel64-4n10c+pci-conflicts hwloc caches': 'the mask of CPU 2 contradicts its list, by design',
  'hwloc-64fake-4n2s2ca2c2t hwloc caches': 'made by hand: each shared_cpu_list is that of the first cache',
  'hwloc-64intel64-fakeKNL-A2A-cache hwloc caches': 'hwloc knows that its memory is a cache; sysfs does not',
  'hwloc-4ia64-4s index node0.distances': NO_SLIT,
  'hwloc-8em64t-4c2t index node0.distances': NO_SLIT,
  'hwloc-8ia64-2s2c2t index node0.distances': NO_SLIT,
  'hwloc-8ia64-4s2c index node0.distances': NO_SLIT,
  'libvirt-hostcpu-test1 index cpus': 'its nodes do not state their CPUs in any way: so no node has any',
  'hwloc-16em64t-4s2c2t-offlines libvirt cores': NO_LISTS,
  'hwloc-16em64t-4s2c2t libvirt cores': NO_LISTS,
  'hwloc-64fake-4n2s2ca2c2t libvirt cores': NO_LISTS,
  'hwloc-64intel64-fakeKNL-A2A-cache libvirt cores': NO_LISTS,
  'hwloc-64intel64-fakeKNL-SNC4-hybrid libvirt cores': NO_LISTS,
  'hwloc-16em64t-4s2c2t-offlines libvirt node0.cpus': NO_ONLINE_FILE,
  'hwloc-16em64t-4s2c2t-offlines numactl node0.cpus': NO_ONLINE_FILE,
  'hwloc-16amd64-8n2c-cpusets hwloc node3.cpus': CGROUP,
  'hwloc-16amd64-8n2c-cpusets hwloc node4.cpus': CGROUP,
  'hwloc-16em64t-4s2ca2c-cpusetreorder hwloc node0.cpus': CGROUP,
  'hwloc-4fake-4gr1nu1pu hwloc node2.cpus': CGROUP,
  'cadvisor-graviton2 hwloc node0.cpus':
    'CPU 2 is online and has no topology folder; hwloc passes over such a CPU',
}

/**
 * What differs between our facts and a witness's, as lines that name the fact; a fact that they state and we
 * do not is a difference.
 */
function differences(
  id: string,
  witness: string,
  ours: Record<string, unknown>,
  theirs: Record<string, unknown>,
): string[] {
  return Object.keys(theirs)
    .filter((fact) => theirs[fact] !== undefined)
    .filter((fact) => JSON.stringify(ours[fact]) !== JSON.stringify(theirs[fact]))
    .filter((fact) => {
      const name = `${id} ${witness} ${fact}`
      used.add(name)
      return !(name in EXCEPTIONS)
    })
    .map(
      (fact) =>
        `${id} ${witness} ${fact}: ours ${JSON.stringify(ours[fact])}, ` +
        `theirs ${JSON.stringify(theirs[fact])}`,
    )
}
const used = new Set<string>()

/** One flat fact per line, so that a difference names itself. */
function factsOf({ nodes, siblings, ...shared }: Host): Record<string, unknown> {
  const facts: Record<string, unknown> = {
    nodes: nodes.map(({ id }) => id),
    cores: siblings.map(formatSet),
    caches: shared.caches?.map(({ cpus }) => formatSet(cpus)),
    cacheIds: shared.caches?.map(({ id }) => id),
    sockets: shared.sockets?.map(formatSet),
    dies: shared.dies?.map(formatSet),
    clusters: shared.clusters?.map(formatSet),
  }
  for (const node of nodes) {
    facts[`node${node.id}.cpus`] = formatSet(node.cpus)
    facts[`node${node.id}.memoryKiB`] = node.memoryKiB
    facts[`node${node.id}.memoryMiB`] =
      node.memoryKiB === undefined ? undefined : Math.floor(node.memoryKiB / 1024)
    facts[`node${node.id}.freeMiB`] = node.freeKiB === undefined ? undefined : Math.floor(node.freeKiB / 1024)
    facts[`node${node.id}.distances`] = node.distances
    facts[`node${node.id}.sizes`] = node.pages.map(({ pagesizeKiB }) => pagesizeKiB)
    for (const { pagesizeKiB, total, free } of node.pages) {
      facts[`node${node.id}.pages${pagesizeKiB}`] = total
      facts[`node${node.id}.free${pagesizeKiB}`] = free
    }
  }
  return facts
}

t.equal(captures.length, 81, 'all captures are there')

t.test('the captures as their index states them', (t) => {
  for (const capture of captures) {
    const each = host(capture.id)
    const theirs: Record<string, unknown> = {
      nodes: capture.nodes === 0 ? [0] : [...parseSet(capture.node_ids, 'index')],
    }
    const ours = factsOf(each)
    for (const [node, cpus] of Object.entries(capture.node_cpus)) {
      // The index repeats the file, offline CPUs included.
      const isOnline = new Set(
        capture.cpu_online === null ? online(each) : parseSet<CpuSet>(capture.cpu_online, 'index'),
      )
      if (cpus !== null)
        theirs[`node${node}.cpus`] = formatSet(
          parseSet<CpuSet>(cpus, 'index').filter((cpu) => isOnline.has(cpu)),
        )
      theirs[`node${node}.memoryKiB`] = capture.node_memory_kib[node] ?? undefined
      const row = capture.distance[node]?.trim().split(/\s+/).map(Number)
      theirs[`node${node}.distances`] = row
      for (const [size, counts] of Object.entries(capture.node_hugepages[node] ?? {})) {
        const [total, free] = counts.split('/').map(Number)
        theirs[`node${node}.pages${Number.parseInt(size, 10)}`] = total
        theirs[`node${node}.free${Number.parseInt(size, 10)}`] = free
      }
    }
    t.same(differences(capture.id, 'index', ours, theirs), [])
    const threads: Record<string, number> = {}
    for (const core of each.siblings) threads[core.length] = (threads[core.length] ?? 0) + core.length
    const shared = Object.fromEntries(
      Object.entries(capture.threads_per_core).filter(([size]) => size !== '1'),
    )
    t.same(
      differences(
        capture.id,
        'index',
        { threads, cpus: online(each).length },
        { threads: shared, cpus: capture.cpus_online },
      ),
      [],
    )
    // The one capture whose nodes state no CPUs in any way.
    if (capture.id === 'libvirt-hostcpu-test1') continue
    t.same(
      each.nodes
        .filter(({ cpus }) => cpus.length === 0)
        .map(({ id }) => id)
        .filter((id) => !capture.memory_only_nodes.includes(id)),
      [],
      capture.id,
    )
  }
  t.end()
})

t.test('libvirt of the captures', (t) => {
  for (const { id, oracle } of captures) {
    for (const path of oracle.filter((each) => each.endsWith('.capabilities.xml'))) {
      const theirs = factsOf(readCapabilities(read(path), path))
      t.same(differences(id, 'libvirt', factsOf(host(id)), theirs), [])
    }
  }
  t.end()
})

t.test('numactl of the captures', (t) => {
  // If a capture has no node folder, numactl reported the machine that it ran on.
  for (const { id, oracle } of captures.filter(({ nodes }) => nodes > 0)) {
    for (const path of oracle.filter((each) => each.endsWith('.numactl.txt'))) {
      t.same(differences(id, 'numactl', factsOf(host(id)), numactlFacts(read(path))), [])
    }
  }
  t.end()
})

function numactlFacts(text: string): Record<string, unknown> {
  const facts: Record<string, unknown> = {}
  const nodes = /^available: .*\((.*)\)/m.exec(text)?.[1]
  if (nodes === undefined) return facts
  facts.nodes = [...parseSet(nodes, 'numactl')]
  for (const [, node, cpus] of text.matchAll(/^node (\d+) cpus:(.*)$/gm)) {
    facts[`node${node}.cpus`] = formatSet(
      setOf((cpus as string).trim().split(/\s+/).filter(Boolean).map(Number)),
    )
  }
  for (const [, node, size] of text.matchAll(/^node (\d+) size: (\d+) MB$/gm))
    facts[`node${node}.memoryMiB`] = Number(size)
  for (const [, node, free] of text.matchAll(/^node (\d+) free: (\d+) MB$/gm))
    facts[`node${node}.freeMiB`] = Number(free)
  for (const [, node, row] of text.matchAll(/^ *(\d+): +([\d ]+)$/gm))
    facts[`node${node}.distances`] = (row as string).trim().split(/ +/).map(Number)
  return facts
}

t.test('lscpu of the captures', (t) => {
  for (const { id, oracle } of captures) {
    for (const path of oracle.filter((each) => each.endsWith('.lscpu.json'))) {
      t.same(differences(id, 'lscpu', factsOf(host(id)), lscpuFacts(read(path))), [])
    }
  }
  t.end()
})

function lscpuFacts(text: string): Record<string, unknown> {
  const parsed = JSON.parse(text.replace(/: -(,|\s)/g, ': null$1')) as {
    cpus: {
      cpu: number
      node?: number | null
      core?: number | null
      socket?: number | null
      online?: boolean
    }[]
  }
  const facts: Record<string, unknown> = {}
  const cpus = parsed.cpus.filter((each) => each.online !== false)
  const nodes = new Map<number, number[]>()
  const cores = new Map<number, number[]>()
  for (const { cpu, node, core } of cpus) {
    if (typeof node === 'number') nodes.set(node, [...(nodes.get(node) ?? []), cpu])
    if (typeof core === 'number') cores.set(core, [...(cores.get(core) ?? []), cpu])
  }
  for (const [node, members] of nodes) facts[`node${node}.cpus`] = formatSet(setOf(members))
  const sockets = [...groupBy(cpus, ({ socket }) => socket)].filter(([socket]) => typeof socket === 'number')
  if (sockets.length > 0)
    facts.sockets = sockets.map(([, members]) => formatSet(setOf(members.map(({ cpu }) => cpu))))
  if (cores.size > 0)
    facts.cores = [...cores.values()].filter((core) => core.length > 1).map((core) => formatSet(setOf(core)))
  return facts
}

t.test('hwloc of the captures', (t) => {
  for (const { id, oracle, memory_only_nodes } of captures) {
    for (const path of oracle.filter((each) => each.endsWith('.lstopo.xml'))) {
      const theirs = lstopoFacts(read(path))
      // hwloc gives a node without CPUs those that are near to it.
      for (const node of memory_only_nodes) delete theirs[`node${node}.cpus`]
      t.same(differences(id, 'hwloc', factsOf(host(id)), theirs), [])
    }
  }
  t.end()
})

/** hwloc writes masks as 0x0000f06f,0x00000001, the highest word first; missing words are 0. */
function maskOf(text: string): CpuSet {
  return parseMask(
    text
      .split(',')
      .map((word) => word.replace('0x', '') || '0')
      .join(','),
    'hwloc',
  )
}

function lstopoFacts(text: string): Record<string, unknown> {
  const facts: Record<string, unknown> = {}
  const objects: XmlData[] = []
  const walk = (each: XmlData): void => {
    if (each.name === 'object') objects.push(each)
    each.children.forEach(walk)
  }
  walk(readXml(text.replace(/<!DOCTYPE[^>]*>/, '')))
  const of = (type: string): XmlData[] => objects.filter(({ attributes }) => attributes.get('type') === type)
  const machine = of('Machine')[0]
  for (const each of of('NUMANode')) {
    const node = Number(each.attributes.get('os_index'))
    facts[`node${node}.cpus`] = formatSet(maskOf(each.attributes.get('cpuset') ?? ''))
    const bytes = each.attributes.get('local_memory')
    if (bytes !== undefined) facts[`node${node}.memoryKiB`] = Number(bytes) / 1024
    for (const { attributes } of elementsAt(each, 'page_type')) {
      const size = Number(attributes.get('size')) / 1024
      if (size > 64) facts[`node${node}.pages${size}`] = Number(attributes.get('count'))
    }
  }
  const setsOf = (type: string): string[] | undefined => {
    const sets = of(type).map(({ attributes }) => maskOf(attributes.get('cpuset') ?? ''))
    return sets.length === 0
      ? undefined
      : sets.sort((a, b) => (a[0] as number) - (b[0] as number)).map(formatSet)
  }
  facts.caches = setsOf('L3Cache')
  facts.sockets = setsOf('Package')
  facts.dies = setsOf('Die')
  if (of('Core').length > 0) {
    const cores = of('Core')
      .map(({ attributes }) => maskOf(attributes.get('cpuset') ?? ''))
      .filter((core) => core.length > 1)
    facts.cores = cores.sort((a, b) => (a[0] as number) - (b[0] as number)).map(formatSet)
  }
  return machine === undefined ? {} : facts
}

t.test('every capture survives its snapshot, and a scope gives the cores of its CPUs', (t) => {
  for (const { id } of captures) {
    const each = host(id)
    const text = formatSnapshot(each)
    t.same(parseSnapshot(text, id), { host: each }, id)
    t.equal(formatSnapshot(parseSnapshot(text, id).host), text, id)
    const last = online(each).at(-1) ?? 0
    const scope = setOf<CpuSet>([last])
    const core = each.siblings.filter((cpus) => cpus.includes(last))
    t.same(readHost(filesOf.get(id) as Files, scope).siblings, core, id)
    t.ok(
      each.nodes.every(({ pages }) => pages.every(({ free, total }) => free === undefined || free <= total)),
      id,
    )
  }
  t.end()
})

t.test('pools, mounts and default sizes that single captures state', (t) => {
  const flat = host('hwloc-2i386-2t-hugepagesizecount').nodes
  t.same(
    flat.map(({ id, cpus, memoryKiB }) => [id, formatSet(cpus), memoryKiB]),
    [[0, '0-1', 400016779264]],
  )
  t.same(
    flat[0]?.pages.map(({ pagesizeKiB }) => pagesizeKiB),
    [2048, 16777216],
    'a kernel without NUMA has its pools in one place',
  )
  t.equal(host('hwloc-256ppc-8n8s4t').defaultPagesizeKiB, 16384)
  t.equal(host('hwloc-2i386-2c-nohugepage').defaultPagesizeKiB, undefined)
  t.equal(host('hwloc-2i386-2c-nohugepage').pools, undefined)
  const mounted = (id: string) => host(id).pools?.map(({ pagesizeKiB, mounted }) => [pagesizeKiB, mounted])
  t.same(mounted('ghw-linux-s390x-snapshot')?.[0], [1024, true])
  t.ok(
    mounted('hwloc-2pa-pcidomain32bits')?.some(([size, is]) => size === 2048 && is === true),
    'no pagesize option is the default size',
  )
  t.same(mounted('hwlocgit-20em64t-hybrid-1p6c2t+2ca4co1t'), [
    [2048, true],
    [1048576, false],
  ])
  t.end()
})

// ---- Capabilities ----

t.test('each file among the capabilities is read or refused in words', (t) => {
  const names = readdirSync(`${CORPORA}/capabilities`)
  t.equal(names.length, 71)
  const withCells: string[] = []
  for (const name of names) {
    const text = read(`capabilities/${name}`)
    try {
      const each = readCapabilities(text, name)
      t.equal(each.nodes.length, [...text.matchAll(/<cell id=/g)].length, name)
      t.equal(online(each).length > 0, true, name)
      t.same(
        each.nodes.map(({ id, memoryKiB, pages, distances }) => [
          id,
          memoryKiB,
          pages.map(({ pagesizeKiB, total }) => [pagesizeKiB, total]),
          distances,
        ]),
        statedCells(text.replaceAll('"', "'")),
        `${name}: memory, pools and distances`,
      )
      t.same(parseSnapshot(formatSnapshot(each), name), { host: each }, name)
      withCells.push(name)
    } catch (error) {
      t.ok(
        error instanceof Refusal &&
          error.diagnostics.map(worded).every(({ what, fix }) => what !== '' && fix !== undefined),
        name,
      )
      t.notMatch(text, /<cell /, name)
    }
  }
  t.same(
    withCells,
    names.filter((name) => /<cell /.test(read(`capabilities/${name}`))),
    'all that state nodes are read',
  )
  t.end()
})

/**
 * The same read by eye of a pattern. Pages of the host's own size are no pool; a row that lacks a cell is no
 * row.
 */
function statedCells(text: string): unknown[] {
  const cells = [...text.matchAll(/<cell id='(\d+)'>([\s\S]*?)<\/cell>/g)]
    .map(([, id, body]) => ({ id: Number(id), body: body as string }))
    .sort((a, b) => a.id - b.id)
  const numbers = (body: string, pattern: RegExp): number[][] =>
    [...body.matchAll(pattern)].map(([, ...found]) => found.map(Number))
  const own = Math.min(
    ...cells.flatMap(({ body }) => numbers(body, /<pages unit='KiB' size='(\d+)'>/g).flat()),
  )
  return cells.map(({ id, body }) => {
    const row = new Map(numbers(body, /<sibling id='(\d+)' value='(\d+)'/g) as [number, number][])
    const distances = cells.map((other) => row.get(other.id))
    return [
      id,
      numbers(body, /<memory unit='KiB'>(\d+)</g)[0]?.[0],
      numbers(body, /<pages unit='KiB' size='(\d+)'>(\d+)</g).filter(([size]) => size !== own),
      distances.includes(undefined) ? undefined : distances,
    ]
  })
}

interface CapsCase {
  readonly name: string
  readonly input: { readonly capsXML: string }
  readonly expected: { readonly numaCells: readonly KubevirtCell[] }
}
interface KubevirtCell {
  readonly id: number
  readonly memory?: { readonly amount: number; readonly unit: string }
  readonly pages?: readonly { readonly count: number; readonly size: number }[]
  readonly distances?: readonly { readonly id: number; readonly value: number }[]
  readonly cpus: readonly { readonly id: number; readonly siblings?: readonly number[] }[]
}

/** Where KubeVirt reads otherwise, and why we do not follow. */
const KUBEVIRT: Record<string, string> = {
  'caps-siblings-range-adjacent cores': 'KubeVirt passes over ranges',
  'caps-siblings-range-and-comma cores': 'KubeVirt passes over ranges',
  'caps-siblings-smt4-power cores': 'KubeVirt passes over ranges',
  'caps-spaces-in-siblings cores': 'KubeVirt stops at the blank, and so gives CPU 1 the core of CPU 0 alone',
  'caps-offline-cpu-without-topology cpus':
    'a CPU with nothing but an id is offline, and nothing can be placed on it',
}
const RANGES: Record<string, readonly string[]> = {
  'caps-siblings-range-adjacent': ['0-1', '2-3'],
  'caps-siblings-range-and-comma': ['0-1,8-9'],
  'caps-siblings-smt4-power': ['0-3', '4-7', '8-11', '12-15'],
  'caps-spaces-in-siblings': ['0-1'],
}

t.test('the capabilities that KubeVirt reads', (t) => {
  const cases = readFileSync(`${SHARED}/conformance/caps.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as CapsCase)
  t.equal(cases.length, 12)
  const differing: string[] = []
  for (const { name, input, expected } of cases) {
    const ours = readCapabilities(input.capsXML, name)
    const cells = [...expected.numaCells].sort((a, b) => a.id - b.id)
    const compare = (fact: string, mine: unknown, theirs: unknown): void => {
      if (JSON.stringify(mine) !== JSON.stringify(theirs)) differing.push(`${name} ${fact}`)
    }
    t.same(
      ours.nodes.map(({ id }) => id),
      cells.map(({ id }) => id),
      name,
    )
    t.same(
      ours.nodes.map(({ memoryKiB }) => memoryKiB),
      cells.map(({ memory }) => memory?.amount),
      name,
    )
    t.same(
      ours.nodes.map(({ pages }) => pages.map(({ pagesizeKiB, total }) => [pagesizeKiB, total])),
      cells.map(({ pages }) =>
        (pages ?? []).filter(({ size }) => size > 4).map(({ size, count }) => [size, count]),
      ),
      name,
    )
    for (const [at, { distances }] of cells.entries()) {
      const row = distances && cells.map(({ id }) => distances.find((each) => each.id === id)?.value)
      if (row === undefined || row.every((value) => value !== undefined))
        t.same(ours.nodes[at]?.distances, row, name)
    }
    compare(
      'cpus',
      ours.nodes.map(({ cpus }) => [...cpus]),
      cells.map(({ cpus }) => cpus.map(({ id }) => id).sort((a, b) => a - b)),
    )
    const cores = cells
      .flatMap(({ cpus }) => cpus.map(({ siblings }) => formatSet(siblings ?? [])))
      .filter((core) => /\D/.test(core))
    compare('cores', ours.siblings.map(formatSet), [...new Set(cores)])
    if (name in RANGES) t.same(ours.siblings.map(formatSet), RANGES[name], name)
  }
  t.same(differing.sort(), Object.keys(KUBEVIRT).sort())
  t.end()
})

// ---- Cgroups ----

/**
 * A folder of the corpus; only plain files and folders are in there. `seenAs` is where the captured mounts
 * say that it lies.
 */
function folderFiles(root: string, seenAs = ''): Files {
  const place = (path: string): string =>
    `${CORPORA}/cgroups/${root}${seenAs !== '' && path.startsWith(seenAs) ? path.slice(seenAs.length) : path}`
  const attempt = <Value>(look: () => Value): Value | undefined => {
    try {
      return look()
    } catch {
      return undefined
    }
  }
  return {
    read: (path) => attempt(() => readFileSync(place(path))),
    list: (path) => attempt(() => readdirSync(place(path)).sort()),
    readlink: () => undefined,
  }
}

/** Files of a tree, and texts laid over it. */
function withTexts(texts: Record<string, string>, below?: Files): Files {
  const names = (path: string): string[] | undefined => {
    const inside = Object.keys(texts)
      .filter((each) => each.startsWith(`${path}/`))
      .map((each) => each.slice(path.length + 1).split('/')[0] as string)
    const all = [...new Set([...inside, ...(below?.list(path) ?? [])])].sort()
    return all.length === 0 ? undefined : all
  }
  return {
    read: (path) => (path in texts ? Buffer.from(texts[path] as string) : below?.read(path)),
    list: names,
    readlink: () => undefined,
  }
}

const cpus = (text: string): CpuSet => parseSet<CpuSet>(text, 'test')

function codesOf(run: () => unknown): string[] {
  try {
    run()
    return []
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return error.diagnostics.map(({ code }) => code)
  }
}

t.test('cgroup trees that hold their cpusets', (t) => {
  const facts = (files: Files, pid: number | 'self', all: string) => {
    const { allowed, path, cpusetController, confinesCpus } = readCgroup(files, { pid }, cpus(all))
    return [
      allowed.cpus && formatSet(allowed.cpus),
      allowed.nodes && formatSet(allowed.nodes),
      path,
      cpusetController,
      confinesCpus,
    ]
  }
  const amzn2 = '/testdata/amzn2/sys/fs/cgroup/cpuset/kubepods.slice/kubepods-burstable.slice'
  const pod = 'kubepods-burstable-pod7a96c459_d529_44ae_9f99_90d3798d6426.slice'
  const scope = 'cri-containerd-1d3d308a7d48a27814a68bf33a44acf4441c9c02463ca0bc1cdfdc8c0b4a8496.scope'
  const docker = '/testdata/docker/sys/fs/cgroup'
  const b29f = 'b29faf21b7eff959f64b4192c34d5d67a707fe8561e9eaa608cb27693fba4242'
  const elastic = (name: string): Files => folderFiles(`elastic-${name}/${name}`, `/testdata/${name}`)
  t.same(facts(elastic('amzn2'), 493239, '0-15'), ['0-7', '0', `${amzn2}/${pod}/${scope}`, true, true])
  t.same(facts(elastic('docker'), 985, '0-3'), ['0-3', '0', `${docker}/cpuset/docker/${b29f}`, true, false])
  t.same(
    facts(elastic('docker'), 312, '0-3').slice(0, 2),
    [undefined, undefined],
    'on v2 the tree has no cpuset',
  )
  t.same(
    facts(elastic('docker2'), 2233801, '0-3').slice(0, 2),
    [undefined, undefined],
    'a path that begins with /../..',
  )
  t.equal(facts(elastic('docker2'), 2233801, '0-3')[3], false, 'cgroup.controllers has cpu, memory and pids')
  t.same(
    facts(elastic('ubuntu1804'), 3757, '0-3').slice(0, 2),
    [undefined, undefined],
    'cpuset is on v1 and its files are not in the capture',
  )

  const hwloc = (name: string): Files => folderFiles(`hwloc-hwloc-${name}`)
  const v1 = '/sys/fs/cgroup/cpuset'
  t.same(facts(hwloc('128arm-2pa2n8cluster4co'), 'self', '0-127'), ['0-127', '0-3', v1, true, false])
  t.same(
    facts(hwloc('16amd64-8n2c-cpusets'), 'self', '0-3,5-15'),
    ['0-3,5-6,12-15', '1-4', '/dev/cpuset/dummy', true, true],
    'noprefix',
  )
  const torque = '/dev/cpuset/torque/513099.master.cm.cluster'
  t.same(facts(hwloc('40intel64-4n10c+pci-conflicts'), 'self', '0-39'), ['0-39', '0-3', torque, true, false])
  t.same(
    facts(hwloc('5intel64-hybrid-lakefield'), 'self', '0-4'),
    ['0-4', '0', v1, true, false],
    'cpuset on v1 in a hybrid tree',
  )
  t.same(facts(hwloc('fakecpuid1f-64intel64-2p4d2n2c2t'), 'self', '0-63'), ['0-63', '0-15', v1, true, false])
  const session = '/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope'
  t.same(
    facts(hwloc('fakeheteromemtiers'), 'self', '0-5'),
    ['0-5', '0-2,4,6,8-9', session, false, false],
    'the root of v2 has the sets',
  )

  const job = (path: string) => readCgroup(hwloc('40intel64-4n10c+pci-conflicts'), { path }, cpus('0-39'))
  t.equal(formatSet(job('/dev/cpuset/torque/511983.master.cm.cluster').allowed.cpus ?? []), '27')
  t.equal(
    formatSet(job('/torque/511983.master.cm.cluster').allowed.cpus ?? []),
    '27',
    'a path as /proc shows it',
  )
  t.same(
    codesOf(() => job('/torque/none')),
    ['cgroup-missing'],
  )
  t.same(
    codesOf(() => facts(elastic('docker'), 77, '0-3')),
    ['process-missing'],
  )

  const captured = readCgroup(
    filesOf.get('hwloc-16amd64-8n2c-cpusets') as Files,
    { pid: 'self' },
    cpus('0-3,5-15'),
  )
  t.equal(captured.confinesNodes, true, 'four of eight nodes')
  t.equal(
    readCgroup(filesOf.get('hwloc-fakeheteromemtiers') as Files, { pid: 'self' }, cpus('0-5')).confinesNodes,
    false,
  )
  t.end()
})

/**
 * Trees for which libvirt's answer is not stated: what their own mounts and /proc/self/cgroup say together.
 */
const WHERE: Record<string, string> = {
  'libvirt-systemd': '/not/really/sys/fs/cgroup/cpuset',
  'libvirt-systemd-legacy': '/not/really/sys/fs/cgroup/cpuset/libvirt/emulator',
  'libvirt-systemd-unified': '/not/really/sys/fs/cgroup/libvirt/emulator',
}

t.test('the captures of cgroups', (t) => {
  const families = readdirSync(`${CORPORA}/cgroups`).map((name) => name.split('-')[0] as string)
  const counts = Object.fromEntries(
    [...new Set(families)].map((family) => [family, families.filter((each) => each === family).length]),
  )
  t.same(
    counts,
    { automaxprocs: 3, elastic: 4, hwloc: 6, kubevirt: 1, libvirt: 12, moby: 3 },
    '29 captures, each of which is read below or above',
  )
  t.end()
})

t.test("libvirt's own mounts: the cpuset is where libvirt finds it", (t) => {
  const folders = readdirSync(`${CORPORA}/cgroups`).filter((name) => name.startsWith('libvirt-'))
  t.equal(folders.length, 12)
  for (const name of folders) {
    const tree = `cgroups/${name}`
    const inTree = readdirSync(`${CORPORA}/${tree}`)
    const proc = {
      '/proc/self/mounts': read(`${tree}/mounts`),
      '/proc/self/cgroup': read(`${tree}/self.cgroup`),
    }
    const empty = readCgroup(withTexts(proc), { pid: 'self' }, cpus('0-3'))
    t.same(
      [empty.allowed, empty.confinesCpus, empty.confinesNodes],
      [{}, false, false],
      `${name}: no file, no fact`,
    )
    const parsed = inTree.includes('parsed') ? read(`${tree}/parsed`) : ''
    const point = /^cpuset\s+(\/\S*)$/m.exec(parsed)?.[1] ?? WHERE[name]
    if (point === undefined) {
      t.equal(empty.path, undefined, name)
      continue
    }
    const prefix = name === 'libvirt-systemd-unified' ? 'cpuset.cpus.effective' : 'cpuset.cpus'
    const found = readCgroup(
      withTexts({ ...proc, [`${point}/${prefix}`]: '2-3\n' }),
      { pid: 'self' },
      cpus('0-3'),
    )
    t.same(
      [found.path, formatSet(found.allowed.cpus ?? []), found.confinesCpus, found.cpusetController],
      [point, '2-3', true, true],
      name,
    )
  }
  t.end()
})

t.test('trees of mountinfo alone', (t) => {
  const own = (folder: string, mountinfo: string, cgroup: string, texts: Record<string, string>) => {
    const proc = {
      '/proc/self/mountinfo': read(`cgroups/${folder}/${mountinfo}`),
      '/proc/self/cgroup': cgroup,
    }
    const { path, allowed } = readCgroup(withTexts({ ...proc, ...texts }), { pid: 'self' }, cpus('0-7'))
    return [path, allowed.cpus && formatSet(allowed.cpus)]
  }
  const cpuset = '/sys/fs/cgroup/cpuset'
  const uber = (cgroup: string) => read(`cgroups/automaxprocs-v2/${cgroup}`)
  const v2 = {
    '/sys/fs/cgroup/cpuset.cpus.effective': '0-7',
    '/sys/fs/cgroup/Example/cpuset.cpus.effective': '4-5',
  }
  t.same(own('automaxprocs-v2', 'mountinfo-v2', uber('cgroup-root'), v2), ['/sys/fs/cgroup', '0-7'])
  t.same(own('automaxprocs-v2', 'mountinfo-v2', uber('cgroup-subdir'), v2), ['/sys/fs/cgroup/Example', '4-5'])
  t.same(own('automaxprocs-v2', 'mountinfo-v2', uber('cgroup-invalid'), v2), [undefined, undefined])
  t.same(own('automaxprocs-v2', 'mountinfo', uber('cgroup-no-match'), {}), [undefined, undefined])
  t.same(
    own('automaxprocs-v2', 'mountinfo', '6:cpuset:/docker\n', { [`${cpuset}/docker/cpuset.cpus`]: '1' }),
    [`${cpuset}/docker`, '1'],
  )
  const hybrid = { '/sys/fs/cgroup/unified/cpuset.cpus.effective': '1' }
  t.same(own('automaxprocs-v2', 'mountinfo-v1-v2', uber('cgroup-root'), hybrid), [
    '/sys/fs/cgroup/unified',
    '1',
  ])
  t.same(
    own('automaxprocs-untranslatable', 'mountinfo', read('cgroups/automaxprocs-untranslatable/cgroup'), {}),
    [undefined, undefined],
  )
  t.same(
    readCgroup(
      withTexts({ '/proc/self/cgroup': read('cgroups/automaxprocs-invalid-cgroup/cgroup') }),
      { pid: 'self' },
      cpus('0-7'),
    ).allowed,
    {},
  )
  const moby = '/docker/1'
  for (const name of ['L10', 'L69', 'L200']) {
    const file = { [`${cpuset}${moby}/cpuset.cpus`]: '6-7' }
    t.same(
      own(`moby-sys-emb-mountinfo_linux_test-${name}`, 'mountinfo', `4:cpuset:${moby}\n`, file),
      [`${cpuset}${moby}`, '6-7'],
      name,
    )
  }
  // The launcher's mount shows its own cgroup at the mount point, while /proc has the path from the root of
  // the host.
  const launcher = read('cgroups/kubevirt-devicemapper/launcher.mountinfo')
  const root = / (\/\S+) \/sys\/fs\/cgroup\/cpuset /.exec(launcher)?.[1] as string
  const inside = { [`${cpuset}/cpuset.cpus`]: '2-3', [`${cpuset}/vm/cpuset.cpus`]: '3' }
  t.same(own('kubevirt-devicemapper', 'launcher.mountinfo', `9:cpuset:${root}\n`, inside), [cpuset, '2-3'])
  t.same(own('kubevirt-devicemapper', 'launcher.mountinfo', `9:cpuset:${root}/vm\n`, inside), [
    `${cpuset}/vm`,
    '3',
  ])
  t.same(
    own('kubevirt-devicemapper', 'launcher.mountinfo', '9:cpuset:/kubepods.slice/other\n', inside),
    [undefined, undefined],
    'not to be seen',
  )
  const pod = { [`${cpuset}${root}/cpuset.cpus`]: '2-3' }
  t.same(own('kubevirt-devicemapper', 'host.mountinfo', `9:cpuset:${root}\n`, pod), [
    `${cpuset}${root}`,
    '2-3',
  ])
  t.end()
})

t.test('no exception is listed in vain', (t) => {
  t.same(
    Object.keys(EXCEPTIONS).filter((name) => !used.has(name)),
    [],
  )
  t.end()
})
