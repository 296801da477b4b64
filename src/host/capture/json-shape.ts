// JSON values to numbers, sets, lists and objects of known keys. Each problem is collected with its JSON
// path.

import { type Diagnostic, Refusal } from '../../base/diagnostic.ts'
import { type IdSet, parseSet } from '../../base/idset.ts'
import type { Json, JsonObject } from '../../base/json.ts'
import { nearest } from '../../base/nearest.ts'
import { diagnostic } from '../../codes/codes.ts'

/** Everything that was found wrong so far. */
export interface Shape {
  readonly source: string
  readonly problems: Diagnostic[]
}

/** Keys that later versions write; this one has no use for them. */
const LATER = ['caches', 'devices']

export function problem(shape: Shape, path: string, what: string, why: string, fix: string): undefined {
  shape.problems.push(diagnostic('host-malformed', { source: shape.source, path, what, why, fix }))
}

/** The object at a path; keys that are not known are told, `need` names those that must be there. */
export function objectAt(
  shape: Shape,
  value: Json,
  path: string,
  keys: readonly string[],
  need: readonly string[],
): JsonObject {
  if (!(value instanceof Map)) {
    problem(
      shape,
      path,
      `is ${nameOf(value)}`,
      'an object belongs here',
      `write it like { "${need[0] ?? keys[0]}": ... }`,
    )
    return new Map()
  }
  for (const key of (value as JsonObject).keys()) {
    if (keys.includes(key) || LATER.includes(key)) continue
    const close = closest(key, keys, shape.problems.length)
    const fix = close === undefined ? 'delete it or write one of these' : `did you mean ${close}?`
    problem(shape, join(path, key), 'is no key', `the keys here are ${keys.join(', ')}`, fix)
  }
  for (const key of need) {
    if (!value.has(key))
      problem(shape, join(path, key), 'is missing', 'a host without it says too little', `write "${key}"`)
  }
  return value as JsonObject
}

/** The members of the list at `key`, each read with its own path; undefined when there is no such key. */
export function listIn<Value>(
  shape: Shape,
  object: JsonObject,
  path: string,
  key: string,
  read: (value: Json, path: string) => Value,
) {
  const value = object.get(key)
  if (value === undefined) return undefined
  if (Array.isArray(value))
    return value.map((each: Json, index): Value => read(each, `${join(path, key)}[${index}]`))
  return problem(
    shape,
    join(path, key),
    `is ${nameOf(value)}`,
    'a list belongs here',
    `write "${key}": [ ... ]`,
  )
}

export function numberIn(
  shape: Shape,
  object: JsonObject,
  path: string,
  key: string,
  max = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = object.get(key)
  return value === undefined ? undefined : wholeNumber(shape, value, join(path, key), max)
}

export function wholeNumber(shape: Shape, value: Json, path: string, max: number): number | undefined {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value
  const what = `is ${typeof value === 'number' ? value : nameOf(value)}`
  return problem(
    shape,
    path,
    what,
    `a whole number from 0 to ${max} belongs here`,
    'write digits, without quotes, sign or fraction',
  )
}

export function booleanIn(shape: Shape, object: JsonObject, path: string, key: string): boolean | undefined {
  const value = object.get(key)
  if (value === undefined || typeof value === 'boolean') return value
  return problem(
    shape,
    join(path, key),
    `is ${nameOf(value)}`,
    'it is so or it is not',
    'write true or false',
  )
}

export function setIn<Set extends IdSet<string>>(
  shape: Shape,
  object: JsonObject,
  path: string,
  key: string,
): Set | undefined {
  const value = object.get(key)
  return value === undefined ? undefined : setAt<Set>(shape, value, join(path, key))
}

export function setAt<Set extends IdSet<string>>(shape: Shape, value: Json, path: string): Set | undefined {
  if (typeof value !== 'string')
    return problem(shape, path, `is ${nameOf(value)}`, 'a set is a text', 'write it like "0-3,8"')
  try {
    return parseSet<Set>(value, `${shape.source}: ${path}`)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    shape.problems.push(...error.diagnostics)
    return undefined
  }
}

export function join(path: string, key: string): string {
  const step = /^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key)
  return path === '' ? step : `${path}.${step}`
}

function nameOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 37)}...` : value)}`
  return typeof value === 'object' ? 'an object' : String(value)
}

/** The key that is meant: the same but for case and the unit ("memory", "freekib"), or mistyped. */
function closest(word: string, keys: readonly string[], mistakes: number): string | undefined {
  const bare = (key: string): string => key.toLowerCase().replace(/[-_ ]/g, '').replace(/kib$/, '')
  const meant = nearest(bare(word.slice(0, 100)), keys.map(bare), mistakes)
  return keys.find((key) => bare(key) === meant)
}
