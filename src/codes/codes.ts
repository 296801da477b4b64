// Every code with the type of its facts and its class; how a diagnostic is made, and how one is refused.

import {
  type BaseFacts,
  type Diagnostic,
  type DiagnosticClass,
  Refusal,
  type Span,
} from '../base/diagnostic.ts'
import { type CommandLineFacts, commandLineClasses } from './command-line.ts'
import { type DoctorFacts, doctorClasses } from './doctor.ts'
import { type DocumentsFacts, documentsClasses } from './documents.ts'
import { type FilesFacts, filesClasses } from './files.ts'
import { type BindingFacts, bindingClasses } from './guest/binding.ts'
import { type CellsFacts, cellsClasses } from './guest/cells.ts'
import { type CpusFacts, cpusClasses } from './guest/cpus.ts'
import { type DomainFacts, domainClasses } from './guest/domain.ts'
import { type MemoryFacts, memoryClasses } from './guest/memory.ts'
import { type MemoryDeviceFacts, memoryDeviceClasses } from './guest/memory-devices.ts'
import { type PciFacts, pciClasses } from './guest/pci.ts'
import { type HookFacts, hookClasses } from './hook.ts'
import { type HostFacts, hostClasses } from './host.ts'
import { type KubevirtFacts, kubevirtClasses } from './kubevirt.ts'
import { type LibvirtFacts, libvirtClasses } from './libvirt.ts'
import { type RequestFacts, requestClasses } from './request.ts'
import { type RunningGuestFacts, runningGuestClasses } from './running-guest.ts'

/** The facts of every code. */
export type Facts = BaseFacts &
  BindingFacts &
  CellsFacts &
  CommandLineFacts &
  CpusFacts &
  PciFacts &
  DoctorFacts &
  DocumentsFacts &
  DomainFacts &
  FilesFacts &
  HookFacts &
  HostFacts &
  KubevirtFacts &
  LibvirtFacts &
  MemoryFacts &
  MemoryDeviceFacts &
  RequestFacts &
  RunningGuestFacts

/** Every code; what it means never changes. */
export type Code = keyof Facts

/** What a diagnostic of this code states. */
export type FactsOf<C extends Code> = Facts[C]

const baseClasses: Readonly<Record<keyof BaseFacts, DiagnosticClass>> = {
  'set-malformed': 'invalid',
  'set-too-large': 'invalid',
  'set-too-long': 'invalid',
  'size-malformed': 'invalid',
  'size-too-large': 'invalid',
  'json-malformed': 'invalid',
}

/** The class of every code. */
export const classes: Readonly<Record<Code, DiagnosticClass>> = {
  ...baseClasses,
  ...bindingClasses,
  ...cellsClasses,
  ...commandLineClasses,
  ...cpusClasses,
  ...pciClasses,
  ...doctorClasses,
  ...documentsClasses,
  ...domainClasses,
  ...filesClasses,
  ...hookClasses,
  ...hostClasses,
  ...kubevirtClasses,
  ...libvirtClasses,
  ...memoryClasses,
  ...memoryDeviceClasses,
  ...requestClasses,
  ...runningGuestClasses,
}

const classByName: Readonly<Partial<Record<string, DiagnosticClass>>> = classes

/** A diagnostic with facts that fit its code. */
export function diagnostic<C extends Code>(code: C, facts: FactsOf<C>, at?: Span): Diagnostic {
  return { code, facts, ...(at && { at }) }
}

/** The facts of a diagnostic if it has this code, else undefined. */
export function factsOf<C extends Code>(each: Diagnostic, code: C): FactsOf<C> | undefined {
  return each.code === code ? (each.facts as FactsOf<C>) : undefined
}

/**
 * Refuses for one reason.
 * @throws Refusal always
 */
export function refuse<C extends Code>(code: C, facts: FactsOf<C>, at?: Span): never {
  throw new Refusal([diagnostic(code, facts, at)])
}

/**
 * Refuses for all reasons that were found, so that all are reported at once.
 * @throws Refusal unless the list is empty
 */
export function refuseAll(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) throw new Refusal(diagnostics)
}

/** The class that a code belongs to for good. */
export function classOf(code: string): DiagnosticClass {
  const found = classByName[code]
  if (found === undefined) throw new Error(`unknown code ${code}`)
  return found
}

/** Whether the command line itself was wrong: exit status 2 instead of 1. */
export function isUsage(code: string): boolean {
  return classOf(code) === 'usage'
}

/** What is refused, and what is only worth knowing or lacks now; both in order. */
export function divideRefused(
  found: readonly Diagnostic[],
): readonly [refused: readonly Diagnostic[], others: readonly Diagnostic[]] {
  const isRefused = ({ code }: Diagnostic): boolean => classOf(code) === 'invalid'
  return [found.filter(isRefused), found.filter((each) => !isRefused(each))]
}

/** Each of equal diagnostics once, in the order of the first ones. */
export function unique(all: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Set<string>()
  return all.filter(({ code, facts }) => {
    const key = JSON.stringify([code, facts])
    return !seen.has(key) && seen.add(key)
  })
}
