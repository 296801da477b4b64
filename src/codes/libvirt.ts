// Definitions in libvirt, and virsh, which reads and writes them: the facts and the class of each code.

import type { Diagnostic, DiagnosticClass } from '../base/diagnostic.ts'
import type { CpuSet, NodeSet, VcpuSet } from '../base/idset.ts'

/** What virsh should have printed. `same-guests`: the guests that it listed with these words before. */
export type ExpectedOutput =
  | { readonly is: 'utf8' | 'uri' | 'uuids-and-names' | 'state' | 'domain' | 'whole-domain' }
  | { readonly is: 'same-guests'; readonly words: readonly string[] }
  | { readonly is: 'line'; readonly name: string }

/** What a definition states of a cell, of where its memory is bound, or of CPUs. */
export type StatedPart =
  | { readonly count: number }
  | { readonly vcpus: VcpuSet; readonly memoryKiB: number; readonly pagesizeKiB?: number }
  | { readonly mode: string; readonly nodes: NodeSet }
  | { readonly cpus: CpuSet }

/**
 * A part of a guest that is not as planned: its cells, the <memory> and memnodes of <numatune>, its pins.
 * `id`: of the cell, the vCPU or the I/O thread. What is absent is not stated.
 */
export interface Difference {
  readonly part: 'cells' | 'cell' | 'memory' | 'memnode' | 'vcpupin' | 'emulatorpin' | 'iothreadpin'
  readonly id?: number
  readonly actual?: StatedPart
  readonly planned?: StatedPart
}

/** How many cells a definition has, and how many it would get. */
interface CellChange {
  readonly name: string
  readonly cells: number
  readonly newCells: number
}

/** The facts of each code. */
export interface LibvirtFacts {
  readonly 'virsh-missing': object

  readonly 'libvirt-unreachable': { reason?: string }

  readonly 'libvirt-elsewhere': { uri: string; machine: string }

  /** `words`: of virsh, as of the codes below. `reason` is absent where virsh printed none. */
  readonly 'virsh-failed': {
    words: readonly string[]
    reason?: string
    known: 'refused' | 'unchanged' | 'unknown'
  }

  /** `cause`: why the output is not a whole document, at a line and column. */
  readonly 'virsh-output': {
    words: readonly string[]
    printed: string
    expected: ExpectedOutput
    cause?: { line: number; column: number; diagnostic: Diagnostic }
  }

  readonly 'virsh-stopped': { words: readonly string[]; reason: string }

  /** `reason`: what ended virsh define. */
  readonly 'define-unknown': { name: string; reason: string; backup: string | undefined }

  readonly 'define-unread': { name: string; cause: Diagnostic | undefined; backup: string | undefined }

  readonly 'guest-missing': { name: string; close?: string | undefined }

  readonly 'guest-transient': { name: string }

  readonly 'guest-runs': CellChange

  readonly 'guest-saved': CellChange

  readonly 'guest-secrets-lost': { name: string; uuid: string; lost: readonly string[] }

  readonly 'guest-disks-moved': { name: string; disks: readonly string[]; hanging: readonly string[] }

  readonly 'guest-uuid': { name: string; uuid: string; written: string }

  readonly 'guest-renamed': { name: string; uuid: string; written: string }

  readonly 'guest-changed': { name: string }

  readonly 'guest-placed-otherwise': {
    name: string
    differs: readonly Difference[] | 'not-listed'
    backup: string | undefined
  }

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
