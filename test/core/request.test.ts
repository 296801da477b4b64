// The request: keys and values, precedence, the configuration file, and what a guest may request.

import t from 'tap'
import type { Bound } from '../../src/base/bounds.ts'
import { Refusal } from '../../src/base/diagnostic.ts'
import { type CpuSet, formatSet, type NodeSet } from '../../src/base/idset.ts'
import { nearest } from '../../src/base/nearest.ts'
import { parseSet } from '../../src/base/parse-set.ts'
import type { Resources } from '../../src/model/host.ts'
import type { Request } from '../../src/model/request.ts'
import { type Administrator, tenantBounds } from '../../src/request/allowed-cpus.ts'
import { type Config, defaultConfig, parseConfig } from '../../src/request/config.ts'
import { hostSettings } from '../../src/request/config-text.ts'
import { asKey, type Key, keyNames, keys } from '../../src/request/keys.ts'
import { type RequestedKeys, readKeys, requestFrom } from '../../src/request/request.ts'
import { optedIn, readTenantKeys } from '../../src/request/sources.ts'
import { type Cut, cutToBounds } from '../../src/request/tenant-cpus.ts'
import { pattern } from '../pattern.ts'
import { type Worded, worded } from './worded.ts'

const cpus = (text: string): CpuSet => parseSet<CpuSet>(text, 'test')
const wish = (key: string, value: string): RequestedKeys => readKeys([[key, value]], 'test')

function refusals(run: () => unknown): readonly Worded[] {
  try {
    run()
  } catch (error) {
    if (error instanceof Refusal) return error.diagnostics.map(worded)
    throw error
  }
  throw new Error('nothing was refused')
}
const codes = (run: () => unknown): string[] => refusals(run).map(({ code }) => code)

/** code, line, column and the text that the span covers. */
function placed(text: string): [string, number, number, string][] {
  return refusals(() => parseConfig(text, 'test.conf')).map(({ code, at }) => {
    if (at === undefined) throw new Error(`${code} has no position`)
    t.same(
      [Object.keys(at).sort(), at.source],
      [['end', 'source', 'start'], 'test.conf'],
      'a span of this source',
    )
    const before = text.slice(0, at.start).split('\n')
    return [code, before.length, (before.at(-1) ?? '').length + 1, text.slice(at.start, at.end)]
  })
}

const words: { readonly [K in Key]: readonly string[] } = {
  like: ['virt-numa', 'kubevirt'],
  cells: ['per-node'],
  existing: ['keep', 'replace'],
  memory: ['by-vcpu', 'even', 'by-free-pages'],
  cpus: ['pack', 'in-order', 'spread', 'as-pinned'],
  cores: ['any', 'whole'],
  pin: ['auto', 'cpu', 'cell'],
  pagesize: ['none'],
  mode: ['strict', 'preferred', 'restrictive'],
  distances: ['host', 'none'],
  topology: ['keep', 'align', 'lock'],
  'on-misfit': ['refuse', 'reshape'],
  emulator: ['spare', 'shared', 'none'],
  isolated: ['use', 'avoid'],
  devices: ['leave', 'cell', 'root'],
  tiers: ['ignore', 'expose'],
  'tier-memory': [],
  cpuset: [],
}

const ownDefaults: Request = {
  like: 'virt-numa',
  cells: 'per-node',
  existing: 'keep',
  memory: 'by-vcpu',
  cpus: 'pack',
  cores: 'any',
  pin: 'auto',
  mode: 'strict',
  distances: 'host',
  topology: 'keep',
  onMisfit: 'refuse',
  emulator: 'spare',
  isolated: 'use',
  devices: 'leave',
  tiers: 'ignore',
  reserve: [],
  rules: {
    threads: 'ours',
    pins: 'ours',
    hugepagesRequired: false,
    offlineInCells: true,
    offlineCpus: 'refused',
    cellUnit: 'rounded',
    hostDistances: 'completed',
    cellsOn: 'numa-machines',
    allocation: 'as-written',
    unstatedMode: 'as-written',
    strayDevices: 'noted',
    fewBusNumbers: 'refused',
  },
}

const fieldOf = (key: Key): keyof Request => (key === 'on-misfit' ? 'onMisfit' : key) as keyof Request

t.test('every key accepts its words, the default first', async (t) => {
  t.same(keyNames, Object.keys(words))
  for (const key of keyNames) {
    t.same(keys[key].words, words[key], key)
    for (const word of words[key]) {
      t.same(readKeys([[key, word]], 'test'), { [key]: word })
      t.same(readKeys([[key, ` ${word}\n`]], 'test'), { [key]: word }, 'blanks around it are ignored')
    }
    const [first] = words[key]
    if (keys[key].unstated === undefined)
      t.same(requestFrom([])[fieldOf(key)], first, `${key} is ${first} by default`)
  }
})

t.test('values that are not words', async (t) => {
  t.same(wish('cells', '1'), { cells: 1 })
  t.same(wish('cells', '128'), { cells: 128 })
  t.same(wish('pagesize', '2M'), { pagesize: 2048 })
  t.same(wish('pagesize', '1G, 2M,none'), { pagesize: [1048576, 2048, 'none'] })
  t.same(wish('pagesize', '1G,1G'), { pagesize: [1048576] }, 'a size that comes twice counts once')
  t.same(wish('pagesize', '2048 KiB'), { pagesize: 2048 })
  t.same(wish('pagesize', '2048'), { pagesize: 2048 })
  t.same(wish('pagesize', '64k'), { pagesize: 64 })
  t.same(wish('pagesize', '1G'), { pagesize: 1048576 })
  t.same(wish('tier-memory', '16G'), { 'tier-memory': 16777216 })
  t.same(wish('emulator', '0-1,8'), { emulator: [0, 1, 8] })
  t.same(wish('cpuset', '2-7,^3'), { cpuset: [2, 4, 5, 6, 7] })
  t.same(wish('cpuset', '0-31:2/16'), { cpuset: [0, 1, 16, 17] })
})

t.test('values that are refused', async (t) => {
  const refused: [key: string, value: string, code: string][] = [
    ...keyNames.map((key): [string, string, string] => [key, '', 'unknown-value']),
    ['like', 'KubeVirt', 'unknown-value'],
    ['cells', '0', 'unknown-value'],
    ['cells', '1025', 'unknown-value'],
    ['cells', '-1', 'unknown-value'],
    ['cells', '1.5', 'unknown-value'],
    ['cells', '1e2', 'unknown-value'],
    ['memory', '__proto__', 'unknown-value'],
    ['memory', 'constructor', 'unknown-value'],
    ['pagesize', '0', 'unknown-value'],
    ['pagesize', '3M', 'unknown-value'],
    ['pagesize', '1G,3M', 'unknown-value'],
    ['tier-memory', '0', 'unknown-value'],
    ['tier-memory', 'half', 'unknown-value'],
    ['pagesize', '1G,', 'unknown-value'],
    ['pagesize', '2MB', 'unknown-value'],
    ['pagesize', `${2 ** 50 + 1}`, 'unknown-value'],
    ['pagesize', 'huge', 'unknown-value'],
    ['pagesize', '2097151b', 'unknown-value'],
    ['pagesize', '2Q', 'size-malformed'],
    ['pagesize', '99999999E', 'size-too-large'],
    ['emulator', 'spear', 'unknown-value'],
    ['emulator', '3-1', 'set-malformed'],
    ['cpuset', 'all', 'set-malformed'],
    ['cpuset', '0-99999', 'set-too-large'],
    ['cpuset', '1,^1', 'unknown-value'],
  ]
  for (const [key, value, code] of refused)
    t.same(
      codes(() => wish(key, value)),
      [code],
      `${key}=${value}`,
    )

  const [memory] = refusals(() => readKeys([['memory', 'evne']], 'metadata of db1'))
  t.match(memory, {
    code: 'unknown-value',
    what: 'metadata of db1: invalid value "evne" for memory',
    why: 'expected by-vcpu, even or by-free-pages',
    fix: 'did you mean even?',
  })
  const [cells] = refusals(() => wish('cells', 'many'))
  t.equal(cells?.why, 'expected per-node or a whole number from 1 to 128')
  t.equal(cells?.fix, 'write it like 2')
})

t.test('keys that are refused, all at once', async (t) => {
  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'Memory', 'reserve']) {
    t.same(
      codes(() => wish(key, 'even')),
      ['unknown-key'],
      key,
    )
    t.equal(asKey(key), undefined)
  }
  const found = refusals(() =>
    readKeys(
      [
        ['memroy', 'even'],
        ['pin', 'cpus'],
        ['x', 'y'],
        ['mode', 'strict'],
        ['cells', '0'],
      ],
      'test',
    ),
  )
  t.same(
    found.map(({ code, fix }) => [code, fix]),
    [
      ['unknown-key', 'did you mean memory?'],
      ['unknown-value', 'did you mean cpu?'],
      ['unknown-key', 'delete it or write one of these'],
      ['unknown-value', 'write it like 2'],
    ],
  )
  t.match(found[0]?.why, /^the keys are like, cells, .*, cpuset$/)
  t.same(readKeys([], 'test'), {})
  t.same(
    readKeys(
      [
        ['pin', 'cpu'],
        ['pin', 'cell'],
      ],
      'test',
    ),
    { pin: 'cell' },
    'the last one applies',
  )
})

t.test('nearest', async (t) => {
  t.equal(nearest('evne', ['odd', 'even']), 'even', 'swapped letters')
  t.equal(nearest('EVEN', ['even']), 'even')
  t.equal(nearest('by-free-page', ['by-vcpu', 'by-free-pages']), 'by-free-pages')
  t.equal(nearest('xyz', ['even', 'pack']), undefined)
  t.equal(nearest('', ['even']), undefined)
  t.equal(nearest('ab', ['aa', 'bb']), 'aa', 'the first of equally near ones')
  t.equal(nearest('x'.repeat(100_000), ['even']), undefined)
})

t.test('a request: the defaults of each value of like', async (t) => {
  t.same(requestFrom([]), ownDefaults)
  t.same(requestFrom([{}, { like: 'virt-numa' }]), ownDefaults)
  t.same(requestFrom([{ like: 'kubevirt' }]), {
    like: 'kubevirt',
    cells: 'per-node',
    existing: 'replace',
    memory: 'even',
    cpus: 'in-order',
    cores: 'any',
    pin: 'cpu',
    mode: 'strict',
    distances: 'host',
    topology: 'keep',
    onMisfit: 'refuse',
    emulator: 'none',
    isolated: 'use',
    devices: 'leave',
    tiers: 'ignore',
    reserve: [],
    rules: {
      threads: 'kubevirt',
      pins: 'ours',
      hugepagesRequired: true,
      offlineInCells: false,
      offlineCpus: 'left-out',
      cellUnit: 'page',
      hostDistances: 'as-stated',
      cellsOn: 'every-machine',
      allocation: 'immediate',
      unstatedMode: 'strict',
      strayDevices: 'noted',
      fewBusNumbers: 'noted',
    },
  })
  t.same(
    requestFrom([{ like: 'kubevirt' }, { like: 'virt-numa' }]),
    ownDefaults,
    'the strongest like applies',
  )
  t.match(
    requestFrom([{ memory: 'by-vcpu' }, { like: 'kubevirt' }]),
    { memory: 'by-vcpu', cpus: 'in-order' },
    'a stated key overrides the defaults of like',
  )
  t.match(requestFrom([{ like: 'kubevirt', emulator: 'spare' }]), {
    emulator: 'spare',
    rules: { threads: 'ours', hugepagesRequired: true },
  })
})

t.test('a request: defaults < config < VMI < metadata < flags', async (t) => {
  const values = ['pack', 'in-order', 'spread', 'as-pinned'] as const
  const layers: RequestedKeys[] = []
  for (const choice of values) {
    layers.push({ cpus: choice })
    t.equal(requestFrom(layers).cpus, choice)
    t.equal(requestFrom([...layers, {}]).cpus, choice, 'a source that does not state the key changes nothing')
  }
  const config: RequestedKeys = { memory: 'by-free-pages', mode: 'preferred', pin: 'cell', pagesize: 2048 }
  const metadata: RequestedKeys = { mode: 'restrictive', pin: 'cell', pagesize: 1048576, cpuset: cpus('0-3') }
  const flags: RequestedKeys = { pin: 'auto', cells: 2, pagesize: 'none' }
  const request = requestFrom([config, { like: 'kubevirt' }, metadata, flags], {
    reserve: [{ pagesizeKiB: 2048, kib: 4096 }],
  })
  t.same(request, {
    ...requestFrom([{ like: 'kubevirt' }]),
    memory: 'by-free-pages',
    mode: 'restrictive',
    pin: 'auto',
    cells: 2,
    pagesizeKiB: 'none',
    cpuset: [0, 1, 2, 3],
    reserve: [{ pagesizeKiB: 2048, kib: 4096 }],
  })
  t.notOk('pagesize' in request)
  t.notOk('pagesizeKiB' in requestFrom([]))
  t.notOk('cpuset' in requestFrom([]))
})

t.test("without a requested mode, the domain's is kept", async (t) => {
  const modes = ['strict', 'preferred', 'interleave', 'restrictive'] as const
  for (const writtenMode of modes) {
    t.equal(requestFrom([], { writtenMode }).mode, writtenMode)
    t.equal(requestFrom([{ mode: 'preferred' }], { writtenMode }).mode, 'preferred', 'a request is stronger')
    t.equal(requestFrom([{ like: 'kubevirt' }], { writtenMode }).mode, 'strict', "KubeVirt's is strict")
  }
  t.equal(requestFrom([]).mode, 'strict')
})

t.test('ordinary memory that the host keeps', async (t) => {
  t.equal(requestFrom([], { reserveKiB: 4096 }).reserveKiB, 4096)
  t.notOk('reserveKiB' in requestFrom([]))
})

t.test('config: an empty file has all defaults', async (t) => {
  t.same(defaultConfig, {
    requested: {},
    guests: 'opted-in',
    tenantKeys: keyNames,
    reserve: [],
    timeoutS: 10,
    onError: 'refuse',
    logFile: '/var/log/libvirt/virt-numa.log',
  })
  for (const text of [
    '',
    '\n',
    '\r\n\r\n',
    '\uFEFF',
    '# memory = "even"',
    '\uFEFF# only a comment\r\n   \t# another',
  ]) {
    t.same(parseConfig(text, 'test.conf'), defaultConfig, JSON.stringify(text))
  }
})

t.test('config: every key', async (t) => {
  const text = `\uFEFF# of node7
memory = "by-free-pages"   # "even" was worse
cpus='spread'
	cells = 2
pagesize = "1G"
emulator = "0,8"
cpuset = '2-7'

guests = [ "db1", 'db "2"', # the big ones
  "#3",
]
tenant_keys = [ "pin", "memory", "memory", ]
reserve = ["1G=2097152","2M=1G",
"64k = 512 MiB"]
timeout_s = 30
memory_limit_mib=256
on_error = "keep"
log_file = "/tmp/it's.log"
root = "/host"`
  const expected: Config = {
    requested: {
      memory: 'by-free-pages',
      cpus: 'spread',
      cells: 2,
      pagesize: 1048576,
      emulator: cpus('0,8'),
      cpuset: cpus('2-7'),
    },
    guests: ['db1', 'db "2"', '#3'],
    tenantKeys: ['memory', 'pin'],
    reserve: [
      { pagesizeKiB: 64, kib: 524288 },
      { pagesizeKiB: 2048, kib: 1048576 },
      { pagesizeKiB: 1048576, kib: 2097152 },
    ],
    timeoutS: 30,
    memoryLimitMiB: 256,
    onError: 'keep',
    logFile: "/tmp/it's.log",
    root: '/host',
  }
  t.same(parseConfig(text, 'test.conf'), expected)
  t.same(parseConfig(text.replace(/\n/g, '\r\n'), 'test.conf'), expected, 'CRLF')
  t.same(parseConfig(`${text}\n`, 'test.conf'), expected, 'a newline at the end')
})

t.test('config: every value of every key', async (t) => {
  for (const key of keyNames) {
    for (const word of words[key])
      t.same(parseConfig(`${key} = "${word}"`, 'test.conf').requested, { [key]: word })
  }
})

t.test('config: single values', async (t) => {
  const one = (text: string): Config => parseConfig(text, 'test.conf')
  t.equal(one('guests = "all"').guests, 'all')
  t.equal(one('guests = "opted-in"').guests, 'opted-in')
  t.same(one('guests = []').guests, [])
  t.same(one('guests = [ # nobody\n\n]').guests, [])
  t.same(one('guests = [ "__proto__", "constructor" ]').guests, ['__proto__', 'constructor'])
  t.same(one('tenant_keys = []').tenantKeys, [])
  t.same(one('reserve = []').reserve, [])
  t.same(one('reserve = [ "2M=1048576" ]').reserve, [{ pagesizeKiB: 2048, kib: 1048576 }])
  t.equal(one('reserve = [ "2M=1048576" ]').reserveKiB, undefined)
  t.equal(one('reserve = "2GiB"').reserveKiB, 2 * 1024 * 1024)
  t.same(one('reserve = "2GiB"').reserve, [])
  const both = one('reserve = [ "memory=1048576", "1G=2G", "2M=1G" ]')
  t.equal(both.reserveKiB, 1048576)
  t.same(both.reserve, [
    { pagesizeKiB: 2048, kib: 1048576 },
    { pagesizeKiB: 1048576, kib: 2097152 },
  ])
  t.same(one('reserve = [ "2M=0" ]').reserve, [{ pagesizeKiB: 2048, kib: 0 }])
  t.equal(one('timeout_s = 1').timeoutS, 1)
  t.equal(one('timeout_s = 3600').timeoutS, 3600)
  t.equal(one('on_error = "refuse"').onError, 'refuse')
  t.same(one("root = 'C:\\dir'").root, 'C:\\dir', 'a backslash is a backslash')
})

t.test('config: values that are refused, with their position', async (t) => {
  const refused: [line: string, code: string, at: string, fix: string][] = [
    ['memory = "evne"', 'unknown-value', '"evne"', 'did you mean even?'],
    ['memory = [ "even" ]', 'unknown-value', '[ "even" ]', 'write one of these'],
    ['cpuset = "3-1"', 'set-malformed', '"3-1"', 'write it like 0-3,8 (or 0-7,^2, or 0-31:2/4)'],
    ['cpuset = ""', 'unknown-value', '""', 'write it like 2-7,10'],
    ['cells = -2', 'unknown-value', '-2', 'write it like 2'],
    ['guests = "al"', 'unknown-value', '"al"', 'did you mean all?'],
    ['guests = "db1"', 'unknown-value', '"db1"', 'write it like [ "db1" ]'],
    ['tenant_keys = "memory"', 'unknown-value', '"memory"', 'write it like [ "memory", "cpus" ]'],
    ['tenant_keys = [ "pin", "memroy" ]', 'unknown-key', '"memroy"', 'did you mean memory?'],
    ['tenant_keys = [ "constructor" ]', 'unknown-key', '"constructor"', 'delete it or write one of these'],
    ['reserve = "2M=1G"', 'unknown-value', '"2M=1G"', 'write it like [ "2M=1048576" ]'],
    ['reserve = ""', 'unknown-value', '""', 'write it like [ "2M=1048576" ]'],
    ['reserve = "much"', 'size-malformed', '"much"', 'write it like 64 MiB, 2M or 1G'],
    ['reserve = [ "memory=1", "memory=2" ]', 'config-repeated', '"memory=2"', 'delete one of the two lines'],
    ['reserve = [ "2M" ]', 'unknown-value', '"2M"', 'write it like "2M=1048576"'],
    ['reserve = [ "none=1" ]', 'unknown-value', '"none=1"', 'write it like "2M=1048576"'],
    ['reserve = [ "2M=1=2" ]', 'unknown-value', '"2M=1=2"', 'write it like "2M=1048576"'],
    ['reserve = [ "3M=1" ]', 'unknown-value', '"3M=1"', 'write it like 2M'],
    ['reserve = [ "2M=lots" ]', 'size-malformed', '"2M=lots"', 'write it like 64 MiB, 2M or 1G'],
    ['reserve = [ "2M=1", "2048=2" ]', 'config-repeated', '"2048=2"', 'delete one of the two lines'],
    ['timeout_s = 0', 'unknown-value', '0', 'write it like 10'],
    ['timeout_s = 3601', 'unknown-value', '3601', 'write it like 10'],
    ['timeout_s = -1', 'unknown-value', '-1', 'write it like 10'],
    ['timeout_s = "soon"', 'unknown-value', '"soon"', 'write it like 10'],
    ['memory_limit_mib = 0', 'unknown-value', '0', 'write it like 10'],
    ['on_error = "ignore"', 'unknown-value', '"ignore"', 'write one of these'],
    ['log_file = ""', 'unknown-value', '""', 'write it like "/path/to/it"'],
    ['root = [ "/host" ]', 'unknown-value', '[ "/host" ]', 'write it like "/path/to/it"'],
    ['memroy = "even"', 'unknown-key', 'memroy', 'did you mean memory?'],
    ['tenant-keys = []', 'unknown-key', 'tenant-keys', 'did you mean tenant_keys?'],
    ['__proto__ = "x"', 'unknown-key', '__proto__', 'delete it or write one of these'],
    ['constructor = "x"', 'unknown-key', 'constructor', 'delete it or write one of these'],
    ['toString = 1', 'unknown-key', 'toString', 'delete it or write one of these'],
  ]
  for (const [line, code, at, fix] of refused) {
    const text = `# first line\r\n  ${line}\r\npin = "cpu"\r\n`
    t.same(placed(text), [[code, 2, 3 + line.lastIndexOf(at), at]], line)
    t.equal(refusals(() => parseConfig(text, 'test.conf'))[0]?.fix, fix, `${line}: its fix`)
  }
  t.match(refusals(() => parseConfig('nope = 1', 'test.conf'))[0], {
    what: 'test.conf: unknown key "nope"',
    why: pattern(
      /like, .*cpuset, guests, tenant_keys, reserve,/,
      / timeout_s, memory_limit_mib, on_error, log_file, root$/,
    ),
  })
})

t.test('config: malformed lines, with their position', async (t) => {
  const malformed: [line: string, column: number, at: string, what: string, fix: string][] = [
    ['memory = even', 10, 'even', '"even" where a value is expected', 'write memory = "even"'],
    ['pagesize = 2M', 12, '2M', '"2M" where a value is expected', 'write pagesize = "2M"'],
    ['memory =', 9, '', 'the line ends where a value is expected', 'write memory = "value"'],
    ['memory = # even', 10, '#', '"#" where a value is expected', 'write memory = "value"'],
    ['memory "even"', 8, '"even"', '"\\"even\\"" where = is expected', 'write memory = "value"'],
    ['memory', 7, '', 'the line ends where = is expected', 'write memory = "value"'],
    ['memory: "even"', 7, ':', '":" where = is expected', 'write memory = "value"'],
    ['= "even"', 1, '=', '"=" where a key is expected', 'write key = "value"; a comment begins with #'],
    [
      '[virt-numa]',
      1,
      '[virt-numa]',
      '"[virt-numa]" where a key is expected',
      'write key = "value"; a comment begins with #',
    ],
    ['memory = "even', 15, '', 'the line ends where a closing " is expected', 'write "..." on one line'],
    ['memory = \'even"', 16, '', "the line ends where a closing ' is expected", "write '...' on one line"],
    [
      'memory = "even" "odd"',
      17,
      '"odd"',
      '"\\"odd\\"" where the end of the line is expected',
      'write one setting per line',
    ],
    [
      'guests = "a", "b"',
      13,
      ',',
      '"," where the end of the line is expected',
      'write guests = [ "a", "b" ]',
    ],
    ['cells = 1.5', 9, '1.5', '"1.5" where a value is expected', 'write cells = "1.5"'],
    ['guests = [ db1 ]', 12, 'db1', '"db1" where a value or ] is expected', 'write "db1"'],
    [
      'guests = [ "a" "b" ]',
      16,
      '"b"',
      '"\\"b\\"" where , or ] is expected',
      'put commas between the values and close the list with ]',
    ],
    ['guests = [ , ]', 12, ',', '"," where a value or ] is expected', 'write "value"'],
    ['guests = [ [ "a" ] ]', 12, '[', '"[" where a value or ] is expected', 'write "value"'],
  ]
  for (const [line, column, at, what, fix] of malformed) {
    t.same(placed(`#\n${line}\npin = "cpu"\n`), [['config-syntax', 2, column, at]], line)
    t.match(
      refusals(() => parseConfig(line, 'test.conf'))[0],
      { what: `test.conf: ${what}`, why: 'the file is read like qemu.conf', fix },
      line,
    )
  }
  t.same(placed('guests = [ "a",\n  "b"'), [['config-syntax', 2, 6, '']], 'a list that is never closed')
  t.same(placed('guests = ['), [['config-syntax', 1, 11, '']])
  t.same(placed('guests = [ "a" ] x\nnope'), [
    ['config-syntax', 1, 18, 'x'],
    ['config-syntax', 2, 5, ''],
  ])
  t.same(placed('guests = [\n  db1,\n  db2\n]\npin = "x"'), [
    ['config-syntax', 2, 3, 'db1,'],
    ['unknown-value', 5, 7, '"x"'],
  ])
})

t.test('config: every mistake, in the order of the file', async (t) => {
  const text = [
    'memory = evne',
    'pin = "cpux"',
    'guests = [ "a",',
    'nope = 1',
    'pin = "cpu"',
    'pin = "nonsense"',
    'reserve = [ "x=1", "2M=y", "2M" ]',
    'on_error = 3',
    'on_error = "keep"',
  ].join('\n')
  t.same(placed(text), [
    ['config-syntax', 1, 10, 'evne'],
    ['unknown-value', 2, 7, '"cpux"'],
    ['config-syntax', 4, 1, 'nope'],
    ['unknown-key', 4, 1, 'nope'],
    ['config-repeated', 5, 1, 'pin'],
    ['config-repeated', 6, 1, 'pin'],
    ['unknown-value', 6, 7, '"nonsense"'],
    ['unknown-value', 7, 13, '"x=1"'],
    ['size-malformed', 7, 20, '"2M=y"'],
    ['unknown-value', 7, 28, '"2M"'],
    ['unknown-value', 8, 12, '3'],
    ['config-repeated', 9, 1, 'on_error'],
  ])
  const [, repeated] = refusals(() => parseConfig('\npin = "x"\n\npin = "cpu"', 'test.conf'))
  t.equal(repeated?.what, 'test.conf: pin is already set on line 2')
})

t.test('config: what to write for a number', async (t) => {
  const numbers = hostSettings.filter(({ shown }) => /^\d+$/.test(shown))
  t.ok(numbers.length > 0)
  for (const { name, shown } of numbers) {
    const [found] = refusals(() => parseConfig(`${name} = many`, 'test.conf'))
    t.equal(found?.fix, `write a whole number without quotes: ${name} = ${shown}`)
    t.doesNotThrow(() => parseConfig(`${name} = ${shown}`, 'test.conf'), 'which can be read')
  }
})

t.test('config: large and odd texts are read in time', async (t) => {
  t.equal(codes(() => parseConfig('x\n'.repeat(5_000), 'test.conf')).length, 5_000)
  t.same(
    codes(() => parseConfig(`guests = ${'['.repeat(100_000)}`, 'test.conf')),
    ['config-syntax'],
  )
  t.same(parseConfig(' \n#\n'.repeat(100_000), 'test.conf'), defaultConfig)
  t.same(
    codes(() => parseConfig('\0', 'test.conf')),
    ['config-syntax'],
  )
  const names = Array.from({ length: 20_000 }, (_, index) => `guest${index}`)
  t.same(
    parseConfig(`guests = [\n${names.map((name) => `"${name}"`).join(',\n')}\n]`, 'test.conf').guests,
    names,
  )
})

t.test('which guests are fitted', async (t) => {
  const tune = { memnodes: [] }
  const asks = { name: 'db1', writtenKeys: new Map<string, string>(), tune }
  const silent = { name: 'db2', tune }
  const covered = (guests: Config['guests']): [boolean, boolean] => {
    const config = { ...defaultConfig, guests }
    return [optedIn(asks, config), optedIn(silent, config)]
  }
  t.same(covered('opted-in'), [true, false])
  t.same(covered('all'), [true, true])
  t.same(covered('bound'), [true, false])
  const bound = { name: 'db3', tune: { memnodes: [{}] } }
  t.ok(optedIn(bound, { ...defaultConfig, guests: 'bound' }), 'a guest with a memnode')
  t.notOk(optedIn(bound, defaultConfig))
  t.same(covered(['db2']), [true, true])
  t.same(covered(['db', 'db22']), [true, false])
  t.same(covered([]), [true, false])
  t.equal(optedIn({ name: 'opted-in', tune }, defaultConfig), false, 'a guest with the name of a choice')
  t.equal(optedIn({ name: 'pted', tune }, defaultConfig), false)
})

t.test('what a guest may request', async (t) => {
  const some: Config = { ...defaultConfig, tenantKeys: ['memory', 'cells'] }
  const read = (pairs: readonly (readonly [string, string])[], config: Config): RequestedKeys =>
    readTenantKeys(new Map(pairs), 'metadata of db1', config, 'our.conf')
  t.same(
    read(
      [
        ['memory', 'even'],
        ['cpuset', '0-3'],
      ],
      defaultConfig,
    ),
    { memory: 'even', cpuset: [0, 1, 2, 3] },
  )
  t.same(
    read(
      [
        ['memory', 'even'],
        ['cells', '2'],
      ],
      some,
    ),
    { memory: 'even', cells: 2 },
  )
  t.same(read([], { ...defaultConfig, tenantKeys: [] }), {})

  const found = refusals(() =>
    read(
      [
        ['pin', 'nonsense'],
        ['memory', 'x'],
        ['constructor', '1'],
        ['mode', 'strict'],
        ['__proto__', ''],
      ],
      some,
    ),
  )
  t.same(
    found.map(({ code }) => code),
    ['tenant-key-refused', 'unknown-value', 'unknown-key', 'tenant-key-refused', 'unknown-key'],
  )
  t.match(found[0], {
    code: 'tenant-key-refused',
    what: 'metadata of db1: a guest may not set pin',
    why: 'tenant_keys in our.conf allows only memory, cells',
    fix: 'delete pin there, or add "pin" to tenant_keys',
  })
  for (const key of keyNames) {
    t.same(
      codes(() => read([[key, words[key][0] ?? '1']], { ...defaultConfig, tenantKeys: [] })),
      ['tenant-key-refused'],
      key,
    )
  }
})

// ---- The bounds of a tenant ----

const NOBODY: Administrator = { config: {}, configSource: 'our.conf', flags: {} }
const given = (text: string): Bound => ({
  by: 'given',
  whose: 'the CPUs that the guest was given',
  cpus: cpus(text),
})
const cutToAllowed = (requested: RequestedKeys, allowed: CpuSet, source: string): Cut =>
  cutToBounds(requested, { source, bounds: [{ ...given(''), cpus: allowed }], administrator: NOBODY })

t.test("a guest's CPUs are reduced to the allowed ones", async (t) => {
  const allowed = cpus('2-5')
  const requested: RequestedKeys = { memory: 'even', cpuset: cpus('0-3'), emulator: cpus('5-8') }
  const cut = cutToAllowed(requested, allowed, 'metadata of db1')
  t.same(cut.requested, { memory: 'even', cpuset: [2, 3], emulator: [5] })
  t.same(
    cut.notes.map(worded).map(({ code, what, why }) => [code, what, why]),
    [
      [
        'cpuset-cut',
        'metadata of db1: cpuset 0-3 is reduced to 2-3',
        'the request of a guest is limited to the CPUs that the guest was given (2-5)',
      ],
      [
        'cpuset-cut',
        'metadata of db1: emulator 5-8 is reduced to 5',
        'the request of a guest is limited to the CPUs that the guest was given (2-5)',
      ],
    ],
  )
  t.same(
    requested,
    { memory: 'even', cpuset: [0, 1, 2, 3], emulator: [5, 6, 7, 8] },
    'the argument is not changed',
  )

  for (const uncut of [
    {},
    { emulator: 'shared' },
    { cpuset: cpus('2-5'), emulator: cpus('3') },
    { cells: 2 },
  ] as RequestedKeys[]) {
    t.same(cutToAllowed(uncut, allowed, 'test'), { requested: uncut, notes: [] })
  }
  const found = refusals(() =>
    cutToAllowed({ cpuset: cpus('0-1'), emulator: cpus('8') }, allowed, 'metadata of db1'),
  )
  t.same(
    found.map(({ code, what }) => [code, what]),
    [
      ['cpuset-unavailable', 'metadata of db1: cpuset 0-1 includes none of the allowed CPUs (2-5)'],
      ['cpuset-unavailable', 'metadata of db1: emulator 8 includes none of the allowed CPUs (2-5)'],
    ],
  )
  t.same(
    codes(() => cutToAllowed({ cpuset: cpus('0-1') }, cpus(''), 'test')),
    ['cpuset-unavailable'],
  )
})

const SIX: Resources = {
  nodes: [{ id: 0, cpus: cpus('0-5'), pages: [] }],
  siblings: [],
  isolated: cpus('4-5'),
  allowed: { cpus: cpus('1-5'), nodes: parseSet<NodeSet>('0', 'test') },
}

t.test('the administrator bounds what a guest requests', async (t) => {
  const boundsOf = (config: RequestedKeys, flags: RequestedKeys = {}): string[] =>
    tenantBounds({ config, configSource: 'our.conf', flags }, { ...SIX, allowedBy: 'confined' }).map(
      (bound) => `${bound.whose} ${formatSet(bound.cpus)}`,
    )
  const all = 'the CPUs that the guest was given 1-5'
  t.same(boundsOf({}), [all])
  t.same(boundsOf({ cpuset: cpus('0-2,40') }), ['cpuset in our.conf 0-2', all], 'only online CPUs count')
  t.same(
    boundsOf({ cpuset: cpus('0-2') }, { cpuset: cpus('3') }),
    ['--cpuset 3', all],
    'the flag takes precedence',
  )
  t.same(boundsOf({ isolated: 'avoid' }), ['isolated=avoid in our.conf 1-3', all])
  t.same(boundsOf({}, { isolated: 'avoid' }), ['--isolated avoid 1-3', all])
  t.same(boundsOf({ isolated: 'avoid' }, { isolated: 'use' }), [all])
  t.same(
    boundsOf({ isolated: 'avoid', cpuset: cpus('4') }),
    ['cpuset in our.conf 4', all],
    'a cpuset may name isolated CPUs',
  )
  t.same(
    tenantBounds(NOBODY, { ...SIX, allowedBy: 'online' }).map(({ whose }) => whose),
    ["the host's online CPUs"],
  )

  const cut = (
    requested: RequestedKeys,
    config: RequestedKeys,
    flags: RequestedKeys = {},
  ): [RequestedKeys, string[]] => {
    const administrator = { config, configSource: 'our.conf', flags }
    const bounds = tenantBounds(administrator, { ...SIX, allowedBy: 'confined' })
    const answer = cutToBounds(requested, { source: 'test', bounds, administrator })
    return [
      answer.requested,
      answer.notes.map(worded).map(({ code, what, why }) => `${code} ${what}; ${why}`),
    ]
  }
  const stays = 'the request of a guest is limited to'
  t.same(cut({ cpuset: cpus('0-3') }, { cpuset: cpus('0-2') }), [
    { cpuset: [1, 2] },
    [
      `cpuset-cut test: cpuset 0-3 is reduced to 1-2; ${stays} cpuset in our.conf (0-2) and ` +
        `${all.replace(' 1-5', ' (1-5)')}`,
    ],
  ])
  t.same(cut({ emulator: cpus('2-3') }, { cpuset: cpus('1-2') }), [
    { emulator: [2] },
    [`cpuset-cut test: emulator 2-3 is reduced to 2; ${stays} cpuset in our.conf (1-2)`],
  ])
  t.same(cut({ emulator: 'none' }, { cpuset: cpus('1-2') }), [
    { emulator: [1, 2] },
    [`cpuset-cut test: emulator none is reduced to 1-2; ${stays} cpuset in our.conf (1-2)`],
  ])
  t.same(
    cut({ emulator: 'none' }, { cpuset: cpus('1-2'), emulator: 'none' }),
    [{ emulator: 'none' }, []],
    "the administrator's own word",
  )
  t.same(
    cut({ emulator: 'none' }, { cpuset: cpus('0-5') }),
    [{ emulator: 'none' }, []],
    'the kernel confines it to the same CPUs',
  )
  t.same(cut({ emulator: 'none', isolated: 'use' }, {}), [{ emulator: 'none', isolated: 'use' }, []])
  t.same(cut({ isolated: 'use' }, { isolated: 'avoid' }), [
    { isolated: 'avoid' },
    [
      'isolated-avoided test: isolated=use is not applied; ' +
        'a guest cannot override isolated=avoid in our.conf',
    ],
  ])
  t.same(cut({ isolated: 'avoid', cpuset: cpus('3-4') }, { isolated: 'avoid' })[0], {
    isolated: 'avoid',
    cpuset: [3],
  })
  t.same(
    cut(
      { cpuset: cpus('0'), emulator: cpus('0'), memory: 'even' },
      {},
      { cpuset: cpus('3'), emulator: 'spare' },
    ),
    [{ memory: 'even' }, []],
    'a key that a flag overrides is not cut',
  )
  const refused = refusals(() => cut({ cpuset: cpus('3-4') }, { cpuset: cpus('1-2') }))
  t.match(refused, [
    {
      code: 'cpuset-unavailable',
      what: 'test: cpuset 3-4 includes none of the allowed CPUs (1-2)',
      why: `${stays} cpuset in our.conf (1-2)`,
    },
  ])
})
