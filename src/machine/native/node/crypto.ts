// The parts of node:crypto that the program uses, in the native command: SHA-256 and random bytes.

import { Buffer } from './buffer.ts'
import { more } from './calls.ts'

const hex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** Random bytes, printed in hexadecimal digits. */
export function randomBytes(count: number): { readonly toString: (encoding: 'hex') => string } {
  const bytes = new Uint8Array(more.random(count))
  return { toString: () => hex(bytes) }
}

/** Of one text. */
interface Hash {
  readonly update: (text: string) => { readonly digest: (encoding: 'hex') => string }
}

/** The only hash that is used. */
export function createHash(_algorithm: 'sha256'): Hash {
  return { update: (text) => ({ digest: () => hex(sha256(Buffer.from(text))) }) }
}

const isPrime = (value: number): boolean => {
  for (let factor = 2; factor * factor <= value; factor++) if (value % factor === 0) return false
  return true
}
const primes = Array.from({ length: 400 }, (_, value) => value).filter((each) => each > 1 && isPrime(each))
/** The first 32 bits of the fraction of a root. */
const fraction = (root: number): number => ((root - Math.floor(root)) * 2 ** 32) | 0
const rotated = (value: number, by: number): number => (value >>> by) | (value << (32 - by))

/** @see FIPS 180-4 */
function sha256(message: Uint8Array): Uint8Array {
  const constantsOfRound = primes.slice(0, 64).map((prime) => fraction(Math.cbrt(prime)))
  const state = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)))
  const padded = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, Math.floor(message.length / 2 ** 29))
  view.setUint32(padded.length - 4, (message.length * 8) >>> 0)
  for (let at = 0; at < padded.length; at += 64) addBlock(state, wordsAt(view, at), constantsOfRound)
  const digest = new DataView(new ArrayBuffer(32))
  state.forEach((word, at) => {
    digest.setInt32(at * 4, word)
  })
  return new Uint8Array(digest.buffer)
}

function wordsAt(view: DataView, at: number): Int32Array {
  const words = new Int32Array(64)
  const word = (index: number): number => words[index] as number
  for (let index = 0; index < 64; index++) {
    if (index < 16) {
      words[index] = view.getInt32(at + index * 4)
      continue
    }
    const [two, fifteen] = [word(index - 2), word(index - 15)]
    const low = rotated(fifteen, 7) ^ rotated(fifteen, 18) ^ (fifteen >>> 3)
    const high = rotated(two, 17) ^ rotated(two, 19) ^ (two >>> 10)
    words[index] = word(index - 16) + low + word(index - 7) + high
  }
  return words
}

/** The eight words of a state. */
type Words = readonly [number, number, number, number, number, number, number, number]

function addBlock(state: Int32Array, words: Int32Array, constantsOfRound: readonly number[]): void {
  let all = [...state] as unknown as Words
  for (let round = 0; round < 64; round++) {
    const [a, b, c, d, e, f, g, h] = all
    const one = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
    const choice = (e & f) ^ (~e & g)
    const first = (h + one + choice + (constantsOfRound[round] as number) + (words[round] as number)) | 0
    const zero = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
    const majority = (a & (b ^ c)) ^ (b & c)
    all = [(first + zero + majority) | 0, a, b, c, (d + first) | 0, e, f, g]
  }
  all.forEach((word, at) => {
    state[at] = (state[at] as number) + word
  })
}
