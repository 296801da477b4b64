// The further calls that packaging/native/command.c gives to the native command. A number below 0 is a
// negative errno.

/** @see stat(2) */
export type Stated = readonly [
  mode: number,
  size: number,
  rdev: number,
  dev: number,
  ino: number,
  nlink: number,
  uid: number,
  gid: number,
  changedMs: number,
]

/** A process, and our ends of its streams. */
export type Started = readonly [process: number, stdin: number, stdout: number, stderr: number]

/** The calls; command.c says what each does. */
interface CommandCalls {
  readonly openWith: (path: string, flags: number, mode: number) => number
  readonly removeFile: (path: string) => number
  readonly removeFolder: (path: string) => number
  readonly makeFolder: (path: string, mode: number) => number
  readonly access: (path: string, mode: number) => number
  readonly realPath: (path: string) => string | number
  readonly makeTemporary: (start: string) => string | number
  readonly giveName: (from: string, to: string, isRename: 0 | 1) => number
  readonly statusWhole: (path: string | number, followsLinks: 0 | 1) => Stated | number
  readonly readSome: (file: number, into: Uint8Array, position: number) => number
  readonly writeSome: (file: number, bytes: Uint8Array, position: number) => number
  readonly truncate: (file: number, length: number) => number
  readonly sync: (file: number) => number
  readonly changeMode: (file: number, mode: number) => number
  readonly changeOwner: (file: number, user: number, group: number) => number
  readonly isTerminal: (file: number) => boolean
  readonly encodeUtf8: (text: string) => ArrayBuffer
  readonly decodeLeniently: (bytes: Uint8Array) => string
  readonly about: () => readonly [
    process: number,
    user: number,
    machine: string,
    architecture: string,
    called: string,
  ]
  readonly variables: () => readonly string[]
  readonly random: (count: number) => ArrayBuffer
  readonly heed: (signal: number, isReported: 0 | 1) => void
  readonly arrived: () => readonly number[]
  readonly send: (process: number, signal: number) => number
  readonly poll: (toRead: readonly number[], toWrite: readonly number[], ms: number) => readonly number[]
  readonly start: (
    words: readonly string[],
    environment: readonly string[],
    ...streams: readonly [folder: string | undefined, stdin: number, isLeader: 0 | 1]
  ) => Started | number
  readonly ended: (process: number) => readonly [status: number, signal: number] | undefined
  readonly onIdle: (turn: () => boolean) => void
}

/** Set by the program before the bundle runs. */
export const more: CommandCalls = (globalThis as unknown as { readonly system: CommandCalls }).system
