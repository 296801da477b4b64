// Values of a Kubernetes document, found by path: objects, counts, switches, texts and quantities. What is
// wrong is collected with its path.

import { collectRefusals, type Diagnostic } from '../base/diagnostic.ts'
import { type FoundValue, foundValue, type Json, type JsonObject } from '../base/json.ts'
import { parseQuantity, type Size } from '../base/memory.ts'
import { diagnostic } from '../codes/codes.ts'
import type { ExpectedValue } from '../codes/documents.ts'
import type { VmiProblem } from '../codes/kubevirt.ts'

/** Everything that was found wrong so far. `source` names the document. */
export interface Reading {
  readonly source: string
  readonly problems: Diagnostic[]
}

/** A value and its path. null is absent: Kubernetes reads it so. */
export interface Spot {
  readonly path: string
  readonly value: Json | undefined
}

/** The guest's own request is annotations `virt-numa.io/<key>`. */
export const PREFIX = 'virt-numa.io/'

/** The VirtualMachineInstance in a document: itself, or the template of a VirtualMachine. */
export function instanceIn(reading: Reading, value: Json): Spot {
  const root = { path: '', value }
  return objectAt(reading, root)?.get('kind') === 'VirtualMachine'
    ? at(reading, root, 'spec', 'template')
    : root
}

/** The value at a path of keys. Reports a key in another case, which Kubernetes ignores silently. */
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
  if (close !== undefined) problem(reading, path.slice(0, -key.length) + close, { is: 'other-case', key })
  return { path, value: undefined }
}

/** The value as an object. */
export function objectAt(reading: Reading, spot: Spot): JsonObject | undefined {
  const { value } = spot
  if (value === undefined || value instanceof Map) return value
  return unexpected(reading, spot, { kind: 'object' })
}

/** The members of a list, each with its own path. */
export function listAt(reading: Reading, spot: Spot): Spot[] {
  if (spot.value === undefined) return []
  if (!Array.isArray(spot.value)) return unexpected(reading, spot, { kind: 'list' }) ?? []
  return spot.value.map((value: Json, index) => ({
    path: `${spot.path}[${index}]`,
    value: value === null ? undefined : value,
  }))
}

/** libvirt's sets of vCPUs hold 16,384 ids. */
const MAX_COUNT = 16_384

/** The value as a count. */
export function countAt(reading: Reading, spot: Spot): number | undefined {
  const { value } = spot
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_COUNT) return value
  return unexpected(reading, spot, { kind: 'count', max: MAX_COUNT })
}

/** The value as true or false. */
export function switchAt(reading: Reading, spot: Spot): boolean | undefined {
  if (spot.value === undefined || typeof spot.value === 'boolean') return spot.value
  return unexpected(reading, spot, { kind: 'boolean' })
}

/** The value as a text. */
export function textAt(reading: Reading, spot: Spot): string | undefined {
  if (spot.value === undefined || typeof spot.value === 'string') return spot.value
  return unexpected(reading, spot, { kind: 'text' })
}

/** The value as one of the words that KubeVirt knows. */
export function wordAt(reading: Reading, spot: Spot, known: readonly string[]): string | undefined {
  const text = textAt(reading, spot)
  if (text === undefined || known.includes(text)) return text
  return unexpected(reading, spot, { kind: 'word', known })
}

/** A quantity as written; YAML and JSON may leave out the quotes of a plain number. */
export function quantityTextAt(reading: Reading, spot: Spot): string | undefined {
  return typeof spot.value === 'number' ? `${spot.value}` : textAt(reading, spot)
}

/** The value as an amount of memory. */
export function memoryAt(reading: Reading, spot: Spot): Size | undefined {
  const text = quantityTextAt(reading, spot)
  return text === undefined
    ? undefined
    : collectRefusals(reading.problems, () => parseQuantity(text, `${reading.source}: ${spot.path}`))
}

/** Reports that something is missing without which nothing is known of the guest. */
export function needed(reading: Reading, { path, value }: Spot): void {
  if (value === undefined) problem(reading, path, { is: 'missing' })
}

/** Reports a value of the wrong kind. */
export function unexpected(reading: Reading, spot: Spot, expected: ExpectedValue): undefined {
  problem(reading, spot.path, { is: 'unexpected', found: foundIn(spot), expected })
}

function problem({ source, problems }: Reading, path: string, problem: VmiProblem): void {
  problems.push(diagnostic('vmi-malformed', { source, path, problem }))
}

/** An annotation that is not ours may hold a secret: only its kind is stated. */
function foundIn({ path, value = null }: Spot): FoundValue {
  const isPrivate = path.includes('annotations') && !path.includes(PREFIX)
  if (isPrivate && typeof value === 'string') return { kind: 'text' }
  if (isPrivate && typeof value === 'number') return { kind: 'number' }
  return foundValue(value)
}
