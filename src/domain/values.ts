// Attribute values and texts of the domain to numbers, sets and sizes. What is wrong is gathered, to be told at once.

import { type Diagnostic, diagnostic } from '../base/diagnostic.ts'
import { gather } from '../base/gather.ts'
import { type IdSet, parseSet } from '../base/idset.ts'
import { parseLibvirtSize, type Size } from '../base/memory.ts'
import { attribute, tagSpan, type XmlElement } from '../xml/parse.ts'

/** Everything that was found wrong so far. */
export interface Reading {
  readonly problems: Diagnostic[]
  /** How many ids the sets of the document name so far. */
  ids?: number
}

/** 4,096 vCPUs, each on any of 1,024 CPUs. */
const MOST_IDS = 4 * 1024 * 1024

export function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: Value })
}

export function wholeNumber(reading: Reading, element: XmlElement, text: string, min: number, max: number): number | undefined {
  const value = /^\s*\d{1,10}\s*$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  reading.problems.push(diagnostic('domain-value', { element: element.name, value: text.trim(), min, max }, tagSpan(element)))
  return undefined
}

export function numberIn(reading: Reading, element: XmlElement, name: string, min: number, max: number): number | undefined {
  return wholeNumber(reading, element, attribute(element, name)?.value ?? '', min, max)
}

export function setIn<Set extends IdSet<string>>(reading: Reading, element: XmlElement | undefined, name: string): Set | undefined {
  const written = attribute(element, name)
  if (element === undefined || written === undefined) return undefined
  if ((reading.ids ?? 0) > MOST_IDS) return undefined
  const set = gather(reading.problems, () => parseSet<Set>(written.value, `<${element.name} ${name}>`), written)
  reading.ids = (reading.ids ?? 0) + (set?.length ?? 0)
  if (reading.ids > MOST_IDS) reading.problems.push(diagnostic('set-too-long', { source: 'the domain', max: MOST_IDS }, written))
  return set
}

export function sizeOf(reading: Reading, element: XmlElement | undefined): Size | undefined {
  if (element === undefined) return undefined
  return gather(
    reading.problems,
    () => parseLibvirtSize(element.text, attribute(element, 'unit')?.value, `<${element.name}>`),
    tagSpan(element),
  )
}
