// The calls that packaging/native/calls.h and hook.c give to the native programs. A number below 0 is a
// negative errno.

interface Calls {
  readonly arguments: () => string[]
  readonly environment: (name: string) => string | undefined
  /** Since the process was started, in ms. */
  readonly elapsed: () => number
  readonly end: (status: number) => never
  readonly limit: (timeoutMs: number, memoryBytes: number, failureStatus: number) => void
  /** After a failure: gives memory to report it. @returns whether the time was over */
  readonly grace: () => boolean
  readonly status: (
    path: string | number,
    followsLinks: 0 | 1,
  ) => readonly [mode: number, bytes: number, rdev: number] | number
  readonly open: (path: string, atOnce: 0 | 1) => number
  readonly close: (file: number) => number
  readonly readAll: (file: number, most: number) => ArrayBuffer | number
  readonly writeAll: (file: number, text: string) => number
  readonly list: (folder: string) => string[] | number
  readonly readLink: (path: string) => string | number
  readonly wait: (ms: number) => void
  readonly decodeUtf8: (bytes: Uint8Array) => string | number
  /** The unpacked bytes, true where they are more than `most`, or the reason why there are none. */
  readonly gunzip: (bytes: Uint8Array, most: number) => ArrayBuffer | true | string
  readonly position: (bytes: Uint8Array, text: string) => number
  readonly ownFolder: (path: string) => number
  readonly makeLink: (target: string, path: string) => number
  readonly remove: (path: string) => number
  readonly writeNew: (path: string, text: string) => number
  readonly logAndEnd: (status: number, file: string, line: string) => never
}

/** Set by the program before the bundle runs. */
export const calls: Calls = (globalThis as unknown as { readonly system: Calls }).system
