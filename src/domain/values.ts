// Attribute values and texts of the domain to numbers, sets and sizes, each as libvirt's own reader takes it.
// All problems are collected and reported together.

import { collectRefusals, type Diagnostic } from '../base/diagnostic.ts'
import type { IdSet } from '../base/idset.ts'
import { parseLibvirtSize, type Size } from '../base/memory.ts'
import { parseLibvirtSet } from '../base/parse-set.ts'
import { diagnostic } from '../codes/codes.ts'
import { attribute, stringValue, tagSpan, type XmlElement } from '../xml/parse.ts'

/** Everything that was found wrong so far. */
export interface Reading {
  readonly problems: Diagnostic[]
  /** How many ids the sets of the document name so far. */
  ids?: number
  /** Sets by their text: thousands of pins may say the same, and are one set then. */
  readonly sets?: Map<string, IdSet<string>>
}

/** 4,096 vCPUs, each on any of 1,024 CPUs. */
const MOST_IDS = 4 * 1024 * 1024

/** The highest number that libvirt reads as an id or a count. */
export const UINT_MAX = 4_294_967_295
const INT_MAX = 2_147_483_647

/** One object for all: a guest leaves most things out. */
const NOTHING = Object.freeze({})

/** A field that is present only if it has a value. */
export function optional<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { [K in Key]?: Value } {
  return value === undefined ? NOTHING : ({ [key]: value } as { [K in Key]: Value })
}

/**
 * What stands between a number's digits and its ends: white space and a sign before them, nothing behind.
 * @see strtol(3), isspace(3)
 */
const NUMBER = /^[\t-\r ]*([+-]?)(\d+)$/

/** As an unsigned number, which has no minus. @see libvirt virStrToLong_uip */
function unsigned(text: string): number {
  const [, sign, digits] = NUMBER.exec(text) ?? []
  return digits === undefined || sign === '-' ? Number.NaN : Number(digits)
}

/** As a signed number. @see libvirt virStrToLong_i */
function signed(text: string): number {
  const [, sign, digits] = NUMBER.exec(text) ?? []
  // -0 is 0.
  return digits === undefined ? Number.NaN : sign === '-' ? 0 - Number(digits) : Number(digits)
}

/** As an unsigned number whose minus wraps around: -4294967295 is 1. @see libvirt virStrToLong_ui */
function wrapping(text: string): number {
  const value = signed(text)
  return value < 0 && value >= -UINT_MAX ? UINT_MAX + 1 + value : value
}

function within(
  reading: Reading,
  element: XmlElement,
  [text, value]: [string, number],
  [min, max]: readonly [number, number],
): number | undefined {
  if (value >= min && value <= max) return value
  reading.problems.push(
    diagnostic('domain-value', { element: element.name, value: text.trim(), min, max }, tagSpan(element)),
  )
  return undefined
}

/** The unsigned number that an element holds; an empty element says nothing. */
export function countOf(
  reading: Reading,
  element: XmlElement | undefined,
  min: number,
  max: number,
): number | undefined {
  const text = element === undefined ? '' : stringValue(element)
  return element === undefined || text === ''
    ? undefined
    : within(reading, element, [text, unsigned(text)], [min, max])
}

/** The number of vCPUs, which libvirt reads unlike all others; an empty element is refused. */
export function vcpuCount(reading: Reading, element: XmlElement, max: number): number | undefined {
  const text = stringValue(element)
  return within(reading, element, [text, wrapping(text)], [1, max])
}

/** The id of a cell that a device names; an empty element says nothing. */
export function cellOf(reading: Reading, element: XmlElement | undefined): number | undefined {
  const text = element === undefined ? '' : stringValue(element)
  return element === undefined || text === ''
    ? undefined
    : within(reading, element, [text, signed(text)], [0, INT_MAX])
}

/** The number that an attribute must hold. */
export function numberIn(
  reading: Reading,
  element: XmlElement,
  name: string,
  range: readonly [min: number, max: number],
): number | undefined {
  const text = attribute(element, name)?.value ?? ''
  return within(reading, element, [text, unsigned(text)], range)
}

/**
 * The address that an attribute holds, in bytes; undefined where nothing is written, or something else.
 * @see libvirt virXMLPropULongLong with base 16
 */
export function hexadecimal(
  reading: Reading,
  element: XmlElement | undefined,
  name: string,
): bigint | undefined {
  const written = attribute(element, name)
  if (element === undefined || written === undefined) return undefined
  const digits = /^[\t-\r ]*\+?(?:0[xX])?([\da-fA-F]+)$/.exec(written.value)?.[1]?.replace(/^0+(?=.)/, '')
  if (digits !== undefined && digits.length <= 16) return BigInt(`0x${digits}`)
  reading.problems.push(diagnostic('memory-address-malformed', { text: written.value }, written))
  return undefined
}

/** What libvirt needs, and is not there. */
export function missing(reading: Reading, element: XmlElement, part: string): undefined {
  reading.problems.push(diagnostic('part-missing', { element: element.name, part }, tagSpan(element)))
  return undefined
}

/**
 * One of a closed choice of words, in the letters that libvirt knows; undefined where nothing is written, or
 * something else.
 */
export function wordIn<Word extends string>(
  reading: Reading,
  element: XmlElement | undefined,
  name: string,
  known: readonly Word[],
): Word | undefined {
  const written = attribute(element, name)
  if (element === undefined || written === undefined) return undefined
  const word = known.find((each) => each === written.value)
  if (word === undefined)
    reading.problems.push(
      diagnostic(
        'value-unknown',
        { element: element.name, attribute: name, value: written.value, known },
        written,
      ),
    )
  return word
}

/** A set of which at least one id is left. */
export function setIn<Set extends IdSet<string>>(
  reading: Reading,
  element: XmlElement | undefined,
  name: string,
): Set | undefined {
  const set = anySetIn<Set>(reading, element, name)
  if (element === undefined || set?.length !== 0) return set
  const of = `<${element.name} ${name}>`
  const empty =
    name === 'cpuset' ? diagnostic('pins-empty', { element: of }) : diagnostic('set-empty', { element: of })
  reading.problems.push({ ...empty, at: tagSpan(element) })
  return set
}

/** A set that may exclude all that it names. */
export function anySetIn<Set extends IdSet<string>>(
  reading: Reading,
  element: XmlElement | undefined,
  name: string,
): Set | undefined {
  const written = attribute(element, name)
  if (element === undefined || written === undefined) return undefined
  if ((reading.ids ?? 0) > MOST_IDS) return undefined
  const known = reading.sets?.get(written.value) as Set | undefined
  const set =
    known ??
    collectRefusals(
      reading.problems,
      () => parseLibvirtSet<Set>(written.value, `<${element.name} ${name}>`),
      written,
    )
  if (set !== undefined) reading.sets?.set(written.value, set)
  reading.ids = (reading.ids ?? 0) + (set?.length ?? 0)
  if (reading.ids > MOST_IDS)
    reading.problems.push(diagnostic('set-too-long', { source: 'the domain', max: MOST_IDS }, written))
  return set
}

/** A set that an element holds; an empty element says nothing. */
export function setOfText<Set extends IdSet<string>>(
  reading: Reading,
  element: XmlElement | undefined,
): Set | undefined {
  const text = element === undefined ? '' : stringValue(element)
  if (element === undefined || text === '') return undefined
  const source = `<${element.name}>`
  const set = collectRefusals(reading.problems, () => parseLibvirtSet<Set>(text, source), tagSpan(element))
  if (set?.length === 0) reading.problems.push(diagnostic('set-empty', { element: source }, tagSpan(element)))
  return set
}

/** The size that an element holds; an empty element says nothing. */
export function sizeOf(reading: Reading, element: XmlElement | undefined): Size | undefined {
  const text = element === undefined ? '' : stringValue(element)
  if (element === undefined || text === '') return undefined
  const unit = attribute(element, 'unit')?.value
  return collectRefusals(
    reading.problems,
    () => parseLibvirtSize(text, unit, `<${element.name}>`),
    tagSpan(element),
  )
}

/** The size that an attribute must hold; its unit stands beside it. */
export function sizeIn(reading: Reading, element: XmlElement, name: string): Size | undefined {
  const written = attribute(element, name)
  const unit = attribute(element, 'unit')?.value
  return collectRefusals(
    reading.problems,
    () => parseLibvirtSize(written?.value ?? '', unit, `<${element.name} ${name}>`),
    written ?? tagSpan(element),
  )
}
