// libvirt's own test documents that its driver for QEMU refuses (with an .err file beside them): each whose
// reason lies in the elements that we read is reported.

import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { preflight } from '../../src/check.ts'
import { type Code, classOf } from '../../src/codes/codes.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import { resourcesOf } from '../../src/host/resources.ts'
import { runApart } from '../apart.ts'
import { roomyHost } from './corpus.ts'

/** From LIBVIRT_TESTS, or downloaded. */
const FOLDER = process.env.LIBVIRT_TESTS || download()

function download(): string {
  const { stdout, stderr, status } = runApart('.ci/libvirt-tests', [])
  if (status !== 0) throw new Error(`no test documents of libvirt: ${stderr}`)
  return stdout.trim()
}

/** What libvirt says, and what we call it. Each has a document. */
const REASONS: readonly (readonly [says: RegExp, code: Code])[] = [
  [/vCPU hotplug granularity/, 'vcpus-not-cores'],
  [/does not refer to a valid cell within NUMA/, 'distance-without-cell'],
  [/Exactly one 'cell' element per guest NUMA cell/, 'cell-ids'],
  [/Failed to parse bitmap/, 'set-malformed'],
  [/Cannot find 'iothread'/, 'sched-without-thread'],
  [/'vcpusched' attributes 'vcpus' must not overlap/, 'entry-twice'],
  [/two master hugepages detected/, 'entry-twice'],
  [/Unable to find any usable hugetlbfs mount/, 'pool-missing'],
  [/'memAccess' in element 'cell'/, 'value-unknown'],
  [/hugepages: node \d+ not found/, 'page-without-cell'],
  [/the guest has only '1' NUMA nodes configured/, 'device-cell-missing'],
  [/At least one numa node has to be configured/, 'max-memory-without-cells'],
  [/Memory size must be specified via <memory>/, 'domain-incomplete'],
  [/nodeset for NUMA memory tuning must be set/, 'part-missing'],
  [/required in memnode element when mode is 'restrictive'/, 'restrictive-mixed'],
  [/required in memory element when mode is 'restrictive'/, 'restrictive-memnode'],
  [/'memnode' is invalid without any guest NUMA cells/, 'memnode-without-cell'],
  [/NUMA node \d+ is unavailable/, 'node-missing'],
  [/Per-node binding is not compatible with automatic NUMA/, 'memnodes-with-auto'],
  [/Invalid value of 'nodeset'/, 'set-empty'],
  [/configured for a NUMA node \(1\) not present/, 'expander-cell-missing'],
  [/overlaps with other memory device/, 'memory-devices-overlap'],
  [/index=0 can't be associated with a NUMA node/, 'controller-in-cell'],
  [/pcie-expander-bus controllers are not supported/, 'expander-machine'],
]

/** Words of reasons that lie in the elements that we read. */
const OURS = new RegExp(
  'numa|vcpu|memory|memAccess|memnode|hugepage|hugetlbfs|nodeset|bitmap|iothread|topology|slots|' +
    'expander-bus controllers',
  'i',
)

/** Documents that these words find, and why we do not report them. */
const OTHERS: Readonly<Record<string, string>> = {
  'controller-virtio-serial-iothread': 'an attribute of a controller',
  'memory-align-fail': '8 EiB: what a host lacks of it is reported',
  'net-vhostuser-passt-no-shmem': 'an interface',
  'shmem-invalid-address': 'a shmem device',
}

function codesOf(text: string): readonly Code[] {
  try {
    const view = readDomain(readDocument(text))
    return preflight(view, resourcesOf(roomyHost, {})).map(({ code }) => code as Code)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return error.diagnostics.map(({ code }) => code as Code)
  }
}

t.test('what libvirt refuses, check reports', (t) => {
  const seen = new Set<RegExp>()
  const named = new Set<string>()
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.err'))
  t.ok(files.length > 150, `${files.length} documents that libvirt refuses`)
  for (const file of files) {
    const name = file.slice(0, file.indexOf('.'))
    const says = readFileSync(`${FOLDER}/${file}`, 'utf8').trim()
    if (!OURS.test(says)) continue
    if (name in OTHERS) {
      named.add(name)
      continue
    }
    const reason = REASONS.find(([words]) => words.test(says))
    const codes = codesOf(readFileSync(`${FOLDER}/${name}.xml`, 'utf8'))
    if (reason !== undefined) seen.add(reason[0])
    t.ok(reason !== undefined && codes.includes(reason[1]), `${name}: ${says}: ${codes}`)
    const isNote = reason !== undefined && classOf(reason[1]) === 'note'
    t.ok(isNote || codes.some((code) => classOf(code) !== 'note'), `${name} is a finding`)
  }
  for (const [words] of REASONS) t.ok(seen.has(words), `a document is refused for ${words}`)
  t.same([...named].sort(), Object.keys(OTHERS).sort(), 'no exception without a document')
  t.end()
})
