// All domains of ../shared/corpora on hosts of 1, 2, 4 and 8 nodes that are just large enough: fitted, built
// anew and rebound. Each is answered by a document that libvirt takes, or refused with a code; there is no
// third outcome.

import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { preflight } from '../../src/check.ts'
import { classOf } from '../../src/codes/codes.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import type { DomainView } from '../../src/model/domain.ts'
import type { Host } from '../../src/model/host.ts'
import type { Placed } from '../../src/place.ts'
import type { Move } from '../../src/plan/rebind.ts'
import type { RequestedKeys } from '../../src/request/request.ts'
import { worded } from '../core/worded.ts'
import { type Domain, fitTo, invalidBySchema, outside, readDomains, textOf, tightHost } from './corpus.ts'

const HOSTS = [1, 2, 4, 8]
const RUNS: Record<string, { readonly requested: RequestedKeys; readonly move?: Move }> = {
  transform: { requested: {} },
  'existing=replace': { requested: { existing: 'replace', mode: 'preferred' } },
  rebind: { requested: {}, move: 'if-better' },
}

interface Fitted {
  readonly name: string
  readonly domain: Domain
  readonly answer: string
}

const domains = readDomains().map((domain) => ({ domain, text: textOf(domain) }))
const nameOf = ({ id }: Domain, run: string, nodes: number): string => `${id} ${run} on ${nodes}`

/** What a domain asks for, or enough of it for a host where the domain itself is refused. */
function sizeOf(text: string): Pick<DomainView, 'vcpus' | 'topology'> {
  try {
    return readDomain(readDocument(text))
  } catch (error) {
    if (error instanceof Refusal) return { vcpus: 1 }
    throw error
  }
}

const sizes = new Map(domains.map(({ domain, text }) => [domain.id, sizeOf(text)]))
const hostFor = ({ id }: Domain, nodes: number) => tightHost(nodes, sizes.get(id) as DomainView)

const fits: Fitted[] = []
const refused = new Map<string, Set<string>>()

/** What does not hold of the answer to a document on a host, in words. */
function wrongIn(text: string, host: Host, run: string, placed: Placed): string[] {
  const { requested, move } = RUNS[run] as (typeof RUNS)[string]
  const again = fitTo(host, placed.text, requested, move)
  const rebound = move !== undefined ? again : fitTo(host, placed.text, {}, 'if-better')
  return [
    ...(outside(text, placed) === placed.text ? [] : ['the bytes outside of the edits']),
    ...(again instanceof Refusal || again.edits.length > 0 ? ['a second run edits'] : []),
    ...(rebound instanceof Refusal || rebound.edits.length > 0 ? ['rebind edits what was just fitted'] : []),
    ...invalidIn(placed),
  ]
}

function invalidIn({ text, resources }: Placed): string[] {
  const found = preflight(readDomain(readDocument(text)), resources)
  return found
    .filter(({ code }) => classOf(code) === 'invalid')
    .map(worded)
    .map(({ code, what }) => `${code}: ${what}`)
}

t.test(
  'each is fitted with all other bytes kept, for good, and with nothing invalid; or it is ' +
    'refused with a code and words',
  (t) => {
    for (const run of Object.keys(RUNS)) {
      for (const nodes of HOSTS) {
        let fitted = 0
        for (const { domain, text } of domains) {
          const name = nameOf(domain, run, nodes)
          const { requested, move } = RUNS[run] as (typeof RUNS)[string]
          const placed = fitTo(hostFor(domain, nodes), text, requested, move)
          if (placed instanceof Refusal) {
            if (placed.diagnostics.length === 0) t.fail(`${name}: no reason`)
            for (const { code, what, why } of placed.diagnostics.map(worded)) {
              if (classOf(code) !== 'invalid' || what.length < 10 || (why ?? what).length < 10)
                t.fail(`${name}: ${code}: ${what}`)
              refused.set(code, (refused.get(code) ?? new Set()).add(domain.id))
            }
            continue
          }
          fitted += 1
          for (const wrong of wrongIn(text, hostFor(domain, nodes), run, placed)) t.fail(`${name}: ${wrong}`)
          fits.push({ name, domain, answer: placed.text })
        }
        t.ok(
          fitted > 1350,
          `${run}, nodes ${nodes}: ${fitted} of ${domains.length} domains fitted, ` +
            `${domains.length - fitted} refused`,
        )
      }
    }
    t.end()
  },
)

/** Why a domain is refused on some of these hosts, and how many are. */
const REFUSED: Record<string, readonly [count: number, why: string]> = {
  'cell-ids': [1, 'cells 1 and 2: libvirt refuses it too'],
  'cell-not-page-multiple': [1, '768 MiB in 1 GiB pages: QEMU cannot bind them'],
  'cells-hold-more': [1, 'caches and interconnects, which new cells would lose'],
  'cells-uneven': [6, 'memAccess of single cells, which new cells would lose'],
  'device-cell-missing': [2, 'a memory device for a cell that is not there: libvirt refuses it too'],
  'devices-hold-all': [1, 'its memory device is all of its memory: libvirt refuses it too'],
  'domain-incomplete': [69, 'pieces of documents without <memory>: libvirt refuses them too'],
  'domain-value': [
    4,
    'pieces with <iothreadpin> for no thread, and fifo with priority 0, which the kernel refuses',
  ],
  'entry-twice': [1, 'two limits of a cache, a test of just that: libvirt refuses it too'],
  'expander-cell-missing': [2, 'tests of just that: libvirt refuses them too'],
  'expander-machine': [1, 'a test of just that: libvirt refuses it too'],
  'max-memory-missing': [1, 'a piece of a test of vdsm: libvirt refuses it too'],
  'max-memory-without-cells': [3, 'rebinding makes no cells: libvirt refuses the guests as they are'],
  'memnodes-with-auto': [1, 'a test of just that: libvirt refuses it too'],
  'memory-devices-overlap': [1, 'a test of just that: QEMU refuses it, and libvirt from 9.7 on'],
  'memory-not-page-multiple': [3, 'tests of guests smaller than their pages'],
  'memory-too-small': [7, '214 MiB on ppc64, where a cell has 256; or a piece for OpenVZ with 0'],
  'monitor-vcpus': [1, 'a test of just that: libvirt refuses it too'],
  'node-missing': [9, 'memory devices on nodes 1 to 3, where the host has one or two: QEMU refuses it too'],
  'not-domain': [11, '<domstatus> and <domainsnapshot>'],
  'not-qemu': [270, 'Xen, LXC, bhyve, VMware and others, and pieces without a type'],
  'pagesizes-mixed': [1, 'two page sizes, of which new cells can have one'],
  'resctrl-needs-kvm': [6, "domains of type qemu: libvirt's driver for QEMU refuses them"],
  'resctrl-overlap': [1, 'a test of just that: libvirt refuses it too'],
  'sched-without-thread': [5, 'pieces of Nova without <vcpu>, and a test of just that'],
  'set-empty': [1, 'nodeset="0,^0", a test of just that: libvirt refuses it too'],
  'set-malformed': [1, 'a cpuset "aaa"'],
  'size-malformed': [1, 'a <page> without size'],
  'topology-mismatch': [1, 'virt-manager makes more vCPUs of it: libvirt refuses it too'],
  'value-unknown': [1, 'memAccess="invalid", a test of just that: libvirt refuses it too'],
  'vcpu-state': [1, "vCPU 0 is offline: libvirt's driver for QEMU refuses it"],
  'vcpus-not-cores': [1, 'a test of just that: libvirt refuses it too'],
  'xml-malformed': [48, 'several documents in one file, which INDEX.json says too'],
}

t.test('the reasons are known', (t) => {
  t.same(
    Object.fromEntries([...refused].map(([code, ids]) => [code, ids.size]).sort()),
    Object.fromEntries(Object.entries(REFUSED).map(([code, [count]]) => [code, count])),
  )
  t.end()
})

/** Guest ABI, and what goes with it. */
function seen(text: string): string {
  const { cells, hugepages, memoryKiB, vcpus, online, topology, memoryDevices } = readDomain(
    readDocument(text),
  )
  const matrix = cells.map((cell) => ({ ...cell, distances: [...cell.distances] }))
  const devices = memoryDevices.map(({ model, sizeKiB, cell }) => [model, sizeKiB, cell])
  return JSON.stringify([matrix, hugepages, memoryKiB, vcpus, online, topology, devices])
}

t.test('a guest that moves from four nodes to one, two and eight keeps what it sees', (t) => {
  let moved = 0
  let away = 0
  for (const { domain, answer } of fits.filter(({ name }) => name.endsWith(' transform on 4'))) {
    for (const nodes of [1, 2, 8]) {
      const there = fitTo(hostFor(domain, nodes), answer, {}, 'if-better')
      const name = nameOf(domain, 'moved', nodes)
      if (there instanceof Refusal) {
        const named = readDomain(readDocument(answer)).memoryDevices.flatMap((device) => device.nodes ?? [])
        const isAway =
          there.diagnostics.every(({ code }) => code === 'node-missing') && Math.max(-1, ...named) >= nodes
        t.ok(isAway, `${name}: ${there.message}`)
        away += 1
        continue
      }
      if (seen(there.text) !== seen(answer)) t.fail(`${name}: the guest sees something else`)
      for (const wrong of invalidIn(there)) t.fail(`${name}: ${wrong}`)
      moved += 1
    }
  }
  t.ok(moved > 4000, `${moved} moves, and ${away} refused since a memory device names a node that is missing`)
  t.end()
})

t.test("libvirt's schema takes every answer whose question it took", (t) => {
  const judged = invalidBySchema(new Map(domains.map(({ domain, text }) => [domain.id, text])))
  const asked = fits.filter(({ domain }) => !judged.has(domain.id))
  t.same([...invalidBySchema(new Map(asked.map(({ name, answer }) => [name, answer])))], [])
  const broken = (asked[0] as Fitted).answer.replace(/<vcpu/, '<vcpux').replace(/<\/vcpu>/, '</vcpux>')
  t.equal(invalidBySchema(new Map([['broken', broken]])).size, 1, 'and it does refuse what it does not know')
  t.ok(asked.length > 10_000, `${asked.length} answers`)
  t.end()
})
