// A real document to one that nearly is: elements and attributes moved about, values put to the edge, lines
// and bytes spoiled.

import { parseXml, type XmlElement } from '../../src/xml/parse.ts'
import type { Random } from './random.ts'

const VALUES = [
  ...[
    '',
    ' ',
    '0',
    '1',
    '-1',
    '2',
    '3',
    '4',
    '5',
    '7',
    '8',
    '16',
    '64',
    '127',
    '128',
    '129',
    '255',
    '256',
    '1024',
    '2048',
    '4096',
    '16384',
  ],
  ...[
    '16385',
    '65535',
    '65536',
    '1048576',
    '2147483648',
    '4294967295',
    '4294967296',
    '9007199254740991',
    '9007199254740993',
  ],
  ...[
    '18446744073709551616',
    '1e9',
    'NaN',
    '0x10',
    '1.5',
    '+1',
    '0-3',
    '0-1',
    '1,3',
    '0-65535',
    '^0',
    '0-3,^1',
    '3-1',
    ',',
    '0,,1',
    '0-31:2/4',
  ],
  ...[
    'auto',
    'static',
    'strict',
    'preferred',
    'restrictive',
    'interleave',
    'yes',
    'no',
    'none',
    'KiB',
    'GiB',
    'b',
    'EiB',
    'kvm',
    'qemu',
    'lxc',
  ],
  ...['__proto__', 'x'.repeat(300), '\u{1F600}', 'é', '&amp;', '&#10;', '\ttab', 'a"b'],
]

/** Pieces that decide where a guest sits; put where they may not be expected. */
const PIECES = [
  "<numatune><memory mode='strict' nodeset='0-1'/><memnode cellid='0' mode='strict' nodeset='0'/></numatune>",
  "<numatune><memory mode='preferred' placement='auto'/></numatune>",
  "<memnode cellid='1' mode='restrictive' nodeset='1'/>",
  "<cputune><vcpupin vcpu='0' cpuset='2'/><vcpupin vcpu='1' cpuset='3'/><emulatorpin " +
    "cpuset='0-1'/><iothreadpin iothread='1' cpuset='4'/></cputune>",
  "<vcpupin vcpu='1' cpuset='6'/>",
  "<cpu mode='host-passthrough'><topology sockets='1' dies='1' cores='2' threads='2'/><numa>" +
    "<cell id='0' cpus='0-1' memory='32768'/><cell id='1' cpus='2-3' memory='32768'/></numa>" +
    '</cpu>',
  "<numa><cell cpus='0-3' memory='65536' memAccess='shared'><distances><sibling id='0' " +
    "value='10'/></distances></cell></numa>",
  "<cell id='2' memory='1024' unit='MiB'/>",
  '<memoryBacking><hugepages/></memoryBacking>',
  "<memoryBacking><hugepages><page size='2048' unit='KiB'/></hugepages><allocation " +
    "mode='immediate'/></memoryBacking>",
  "<page size='1' unit='G' nodeset='0'/>",
  "<metadata><n:guestMappingPassthrough xmlns:n='urn:virt-numa:1' memory='by-free-pages'/></metadata>",
  "<n:guestMappingPassthrough xmlns:n='urn:virt-numa:1' cpus='spread' pin='cell' emulator='shared'/>",
  "<vcpu placement='auto' cpuset='0-3' current='2'>4</vcpu>",
  "<vcpus><vcpu id='0' enabled='yes'/><vcpu id='1' enabled='no' hotpluggable='yes'/></vcpus>",
  '<iothreads>3</iothreads>',
  "<iothreadids><iothread id='7'/></iothreadids>",
  "<memory model='dimm'><target><size unit='MiB'>64</size><node>1</node></target></memory>",
  "<controller type='pci' model='pcie-expander-bus'><target><node>1</node></target></controller>",
  "<memory unit='GiB'>4</memory>",
  '<maxMemory slots="4">8388608</maxMemory>',
  "<os><type arch='aarch64' machine='virt'>hvm</type></os>",
  '<resource><partition>/machine</partition></resource>',
  '<!-- a comment --><?pi x?><![CDATA[cdata]]>',
]

interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** The document with a few random changes. */
export function mutatedXml(text: string, random: Random): string {
  let done = text
  for (let round = 1 + random.upTo(4); round > 0; round--) done = oneSplice(done, random)
  return random.onceIn(6) ? mutatedText(done, random) : done
}

function oneSplice(text: string, random: Random): string {
  const elements = elementsOf(text)
  if (elements.length === 0) return mutatedText(text, random)
  const splices = spliceOf(text, elements, random)
  let moved = text
  for (const { start, end, text: put } of [...splices].sort((a, b) => b.start - a.start))
    moved = moved.slice(0, start) + put + moved.slice(end)
  return moved
}

function elementsOf(text: string): XmlElement[] {
  try {
    const found: XmlElement[] = []
    const visit = (element: XmlElement): void => {
      found.push(element)
      element.children.forEach(visit)
    }
    visit(parseXml(text).root)
    return found
  } catch {
    return []
  }
}

function spliceOf(text: string, elements: readonly XmlElement[], random: Random): Splice[] {
  const element = random.oneOf(elements)
  const whole = text.slice(element.start, element.end)
  const attribute = element.attributes.length === 0 ? undefined : random.oneOf(element.attributes)
  const leaf = element.children.length === 0 && !element.selfClosing
  switch (random.upTo(11)) {
    case 0:
      return [{ start: element.start, end: element.end, text: '' }]
    case 1:
      return [{ start: element.end, end: element.end, text: whole }]
    case 2:
      return swapped(text, element, random.oneOf(elements))
    case 3: {
      const parent = random.oneOf(elements)
      return parent.selfClosing ? [] : [{ start: parent.tagEnd, end: parent.tagEnd, text: whole }]
    }
    case 4:
      return attribute === undefined
        ? []
        : [{ start: attribute.start - attribute.name.length - 3, end: attribute.end + 1, text: ' ' }]
    case 5:
    case 6:
      return attribute === undefined
        ? []
        : [{ start: attribute.start, end: attribute.end, text: escaped(random.oneOf(VALUES)) }]
    case 7:
      return leaf
        ? [{ start: element.tagEnd, end: element.contentEnd, text: escaped(random.oneOf(VALUES)) }]
        : []
    case 8: {
      const other = random.oneOf(elements).attributes
      const end = element.selfClosing ? element.tagEnd - 2 : element.tagEnd - 1
      const name = other.length === 0 ? 'nodeset' : random.oneOf(other).name
      return [{ start: end, end, text: ` ${name}='${escaped(random.oneOf(VALUES))}'` }]
    }
    case 9:
      return nudged(text, element, random)
    default: {
      const parent = random.onceIn(2) ? (elements[0] as XmlElement) : element
      return parent.selfClosing
        ? []
        : [{ start: parent.tagEnd, end: parent.tagEnd, text: random.oneOf(PIECES) }]
    }
  }
}

const escaped = (value: string): string =>
  value.startsWith('&')
    ? value
    : value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/["']/g, '&quot;')

function swapped(text: string, one: XmlElement, other: XmlElement): Splice[] {
  const [first, second] = one.start <= other.start ? [one, other] : [other, one]
  if (first.end > second.start) return []
  return [
    { start: first.start, end: first.end, text: text.slice(second.start, second.end) },
    { start: second.start, end: second.end, text: text.slice(first.start, first.end) },
  ]
}

/** A number in the element's tag or text that is a little more or less, or a multiple. */
function nudged(text: string, element: XmlElement, random: Random): Splice[] {
  const numbers = [...text.slice(element.start, element.contentEnd).matchAll(/\d+/g)]
  if (numbers.length === 0) return []
  const { index, 0: digits } = random.oneOf(numbers)
  const value = Number(digits)
  const start = element.start + (index ?? 0)
  const next = random.oneOf([
    value + 1,
    Math.max(0, value - 1),
    value * 2,
    Math.floor(value / 2),
    value * 1024,
    value + 4,
  ])
  return [{ start, end: start + digits.length, text: `${next}` }]
}

/** Of any text: lines and letters. */
export function mutatedText(text: string, random: Random): string {
  const at = random.upTo(text.length + 1)
  switch (random.upTo(8)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(at)
    case 2:
      return text.slice(0, at) + random.oneOf(VALUES) + text.slice(at)
    case 3:
      return text.slice(0, at) + text.slice(at + 1 + random.upTo(20))
    case 4:
      return text.slice(0, at) + text.slice(Math.max(0, at - random.upTo(80)))
    case 5:
      return replacedNumber(text, random)
    case 6:
      return mutatedLines(text, random)
    default:
      return (
        text.slice(0, at) +
        String.fromCharCode(
          random.oneOf([0, 9, 10, 13, 34, 38, 39, 60, 61, 62, 91, 93, 123, 125, 0xfeff, 0xd800, 0xfffd]),
        ) +
        text.slice(at + 1)
      )
  }
}

function replacedNumber(text: string, random: Random): string {
  const numbers = [...text.matchAll(/\d+/g)]
  if (numbers.length === 0) return text
  const { index, 0: digits } = random.oneOf(numbers)
  return text.slice(0, index) + random.oneOf(VALUES) + text.slice((index ?? 0) + digits.length)
}

function mutatedLines(text: string, random: Random): string {
  const lines = text.split('\n')
  const line = random.upTo(lines.length)
  const other = random.upTo(lines.length)
  const written = lines[line] as string
  switch (random.upTo(4)) {
    case 0:
      lines.splice(line, 1)
      break
    case 1:
      lines.splice(other, 0, written)
      break
    case 2:
      lines[line] = lines[other] as string
      lines[other] = written
      break
    default:
      lines[line] = `  ${written}`
  }
  return lines.join('\n')
}

/** Of bytes: a few flipped, cut or doubled. */
export function mutatedBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Uint8Array.from(bytes)
  if (copy.length === 0) return copy
  for (let flips = random.upTo(4); flips > 0; flips--) copy[random.upTo(copy.length)] = random.upTo(256)
  const at = random.upTo(copy.length)
  if (random.onceIn(4)) return copy.subarray(0, at)
  if (random.onceIn(8))
    return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.max(0, at - random.upTo(600)))])
  return copy
}

const MEMBERS = [
  'id',
  'cpus',
  'nodes',
  'free',
  'total',
  'pages',
  'distances',
  'pagesizeKiB',
  'allowed',
  'spec',
  'x',
]

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const JSON_VALUES: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1,
  1.5,
  1e308,
  255,
  256,
  1024,
  65535,
  65536,
  2 ** 53,
  '',
  '0-3',
  '0-7',
  '3-1',
  'x',
  [],
  {},
  [10, 20],
]

/** Of JSON: members removed, doubled, exchanged and put to the edge; then perhaps of its text. */
export function mutatedJson(text: string, random: Random): string {
  const root = JSON.parse(text) as Json
  for (let round = 1 + random.upTo(4); round > 0; round--) mutateInside(root, random)
  const printed = JSON.stringify(root, null, random.onceIn(2) ? 2 : 0)
  return random.onceIn(6) ? mutatedText(printed, random) : printed
}

function mutateInside(value: Json, random: Random): void {
  const places: [holder: Json[] | { [key: string]: Json }, key: string][] = []
  const visit = (each: Json): void => {
    if (each === null || typeof each !== 'object') return
    for (const [key, inner] of Object.entries(each)) {
      places.push([each, key])
      visit(inner)
    }
  }
  visit(value)
  if (places.length === 0) return
  const [holder, key] = random.oneOf(places)
  const [other, otherKey] = random.oneOf(places)
  const at = (object: Json[] | { [key: string]: Json }, name: string): Json =>
    (object as { [key: string]: Json })[name] as Json
  const put = (name: string, next: Json): void => {
    ;(holder as { [key: string]: Json })[name] = next
  }
  // A new one each time: a shared one would end up containing itself.
  const edge = (): Json => structuredClone(random.oneOf(JSON_VALUES))
  const written = at(holder, key)
  switch (random.upTo(6)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1)
      else delete holder[key]
      return
    case 1:
      if (Array.isArray(holder)) holder.push(structuredClone(written))
      else put(`${key}2`, structuredClone(written))
      return
    case 2:
      put(key, structuredClone(at(other, otherKey)))
      return
    case 3:
      put(key, typeof written === 'number' ? written + random.oneOf([1, -1, written, 0.5]) : edge())
      return
    case 4:
      put(key, typeof written === 'string' ? random.oneOf(VALUES) : edge())
      return
    default:
      put(random.oneOf([...MEMBERS, otherKey]), structuredClone(at(other, otherKey)))
  }
}
