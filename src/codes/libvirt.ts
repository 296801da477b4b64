// Definitions in libvirt, and virsh, which reads and writes them: the facts and the class of each code.

import type { Diagnostic, DiagnosticClass } from '../base/diagnostic.ts'

/** The facts of each code. */
export interface LibvirtFacts {
  readonly 'virsh-missing': object

  readonly 'libvirt-unreachable': { reason: string }

  readonly 'libvirt-elsewhere': { uri: string; machine: string }

  readonly 'virsh-failed': { words: string; reason: string; known: 'refused' | 'unchanged' | 'unknown' }

  /** `cause`: why the output is not a whole document, at a line and column. */
  readonly 'virsh-output': {
    words: string
    printed: string
    expected: string
    cause?: { line: number; column: number; diagnostic: Diagnostic }
  }

  readonly 'virsh-stopped': { words: string; reason: string }

  readonly 'define-unknown': { name: string; reason: string; backup: string | undefined }

  readonly 'define-unread': { name: string; cause: Diagnostic | undefined; backup: string | undefined }

  readonly 'guest-missing': { name: string; close?: string | undefined }

  readonly 'guest-transient': { name: string }

  readonly 'guest-runs': { name: string; has: string; gets: string }

  readonly 'guest-saved': { name: string; has: string; gets: string }

  readonly 'guest-secrets-lost': { name: string; uuid: string; lost: readonly string[] }

  readonly 'guest-disks-moved': { name: string; disks: readonly string[]; hanging: readonly string[] }

  readonly 'guest-uuid': { name: string; uuid: string; written: string }

  readonly 'guest-renamed': { name: string; uuid: string; written: string }

  readonly 'guest-changed': { name: string }

  readonly 'guest-placed-otherwise': { name: string; differs: readonly string[]; backup: string | undefined }

  readonly 'guest-needs-start': { name: string }

  readonly 'guest-saved-stays': { name: string }
}

/** The class of each code. */
export const libvirtClasses: Readonly<Record<keyof LibvirtFacts, DiagnosticClass>> = {
  'virsh-missing': 'invalid',
  'libvirt-unreachable': 'invalid',
  'libvirt-elsewhere': 'invalid',
  'virsh-failed': 'invalid',
  'virsh-output': 'invalid',
  'virsh-stopped': 'invalid',
  'define-unknown': 'invalid',
  'define-unread': 'invalid',
  'guest-missing': 'invalid',
  'guest-transient': 'invalid',
  'guest-runs': 'invalid',
  'guest-saved': 'invalid',
  'guest-secrets-lost': 'invalid',
  'guest-disks-moved': 'invalid',
  'guest-uuid': 'invalid',
  'guest-renamed': 'invalid',
  'guest-changed': 'invalid',
  'guest-placed-otherwise': 'invalid',
  'guest-needs-start': 'note',
  'guest-saved-stays': 'note',
}
