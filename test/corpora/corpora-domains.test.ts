// Domains that no one here wrote (../shared/corpora/domains): fitted with every byte outside the edits kept,
// or refused in words.

import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { readDocument } from '../../src/document.ts'
import type { Placed } from '../../src/place.ts'
import type { RequestedKeys } from '../../src/request/request.ts'
import type { XmlElement } from '../../src/xml/parse.ts'
import { readXml, type XmlData } from '../../src/xml/read.ts'
import { worded } from '../core/worded.ts'
import { type Domain, fitTo, outside, readDomains, roomyHost, textOf } from './corpus.ts'

const PINS = ['vcpupin', 'emulatorpin', 'iothreadpin']

const domains = readDomains()

const fit = (text: string, requested: RequestedKeys = {}): Placed | Refusal =>
  fitTo(roomyHost, text, requested)

/** Why a domain may be refused, and how many are. Anything else is a surprise to look at. */
const REFUSED: Record<string, readonly [count: number, why: string]> = {
  'cell-ids': [1, 'cells 1 and 2: libvirt refuses it too'],
  'cell-not-page-multiple': [1, '768 MiB in 1 GiB pages: QEMU cannot bind them'],
  'device-cell-missing': [1, 'a test of just that: libvirt refuses it too'],
  'devices-hold-all': [1, 'its memory device is all of its memory: libvirt refuses it too'],
  'domain-incomplete': [69, 'pieces of documents without <memory>: libvirt refuses them too'],
  'domain-value': [
    6,
    'pieces with <iothreadpin> for no thread, and fifo with priority 0, which the kernel refuses',
  ],
  'entry-twice': [1, 'two limits of a cache, a test of just that: libvirt refuses it too'],
  'expander-cell-missing': [1, 'a test of just that: libvirt refuses it too'],
  'expander-machine': [2, 'two buses of one guest: libvirt refuses it too'],
  'max-memory-missing': [1, 'a piece of a test of vdsm: libvirt refuses it too'],
  'memory-devices-overlap': [1, 'a test of just that: QEMU refuses it, and libvirt from 9.7 on'],
  'memnodes-with-auto': [1, 'a test of just that: libvirt refuses it too'],
  'memory-too-small': [1, 'a piece for OpenVZ with 0'],
  'monitor-vcpus': [1, 'a test of just that: libvirt refuses it too'],
  'not-domain': [11, '<domstatus> and <domainsnapshot>'],
  'not-qemu': [270, 'Xen, LXC, bhyve, VMware and others, and pieces without a type'],
  'resctrl-needs-kvm': [6, "domains of type qemu: libvirt's driver for QEMU refuses them"],
  'resctrl-overlap': [1, 'a test of just that: libvirt refuses it too'],
  'sched-without-thread': [7, 'pieces of Nova without <vcpu>, and a test of just that'],
  'set-empty': [1, 'nodeset="0,^0", a test of just that: libvirt refuses it too'],
  'set-malformed': [1, 'a cpuset "aaa"'],
  'size-malformed': [1, 'a <page> without size'],
  'topology-mismatch': [1, 'virt-manager makes more vCPUs of it: libvirt refuses it too'],
  'value-unknown': [1, 'memAccess="invalid", a test of just that: libvirt refuses it too'],
  'vcpu-state': [3, "vCPU 0 is offline: libvirt's driver for QEMU refuses it"],
  'vcpus-not-cores': [1, 'a test of just that: libvirt refuses it too'],
  'xml-malformed': [48, 'several documents in one file, which INDEX.json says too'],
}

/** libvirt's test driver defines them; its driver for QEMU, or QEMU, does not take them. */
const NEVER_START = [
  'genericxml2xmlindata-cachetune-extra-tunes',
  'genericxml2xmlindata-memorytune',
  'genericxml2xmlindata-vcpus-individual',
  'genericxml2xmloutdata-cachetune-extra-tunes',
  'qemuxmlconfdata-cpu-hotplug-granularity',
  'qemuxmlconfdata-cputune',
  'qemuxmlconfdata-cputune.x86_64-latest',
  'qemuxmlconfdata-hugepages-numa-nodeset-part.x86_64-latest',
  'qemuxmlconfdata-pci-expander-bus-bad-machine',
  'qemuxmlconfdata-pci-expander-bus-bad-node',
].map((name) => `libvirt-${name}`)

t.test('every domain is fitted, or refused for a reason that is known', (t) => {
  const counts = new Map<string, number>()
  for (const domain of domains) {
    const fitted = fit(textOf(domain))
    const codes = fitted instanceof Refusal ? fitted.diagnostics.map(({ code }) => code) : ['fitted']
    for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1)
    if (
      fitted instanceof Refusal &&
      fitted.diagnostics.map(worded).some(({ what, why }) => what.length < 10 || (why ?? what).length < 10)
    )
      t.fail(`${domain.id}: no words`)
    if (codes.includes('xml-malformed') === domain.well_formed)
      t.fail(`${domain.id}: well-formed is ${domain.well_formed}`)
    if (fitted instanceof Refusal && isForLibvirt(domain))
      t.fail(`${domain.id}: libvirt takes it, and we refuse it: ${codes}`)
  }
  const { fitted, ...refused } = Object.fromEntries([...counts].sort())
  t.same(refused, Object.fromEntries(Object.entries(REFUSED).map(([code, [count]]) => [code, count])))
  t.ok((fitted ?? 0) > 1300, `${fitted} of ${domains.length} are fitted`)
  t.end()
})

/** A domain for QEMU that libvirt 9 has defined. */
function isForLibvirt({ id, domain_type, virsh9_test_define }: Domain): boolean {
  return (
    !NEVER_START.includes(id) &&
    ['qemu', 'kvm', 'hvf'].includes(domain_type ?? '') &&
    virsh9_test_define === 'ok'
  )
}

t.test('a fitted domain needs no further edit, and its cells can be rebuilt', (t) => {
  let rebuilt = 0
  for (const domain of domains) {
    const text = textOf(domain)
    const first = fit(text)
    if (first instanceof Refusal) continue
    const again = fit(first.text)
    if (again instanceof Refusal || again.edits.length > 0) t.fail(`${domain.id}: a second run edits`)
    if (first.view.cells.length === 0) continue
    const replaced = fit(text, { existing: 'replace' })
    if (replaced instanceof Refusal) {
      const known = [
        'cells-hold-more',
        'cells-uneven',
        'device-cell-missing',
        'memory-not-page-multiple',
        'pagesizes-mixed',
        'memory-too-small',
      ]
      for (const { code, what } of replaced.diagnostics.map(worded))
        if (!known.includes(code)) t.fail(`${domain.id}: ${code}: ${what}`)
      continue
    }
    rebuilt += 1
    if (outside(text, replaced) !== replaced.text) t.fail(`${domain.id}: the bytes outside of the edits`)
    const second = fit(replaced.text, { existing: 'replace' })
    if (second instanceof Refusal || second.edits.length > 0)
      t.fail(`${domain.id}: a second run with existing=replace edits`)
  }
  t.ok(rebuilt > 50, `${rebuilt} guests with cells got new ones`)
  t.end()
})

t.test('every byte outside of the edits stays, and every element that is not ours', (t) => {
  const requested: RequestedKeys[] = [
    {},
    { pagesize: 2048, emulator: 'shared' },
    { cells: 1, pin: 'cell', distances: 'none' },
  ]
  let fitted = 0
  for (const [index, domain] of domains.entries()) {
    const text = textOf(domain)
    const placed = fit(text, { ...requested[index % requested.length], existing: 'replace' })
    if (placed instanceof Refusal) continue
    fitted += 1
    if (outside(text, placed) !== placed.text) t.fail(`${domain.id}: the bytes outside of the edits`)
    const after = plain(readXml(placed.text))
    if (!isDeepStrictEqual(untouched(after), untouched(plain(readXml(text)))))
      t.fail(`${domain.id}: an element that is not ours`)
    if (!isDeepStrictEqual(after, fromElement(readDocument(placed.text).root)))
      t.fail(`${domain.id}: two readers see two documents`)
  }
  t.ok(fitted > 1200, `${fitted} fits of ${domains.length} domains`)
  t.end()
})

/** An element without spans or layout. */
interface Plain {
  readonly name: string
  readonly attributes: readonly (readonly [name: string, value: string])[]
  readonly children: readonly Plain[]
}

function sorted(pairs: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return [...pairs].sort(([a], [b]) => (a < b ? -1 : 1))
}

function plain({ name, attributes, children }: XmlData): Plain {
  return {
    name,
    attributes: sorted([...attributes].map(([key, value]) => [key, value.trim()])),
    children: children.map(plain),
  }
}

function fromElement({ name, attributes, children }: XmlElement): Plain {
  const pairs = attributes.map((each): [string, string] => [each.name, each.value.trim()])
  return { name, attributes: sorted(pairs), children: children.map(fromElement) }
}

/**
 * The domain less what a fit is allowed to change; a parent that it makes, or leaves empty, is none of the
 * original's.
 */
function untouched(root: Plain): Plain {
  const without = (element: Plain, gone: readonly string[]): Plain[] => {
    const children = element.children.filter(({ name }) => !gone.includes(name))
    return children.length + element.attributes.length === 0 ? [] : [{ ...element, children }]
  }
  const children = root.children.flatMap((each): Plain[] => {
    if (each.name === 'numatune') return []
    if (each.name === 'cpu') return without(each, ['numa'])
    if (each.name === 'cputune') return without(each, PINS)
    if (each.name === 'memoryBacking') return without(each, ['hugepages'])
    if (each.name === 'vcpu')
      return [
        { ...each, attributes: each.attributes.filter(([name]) => !['cpuset', 'placement'].includes(name)) },
      ]
    return [each]
  })
  return { ...root, children }
}
