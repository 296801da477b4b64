// Entries to the bytes of a tar, false sizes included.

/** An entry of a tar. */
export interface Entry {
  readonly name: string
  readonly type: string
  readonly content?: Buffer
  readonly target?: string
  /** The text of the size field, whatever the size of the content. */
  readonly size?: string
}

const BLOCK = 512

/** The tar of these entries, with the two blocks of zeros at its end. */
export function tarOf(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocksOf), Buffer.alloc(2 * BLOCK)])
}

function blocksOf({ name, type, content = Buffer.alloc(0), target = '', size }: Entry): Buffer[] {
  const header = Buffer.alloc(BLOCK)
  const put = (text: string, at: number): number => header.write(text, at, 'latin1')
  put(name, 0)
  put('0000644\0', 100)
  put(size ?? `${content.length.toString(8).padStart(11, '0')}\0`, 124)
  put(' '.repeat(8), 148)
  put(type, 156)
  put(target, 157)
  put('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return [header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]
}
