// One command line to what it does: output, messages and exit status. Every failure ends in a line `error[`.

import { isUsage, Refusal } from '../base/diagnostic.ts'
import { visible } from '../base/visible.ts'
import { diagnosticFacts } from '../explain/facts.ts'
import { parseArguments } from './arguments.ts'
import { checkCommand } from './commands/check.ts'
import { defineCommand } from './commands/define.ts'
import { doctorCommand } from './commands/doctor.ts'
import { installCommand } from './commands/install.ts'
import { onDefineDomainCommand } from './commands/on-define-domain.ts'
import { planCommand } from './commands/plan.ts'
import { snapshotCommand } from './commands/snapshot.ts'
import { transformCommand } from './commands/transform.ts'
import { uninstallCommand } from './commands/uninstall.ts'
import { verifyCommand } from './commands/verify.ts'
import { watchCommand } from './commands/watch.ts'
import type { Command } from './commands.ts'
import { helpText } from './help.ts'
import { print, printJson } from './output.ts'
import { type Running, tell } from './report.ts'

const VERSION = '0.1.0'

/** @returns the exit status: 0 done, 1 refused or findings, 2 wrong usage, 70 a bug of ours */
export async function run(argv: readonly string[], { quiet = false } = {}): Promise<number> {
  const running: Running = { severity: 'capacity-warns', json: false, quiet }
  try {
    const command = parseArguments(argv)
    if ('json' in command) running.json = command.json
    return await perform(command, running)
  } catch (error) {
    return fail(error, running)
  }
}

function perform(command: Command, running: Running): number | Promise<number> {
  switch (command.name) {
    case 'help':
      print(1, helpText(command.of))
      return 0
    case 'version':
      print(1, `virt-numa ${VERSION}\n`)
      return 0
    case 'transform':
      return transformCommand(command, running)
    case 'plan':
      return planCommand(command, running)
    case 'check':
      return checkCommand(command, running)
    case 'define':
      return defineCommand(command, running)
    case 'watch':
      return watchCommand(command, running)
    case 'verify':
      return verifyCommand(command, running)
    case 'onDefineDomain':
      return onDefineDomainCommand(command, running)
    case 'snapshot':
      return snapshotCommand(command)
    case 'install':
      return installCommand(command, running)
    case 'uninstall':
      return uninstallCommand(command)
    case 'doctor':
      return doctorCommand(command, running)
  }
}

function fail(error: unknown, running: Running): number {
  if (!(error instanceof Refusal)) return failWithBug(error)
  try {
    tell(error.diagnostics, running)
    if (running.json)
      printJson({ diagnostics: diagnosticFacts(error.diagnostics, running.severity, running.source) })
  } catch {
    // There is nowhere left to say it; the exit status does.
  }
  return error.diagnostics.some(({ code }) => isUsage(code)) ? 2 : 1
}

function failWithBug(error: unknown): number {
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error)
  try {
    print(
      2,
      `error[bug]: virt-numa failed: ${visible(error instanceof Error ? error.message : trace)}\n` +
        '   why: this is a mistake in virt-numa, not in what it was given; nothing was written\n' +
        '   fix: please report it with the domain, the command and the output of: virt-numa snapshot\n' +
        `${trace.replace(/^/gm, '    ')}\n`,
    )
  } catch {
    // As above.
  }
  return 70
}
