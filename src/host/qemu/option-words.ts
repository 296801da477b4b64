// A QEMU option, as JSON or as key=value, -> its keys and values.

import { type IdSet, setOf, union } from '../../base/idset.ts'
import { parseSet } from '../../base/parse-set.ts'
import { ifReadable } from '../kernel-text.ts'

/** The values of each key; a repeated key has several. */
export type Words = ReadonlyMap<string, readonly string[]>

/**
 * Parses an option. A comma in a value is written twice. @see qemu(1)
 * @param implied the key of a first word without "="
 */
export function wordsOf(text: string, implied: string): Words {
  return text.trimStart().startsWith('{') ? fromJson(text) : fromPairs(text, implied)
}

function fromPairs(text: string, implied: string): Words {
  const words = new Map<string, string[]>()
  const pairs = text.match(/(?:,,|[^,])+/g) ?? []
  pairs.forEach((pair, index) => {
    const written = pair.replaceAll(',,', ',')
    const equals = written.indexOf('=')
    const key = equals < 0 ? (index === 0 ? implied : written) : written.slice(0, equals)
    words.set(key, [...(words.get(key) ?? []), equals < 0 && index > 0 ? 'on' : written.slice(equals + 1)])
  })
  return words
}

function fromJson(text: string): Words {
  const parsed = parseJson(text)
  if (typeof parsed !== 'object' || parsed === null) return new Map()
  return new Map(
    Object.entries(parsed).flatMap(([key, value]): [string, string[]][] => {
      const values = (Array.isArray(value) ? value : [value]).filter((each) => typeof each !== 'object')
      return values.length === 0 && !Array.isArray(value) ? [] : [[key, values.map(String)]]
    }),
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The first value of a key. */
export const word = (words: Words, key: string): string | undefined => words.get(key)?.[0]

/** The first value of a key as a whole number below 10^9. */
export function numberWord(words: Words, key: string): number | undefined {
  const text = word(words, key) ?? ''
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

/** All values of a key as one set; each is an id or a range. */
export function setWord<Set extends IdSet<string>>(words: Words, key: string): Set {
  const sets = (words.get(key) ?? []).map(
    (text) => ifReadable(() => parseSet<Set>(text, key)) ?? setOf<Set>([]),
  )
  return union<Set>(...sets)
}

const SHIFT: Readonly<Record<string, number>> = { b: 0, k: 10, m: 20, g: 30, t: 40, p: 50 }

/**
 * A size such as "67108864" or "64M" in KiB, or undefined if it is not whole KiB.
 * @param unit of a bare number
 */
export function sizeWord(text: string | undefined, unit = 'b'): number | undefined {
  const match = /^(\d{1,19})([bkmgtp]?)$/i.exec(text ?? '')
  const shift = SHIFT[(match?.[2] || unit).toLowerCase()]
  if (match === null || shift === undefined) return undefined
  const bytes = BigInt(match[1] as string) << BigInt(shift)
  const kib = Number(bytes >> 10n)
  return bytes % 1024n === 0n && Number.isSafeInteger(kib) ? kib : undefined
}
