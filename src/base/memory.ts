// Sizes -> integer KiB and back: libvirt's value and unit, Kubernetes quantities, "1G" as people type it.

import { refuseText } from './diagnostic.ts'

/** A size. `exact` is false when it is not whole KiB and was rounded up, as libvirt does. */
export interface Size {
  readonly kib: number
  readonly exact: boolean
}

const EXPONENT: Record<string, bigint> = { k: 1n, m: 2n, g: 3n, t: 4n, p: 5n, e: 6n }

/** White space and a plus are allowed before the digits, and nothing after them. */
const LIBVIRT_NUMBER = /^[\t-\r ]*\+?0*(\d{1,20})$/

/**
 * Parses a libvirt size: decimal digits and a unit (b, bytes, KB, k, KiB, M, MB ... EiB, in upper or lower
 * case; KiB if absent or empty).
 * @param source what the text is, for messages
 * @throws Refusal `size-malformed`, `size-too-large`
 * @see libvirt formatdomain, memory allocation
 */
export function parseLibvirtSize(value: string, unit: string | undefined, source: string): Size {
  const digits = LIBVIRT_NUMBER.exec(value)?.[1]
  const scale = libvirtScale(unit || 'KiB')
  if (digits === undefined || scale === undefined) {
    refuseText('size-malformed', { source, text: unit === undefined ? value : `${value} ${unit}` })
  }
  return kibOf(BigInt(digits) * scale, 1n, source, `${digits} ${unit || 'KiB'}`)
}

function libvirtScale(unit: string): bigint | undefined {
  // Some other letters become ASCII in lower case, such as the Kelvin sign.
  if (!/^[A-Za-z]+$/.test(unit)) return undefined
  const lower = unit.toLowerCase()
  if (lower === 'b' || lower === 'byte' || lower === 'bytes') return 1n
  const exponent = EXPONENT[lower[0] ?? '']
  if (exponent === undefined) return undefined
  if (lower.length === 1 || lower.slice(1) === 'ib') return 1024n ** exponent
  return lower.slice(1) === 'b' ? 1000n ** exponent : undefined
}

/**
 * Parses "2M", "1G", "2048 KiB", "64MiB": digits and a libvirt unit. Digits alone are KiB.
 * @param source what the text is, for messages
 * @throws Refusal `size-malformed`, `size-too-large`
 */
export function parseSize(text: string, source: string): Size {
  const match = /^\s*(\d{1,20})\s*([A-Za-z]*)\s*$/.exec(text)
  if (match === null || libvirtScale(match[2] || 'KiB') === undefined)
    refuseText('size-malformed', { source, text })
  return parseLibvirtSize(match[1] as string, match[2] || undefined, source)
}

/**
 * Parses a Kubernetes quantity without rounding before the end: "64Mi", "1.5Gi", "129e6", "128974848",
 * "500m".
 * @param source what the text is, for messages
 * @throws Refusal `size-malformed`, `size-too-large`
 * @see k8s.io/apimachinery, resource.Quantity
 */
export function parseQuantity(text: string, source: string): Size {
  const match =
    /^\+?(\d{0,20})(?:\.(\d{0,20}))?(?:([eE][+-]?\d{1,2})|(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E))?$/.exec(
      text.trim(),
    )
  const whole = match?.[1] ?? ''
  const fraction = match?.[2] ?? ''
  if (match === null || whole + fraction === '') refuseText('size-malformed', { source, text })
  const [scale, divisor] = quantityScale(match[3], match[4])
  return kibOf(BigInt(whole + fraction) * scale, divisor * 10n ** BigInt(fraction.length), source, text)
}

function quantityScale(exponent: string | undefined, suffix: string | undefined): [bigint, bigint] {
  if (exponent !== undefined) {
    const power = Number(exponent.slice(1))
    return power < 0 ? [1n, 10n ** BigInt(-power)] : [10n ** BigInt(power), 1n]
  }
  if (suffix === undefined) return [1n, 1n]
  const below = 'num'.indexOf(suffix)
  if (below >= 0) return [1n, 1000n ** BigInt(3 - below)]
  const power = EXPONENT[(suffix[0] as string).toLowerCase()] as bigint
  return [suffix.length === 2 ? 1024n ** power : 1000n ** power, 1n]
}

function kibOf(numerator: bigint, divisor: bigint, source: string, text: string): Size {
  const unit = divisor * 1024n
  const kib = (numerator + unit - 1n) / unit
  if (kib > BigInt(Number.MAX_SAFE_INTEGER)) refuseText('size-too-large', { source, text })
  return { kib: Number(kib), exact: kib * unit === numerator }
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** "64 MiB", "1 GiB", "1030 KiB": in the largest unit that gives a whole number. */
export function formatKiB(kib: number): string {
  const [value, unit] = largestWhole(kib)
  return `${value} ${UNITS[unit]}`
}

/** "2M", "1G": a page size as the `pagesize` key accepts it. */
export function formatPagesize(kib: number): string {
  const [value, unit] = largestWhole(kib)
  return `${value}${(UNITS[unit] as string)[0]}`
}

/** Sizes that are compared, exactly and in one unit: the largest in which all are whole numbers. */
export function inOneUnit(...sizesKiB: readonly number[]): string[] {
  const unit = highestUnit((unitKiB) => sizesKiB.every((kib) => kib % unitKiB === 0))
  return sizesKiB.map((kib) => `${kib / 1024 ** unit} ${UNITS[unit]}`)
}

/** "31.5 GiB": a size that the kernel reports, in the largest unit that it fills, with one decimal. */
export const aboutKiB = (kib: number): string => inUnit(kib, unitBelow(kib))

/**
 * Sizes that are compared, in one unit and with one decimal: the largest unit that each fills. Exactly where
 * that would show no difference between the first two.
 */
export function inOneUnitAbout(...sizesKiB: readonly number[]): string[] {
  const unit = unitBelow(Math.min(...sizesKiB.filter((kib) => kib > 0)))
  const about = sizesKiB.map((kib) => inUnit(kib, unit))
  return about[0] === about[1] && sizesKiB[0] !== sizesKiB[1] ? inOneUnit(...sizesKiB) : about
}

/** The largest unit that a size fills; none is larger than an empty list. */
const unitBelow = (kib: number): number =>
  Number.isFinite(kib) ? highestUnit((unitKiB) => kib >= unitKiB) : 0

const inUnit = (kib: number, unit: number): string =>
  `${Math.round((kib / 1024 ** unit) * 10) / 10} ${UNITS[unit]}`

const highestUnit = (fits: (unitKiB: number) => boolean): number =>
  Math.max(0, ...UNITS.flatMap((_, power) => (fits(1024 ** power) ? [power] : [])))

function largestWhole(kib: number): [number, number] {
  let value = kib
  let unit = 0
  while (value !== 0 && value % 1024 === 0 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return [value, unit]
}

/** What a limit leaves, in its own unit. */
export const leftOf = ({ max, used = 0 }: { readonly max: number; readonly used?: number }): number =>
  Math.max(0, max - used)
