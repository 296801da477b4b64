// The programs of this host, or of a root folder, to libvirt's version.

import { join } from 'node:path'
import { runProgram } from './programs.ts'

/** The daemon first: the client may be of another version. */
const PROGRAMS = ['/usr/sbin/libvirtd', '/usr/sbin/virtqemud', '/usr/bin/virsh'] as const

/** "9.0.0"; undefined where none of them is there, or tells. */
export function libvirtVersion(root: string | undefined): string | undefined {
  for (const path of PROGRAMS) {
    // Of this host they may lie anywhere on the path.
    const program = root === undefined ? path.replace(/^.*\//, '') : join(root, path)
    const version = versionIn(runProgram(program, ['--version'], { timeoutS: 20 }).stdout)
    if (version !== undefined) return version
  }
  return undefined
}

/** "libvirtd (libvirt) 9.0.0", "9.0.0", "QEMU emulator version 7.2.22 (Debian ...)". */
export function versionIn(text: string): string | undefined {
  return /\b(\d+\.\d+(?:\.\d+)?)\b/.exec(text)?.[1]
}
