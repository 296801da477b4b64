// node:stream in the native command.

/** The only stream that is made of values. */
export const Readable = {
  /** A stream of these chunks. */
  async *from(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
    yield* chunks
  },
}
