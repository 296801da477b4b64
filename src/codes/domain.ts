// What a domain says that libvirt or QEMU refuses, apart from its cells: the facts and the class of each
// code.

import type { DiagnosticClass } from '../base/diagnostic.ts'

/** The facts of each code. */
export interface DomainFacts {
  readonly 'not-domain': { name: string }

  readonly 'not-qemu': { type: string }

  readonly 'domain-incomplete': { element: string }

  readonly 'domain-value': { element: string; value: string; min: number; max: number }

  readonly 'element-twice': { element: string; parent: string }

  readonly 'entry-twice': { element: string; of: string }

  readonly 'part-missing': { element: string; part: string }

  readonly 'value-unknown': { element: string; attribute: string; value: string; known: readonly string[] }

  readonly 'tune-mode': { element: string; value: string; known: string }

  readonly 'metadata-twice': { name: string }

  readonly 'metadata-element': { name: string; known: string }

  readonly 'guest-live': { name: string; id: string }

  readonly 'memory-sum': { memory: string; sum: string }

  readonly 'max-memory-low': { max: string; memory: string }

  readonly 'devices-hold-all': { devices: string; memory: string }

  readonly 'balloon-without-effect': { current: string; memory: string }

  readonly 'vcpu-not-pluggable': { vcpu: number }

  readonly 'iothread-without-thread': { iothread: number; has: string }

  readonly 'expander-cell-missing': { model: string; cell: number; cells: number }

  readonly 'expander-machine': { model: string; machine: string; wants: string }
}

/** The class of each code. */
export const domainClasses: Readonly<Record<keyof DomainFacts, DiagnosticClass>> = {
  'not-domain': 'invalid',
  'not-qemu': 'invalid',
  'domain-incomplete': 'invalid',
  'domain-value': 'invalid',
  'element-twice': 'invalid',
  'entry-twice': 'invalid',
  'part-missing': 'invalid',
  'value-unknown': 'invalid',
  'tune-mode': 'invalid',
  'metadata-twice': 'invalid',
  'metadata-element': 'invalid',
  'guest-live': 'note',
  'memory-sum': 'note',
  'max-memory-low': 'invalid',
  'devices-hold-all': 'invalid',
  'balloon-without-effect': 'note',
  'vcpu-not-pluggable': 'invalid',
  'iothread-without-thread': 'invalid',
  'expander-cell-missing': 'invalid',
  'expander-machine': 'invalid',
}
