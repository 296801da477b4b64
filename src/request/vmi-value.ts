// Values of a Kubernetes document, found by path: objects, counts, switches, texts and quantities. What is
// wrong is collected with its path.

import { collectRefusals } from '../base/collect.ts'
import type { Diagnostic } from '../base/diagnostic.ts'
import { parseQuantity, type Size } from '../base/memory.ts'
import { diagnostic } from '../codes/codes.ts'

/** What JSON and YAML are read to. */
export type Value = null | boolean | number | string | readonly Value[] | ReadonlyMap<string, Value>

/** Everything that was found wrong so far. `source` names the document. */
export interface Reading {
  readonly source: string
  readonly problems: Diagnostic[]
}

/** A value and where it stands. null is absent: Kubernetes reads it so. */
export interface Spot {
  readonly path: string
  readonly value: Value | undefined
}

/** The guest's own request is annotations `virt-numa.io/<key>`. */
export const PREFIX = 'virt-numa.io/'

/** The VirtualMachineInstance in a document: itself, or what a VirtualMachine is the template of. */
export function instanceIn(reading: Reading, value: Value): Spot {
  const root = { path: '', value }
  return objectAt(reading, root)?.get('kind') === 'VirtualMachine'
    ? at(reading, root, 'spec', 'template')
    : root
}

/**
 * What stands at a path of keys; a key that is written in another case is told, since Kubernetes drops it
 * without a word.
 */
export function at(reading: Reading, from: Spot, ...keys: readonly string[]): Spot {
  return keys.reduce((spot, key) => inside(reading, spot, key), from)
}

function inside(reading: Reading, spot: Spot, key: string): Spot {
  const path = spot.path === '' ? key : `${spot.path}.${key}`
  const object = objectAt(reading, spot)
  const value = object?.get(key)
  if (value !== undefined && value !== null) return { path, value }
  const close = [...(object?.keys() ?? [])].find(
    (each) => each !== key && each.toLowerCase() === key.toLowerCase(),
  )
  if (close !== undefined) {
    problem(
      reading,
      { path: path.slice(0, -key.length) + close, value },
      'is no key',
      'keys are read to the letter',
      `write ${key}`,
    )
  }
  return { path, value: undefined }
}

export function objectAt(reading: Reading, spot: Spot): ReadonlyMap<string, Value> | undefined {
  if (spot.value === undefined || spot.value instanceof Map) return spot.value
  return wrong(reading, spot, 'an object belongs here', 'write keys and values')
}

/** The members of a list, each with its own path. */
export function listAt(reading: Reading, spot: Spot): Spot[] {
  if (spot.value === undefined) return []
  if (!Array.isArray(spot.value)) return wrong(reading, spot, 'a list belongs here', 'write a list') ?? []
  return spot.value.map((value: Value, index) => ({
    path: `${spot.path}[${index}]`,
    value: value === null ? undefined : value,
  }))
}

export function countAt(reading: Reading, spot: Spot): number | undefined {
  const { value } = spot
  if (
    value === undefined ||
    (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 16_384)
  )
    return value
  return wrong(
    reading,
    spot,
    'a whole number from 0 to 16384 belongs here',
    'write digits, without quotes, sign or fraction',
  )
}

export function switchAt(reading: Reading, spot: Spot): boolean | undefined {
  if (spot.value === undefined || typeof spot.value === 'boolean') return spot.value
  return wrong(reading, spot, 'it is so or it is not', 'write true or false')
}

export function textAt(reading: Reading, spot: Spot): string | undefined {
  if (spot.value === undefined || typeof spot.value === 'string') return spot.value
  return wrong(reading, spot, 'a text belongs here', 'write it in quotes')
}

export function wordAt(reading: Reading, spot: Spot, known: readonly string[]): string | undefined {
  const text = textAt(reading, spot)
  if (text === undefined || known.includes(text)) return text
  return wrong(reading, spot, `KubeVirt knows ${known.join(', ')}`, 'write one of these')
}

/** A quantity as written; YAML and JSON may leave out the quotes of a plain number. */
export function quantityTextAt(reading: Reading, spot: Spot): string | undefined {
  return typeof spot.value === 'number' ? `${spot.value}` : textAt(reading, spot)
}

export function memoryAt(reading: Reading, spot: Spot): Size | undefined {
  const text = quantityTextAt(reading, spot)
  return text === undefined
    ? undefined
    : collectRefusals(reading.problems, () => parseQuantity(text, `${reading.source}: ${spot.path}`))
}

/** Tells that something must be there. */
export function needed(reading: Reading, spot: Spot, fix: string): void {
  if (spot.value === undefined)
    problem(reading, spot, 'is missing', 'without it nothing is known of the guest', fix)
}

/** Tells that a value is of the wrong kind. */
export function wrong(reading: Reading, spot: Spot, why: string, fix: string): undefined {
  problem(reading, spot, `is ${nameOf(spot)}`, why, fix)
}

function problem(
  { source, problems }: Reading,
  { path }: Spot,
  what: string,
  why: string,
  fix: string,
): void {
  problems.push(diagnostic('vmi-malformed', { source, path, what, why, fix }))
}

/** An annotation that is not ours may hold a secret: of it only the kind is told. */
function nameOf({ path, value }: Spot): string {
  const isPrivate = path.includes('annotations') && !path.includes(PREFIX)
  if (typeof value === 'string')
    return isPrivate ? 'a text' : `the text "${value.length > 40 ? `${value.slice(0, 37)}...` : value}"`
  if (typeof value === 'number' && isPrivate) return 'a number'
  if (Array.isArray(value)) return 'a list'
  return value instanceof Map ? 'an object' : String(value)
}
