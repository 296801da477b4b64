// The blocks of DEFLATE -> bytes. A reason is thrown as a text, in the words of zlib.
//
// A block is stored, or a sequence of symbols: below 256 a byte, 256 the end, above it a length that copies
// bytes from before, whose distance is a symbol of a second code. The codes are Huffman codes, fixed ones or
// ones that the block states by the length of each symbol's code. @see RFC 1951

/** Bits are taken from the lowest of each byte on. */
export interface Input {
  readonly bytes: Uint8Array
  at: number
  bits: number
  count: number
}

/** Where the bytes go. */
interface Output {
  readonly length: () => number
  readonly byte: (value: number) => void
  readonly back: (distance: number) => number
}

/** How many codes each length has, and the symbols in the order of their codes. */
interface Huffman {
  readonly counts: Uint16Array
  readonly symbols: Uint16Array
}

/** Unpacks blocks to the last. @param start the length of `out` beyond which nothing may be copied */
export function inflate(input: Input, out: Output, start: number): void {
  for (let isLast = 0; isLast === 0; ) {
    isLast = take(input, 1)
    const kind = take(input, 2)
    if (kind === 0) copyStored(input, out)
    else if (kind === 1) copyCoded(input, out, FIXED(), start)
    else if (kind === 2) copyCoded(input, out, statedCodes(input), start)
    else throw 'invalid block type'
  }
}

function take(input: Input, count: number): number {
  while (input.count < count) {
    const next = input.bytes[input.at]
    if (next === undefined) throw 'unexpected end of file'
    input.at += 1
    input.bits |= next << input.count
    input.count += 8
  }
  const value = input.bits & ((1 << count) - 1)
  input.bits >>>= count
  input.count -= count
  return value
}

function copyStored(input: Input, out: Output): void {
  take(input, input.count & 7)
  const length = take(input, 16)
  if (take(input, 16) !== (~length & 0xffff)) throw 'invalid stored block lengths'
  for (let left = length; left > 0; left--) out.byte(take(input, 8))
}

const [LENGTH_BITS, MOST_BITS] = [
  [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0],
  15,
]
const DISTANCE_BITS = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
]
/** The lowest value of each symbol; the values of a symbol are as many as its extra bits can state. */
const firsts = (bits: readonly number[], least: number): number[] => {
  let next = least
  return bits.map((each) => {
    const first = next
    next += 1 << each
    return first
  })
}
const LENGTHS = firsts(LENGTH_BITS, 3).map((each, at) => (at === 28 ? 258 : each))
const DISTANCES = firsts(DISTANCE_BITS, 1)

type Codes = readonly [symbols: Huffman, distances: Huffman]

function copyCoded(input: Input, out: Output, [symbols, distances]: Codes, start: number): void {
  for (;;) {
    const symbol = decode(input, symbols, 'invalid literal/length code')
    if (symbol === 256) return
    if (symbol < 256) {
      out.byte(symbol)
      continue
    }
    const at = symbol - 257
    if (at >= LENGTHS.length) throw 'invalid literal/length code'
    const length = (LENGTHS[at] as number) + take(input, LENGTH_BITS[at] as number)
    const from = decode(input, distances, 'invalid distance code')
    if (from >= DISTANCES.length) throw 'invalid distance code'
    const distance = (DISTANCES[from] as number) + take(input, DISTANCE_BITS[from] as number)
    if (distance > out.length() - start) throw 'invalid distance too far back'
    for (let left = length; left > 0; left--) out.byte(out.back(distance))
  }
}

/** Codes of one length are successive numbers, and the first continues those of the length before. */
function decode(input: Input, { counts, symbols }: Huffman, invalid: string): number {
  let [code, first, index] = [0, 0, 0]
  for (let length = 1; length <= MOST_BITS; length++) {
    code |= take(input, 1)
    const count = counts[length] as number
    if (code - count < first) return symbols[index + code - first] as number
    index += count
    first = (first + count) << 1
    code <<= 1
  }
  throw invalid
}

function huffman(lengths: readonly number[]): Huffman {
  const counts = new Uint16Array(MOST_BITS + 1)
  for (const length of lengths) counts[length] = (counts[length] as number) + 1
  counts[0] = 0
  const symbols = lengths.flatMap((length, symbol) => (length === 0 ? [] : [{ length, symbol }]))
  symbols.sort((a, b) => a.length - b.length || a.symbol - b.symbol)
  return { counts, symbols: Uint16Array.from(symbols, ({ symbol }) => symbol) }
}

const FIXED = (): Codes => [
  huffman(Array.from({ length: 288 }, (_, at) => (at < 144 ? 8 : at < 256 ? 9 : at < 280 ? 7 : 8))),
  huffman(Array.from({ length: 30 }, () => 5)),
]

/** The order in which a block states the lengths of the code that states the lengths. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

function statedCodes(input: Input): Codes {
  const [symbols, distances, stated] = [take(input, 5) + 257, take(input, 5) + 1, take(input, 4) + 4]
  if (symbols > 286 || distances > 30) throw 'too many length or distance symbols'
  const own: number[] = ORDER.map(() => 0)
  for (const at of ORDER.slice(0, stated)) own[at] = take(input, 3)
  const code = huffman(own)
  const lengths: number[] = []
  while (lengths.length < symbols + distances) {
    const symbol = decode(input, code, 'invalid code lengths set')
    if (symbol < 16) {
      lengths.push(symbol)
      continue
    }
    const repeated = symbol === 16 ? lengths.at(-1) : 0
    if (repeated === undefined) throw 'invalid bit length repeat'
    const times =
      symbol === 16 ? 3 + take(input, 2) : symbol === 17 ? 3 + take(input, 3) : 11 + take(input, 7)
    if (lengths.length + times > symbols + distances) throw 'invalid bit length repeat'
    for (let left = times; left > 0; left--) lengths.push(repeated)
  }
  if (lengths[256] === 0) throw 'invalid code -- missing end-of-block'
  return [huffman(lengths.slice(0, symbols)), huffman(lengths.slice(symbols))]
}
