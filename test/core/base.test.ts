// Sets, sizes, masks and UTF-8: what is read, printed and refused, compared with a second computation.

import fc from 'fast-check'
import t from 'tap'
import { collectRefusals, Refusal } from '../../src/base/diagnostic.ts'
import {
  type CpuSet,
  formatSet,
  intersect,
  MAX_ID,
  sameSet,
  setOf,
  subtract,
  union,
} from '../../src/base/idset.ts'
import {
  aboutKiB,
  formatKiB,
  formatPagesize,
  inOneUnit,
  inOneUnitAbout,
  parseLibvirtSize,
  parseQuantity,
  parseSize,
} from '../../src/base/memory.ts'
import { nearest } from '../../src/base/nearest.ts'
import { parseMask, parseSet } from '../../src/base/parse-set.ts'
import { decodeUtf8 } from '../../src/base/utf8.ts'
import { classes, classOf, diagnostic } from '../../src/codes/codes.ts'

const RUNS = { numRuns: 500, seed: 20_260_117 }
const MAX_KIB = Number.MAX_SAFE_INTEGER

const cpus = (text: string): number[] => [...parseSet<CpuSet>(text, 'test')]
const mask = (text: string): number[] => [...parseMask<CpuSet>(text, 'test')]

function codeOf(read: () => unknown): string {
  try {
    return `read as ${JSON.stringify(read())}`
  } catch (error) {
    if (error instanceof Refusal) return error.diagnostics.map(({ code }) => code).join(' ')
    throw error
  }
}

// ---- Sets ----

t.test('sets in the notations of the kernel, of libvirt and of people', (t) => {
  const read: Record<string, readonly number[]> = {
    '': [],
    ' \n': [],
    '0': [0],
    '3,1,2': [1, 2, 3],
    '0-3,8': [0, 1, 2, 3, 8],
    ' 0-1 , 4 ': [0, 1, 4],
    '0-1,': [0, 1],
    '0,0-1,1': [0, 1],
    '007-008': [7, 8],
    '0-7,^2': [0, 1, 3, 4, 5, 6, 7],
    '0-7,^2-5,3': [0, 1, 3, 6, 7],
    '^2,0-3': [0, 1, 2, 3],
    '^0': [],
    '0-7:2/4': [0, 1, 4, 5],
    '0-8:1/3': [0, 3, 6],
    '5-9:1/5': [5],
    '0-3:4/4': [0, 1, 2, 3],
  }
  for (const [text, ids] of Object.entries(read)) t.same(cpus(text), ids, JSON.stringify(text))
  t.equal(cpus(`0-${MAX_ID}`).length, MAX_ID + 1, 'the longest')
  for (const text of [
    'x',
    '-1',
    '1-',
    '-',
    '3-1',
    '1,,2',
    ',1',
    '1 2',
    '0x3',
    '1.5',
    '+1',
    '0-3:0/2',
    '0-3:3/2',
    '0-3:1/0',
    '3:1/2',
    'all',
    '^',
    '99999999999',
  ])
    t.equal(
      codeOf(() => cpus(text)),
      'set-malformed',
      text,
    )
  for (const text of [`${MAX_ID + 1}`, '0-9999999999', `0-3,${MAX_ID + 1}`])
    t.equal(
      codeOf(() => cpus(text)),
      'set-too-large',
      text,
    )
  t.end()
})

const ids = fc.uniqueArray(fc.oneof(fc.nat(70), fc.nat(MAX_ID)), { maxLength: 60 })

t.test('a set is printed in its shortest form, and reads back', (t) => {
  fc.assert(
    fc.property(ids, (some) => {
      const set = setOf<CpuSet>(some)
      const text = formatSet(set)
      const isShort = !text
        .split(',')
        .some(
          (item, at, all) =>
            at > 0 && Number(item.split('-')[0]) === Number(all[at - 1]?.split('-').at(-1)) + 1,
        )
      return (
        isShort &&
        sameSet(cpus(text), set) &&
        sameSet(
          [...set],
          [...new Set(some)].sort((a, b) => a - b),
        )
      )
    }),
    RUNS,
  )
  t.equal(formatSet([0, 1, 2, 3, 8]), '0-3,8')
  t.equal(formatSet([0, 1, 3]), '0-1,3')
  t.equal(formatSet([]), '')
  t.end()
})

t.test('union, intersection and difference', (t) => {
  fc.assert(
    fc.property(ids, ids, (some, others) => {
      const [a, b] = [setOf<CpuSet>(some), setOf<CpuSet>(others)]
      const [inA, inB] = [new Set(some), new Set(others)]
      const sorted = (each: Iterable<number>): number[] => [...each].sort((x, y) => x - y)
      return (
        sameSet(union(a, b), sorted(new Set([...some, ...others]))) &&
        sameSet(intersect(a, b), sorted([...inA].filter((id) => inB.has(id)))) &&
        sameSet(subtract(a, b), sorted([...inA].filter((id) => !inB.has(id)))) &&
        sameSet(a, b) === (inA.size === inB.size && [...inA].every((id) => inB.has(id)))
      )
    }),
    RUNS,
  )
  t.same([...union<CpuSet>()], [])
  t.end()
})

t.test('masks are 32-bit words, the highest first', (t) => {
  t.same(mask('00000000,0000ff0f\n'), [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15])
  t.same(mask('1,00000000'), [32])
  t.same(mask('80000001'), [0, 31])
  t.same(mask('FF'), [0, 1, 2, 3, 4, 5, 6, 7])
  t.same(mask('0'), [])
  for (const text of ['', '0x1', '123456789', '1,,1', 'g', '-1'])
    t.equal(
      codeOf(() => mask(text)),
      'set-malformed',
      text,
    )
  t.equal(
    codeOf(() => mask(Array(2049).fill('0').join(','))),
    'set-too-large',
  )
  fc.assert(
    fc.property(ids, (some) => {
      const bits = some.reduce((all, id) => all | (1n << BigInt(id)), 0n)
      const hex = bits.toString(16)
      const words = hex.padStart(Math.ceil(hex.length / 8) * 8, '0').match(/.{8}/g) ?? []
      return sameSet(mask(words.join(',')), setOf<CpuSet>(some))
    }),
    RUNS,
  )
  t.end()
})

// ---- Sizes ----

t.test('sizes in the units of libvirt', (t) => {
  const sizes: readonly (readonly [value: string, unit: string | undefined, kib: number, exact: boolean])[] =
    [
      ['4', undefined, 4, true],
      ['\n +4', 'KiB', 4, true],
      ['004', '', 4, true],
      ['1024', 'b', 1, true],
      ['1', 'byte', 1, false],
      ['1025', 'bytes', 2, false],
      ['0', 'bytes', 0, true],
      ['1', 'KB', 1, false],
      ['1024', 'KB', 1000, true],
      ['3', 'k', 3, true],
      ['2', 'M', 2048, true],
      ['2', 'mib', 2048, true],
      ['1', 'MB', 977, false],
      ['1', 'GiB', 1_048_576, true],
      ['1', 'T', 1_073_741_824, true],
      ['1', 'PiB', 2 ** 40, true],
      ['1', 'EiB', 2 ** 50, true],
      ['9007199254740991', undefined, MAX_KIB, true],
      ['7', 'EiB', 7 * 2 ** 50, true],
    ]
  for (const [value, unit, kib, exact] of sizes)
    t.same(parseLibvirtSize(value, unit, 'test'), { kib, exact }, `${value} ${unit}`)
  const malformed: readonly (readonly [string, string | undefined])[] = [
    ['', undefined],
    ['-1', 'KiB'],
    ['1.5', 'GiB'],
    ['1e3', undefined],
    ['0x10', undefined],
    ['1', ' '],
    ['1', 'x'],
    ['1', '\u212Aib'],
    ['1 ', 'KiB'],
    ['1', 'Kb '],
    ['1', 'KiBi'],
    ['1', 'ZiB'],
    ['9'.repeat(21), undefined],
  ]
  for (const [value, unit] of malformed)
    t.equal(
      codeOf(() => parseLibvirtSize(value, unit, 'test')),
      'size-malformed',
      `${value} ${unit}`,
    )
  t.equal(
    codeOf(() => parseLibvirtSize('9007199254740992', undefined, 'test')),
    'size-too-large',
  )
  t.equal(
    codeOf(() => parseLibvirtSize('8', 'EiB', 'test')),
    'size-too-large',
  )
  t.end()
})

t.test('no unit loses a byte silently', (t) => {
  const bytes: Record<string, bigint> = {
    b: 1n,
    kb: 1000n,
    KiB: 1024n,
    M: 1024n ** 2n,
    MB: 1000n ** 2n,
    gib: 1024n ** 3n,
    GB: 1000n ** 3n,
  }
  const seen = { exact: 0, rounded: 0 }
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 33n - 1n), fc.constantFrom(...Object.keys(bytes)), (value, unit) => {
      const exactly = value * (bytes[unit] as bigint)
      const { kib, exact } = parseLibvirtSize(`${value}`, unit, 'test')
      const read = BigInt(kib) * 1024n
      seen[exact ? 'exact' : 'rounded'] += 1
      return exact ? read === exactly : read > exactly && read - exactly < 1024n
    }),
    RUNS,
  )
  t.ok(
    seen.exact > 100 && seen.rounded > 100,
    `${seen.exact} exact, ${seen.rounded} rounded up by less than a KiB and said so`,
  )
  t.end()
})

t.test('sizes as people type them, and as they are printed', (t) => {
  t.same(parseSize('2M', 'test'), { kib: 2048, exact: true })
  t.same(parseSize(' 2048 KiB ', 'test'), { kib: 2048, exact: true })
  t.same(parseSize('64MiB', 'test'), { kib: 65_536, exact: true })
  t.same(parseSize('5', 'test'), { kib: 5, exact: true })
  for (const text of ['', 'M', '2 M B', '-2M', '2.5G', '2,0', '7X'])
    t.equal(
      codeOf(() => parseSize(text, 'test')),
      'size-malformed',
      text,
    )
  t.same([0, 1, 1023, 1024, 1030, 65_536, 1_048_576, 2 ** 40, 2 ** 50].map(formatKiB), [
    '0 KiB',
    '1 KiB',
    '1023 KiB',
    '1 MiB',
    '1030 KiB',
    '64 MiB',
    '1 GiB',
    '1 PiB',
    '1024 PiB',
  ])
  t.same([0, 1, 1023, 1030, 6800, 32_980_312].map(aboutKiB), [
    '0 KiB',
    '1 KiB',
    '1023 KiB',
    '1 MiB',
    '6.6 MiB',
    '31.5 GiB',
  ])
  t.same(inOneUnit(1_047_552, 1_048_576), ['1023 MiB', '1024 MiB'])
  t.same(inOneUnit(1_048_575, 1_048_576), ['1048575 KiB', '1048576 KiB'])
  t.same(inOneUnitAbout(6800, 65_536, 6800, 0), ['6.6 MiB', '64 MiB', '6.6 MiB', '0 MiB'])
  t.same(inOneUnitAbout(4, 65_536), ['4 KiB', '65536 KiB'])
  t.same(inOneUnitAbout(1_048_575, 1_048_576), ['1048575 KiB', '1048576 KiB'], 'else they look the same')
  t.same(inOneUnitAbout(0, 0), ['0 KiB', '0 KiB'])
  t.same([64, 2048, 1_048_576, 16_777_216].map(formatPagesize), ['64K', '2M', '1G', '16G'])
  fc.assert(
    fc.property(
      fc.oneof(fc.nat(), fc.maxSafeNat()),
      (kib) =>
        parseSize(formatKiB(kib), 'test').kib === kib && parseSize(formatPagesize(kib), 'test').kib === kib,
    ),
    RUNS,
  )
  t.end()
})

t.test('Kubernetes quantities, exactly', (t) => {
  const quantities: Record<string, readonly [kib: number, exact: boolean]> = {
    '64Mi': [65_536, true],
    '1.5Gi': [1_572_864, true],
    '0.5Ki': [1, false],
    '128974848': [125_952, true],
    '129e6': [125_977, false],
    '129E6': [125_977, false],
    '129M': [125_977, false],
    '1E': [976_562_500_000_000, true],
    '1Ei': [2 ** 50, true],
    '1024000m': [1, true],
    '500m': [1, false],
    '1024000000u': [1, true],
    '1n': [1, false],
    '+1Ki': [1, true],
    '1.': [1, false],
    '.5Ki': [1, false],
    '1024e0': [1, true],
    '10240e-1': [1, true],
    '0': [0, true],
  }
  for (const [text, [kib, exact]] of Object.entries(quantities))
    t.same(parseQuantity(text, 'test'), { kib, exact }, text)
  for (const text of ['', '.', 'Mi', '-1', '1K', '1MiB', '1 Mi', '1e', '1e1Mi', 'NaN', '0x1', '1e100'])
    t.equal(
      codeOf(() => parseQuantity(text, 'test')),
      'size-malformed',
      text,
    )
  t.equal(
    codeOf(() => parseQuantity('1e99', 'test')),
    'size-too-large',
  )
  t.equal(
    codeOf(() => parseQuantity('9Ei', 'test')),
    'size-too-large',
  )
  t.end()
})

// ---- UTF-8 ----

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What Node's own decoder returns; undefined where it refuses. */
function decoded(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** Bytes that start as valid UTF-8 and then contain a typical mistake. */
const nearlyUtf8 = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.string({ unit: 'binary', maxLength: 6 }).map((text) => [...Buffer.from(text)]),
      },
      { weight: 1, arbitrary: fc.array(fc.integer({ min: 0x80, max: 0xff }), { maxLength: 4 }) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          [0xc0, 0x80],
          [0xed, 0xa0, 0x80],
          [0xf4, 0x90, 0x80, 0x80],
          [0xe0, 0x9f, 0xbf],
          [0xf0, 0x8f, 0xbf, 0xbf],
          [0xef, 0xbb, 0xbf],
        ),
      },
    ),
    { maxLength: 6 },
  )
  .map((parts) => Uint8Array.from(parts.flat()))

t.test('UTF-8 is decoded as Node decodes it', (t) => {
  const seen = { text: 0, refused: 0 }
  fc.assert(
    fc.property(fc.oneof(nearlyUtf8, fc.uint8Array({ maxLength: 12 })), (bytes) => {
      const ours = decodeUtf8(bytes)
      const theirs = decoded(bytes)
      seen[typeof ours === 'string' ? 'text' : 'refused'] += 1
      if (typeof ours === 'string') return ours === theirs
      // The bytes before the bad one decode, and no longer prefix does.
      return theirs === undefined && decoded(bytes.subarray(0, ours.invalidAt)) !== undefined
    }),
    { ...RUNS, numRuns: 5000 },
  )
  t.ok(seen.text > 500 && seen.refused > 500, `${seen.text} read, ${seen.refused} refused`)
  t.end()
})

t.test('every character, and chunks of every length', (t) => {
  const all = Array.from({ length: 0x110000 }, (_, code) =>
    code >= 0xd800 && code <= 0xdfff ? '' : String.fromCodePoint(code),
  ).join('')
  t.ok(decodeUtf8(Buffer.from(all)) === all, 'all of Unicode')
  for (const length of [0, 1, 8191, 8192, 8193, 16_384]) {
    const text = `${'a'.repeat(length)}\u{1f600}`
    t.equal(decodeUtf8(Buffer.from(text)), text, `${length} letters and one of two units`)
  }
  t.same(decodeUtf8(Uint8Array.from([0x61, 0xff])), { invalidAt: 1 })
  t.same(decodeUtf8(Uint8Array.from([0xe2, 0x82])), { invalidAt: 0 }, 'cut off')
  t.equal(decodeUtf8(Uint8Array.from([0xef, 0xbb, 0xbf, 0x61])), '\uFEFFa', 'a byte order mark stays')
  t.end()
})

// ---- Diagnostics ----

t.test('a refusal carries every finding, each with its class', (t) => {
  const one = diagnostic('domain-incomplete', { element: 'memory' }, { start: 3, end: 9 })
  t.same([one.code, one.at], ['domain-incomplete', { start: 3, end: 9 }])
  t.match(new Refusal([one]).message, /domain-incomplete/)
  t.ok(new Refusal([one]) instanceof Error)
  t.notOk(new Error('another') instanceof Refusal)
  t.notOk({ diagnostics: [one] } instanceof Refusal)
  for (const [code, name] of Object.entries(classes)) t.equal(classOf(code), name, code)
  const found: Parameters<typeof collectRefusals>[0] = []
  t.equal(
    collectRefusals(found, () => 4),
    4,
  )
  t.equal(
    collectRefusals(found, () => cpus('x'), { start: 1, end: 2 }),
    undefined,
  )
  t.same([found.length, found[0]?.code, found[0]?.at], [1, 'set-malformed', { start: 1, end: 2 }])
  t.throws(() => collectRefusals(found, () => JSON.parse('{')), SyntaxError, 'any other error is thrown on')
  t.end()
})

t.test('the nearest word to a mistyped one', (t) => {
  const known = ['memory', 'mode', 'cells', 'cpus', 'cpuset', 'pin']
  const meant: Record<string, string | undefined> = {
    memroy: 'memory',
    MEMORY: 'memory',
    cell: 'cells',
    cpu: 'cpus',
    cpusett: 'cpuset',
    nip: undefined,
    pni: 'pin',
    zebra: undefined,
    '': undefined,
  }
  for (const [word, close] of Object.entries(meant)) t.equal(nearest(word, known), close, word)
  t.equal(nearest('x'.repeat(100_000), known), undefined, 'a long word costs nothing')
  t.end()
})
