// The port through which the core reads a machine: its own /sys and /proc, a captured folder, or a tar.

/**
 * Synchronous and read-only. Paths are absolute ("/sys/devices/system/node/online"); the root of a capture stands for "/".
 * Each function gives `undefined` where there is nothing of that kind (missing, unreadable, a link to nowhere): a machine's
 * missing fact is ordinary. Symbolic links are followed; none leads out of a capture.
 */
export interface Files {
  readonly read: (path: string) => Uint8Array | undefined
  /** The names in a folder, sorted by code unit. */
  readonly list: (path: string) => readonly string[] | undefined
  readonly readlink: (path: string) => string | undefined
}
