// Every code, every key and value, every operation of the hook and every known trap must have a case.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { type Code, classes } from '../../src/codes/codes.ts'
import { operations } from '../../src/hook-setup/operations.ts'
import { keyNames, keys } from '../../src/request/keys.ts'
import { readCases } from '../core/golden-case.ts'
import { sampled } from '../long.ts'
import { differences, statusesOf } from './examples.ts'
import { outputOf } from './show-code.ts'
import { lines } from './shown.ts'
import { calls } from './shown-by-call.ts'

const cases = readCases()

/** The expected texts that golden.test.ts and verify.test.ts compare with the program's answers. */
const texts = [
  ...cases.flatMap(({ folder }) => [`${folder}/explain.txt`, `${folder}/refusal.txt`]),
  ...readdirSync('test/guests').map((name) => `test/guests/${name}/text.txt`),
]
  .filter((path) => existsSync(path))
  .map((path) => readFileSync(path, 'utf8'))
  .join('')

const codes = Object.keys(classes) as Code[]
const isExpected = (code: Code): boolean => texts.includes(`[${code}]`)

t.test('every code is shown by a golden case, a captured guest, or a separate input', async (t) => {
  for (const code of codes) {
    const ways = [isExpected(code), code in lines, code in calls].filter((each) => each)
    t.equal(ways.length, 1, `${code} is shown, and in one way only`)
  }
  const open = [...sampled(Object.entries(lines), 8)]
  const worker = async (): Promise<void> => {
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      const [code, line] = next
      const { status, text } = await outputOf(line)
      t.match(text, `[${code}]`, `${code}: ${line}`)
      t.same(differences(code, line, text), [], `${code}: the example that virt-numa explain has`)
      t.ok(statusesOf(code).includes(status), `${code}: explain does not state the exit status ${status}`)
    }
  }
  await Promise.all([worker(), worker()])
  for (const [code, [why, find]] of Object.entries(calls))
    t.ok(
      find().some((found) => found.code === code),
      `${code}, by a call: ${why}`,
    )
})

/** Stated in request.json of the folder, or in the metadata of its domain. */
function says(key: string, value: string | undefined): boolean {
  return cases.some((each) => {
    const inDomain = new RegExp(`numa:guestMappingPassthrough[^>]* ${key}='([^']*)'`).exec(each.domain)?.[1]
    const said = each.keys[key] ?? inDomain
    return value === undefined
      ? said !== undefined && !keys[key as keyof typeof keys].words.includes(said)
      : said === value
  })
}

t.test('every key and value has a golden case', (t) => {
  for (const key of keyNames) {
    const { words, open, unstated } = keys[key]
    const [standard, ...others] = unstated === undefined ? words : ['', ...words]
    for (const word of others)
      t.ok(says(key, word), `a golden case says ${key}=${word} (default ${standard})`)
    if (open !== undefined) t.ok(says(key, undefined), `a golden case says ${key}=${open.metavar}`)
  }
  t.end()
})

t.test('every operation of the hook is answered', (t) => {
  const runs = new Set(cases.map(({ run }) => run))
  for (const operation of operations)
    t.ok(runs.has(`hook ${operation}`), `a golden case answers ${operation}`)
  const unknown = [...runs].filter(
    (run) => run.startsWith('hook ') && !operations.includes(run.slice('hook '.length)),
  )
  t.ok(unknown.length > 0, `a golden case has an operation that libvirt does not have: ${unknown}`)
  t.end()
})

/** Traps in how libvirt, QEMU and the kernel read a domain and a host, each with its golden cases. */
const traps: Readonly<Record<string, readonly string[]>> = {
  'any status but 0 at reconnect and started kills the guest': [
    '2n4c2t-hook-reconnect',
    '2n4c2t-hook-started',
  ],
  'a guest that has not asked costs nothing and hears nothing': ['2n4c2t-hook-not-asked'],
  'what cannot be read never keeps a guest from starting': ['2n4c2t-hook-prepare-garbled'],
  'cells cover vCPUs that are offline at boot, which would float when unpinned': ['2n4c2t-hotplug'],
  'a stale <vcpu cpuset> confines what is not pinned': ['2n4c2t-placement-auto', '2n4c2t-rebind-mends'],
  'placement=auto asks for numad': ['2n4c2t-placement-auto', '2n4c2t-rebind-auto'],
  'a socket that spans cells loses its cache domains': ['2n4c2t-seed', '2n4c2t-sockets'],
  '<page nodeset> counts cells, <memnode nodeset> nodes': ['2n4c2t-kubevirt', '2n4c2t-rebind-four-nodes'],
  'memory devices are part of <memory>': ['2n4c2t-dimm', '1n8c1t-dimm-lost'],
  'a nodemask is stronger than the memnode': ['3n4c1t-rebind-devices', '2n4c2t-device-away'],
  'huge pages defeat ballooning': ['2n4c2t-check-notes'],
  'libvirt rounds cells up to 1 MiB, on ppc64 to 256 MiB': ['2n4c2t-odd-rest', '2n4c8t-ppc64'],
  'a strict <memory> confines the emulator too': ['2n4c2t-seed', '2n4c2t-check-narrow'],
  'preferred overflows only within the nodes of the guest': ['2n4c2t-preferred', '2n4c2t-rebind-preferred'],
  'restrictive goes for all or none, and not with pages': [
    '2n4c2t-restrictive',
    '2n4c2t-restrictive-pages',
    '2n4c2t-rebind-inherits',
  ],
  'surplus pages let a guest start': ['2n4c2t-check-surplus', '2n4c2t-by-free-pages-surplus'],
  'reserved pages are free and not to be had': ['2n4c2t-promised'],
  "the cgroup's hugetlb limit caps the pages": ['2n4c2t-cgroup-pages'],
  'hugetlbfs must be mounted': ['2n4c2t-not-mounted'],
  'a bare <hugepages/> is the default size': ['2n4c2t-pagesize-default', '2n4c2t-pagesize-unknown'],
  'QEMU allocates huge pages from the emulator on their node': [
    '2n4c2t-emulator-reach',
    '2n4c2t-check-devices',
  ],
  'the schema takes what libvirt or QEMU refuse': [
    '2n4c2t-check-itself',
    '2n4c2t-check-ids',
    '2n4c2t-check-overlap',
    '2n4c2t-keep-no-multiple',
  ],
  'an expander bus names a cell': ['2n4c2t-expander-missing', '2n4c2t-check-itself'],
  'libvirt completes a partial matrix': ['4n2c1t-distances-partial'],
  'node ids have gaps, nodes have no CPUs or no memory': [
    '4n2c1t-gaps',
    '3n2c1t-rebind-gaps',
    '2n0c1t-no-cpus',
  ],
  'CPUs are offline': ['2n4c2t-cpuset-offline'],
  'libvirt drops a second element of our namespace': ['2n4c2t-metadata-twice'],
  'a migration keeps page sizes and cells': ['2n4c2t-hook-migrate-four-nodes', '2n4c2t-keep-asked'],
  's390x has no cells': ['2n4c1t-s390x', '2n4c1t-s390x-replace'],
}

t.test('every trap has its case', (t) => {
  for (const [trap, names] of Object.entries(traps))
    for (const name of names) t.ok(existsSync(`golden/${name}/request.json`), `${trap}: ${name}`)
  t.end()
})

t.test('every claim of SECURITY.md names an existing test', (t) => {
  const rows = readFileSync('SECURITY.md', 'utf8')
    .split('\n')
    .filter((line) => line.includes('| test/'))
  t.ok(rows.length > 30, `${rows.length} claims`)
  for (const row of rows) {
    const [, file = '', name = ''] = /\| (test\/[\w./-]+): (.+) \|$/.exec(row) ?? []
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    t.ok(
      [`'${name}'`, `"${name}"`, `\`${name}\``].some((quoted) => text.includes(quoted)),
      `${file}: ${name}`,
    )
  }
  t.end()
})
