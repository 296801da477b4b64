// verify on captured guests: each folder of test/guests has the /proc and /run of a running guest, the
// arguments, and the answer as text, JSON and metrics. The captures are of real guests on a host of four
// nodes; `edits` change one fact of a capture.

import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { classes } from '../../src/codes/codes.ts'
import type { Files } from '../../src/host/files.ts'
import { isQemu, readCommand } from '../../src/host/qemu/command.ts'
import { findMemory } from '../../src/host/qemu/guest-memory.ts'
import { readMappings } from '../../src/host/qemu/numa-maps.ts'
import { readRunningGuest } from '../../src/host/qemu/process.ts'
import { readStatus } from '../../src/host/qemu/status.ts'
import type { Mapping, MemoryBackend } from '../../src/model/running-guest.ts'
import { runCommand } from '../command.ts'
import { isWhole, sampled } from '../long.ts'

interface Case {
  readonly about: string
  readonly run: readonly string[]
  /** The folder with the capture; absent: the case's own. */
  readonly of?: string
  readonly remove?: readonly string[]
  /** Files made of what `keep` matches in another, before the edits. */
  readonly copies?: readonly { readonly from: string; readonly keep: string; readonly to: string }[]
  readonly edits?: readonly { readonly file: string; readonly from: string; readonly to: string }[]
}

const GUESTS = 'test/guests'
const FILES = ['text.txt', 'facts.json', 'metrics.prom'] as const
const isRewriting = process.argv.includes('--rewrite')
const captured = readdirSync(GUESTS).sort()
/** `npm test` takes a sample, with the two whose answers are the same. */
const names = isRewriting ? captured : [...new Set([...sampled(captured, 6), 'by-pid', 'placed'])]

function withCapture<T>(
  name: string,
  { of = name, remove = [], copies = [], edits = [] }: Case,
  use: (host: string) => T,
): T {
  const scratch = mkdtempSync(join(tmpdir(), 'virt-numa-verify-'))
  try {
    execFileSync('tar', ['-xzf', `${GUESTS}/${of}/guest.tar.gz`, '-C', scratch])
    for (const path of remove) rmSync(join(scratch, path), { recursive: true })
    for (const { from, keep, to } of copies) {
      const [found] = new RegExp(keep).exec(readFileSync(join(scratch, from), 'utf8')) ?? []
      if (found === undefined) throw new Error(`${name}: nothing in ${from} is ${keep}`)
      mkdirSync(dirname(join(scratch, to)), { recursive: true })
      writeFileSync(join(scratch, to), found)
    }
    for (const { file, from, to } of edits) {
      const before = readFileSync(join(scratch, file), 'latin1')
      const after = before.replace(new RegExp(from, 'g'), to)
      if (after === before) throw new Error(`${name}: nothing in ${file} is ${from}`)
      writeFileSync(join(scratch, file), after, 'latin1')
    }
    return use(scratch)
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** The output of the command, as a user sees it; a file that it does not write is undefined. */
function answer(name: string, each: Case): Record<(typeof FILES)[number], string | undefined> {
  return withCapture(name, each, (host) => {
    const metrics = join(host, 'guest.prom')
    const verify = (...more: string[]) =>
      runCommand(['verify', ...each.run, '--host', host, ...more], { cwd: `${GUESTS}/${name}` })
    const text = verify('--metrics', metrics)
    const json = verify('--json')
    t.equal(json.status, text.status, `${name}: one exit status`)
    t.equal(json.stderr, text.stderr, `${name}: one set of messages`)
    return {
      'text.txt': `${text.stdout}${text.stderr}exits with ${text.status}\n`,
      'facts.json': json.stdout,
      'metrics.prom': existsSync(metrics) ? readFileSync(metrics, 'utf8') : undefined,
    }
  })
}

const answers = new Map(
  names.map((name) => {
    const each = JSON.parse(readFileSync(`${GUESTS}/${name}/case.json`, 'utf8')) as Case
    return [name, { each, answered: answer(name, each) }]
  }),
)

t.test('captured guests', async (t) => {
  for (const [name, { each, answered }] of answers) {
    for (const file of FILES) {
      const path = `${GUESTS}/${name}/${file}`
      const said = answered[file]
      if (isRewriting) {
        if (said === undefined) rmSync(path, { force: true })
        else writeFileSync(path, said)
      }
      const written = existsSync(path) ? readFileSync(path, 'utf8') : undefined
      t.equal(said, written, `${name}/${file}: ${each.about}`)
    }
  }
})

t.test('what must hold for every answer', async (t) => {
  for (const [name, { answered }] of answers) {
    const { findings, diagnostics, cells = [] } = JSON.parse(answered['facts.json'] ?? '')
    const errors = diagnostics.filter(({ severity }: { severity: string }) => severity === 'error').length
    t.equal(
      answered['text.txt']?.endsWith(`exits with ${errors === 0 ? 0 : 1}\n`),
      true,
      `${name}: exit status`,
    )
    if (findings !== undefined) t.equal(findings, errors, `${name}: findings are counted`)
    for (const { nodesKiB, allocatedKiB, elsewhereKiB = 0, memoryKiB } of cells) {
      const sum = Object.values(nodesKiB as Record<string, number>).reduce((all, kib) => all + kib, 0)
      t.equal(sum, allocatedKiB, `${name}: the nodes add up to the allocated memory`)
      t.ok(elsewhereKiB <= allocatedKiB && allocatedKiB <= memoryKiB, `${name}: a part is at most the whole`)
    }
    checkExposition(t, name, answered['metrics.prom'])
  }
})

/**
 * HELP and TYPE once before the samples of each metric, and no sample twice.
 * @see the text format of Prometheus
 */
function checkExposition(t: Test, name: string, text: string | undefined): void {
  if (text === undefined) return
  const seen = new Set<string>()
  let open = ''
  for (const line of text.trimEnd().split('\n')) {
    const head = /^# (?:HELP (\S+) .+|TYPE (\S+) gauge)$/.exec(line)
    const sample = /^(virt_numa_[a-z_]+)(\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)*\}) -?[0-9.e+-]+$/.exec(line)
    t.ok(head ?? sample, `${name}: ${line}`)
    if (head !== null) open = head[1] ?? head[2] ?? ''
    else t.equal(sample?.[1], open, `${name}: a sample follows its HELP`)
    t.notOk(seen.has(line.replace(/ \S+$/, '')) && sample !== null, `${name}: no sample twice`)
    if (sample !== null) seen.add(line.replace(/ \S+$/, ''))
  }
}

/** A case for each code of verify; test/house/complete.test.ts leaves these codes to this table. */
const SHOWN: Readonly<Record<string, string>> = {
  'threads-wider': 'moved',
  'threads-elsewhere': 'moved',
  'threads-narrower': 'narrower',
  'vcpus-crowded': 'crowded',
  'live-pins': 'live-change',
  'live-memory': 'live-change',
  'guest-memory-elsewhere': 'migrated',
  'guest-memory-unbound': 'cpuset',
  'guest-pagesize': 'pagesize',
  'guest-not-running': 'not-running',
  'not-qemu-process': 'not-qemu',
  'status-malformed': 'status-malformed',
  'guest-memory-unreadable': 'unreadable',
  'vcpus-far': 'far',
  'guest-memory-unknown': 'unfound',
  'guest-memory-alike': 'restrictive',
  'threads-unknown': 'one-vcpu-thread',
  'wanted-unknown': 'by-pid-alone',
}

t.test('every code is shown', async (t) => {
  for (const [code, name] of Object.entries(SHOWN))
    if (answers.has(name) || isWhole)
      t.match(answers.get(name)?.answered['text.txt'], `[${code}]`, `${name} shows ${code}`)
  for (const [code] of Object.entries(classes).filter(([, each]) => each === 'misplaced'))
    t.ok(code in SHOWN, `${code} has a case`)
})

t.test('the status file gives the same answer as the process', async (t) => {
  t.equal(answers.get('by-pid')?.answered['text.txt'], answers.get('placed')?.answered['text.txt'])
})

t.test('metrics of a stopped guest replace its former ones', async (t) => {
  const each: Case = { about: '', run: [], of: 'placed' }
  withCapture('placed', each, (host) => {
    const metrics = join(host, 'db1.prom')
    const verify = () => runCommand(['verify', 'db1', '--host', host, '--metrics', metrics]).status
    t.equal(verify(), 0)
    t.match(
      readFileSync(metrics, 'utf8'),
      'virt_numa_cell_memory_bytes{guest="db1",cell="1",node="2"} 67108864\n',
    )
    t.equal(statSync(metrics).mode & 0o444, 0o444, 'readable by the exporter, which is another user')
    t.same(
      readdirSync(host).filter((file) => file.includes('prom')),
      ['db1.prom'],
      'nothing else is left',
    )
    rmSync(join(host, 'run'), { recursive: true })
    t.equal(verify(), 1)
    t.equal(readFileSync(metrics, 'utf8').split('\n').at(-2), 'virt_numa_guest_running{guest="db1"} 0')
  })
})

t.test('hosts without processes', async (t) => {
  const host = 'golden/2n4c2t-seed/host.json'
  const { status, stderr } = runCommand(['verify', 'db1', '--host', host])
  t.equal(status, 1)
  t.match(stderr, 'error[host-without-processes]')
  const tar = runCommand(['verify', 'db1', '--host', `${GUESTS}/placed/guest.tar.gz`])
  t.equal(
    `${tar.stdout}exits with ${tar.status}\n`,
    answers.get('placed')?.answered['text.txt'],
    'a tar is a captured machine too',
  )
})

// ---- The readers ----

const encoded = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

t.test('a process that ends, or whose pid is reused, while it is read', async (t) => {
  const stat = (state: string, born: number): string =>
    `7 (qemu (x) y) ${state}${' 1'.repeat(18)} ${born} 0\n`
  const files = (stats: readonly string[], ids: readonly string[] = ['7']): Files => {
    let reads = 0
    return {
      read: (path) => {
        if (path === '/proc/7/stat') return encoded(stats[reads++] ?? '')
        if (path === '/proc/7/cmdline') return encoded('/usr/libexec/qemu-kvm\0-m\0size=1G\0')
        if (path.endsWith('/status')) return encoded('Name:\tqemu-kvm\nCpus_allowed_list:\t0-3\n')
        return undefined
      },
      list: (path) => (path === '/proc/7/task' ? ids : undefined),
      readlink: () => undefined,
    }
  }
  const codeOf = (of: Files): string | undefined => {
    try {
      readRunningGuest(of, 7, new Map())
      return undefined
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return error.diagnostics[0]?.code
    }
  }
  const [alive, zombie, other] = [stat('S', 100), stat('Z', 100), stat('S', 200)]
  t.equal(codeOf(files([alive, alive, alive])), undefined)
  t.equal(codeOf(files([alive, alive, other])), 'guest-gone', 'another process has the pid')
  t.equal(codeOf(files([alive, alive, zombie])), 'guest-gone', 'it ended')
  t.equal(codeOf(files([alive, alive, ''])), 'guest-gone', 'it is away')
  t.equal(codeOf(files([alive, alive, alive], [])), 'guest-gone', 'its threads are gone')
  t.equal(codeOf(files([zombie])), 'process-missing', 'it had ended before')
  t.same(readRunningGuest(files([alive, alive, alive]), 7, new Map()), {
    pid: 7,
    command: {
      cells: [{ id: 0, vcpus: [], ram: 'pc.ram' }],
      devices: [],
      backends: [{ id: 'pc.ram', sizeKiB: 1048576, kind: 'ram' }],
    },
    threads: [{ tid: 7, name: 'qemu-kvm', role: 'emulator', cpus: [0, 1, 2, 3] }],
  })
})

t.test('lines of numa_maps', async (t) => {
  const one = (line: string, ranges = ''): Mapping | undefined => readMappings(line, ranges)[0]
  const policy = (line: string) => one(line)?.policy
  t.same(policy('7f00 default'), { mode: 'default', nodes: [] })
  t.same(policy('7f00 bind:0-1,3 anon=1'), { mode: 'bind', nodes: [0, 1, 3] })
  t.same(policy('7f00 bind=static:2 anon=1'), { mode: 'bind', nodes: [2] })
  t.same(policy('7f00 bind=balancing|static:2'), { mode: 'bind', nodes: [2] })
  t.same(
    policy('7f00 prefer (many):0-1 anon=1'),
    { mode: 'prefer (many)', nodes: [0, 1] },
    'a name with a blank',
  )
  t.same(policy('7f00 weighted interleave:0-1'), { mode: 'weighted interleave', nodes: [0, 1] })
  t.same(policy('7f00 local'), { mode: 'local', nodes: [] })
  const gigantic = one(
    '7f0000000000 bind:1 file=/dev/hugepages1G/qemu_back_mem.ram-node0.abcdef\\040(deleted) huge ' +
      'dirty=2 N0=1 N1=1 kernelpagesize_kB=1048576',
  )
  t.same(
    [...(gigantic?.nodesKiB ?? [])],
    [
      [0, 1048576],
      [1, 1048576],
    ],
  )
  t.equal(gigantic?.file, '/dev/hugepages1G/qemu_back_mem.ram-node0.abcdef')
  t.equal(one('7f00 default file=/a\\040b\\075c\\012d')?.file, '/a b=c\nd')
  t.notOk(
    'nodesKiB' in (one('7f00 default anon=3 N0=3') ?? {}),
    'without a page size, a number of pages is not an amount',
  )
  const smaps =
    '7f00-107f00 rw-p 00000000 00:00 0 \nSize: 1024 kB\nKernelPageSize:        4 kB\n' +
    'AnonHugePages:      2048 kB\nShmemPmdMapped:        0 kB\nSwap:                 12 kB\n'
  t.match(one('00007f00 default anon=3 N0=3', smaps), {
    sizeKiB: 1024,
    pagesizeKiB: 4,
    thpKiB: 2048,
    swapKiB: 12,
    nodesKiB: new Map([[0, 12]]),
  })
  for (const line of [
    '',
    'default',
    'xyz default',
    '7f00',
    '7f00 ',
    'N0=3',
    '7f00-7f01 default',
    '7f00 Bind:0',
    '-7f00 default',
  ])
    t.same(readMappings(line, ''), [], JSON.stringify(line))
})

t.test('numa_maps: any text can be read, and every mapping is found among other lines', (t) => {
  const noise = fc
    .string({ unit: 'binary', maxLength: 60 })
    .filter((line) => !line.includes('\n') && !/^[0-9a-f]{1,16} [a-z]/.test(line))
  const mapping = fc.record({
    start: fc.integer({ min: 1, max: 2 ** 46 }).map((page) => (page * 4096).toString(16)),
    pages: fc.uniqueArray(fc.tuple(fc.nat(1023), fc.nat(2 ** 30)), {
      maxLength: 5,
      selector: ([node]) => node,
    }),
    size: fc.constantFrom(4, 64, 2048, 1048576),
    mode: fc.constantFrom(
      'default',
      'bind:0',
      'bind=static:0',
      'prefer:0',
      'prefer (many):0',
      'interleave:0',
      'local',
    ),
    odd: fc.constantFrom(
      '',
      ' file=/memfd:a\\040(deleted)',
      ' heap',
      ' stack',
      ' huge',
      ' mapmax=3 swapcache=2 active=0 writeback=1',
    ),
  })
  fc.assert(
    fc.property(fc.array(fc.oneof(noise, mapping)), fc.string({ unit: 'binary' }), (lines, ranges) => {
      const wanted = lines.filter((line) => typeof line !== 'string')
      const text = lines.map((line) => {
        if (typeof line === 'string') return line
        const pages = line.pages.map(([node, count]) => `N${node}=${count} `).join('')
        return `${line.start} ${line.mode}${line.odd} ${pages}kernelpagesize_kB=${line.size}`
      })
      const read = readMappings(text.join('\n'), ranges)
      t.same(
        read.map(({ start, policy, pagesizeKiB, nodesKiB }) => [
          start,
          policy.mode,
          pagesizeKiB,
          [...(nodesKiB ?? [])],
        ]),
        wanted.map(({ start, mode, size, pages }) => [
          start,
          mode.replace(/[=:].*/, ''),
          size,
          pages.map(([node, count]) => [node, count * size]),
        ]),
      )
    }),
    { numRuns: 100 },
  )
  t.end()
})

t.test("QEMU's command line", async (t) => {
  const read = (line: string) => readCommand(['qemu-system-x86_64', ...line.split(' ')])
  t.same(
    read(
      '-name guest=a,,b,debug-threads=on -object memory-backend-ram,id=m0,size=64M,host-nodes=0-1,' +
        'host-nodes=3,policy=bind -numa node,cpus=0-1,cpus=4,memdev=m0 --numa node,nodeid=1,cpus=2,' +
        'memdev=m1',
    ),
    {
      guest: 'a,b',
      cells: [
        { id: 0, vcpus: [0, 1, 4], ram: 'm0' },
        { id: 1, vcpus: [2], ram: 'm1' },
      ],
      devices: [],
      backends: [{ id: 'm0', sizeKiB: 65536, kind: 'ram', policy: { mode: 'bind', nodes: [0, 1, 3] } }],
    },
    'as people type it',
  )
  t.same(
    read(
      '-object {"qom-type":"memory-backend-memfd","id":"d","size":1073741824,"host-nodes":[2,5],' +
        '"policy":"preferred"} -device {"driver":"virtio-mem-pci","node":1,"memdev":"d"} -device ' +
        '{"driver":"nvdimm","memdev":"n"}',
    ),
    {
      cells: [{ id: 0, vcpus: [], ram: 'pc.ram' }],
      devices: [{ backend: 'd', cell: 1, model: 'virtio-mem-pci' }],
      backends: [{ id: 'd', sizeKiB: 1048576, kind: 'memfd', policy: { mode: 'preferred', nodes: [2, 5] } }],
    },
    'as libvirt writes it; an nvdimm is page cache, not memory of a node',
  )
  t.same(read('-m 512').backends, [{ id: 'pc.ram', sizeKiB: 524288, kind: 'ram' }])
  t.same(read('-m size=2G,slots=4 -mem-path /dev/hugepages').backends, [
    { id: 'pc.ram', sizeKiB: 2097152, kind: 'file', path: '/dev/hugepages' },
  ])
  t.same(read('-M q35,memory-backend=ram0 -m 512').cells, [{ id: 0, vcpus: [], ram: 'ram0' }])
  for (const odd of [
    '-object',
    '-object {',
    '-object []',
    '-numa',
    '-m',
    '-m x',
    '-object memory-backend-ram',
    '-device {"memdev":{}}',
    '-name ,',
  ])
    t.same(read(odd).backends, [], odd)
  for (const program of ['/usr/bin/qemu-system-x86_64', '/usr/libexec/qemu-kvm', 'kvm'])
    t.ok(isQemu([program]), program)
  for (const program of ['qemu-img', 'qemu-nbd', 'vim', '', '/usr/bin/qemu-ga'])
    t.notOk(isQemu([program]), program)
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary' })),
      (words) => void readCommand(['qemu', '-object', ...words, '-numa', ...words]),
    ),
  )
})

t.test('the status file', async (t) => {
  const file = (more: string, pid = '9'): string =>
    `<domstatus state='paused' pid='${pid}'>${more}<domain type='kvm'/></domstatus>`
  const vcpus =
    "<vcpus><vcpu id='0' pid='11'/><vcpu id='1' pid='0'/><vcpu id='2' pid='9'/><vcpu id='x' pid='1'/></vcpus>"
  const read = readStatus(file(`${vcpus}<numad nodeset='0,2' cpuset='0-3'/>`), 'f')
  t.match(read, { pid: 9, state: 'paused', autoNodes: [0, 2], autoCpus: [0, 1, 2, 3] })
  t.same([...read.vcpus], [[0, 11]], 'a vCPU without a separate thread has no entry')
  for (const text of ['<domain/>', file('', 'x'), "<domstatus pid='1'/>"])
    t.throws(() => readStatus(text, 'f'), /status-malformed/, text)
})

// ---- Which mapping belongs to which memory ----

t.test('memory that cannot be distinguished is not guessed', async (t) => {
  const backend = (id: string, node?: number, kind: MemoryBackend['kind'] = 'ram'): MemoryBackend => ({
    ...{ id, sizeKiB: 1024, ...(kind && { kind }) },
    ...(node !== undefined && {
      policy: { mode: 'bind', nodes: [node] as unknown as Mapping['policy']['nodes'] },
    }),
  })
  const mapping = (start: string, node: number, bound?: number, file?: string): Mapping => ({
    ...{ start, sizeKiB: 1024, pagesizeKiB: 4, nodesKiB: new Map([[node, 1024]]) },
    policy: {
      mode: bound === undefined ? 'default' : 'bind',
      nodes: (bound === undefined ? [] : [bound]) as unknown as Mapping['policy']['nodes'],
    },
    ...(file !== undefined && { file }),
  })
  const found = (backends: readonly MemoryBackend[], mappings: readonly Mapping[]): string[] =>
    findMemory(backends, mappings).map(
      (region) =>
        `${region.backends.map(({ id }) => id).join('+')}=` +
        `${region.mappings.map(({ start }) => start).join('+')}`,
    )
  const [a, b] = [backend('a', 0), backend('b', 1)]
  t.same(found([a, b], [mapping('2', 1, 1), mapping('1', 0, 0)]), ['a=1', 'b=2'], 'by policy')
  t.same(
    found([a, b], [mapping('2', 1, 2), mapping('1', 0, 3)]),
    ['a+b=2+1'],
    'changed policies do not identify a mapping',
  )
  t.same(
    found([a, b], [mapping('2', 2, 2), mapping('1', 2, 2)]),
    ['a=2', 'b=1'],
    'identical mappings: either is right',
  )
  t.same(found([a, b], [mapping('1', 0, 0)]), ['a=', 'b='], 'too few')
  t.same(found([a], [mapping('1', 0, 0), mapping('2', 0, 0)]), ['a='], 'too many')
  t.same(
    found([a], [mapping('1', 0, 0), mapping('2', 0)]),
    ['a=1'],
    'a mapping of that size with no policy is something else',
  )
  t.same(found([backend('a'), backend('b')], [mapping('1', 0), mapping('2', 1)]), ['a+b=1+2'], 'no policy')
  t.same(
    found([backend('a'), b], [mapping('1', 0), mapping('2', 1, 1)]),
    ['a=1', 'b=2'],
    'one is bound, the other is the rest',
  )
  t.same(found([backend('a', 0, 'memfd')], [mapping('1', 0, 0)]), ['a='], 'anonymous memory is not a memfd')
  t.same(found([backend('a', 0, 'memfd')], [mapping('1', 0, 0, '/memfd:memory-backend-memfd')]), ['a=1'])
  const files = ['/dev/hugepages/qemu_back_mem.b.aBcD12', '/mnt/qemu_back_mem._objects_a.XyZ_09'] as const
  t.same(
    found(
      [backend('a', 0, 'file'), backend('b', 0, 'file')],
      [mapping('1', 0, 0, files[0]), mapping('2', 0, 0, files[1])],
    ),
    ['a=2', 'b=1'],
    'by name',
  )
  t.same(
    found(
      [{ ...backend('a', 0, 'file'), path: '/var/lib/ram/1-g/a' }],
      [mapping('1', 0, 0, '/1-g/a'), mapping('2', 0, 0, '/x/b')],
    ),
    ['a=1'],
    'by path',
  )
})
