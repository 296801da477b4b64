// A VirtualMachineInstance as request: what it implies, what is reported, what is refused, and the sidecar's
// command.

import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Diagnostic, Refusal } from '../../src/base/diagnostic.ts'
import { setOf } from '../../src/base/idset.ts'
import { parseJson } from '../../src/base/json.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import { parseSnapshot } from '../../src/host/capture/snapshot.ts'
import { parseYaml } from '../../src/machine/yaml.ts'
import { type Placed, place, type Surroundings } from '../../src/place.ts'
import { defaultConfig } from '../../src/request/config.ts'
import { readVmi, type Vmi } from '../../src/request/vmi.ts'
import { asksFor, isMigrationTarget } from '../../src/request/vmi-asks.ts'
import { writeElement } from '../../src/xml/build.ts'
import { parseXml } from '../../src/xml/parse.ts'
import { runApart } from '../apart.ts'
import { long } from '../long.ts'
import { type Worded, worded } from './worded.ts'

const PROGRAM = `${process.cwd()}/dist/virt-numa.cjs`
const EXAMPLE = 'packaging/kubevirt/vmi.yaml'
const SEED = 'golden/2n4c2t-seed'
const { host } = parseSnapshot(readFileSync(`${SEED}/host.json`, 'utf8'), 'host.json')

/** The seed as KubeVirt converts it before placement: one synthetic cell, no pins. */
const DOMAIN = `<domain type="kvm">
  <name>numa_seed</name>
  <memory unit="b">67108864</memory>
  <memoryBacking>
    <hugepages></hugepages>
    <source type="memfd"></source>
  </memoryBacking>
  <vcpu placement="static">4</vcpu>
  <os>
    <type arch="x86_64" machine="q35">hvm</type>
  </os>
  <features>
    <acpi></acpi>
    <vmport state="off"></vmport>
  </features>
  <cpu mode="host-model">
    <topology sockets="1" cores="4" threads="1"></topology>
    <numa>
      <cell id="0" cpus="0-3" memory="65536" unit="KiB"></cell>
    </numa>
  </cpu>
</domain>
`
const IOTHREADS = DOMAIN.replace('</vcpu>', '</vcpu>\n  <iothreads>2</iothreads>')
const PINS = [2, 3, 6, 7].map((cpu, vcpu) => `<vcpupin vcpu="${vcpu}" cpuset="${cpu}"></vcpupin>`)
const PINNED = DOMAIN.replace('</domain>', `<cputune>${PINS.join('')}</cputune></domain>`)

interface Parts {
  readonly cpu?: object
  readonly domain?: object
  readonly spec?: object
  readonly annotations?: Readonly<Record<string, string>>
  readonly status?: object
}

function document({ cpu, domain, spec, annotations, status }: Parts = {}): object {
  const own = { cores: 4, dedicatedCpuPlacement: true, numa: { guestMappingPassthrough: {} }, ...cpu }
  const memory = { guest: '64Mi', hugepages: { pageSize: '2Mi' } }
  return {
    kind: 'VirtualMachineInstance',
    metadata: { name: 'seed', annotations },
    spec: { architecture: 'amd64', ...spec, domain: { cpu: own, memory, ...domain } },
    status,
  }
}

const jsonOf = (value: unknown): ReturnType<typeof parseJson> => parseJson(JSON.stringify(value), 'vmi.json')
const vmiOf = (parts: Parts = {}): Vmi => readVmi(jsonOf(document(parts)), 'vmi.json')
const RELAXED = { numa: undefined }

function placed(
  parts: Parts,
  cpuset: readonly number[],
  text = DOMAIN,
  more: Partial<Surroundings> = {},
): Placed {
  return place(
    readDocument(text),
    { host, allowed: { cpus: setOf(cpuset) }, vmi: vmiOf(parts), ...more },
    writeElement,
  )
}

function refusal(attempt: () => unknown): readonly Worded[] {
  try {
    attempt()
  } catch (error) {
    if (error instanceof Refusal) return error.diagnostics.map(worded)
    throw error
  }
  throw new Error('it was not refused')
}

const codes = (found: readonly Diagnostic[]): string[] => found.map(({ code }) => code)
const messagesOf = (value: unknown): string[] =>
  refusal(() => readVmi(jsonOf(value), 'vmi.json')).map(({ what }) => what)
const pinsOf = (text: string): string => [...readDomain(parseXml(text)).vcpupin.values()].flat().join(' ')

// ---- What it implies ----

t.test('passthrough is KubeVirt’s own answer', (t) => {
  const { text, request, notes } = placed({}, [2, 3, 6, 7])
  t.match(request, {
    like: 'kubevirt',
    existing: 'replace',
    pagesizeKiB: 2048,
    rules: { threads: 'kubevirt' },
    pin: 'cpu',
  })
  t.equal(pinsOf(text), '2 3 6 7')
  t.match(text, '<cell id="1" cpus="2-3" memory="32768" unit="KiB">')
  t.match(text, '<hint-dedicated state="on"/>')
  t.match(text, '<allocation mode="immediate"/>')
  t.notMatch(text, 'pmu')
  t.notMatch(text, 'nosharepages')
  t.same(codes(notes), ['socket-spans-cells'])
  t.end()
})

t.test('dedicated CPUs without passthrough give only pins', (t) => {
  const { text, placement } = placed({ cpu: RELAXED }, [2, 3, 6, 7])
  t.equal(pinsOf(text), '2 3 6 7')
  t.notMatch(text, 'numatune')
  t.match(text, '<cell id="0" cpus="0-3" memory="65536" unit="KiB"></cell>', 'the cell of KubeVirt stays')
  t.match(text, '<hugepages></hugepages>')
  t.match(text, '<hint-dedicated state="on"/>')
  t.same(placement.cells, [])
  t.end()
})

t.test('only pins: a guest core may use the CPUs left on two nodes', (t) => {
  const threads = { cores: 2, threads: 2 }
  const domain = DOMAIN.replace('cores="4" threads="1"', 'cores="2" threads="2"')
  t.equal(pinsOf(placed({ cpu: { ...RELAXED, ...threads } }, [0, 1, 2, 4], domain).text), '0 1 2 4')
  t.same(
    codes(refusal(() => placed({ cpu: threads }, [0, 1, 2, 4], domain))),
    ['cell-crossing'],
    'not with passthrough',
  )
  t.same(codes(refusal(() => placed({ cpu: RELAXED }, [0, 1, 2]))), ['not-enough-threads'])
  const nowhere = { host: { nodes: [], siblings: [] } }
  t.same(codes(refusal(() => placed({ cpu: RELAXED }, [0, 1, 2, 3], DOMAIN, nowhere))), [
    'not-enough-threads',
  ])
  t.end()
})

t.test('no dedicated CPUs: the domain is not changed', (t) => {
  const { text, edits, notes } = placed(
    { cpu: { dedicatedCpuPlacement: false, numa: undefined } },
    [2, 3, 6, 7],
    PINNED,
  )
  t.equal(text, PINNED)
  t.same(edits, [])
  t.same(codes(notes), ['vmi-without-dedicated-cpus'])
  t.end()
})

t.test('the pins state the CPUs of the pod', (t) => {
  t.equal(pinsOf(placed({}, [0, 1, 2, 3], PINNED).text), '2 3 6 7', 'not the cgroup of the caller')
  t.equal(
    pinsOf(placed({}, [], PINNED, { flags: { cpuset: setOf([0, 1, 4, 5]) } }).text),
    '0 1 4 5',
    'but a cpuset takes precedence',
  )
  t.end()
})

t.test('realtime, architecture and memfd', (t) => {
  const realtime = placed({ cpu: { realtime: {} } }, [2, 3, 6, 7]).text
  t.match(realtime, '<pmu state="off"/>')
  t.match(realtime, '<nosharepages/>')
  const pinned = placed({ cpu: { ...RELAXED, realtime: {} } }, [2, 3, 6, 7]).text
  t.match(pinned, '<pmu state="off"/>')
  t.notMatch(pinned, 'nosharepages', 'only with passthrough')
  t.notMatch(placed({ spec: { architecture: 'arm64' } }, [2, 3, 6, 7]).text, 'hint-dedicated')
  const bare = DOMAIN.replace('    <source type="memfd"></source>\n', '')
  t.match(placed({}, [2, 3, 6, 7], bare).text, '<source type="memfd"/>')
  t.notMatch(placed({ spec: { architecture: 's390x' } }, [2, 3, 6, 7], bare).text, 'memfd')
  t.notMatch(placed({ annotations: { 'kubevirt.io/memfd': 'false' } }, [2, 3, 6, 7], bare).text, 'memfd')
  const off = DOMAIN.replace(
    '<acpi></acpi>',
    '<acpi></acpi><kvm><hidden state="on"></hidden><hint-dedicated state="off"></hint-dedicated></kvm>',
  )
  t.match(
    placed({}, [2, 3, 6, 7], off).text,
    '<kvm><hidden state="on"></hidden><hint-dedicated state="on"></hint-dedicated></kvm>',
  )
  const none = DOMAIN.replace(/ {2}<features>[\s\S]*<\/features>\n/, '')
  t.match(
    placed({ cpu: { realtime: {} } }, [2, 3, 6, 7], none).text,
    /<features>\s*<kvm>\s*<hint-dedicated state="on"\/>\s*<\/kvm>\s*<pmu state="off"\/>/,
  )
  t.end()
})

// ---- Emulator and I/O threads ----

const PARITY = { 'alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity': '' }
const POOL = { ioThreadsPolicy: 'supplementalPool', ioThreads: { supplementalPoolThreadCount: 2 } }

function threadsOf(
  parts: Parts,
  cpuset: readonly number[],
  text = IOTHREADS,
): { emulator: readonly number[]; io: readonly (readonly number[])[] } {
  const { emulatorpin = [], iothreadpin } = readDomain(parseXml(placed(parts, cpuset, text).text))
  return { emulator: [...emulatorpin], io: [...iothreadpin.values()].map((pin) => [...pin]) }
}

t.test('the emulator and the pool have CPUs of their own', (t) => {
  const isolated = { isolateEmulatorThread: true }
  t.same(
    threadsOf({ cpu: isolated }, [2, 3, 6, 7, 10], DOMAIN),
    { emulator: [7], io: [] },
    'what vCPUs leave, in host order',
  )
  t.same(
    threadsOf({ cpu: isolated, annotations: PARITY }, [1, 2, 3, 5, 6, 7], DOMAIN),
    { emulator: [6, 7], io: [] },
    'even: a second one',
  )
  t.same(threadsOf({ domain: memoryAnd(POOL) }, [1, 2, 3, 5, 6, 7]), { emulator: [], io: [[6], [7]] })
  t.same(
    threadsOf({ cpu: isolated, domain: memoryAnd(POOL) }, [1, 2, 3, 4, 5, 6, 7]),
    { emulator: [7], io: [[5], [6]] },
    'the pool first',
  )
  t.end()
})

t.test('other I/O threads share', (t) => {
  const shared = { domain: memoryAnd({ ioThreadsPolicy: 'auto' }) }
  t.same(
    threadsOf(shared, [2, 3, 6, 7]),
    {
      emulator: [],
      io: [
        [2, 3],
        [6, 7],
      ],
    },
    'even slices',
  )
  const many = DOMAIN.replace('</vcpu>', '</vcpu><iothreads>5</iothreads>')
  t.same(
    threadsOf(shared, [2, 3, 6, 7], many).io,
    [[3], [6], [7], [2], [3]],
    'as many as vCPUs or more: in turn, from the second CPU',
  )
  const isolated = { ...shared, cpu: { isolateEmulatorThread: true } }
  t.same(
    threadsOf(isolated, [2, 3, 6, 7, 10]),
    { emulator: [7], io: [[7]] },
    'with the emulator, and only the first',
  )
  const disk = { domain: memoryAnd({ devices: { disks: [{ name: 'd0', dedicatedIOThread: true }] } }) }
  t.same(
    threadsOf(disk, [2, 3, 6, 7]).io,
    [
      [2, 3],
      [6, 7],
    ],
    'a disk with a dedicated I/O thread counts too',
  )
  t.same(threadsOf({}, [2, 3, 6, 7]).io, [], 'no device uses them')
  t.end()
})

t.test('too few CPUs for threads, in the order of KubeVirt’s checks', (t) => {
  const refused = (parts: Parts, cpuset: readonly number[], text = IOTHREADS): string[] =>
    codes(refusal(() => placed(parts, cpuset, text)))
  const isolated = { isolateEmulatorThread: true }
  t.same(refused({ cpu: isolated }, [2, 3, 6, 7]), ['emulator-no-cpu'])
  t.same(refused({ cpu: isolated, annotations: PARITY }, [1, 2, 3, 6, 7]), ['emulator-no-second-cpu'])
  t.same(refused({ cpu: isolated, domain: memoryAnd(POOL) }, [1, 2, 3, 6, 7]), ['iothread-no-cpu'])
  t.same(refused({ cpu: isolated, domain: memoryAnd(POOL) }, [1, 2, 3, 5, 6, 7]), ['emulator-no-cpu'])
  t.same(refused({ domain: memoryAnd({ ioThreadsPolicy: 'shared' }) }, [2, 3, 6, 7], DOMAIN), [
    'iothreads-missing',
  ])
  t.same(refused({ domain: memoryAnd(POOL) }, [1, 2, 3, 5, 6, 7], DOMAIN), ['iothreads-missing'])
  t.same(
    refused({ cpu: isolated, domain: { memory: { guest: '64Mi' } } }, [2, 3, 6, 7]),
    ['emulator-no-cpu'],
    'before hugepages',
  )
  t.end()
})

t.test('a requested emulator overrides KubeVirt’s', (t) => {
  const isolated = {
    cpu: { isolateEmulatorThread: true },
    annotations: { 'virt-numa.io/emulator': 'shared' },
  }
  t.same(threadsOf(isolated, [2, 3, 6, 7]), {
    emulator: [2, 3, 6, 7],
    io: [
      [2, 3, 6, 7],
      [2, 3, 6, 7],
    ],
  })
  const alone = { ...isolated, cpu: { ...RELAXED, isolateEmulatorThread: true } }
  t.same(threadsOf(alone, [2, 3, 6, 7], DOMAIN), { emulator: [2, 3, 6, 7], io: [] }, 'with pins alone too')
  t.end()
})

function memoryAnd(domain: object): object {
  return { memory: { guest: '64Mi', hugepages: { pageSize: '2Mi' } }, ...domain }
}

// ---- Annotations ----

t.test('annotations are the guest’s request', (t) => {
  const by = (key: string, value: string): Parts => ({ annotations: { [`virt-numa.io/${key}`]: value } })
  t.match(
    placed(by('memory', 'by-vcpu'), [1, 2, 3, 6]).text,
    '<cell id="0" cpus="0-2" memory="49152" unit="KiB">',
  )
  t.match(placed({}, [1, 2, 3, 6]).text, '<cell id="0" cpus="0-2" memory="32768" unit="KiB">')
  const cells = placed({ ...by('like', 'virt-numa'), cpu: RELAXED }, [2, 3, 6, 7])
  t.equal(
    cells.placement.cells.length,
    2,
    'cells for a guest without passthrough, in the place of the synthetic one',
  )
  const pack = placed({ ...by('cpus', 'pack'), cpu: RELAXED }, [0, 4, 5, 6, 7])
  t.equal(pinsOf(pack.text), '4 5 6 7', 'another order of pins')
  t.same(pack.placement.cells, [], 'and no cells by it')
  t.equal(pinsOf(placed(by('cpuset', '2,3,6,7,9'), [2, 3, 6, 7]).text), '2 3 6 7')
  t.same(codes(placed(by('cpuset', '2,3,6,7,9'), [2, 3, 6, 7]).notes), ['socket-spans-cells', 'cpuset-cut'])
  t.same(codes(refusal(() => placed(by('memroy', 'even'), [2, 3, 6, 7]))), ['unknown-key'])
  t.same(codes(refusal(() => placed(by('memory', 'evenly'), [2, 3, 6, 7]))), ['unknown-value'])
  const config = { ...defaultConfig, tenantKeys: [] }
  t.same(codes(refusal(() => placed(by('memory', 'even'), [2, 3, 6, 7], DOMAIN, { config }))), [
    'tenant-key-refused',
  ])
  t.end()
})

t.test('precedence: flags, metadata, annotations, the spec, the configuration', (t) => {
  const annotated = { annotations: { 'virt-numa.io/memory': 'by-vcpu', 'virt-numa.io/distances': 'none' } }
  const metadata =
    `<metadata><numa:guestMappingPassthrough xmlns:numa='urn:virt-numa:1' memory='even'/>` + `</metadata>`
  const text = DOMAIN.replace('<memory ', `${metadata}<memory `)
  const config = {
    ...defaultConfig,
    requested: { cpus: 'spread', distances: 'host', like: 'virt-numa' } as const,
  }
  const { request } = placed(annotated, [2, 3, 6, 7], text, { config, flags: { mode: 'preferred' } })
  t.match(request, { like: 'kubevirt', memory: 'even', distances: 'none', cpus: 'spread', mode: 'preferred' })
  t.end()
})

t.test('a guest that moves keeps its cells, and its page size is not reported', (t) => {
  const { text } = placed({}, [2, 3, 6, 7])
  const around = {
    host,
    allowed: { cpus: setOf<Surroundings['allowed']['cpus'] & object>([0, 1, 4, 5]) },
    vmi: vmiOf(),
  }
  const moved = place(readDocument(text), around, writeElement, 'if-better')
  t.equal(pinsOf(moved.text), '0 1 4 5', 'not the pins of the source host')
  t.same(codes(moved.notes), [])
  t.end()
})

// ---- What is reported ----

t.test('the preconditions of KubeVirt’s guide', (t) => {
  t.same(messagesOf(document({ cpu: { dedicatedCpuPlacement: false } })), [
    'vmi.json: spec.domain.cpu.numa.guestMappingPassthrough needs dedicated CPUs',
  ])
  t.same(codes(refusal(() => vmiOf({ cpu: { dedicatedCpuPlacement: false } }))), ['dedicated-cpus-required'])
  const [hugepages] = refusal(() => placed({ domain: { memory: { guest: '64Mi' } } }, [2, 3, 6, 7]))
  t.match(hugepages, {
    code: 'hugepages-required',
    what: 'the VMI requests no huge pages',
    fix: /hugepages.pageSize: 2Mi$/,
  })
  const counts = (requests: string, limits: string): readonly Diagnostic[] =>
    vmiOf({ domain: memoryAnd({ resources: { requests: { cpu: requests }, limits: { cpu: limits } } }) })
      .notes
  t.same(codes(counts('4', '4000m')), [])
  t.same(
    counts('2500m', '2.5')
      .map(worded)
      .map(({ code, what }) => `${code} ${what}`),
    [
      'vmi-cpu-count vmi.json: spec.domain.resources.requests.cpu is 2500m, not a whole number of CPUs',
      'vmi-cpu-count vmi.json: spec.domain.resources.limits.cpu is 2.5, not a whole number of CPUs',
    ],
  )
  t.same(codes(counts('2', '4')), ['vmi-cpu-limit'])
  t.end()
})

t.test('transparent huge pages take no pool, and a claim of CPUs is one of dedicated CPUs', (t) => {
  const thp = { memory: { guest: '64Mi', hugepages: { mode: 'thp' } } }
  const { text, request } = placed({ domain: thp }, [2, 3, 6, 7])
  t.match(text, '<cell id="1" cpus="2-3" memory="32768" unit="KiB">', 'it gets cells')
  t.notMatch(text, 'hugepages')
  t.equal(request.pagesizeKiB, 'none')
  const claim = { claimName: 'cpus', requestName: 'all' }
  const vmi = vmiOf({ cpu: { dedicatedCpuPlacement: false, dra: claim } })
  t.same([vmi.dedicated, vmi.passthrough], [true, true])
  t.equal(pinsOf(placed({ cpu: { dedicatedCpuPlacement: false, dra: claim } }, [2, 3, 6, 7]).text), '2 3 6 7')
  t.end()
})

t.test('page sizes', (t) => {
  const refused = (pageSize: unknown): Diagnostic | undefined =>
    refusal(() => vmiOf({ domain: { memory: { guest: '64Mi', hugepages: { pageSize } } } }))[0]
  t.match(refused('abc'), {
    code: 'pagesize-invalid',
    what: 'spec.domain.memory.hugepages.pageSize: "abc" is not a valid page size',
    fix: /2Mi/,
  })
  t.match(refused('0'), { code: 'pagesize-invalid' })
  t.match(refused(undefined), { code: 'pagesize-invalid' })
  t.match(vmiOf({ domain: { memory: { guest: '64Mi', hugepages: { pageSize: '1Gi' } } } }).requested, {
    pagesize: 1048576,
  })
  t.end()
})

t.test('a VMI of another domain', (t) => {
  const { notes } = placed(
    { cpu: { cores: 8 }, domain: { memory: { guest: '1Gi', hugepages: { pageSize: '2Mi' } } } },
    [2, 3, 6, 7],
  )
  t.same(
    notes.filter(({ code }) => code === 'vmi-differs').map((each) => worded(each).what),
    [
      'vmi.json has 8 vCPUs, but the domain has 4',
      'vmi.json has 1024 MiB of memory, but the domain has 64 MiB',
    ],
  )
  const memory = (resources: object): number | undefined =>
    vmiOf({ domain: { memory: undefined, resources }, cpu: RELAXED }).memoryKiB
  t.equal(
    memory({ requests: { memory: '2Gi' }, limits: { memory: '4Gi' } }),
    2097152,
    'limits count only without requests',
  )
  t.equal(memory({ limits: { memory: '4Gi' } }), 4194304)
  t.equal(memory({}), undefined)
  t.end()
})

t.test('a malformed VMI is refused with every path, each once', (t) => {
  const cpu = {
    cores: 'four',
    sockets: -1,
    dedicatedCpuPlacement: 'true',
    numa: { guestMappingPassthrough: true },
    isolateEmulatorThread: 1,
  }
  const devices = { disks: [{ dedicatedIOThread: true }, { dedicatedIOThread: 'yes' }, 'disk'] }
  const domain = { memory: { guest: '64MB!', hugepages: [] }, ioThreadsPolicy: 'own', devices }
  const found = messagesOf(document({ cpu, domain, spec: { architecture: 64 } }))
  const all = found.join('\n')
  for (const path of [
    'spec.domain.cpu.cores is the text "four"',
    'spec.domain.cpu.sockets is -1',
    'spec.domain.cpu.dedicatedCpuPlacement is the text "true"',
    'spec.domain.cpu.numa.guestMappingPassthrough is true',
    'spec.domain.cpu.isolateEmulatorThread is 1',
    'spec.domain.memory.hugepages is a list',
    'spec.domain.ioThreadsPolicy is the text "own"',
    'spec.domain.devices.disks[1].dedicatedIOThread is the text "yes"',
    'spec.domain.devices.disks[2] is the text "disk"',
    'spec.architecture is 64',
    'spec.domain.memory.guest: "64MB!" is not a valid size',
  ]) {
    t.match(all, path)
  }
  t.equal(new Set(found).size, found.length)
  t.same(messagesOf({ ...document(), spec: { domain: { cpu: 'four' } } }), [
    'vmi.json: spec.domain.cpu is the text "four"',
  ])
  const wrong = { ...document(), spec: { domain: { cpu: { cores: 'four', Sockets: 2 } } } }
  t.same(
    refusal(() => readVmi(jsonOf(wrong), 'v')).map(({ facts }) => facts),
    [
      {
        source: 'v',
        path: 'spec.domain.cpu.Sockets',
        problem: { is: 'other-case', key: 'sockets' },
      },
      {
        source: 'v',
        path: 'spec.domain.cpu.cores',
        problem: { is: 'unexpected', found: 'four', expected: { kind: 'count', max: 16_384 } },
      },
    ],
    'facts are data',
  )
  t.same(messagesOf({ metadata: {} }), ['vmi.json: spec is missing'])
  t.same(messagesOf([]), ['vmi.json: the document is a list'])
  t.same(messagesOf(null), ['vmi.json: the document is null'])
  t.same(
    messagesOf(
      document({ cpu: { dedicatedCPUPlacement: true, dedicatedCpuPlacement: undefined, numa: undefined } }),
    ),
    ['vmi.json: spec.domain.cpu.dedicatedCPUPlacement is an unknown key'],
  )
  t.same(
    messagesOf({ metadata: { annotations: { a: 1, b: { c: 'secret' } } }, spec: {} }),
    ['vmi.json: metadata.annotations["a"] is a number', 'vmi.json: metadata.annotations["b"] is an object'],
    'of an annotation of another only the kind is stated',
  )
  const cpus = { resources: { requests: { cpu: 'four' } } }
  t.same(messagesOf(document({ domain: memoryAnd(cpus) })), [
    'vmi.json: spec.domain.resources.requests.cpu is the text "four"',
  ])
  t.end()
})

t.test('of a VirtualMachine its template is read', (t) => {
  const { metadata, spec } = document({ annotations: { 'virt-numa.io/memory': 'even' } }) as {
    metadata: object
    spec: object
  }
  const vm = readVmi(
    jsonOf({
      kind: 'VirtualMachine',
      metadata: { name: 'vm' },
      spec: { running: true, template: { metadata, spec } },
    }),
    'vm.json',
  )
  t.match(vm, { passthrough: true, dedicated: true, annotations: new Map([['memory', 'even']]) })
  t.same(messagesOf({ kind: 'VirtualMachine', spec: {} }), ['vmi.json: spec.template is missing'])
  t.end()
})

// ---- YAML ----

t.test('YAML is read like JSON', (t) => {
  const yaml = parseYaml(readFileSync(EXAMPLE, 'utf8'))
  const vmi = 'value' in yaml ? readVmi(yaml.value, 'vmi.yaml') : undefined
  t.match(vmi, {
    dedicated: true,
    passthrough: true,
    memoryKiB: 65536,
    annotations: new Map([['memory', 'by-free-pages']]),
  })
  t.match(parseYaml('a: yes\nb: 2024-01-01T00:00:00Z\n1: [1.5, ~, x]'), {
    value: new Map<string, unknown>([
      ['a', true],
      ['b', '2024-01-01T00:00:00Z'],
      ['1', [1.5, null, 'x']],
    ]),
  })
  t.end()
})

t.test('malformed YAML', (t) => {
  const mistake = (text: string): unknown => {
    const read = parseYaml(text)
    return 'mistake' in read ? { ...read.mistake } : read
  }
  t.match(mistake('a: 1\na: 2\n'), { line: 2, column: 1, reason: /unique/ })
  t.match(mistake('a: 1\n---\nb: 2\n'), { line: 2, reason: 'a second document begins' })
  t.match(mistake('a: [1\n'), { line: 2, reason: /./ })
  t.match(mistake('? [a]\n: 1\n'), { reason: 'a key is not text' })
  t.match(mistake('a: !!binary aGk=\n'), { reason: 'a value has no equivalent in JSON' })
  t.match(mistake('a: *b\n'), { reason: /alias/i })
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x, x]',
    ...'bcdefgh'.split('').map((name, index) => `${name}: &${name} [${`*${'abcdefg'[index]}, `.repeat(9)}x]`),
  ]
  t.match(mistake(bomb.join('\n')), { reason: /aliases expand to too much/ })
  t.match(mistake(`a: ${'['.repeat(200)}${']'.repeat(200)}`), { reason: 'nested deeper than 100' })
  t.match(mistake(`a: ${'['.repeat(100_000)}`), { line: 1, reason: /./ })
  t.end()
})

// ---- The commands ----

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(...words: readonly string[]): Ended {
  const { status, stdout, stderr } = runApart(process.execPath, [PROGRAM, ...words])
  return { status, stdout, stderr }
}

function folder(t: Test): string {
  const made = mkdtempSync(join(tmpdir(), 'virt-numa-vmi-'))
  t.teardown(() => rmSync(made, { recursive: true, force: true }))
  return made
}

t.test('--vmi takes JSON and YAML, for transform, plan and check', (t) => {
  const at = folder(t)
  const files = {
    json: `${at}/vmi.json`,
    yaml: `${at}/vmi.yaml`,
    flow: `${at}/flow.yaml`,
    bare: `${at}/bare`,
  }
  writeFileSync(
    files.json,
    `\uFEFF ${JSON.stringify(document({ annotations: { 'virt-numa.io/memory': 'by-free-pages' } }))}`,
  )
  writeFileSync(files.yaml, readFileSync(EXAMPLE))
  writeFileSync(files.flow, '{kind: VirtualMachineInstance, spec: {domain: {cpu: {cores: 4}}}}')
  writeFileSync(files.bare, readFileSync(EXAMPLE))
  const domain = `${at}/domain.xml`
  writeFileSync(domain, PINNED)
  const answers = [files.json, files.yaml, files.bare].map((vmi) =>
    run('transform', '--host', `${SEED}/host.json`, '--vmi', vmi, domain),
  )
  for (const { status, stdout } of answers)
    t.match({ status, stdout }, { status: 0, stdout: answers[0]?.stdout ?? '-' })
  t.equal(pinsOf(answers[0]?.stdout ?? ''), '2 3 6 7')
  const flow = run('transform', '--host', `${SEED}/host.json`, '--vmi', files.flow, domain)
  t.match(flow, { status: 0, stdout: PINNED, stderr: /^note\[vmi-without-dedicated-cpus\]/ })
  t.match(run('plan', '--host', `${SEED}/host.json`, '--vmi', files.yaml, domain), {
    status: 0,
    stdout: /like=kubevirt/,
  })
  writeFileSync(domain, answers[0]?.stdout ?? '')
  t.match(run('check', '--host', `${SEED}/host.json`, '--vmi', files.yaml, domain), { status: 0 })
  t.end()
})

long('--vmi that cannot be read', (t) => {
  const at = folder(t)
  const fails = (name: string, text: string, code: RegExp): void => {
    writeFileSync(`${at}/${name}`, text)
    t.match(run('transform', '--host', `${SEED}/host.json`, '--vmi', `${at}/${name}`, `${SEED}/domain.xml`), {
      status: 1,
      stdout: '',
      stderr: code,
    })
  }
  fails('a.json', '{"a": }', /^error\[json-malformed\]: .*a\.json: line 1, column 7/)
  fails('a.yaml', 'a: [\n', /^error\[yaml-malformed\]: .*a\.yaml: line 2, column 1/)
  fails('b.yaml', 'just words\n', /^error\[vmi-malformed\]: .*b\.yaml: the document is the text "just words"/)
  fails('empty', '', /^error\[vmi-malformed\]: .*empty: the document is null/)
  t.match(run('plan', '--vmi', `${at}/none.yaml`, `${SEED}/domain.xml`), {
    status: 1,
    stderr: /^error\[unreadable\]/,
  })
  t.end()
})

t.test('onDefineDomain', (t) => {
  const hosted = ['--host', `${SEED}/host.json`, '--config', '/dev/null']
  const define = (vmi: unknown, domain: string): Ended =>
    run('onDefineDomain', '--vmi', JSON.stringify(vmi), '--domain', domain, ...hosted)
  const asked = define(document(), PINNED)
  t.match(asked, { status: 0, stderr: /^note\[socket-spans-cells\]/ })
  t.match(asked.stdout, '<memnode cellid="1" mode="strict" nodeset="1"/>')
  t.equal(define(document(), asked.stdout).stdout, asked.stdout, 'a second time')
  t.match(
    define(document({ cpu: RELAXED }), PINNED),
    { status: 0, stdout: PINNED, stderr: '' },
    'no guest opted in',
  )
  t.match(
    define({ spec: { domain: { cpu: 'x' } } }, PINNED),
    { status: 0, stdout: PINNED, stderr: '' },
    'and its contents are not looked at',
  )
  const annotated = document({ cpu: RELAXED, annotations: { 'virt-numa.io/memory': 'by-vcpu' } })
  t.match(define(annotated, PINNED).stdout, '<memnode cellid="1"')
  t.match(
    define(document(), DOMAIN),
    { status: 1, stdout: '', stderr: /^error\[no-cpus\]/ },
    'a domain without pins does not state the CPUs of the pod',
  )
  t.match(define(document({ cpu: { cores: 'x' } }), PINNED), {
    status: 1,
    stdout: '',
    stderr: /^error\[vmi-malformed\]/,
  })
  t.match(run('onDefineDomain', '--vmi', '{', '--domain', PINNED), {
    status: 1,
    stderr: /^error\[json-malformed\]/,
  })
  t.end()
})

t.test('onDefineDomain on the target of a migration', (t) => {
  const target = {
    migrationState: { targetNode: 'node7', targetPod: 'virt-launcher-seed-x', migrationUid: 'u' },
  }
  const define = (parts: Parts, domain: string): Ended =>
    run('onDefineDomain', '--vmi', JSON.stringify(document(parts)), '--domain', domain, '--host', '/nowhere')
  t.match(define({ status: target }, PINNED), { status: 0, stdout: PINNED, stderr: '' })
  t.match(
    define({ status: target, cpu: { cores: 'x' } }, '<broken'),
    { status: 0, stdout: '<broken', stderr: '' },
    'whatever its contents',
  )
  t.equal(
    define({ status: { migrationState: { ...target.migrationState, completed: true } } }, PINNED).status,
    1,
    'not after it has ended',
  )
  const isTarget = (value: unknown): boolean => isMigrationTarget(jsonOf(value))
  t.ok(isTarget(document({ annotations: { 'kubevirt.io/create-migration-target': 'true' } })))
  t.notOk(isTarget(document({ status: { migrationState: { ...target.migrationState, failed: true } } })))
  t.notOk(isTarget(document({ status: { migrationState: {} } })))
  t.notOk(isTarget(document()))
  t.notOk(isTarget([]))
  t.ok(asksFor(jsonOf(document())))
  t.notOk(asksFor(jsonOf('text')))
  t.end()
})

t.test('the shim runs it by its name', (t) => {
  const at = folder(t)
  symlinkSync(PROGRAM, `${at}/onDefineDomain`)
  const words = ['--vmi', JSON.stringify(document()), '--domain', PINNED, '--host', `${SEED}/host.json`]
  const { status, stdout } = runApart(process.execPath, [`${at}/onDefineDomain`, ...words])
  t.match({ status, stdout }, { status: 0, stdout: /<memnode cellid="1"/ })
  t.end()
})
