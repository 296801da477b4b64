// The port through which the core reads a machine: this host's /sys and /proc, a captured folder, or a tar.

/**
 * Synchronous and read-only. Paths are absolute ("/sys/devices/system/node/online"); the root of a capture
 * stands for "/". Each function returns `undefined` for what is missing, unreadable, of another kind or a
 * dangling link: a missing fact is normal. Symbolic links are followed, but never out of a capture.
 */
export interface Files {
  readonly read: (path: string) => Uint8Array | undefined
  /** The names in a folder, sorted by code unit. */
  readonly list: (path: string) => readonly string[] | undefined
  /** The target of a symbolic link, as written. */
  readonly readlink: (path: string) => string | undefined
}

/** The same machine, whose lists of mounts are read once: they are long, and several readers look at them. */
export function withMountsOnce(files: Files): Files {
  const known = new Map<string, Uint8Array | undefined>()
  return {
    ...files,
    read: (path) => {
      if (!/^\/proc\/(?:[^/]+\/)?(?:mountinfo|mounts)$/.test(path)) return files.read(path)
      if (!known.has(path)) known.set(path, files.read(path))
      return known.get(path)
    },
  }
}
