// How a diagnostic is labelled, and with which exit status a command ends that prints it.

import type { DiagnosticClass } from '../../base/diagnostic.ts'
import { classOf } from '../../codes/codes.ts'
import type { HookFacts } from '../../codes/hook.ts'
import type { ProgramCode } from '../meanings/programs.ts'

/** `exit` is absent where the diagnostic does not change the exit status. */
export interface Outcome {
  readonly severity: 'error' | 'warning' | 'note'
  readonly where: string
  readonly exit?: number
}

/** In the order of the text. */
export function outcomesOf(code: string): readonly Outcome[] {
  return isOfHook(code) ? ofHook[code] : ofClasses[classOf(code)]
}

type HookCode = ProgramCode | keyof Pick<HookFacts, 'hook-timeout' | 'hook-memory'>

const isOfHook = (code: string): code is HookCode => Object.hasOwn(ofHook, code)

const ofClasses: Readonly<Record<DiagnosticClass, readonly Outcome[]>> = {
  invalid: [
    {
      severity: 'error',
      where: 'the command refuses, or reports a finding (check, doctor, verify)',
      exit: 1,
    },
  ],
  misplaced: [{ severity: 'error', where: 'verify', exit: 1 }],
  capacity: [
    { severity: 'warning', where: 'transform, plan, define: the result is written nevertheless', exit: 0 },
    { severity: 'error', where: "check, and the hook before a guest's start", exit: 1 },
  ],
  usage: [{ severity: 'error', where: 'the command line is wrong; nothing was done', exit: 2 }],
  note: [{ severity: 'note', where: 'for information; the exit status does not change' }],
}

const stopped: readonly Outcome[] = [
  { severity: 'error', where: 'the hook, at migrate and restore: libvirt cancels the operation', exit: 1 },
  { severity: 'error', where: 'the hook, at prepare: only in the log, and the guest starts', exit: 0 },
]

/** As `on_error` says. */
const configured: Outcome = {
  severity: 'error',
  where: 'the hook, at migrate and restore, unless on_error is "keep"',
  exit: 1,
}

const limited: readonly Outcome[] = [
  configured,
  { severity: 'error', where: 'the hook, at prepare: only in the log, and the guest starts', exit: 0 },
]

const ofHook: Readonly<Record<HookCode, readonly Outcome[]>> = {
  bug: [{ severity: 'error', where: 'every command', exit: 70 }, configured],
  'hook-missing': stopped,
  'hook-failed': stopped,
  'hook-timeout': limited,
  'hook-memory': limited,
}
