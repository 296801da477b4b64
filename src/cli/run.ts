// One command line -> output, messages and exit status. Every failure ends in an `error[` line.

import { Refusal } from '../base/diagnostic.ts'
import { visible } from '../base/visible.ts'
import { isUsage } from '../codes/codes.ts'
import { byFlags } from '../explain/asks.ts'
import { diagnosticFacts } from '../explain/facts.ts'
import { parseArguments } from './arguments.ts'
import { type Command, type CommandName, type CommandNamed, commands } from './commands.ts'
import { helpText } from './help.ts'
import type { CommandRow } from './options.ts'
import { print, printJson } from './output.ts'
import { type Running, report } from './report.ts'

/** The version in package.json, which packaging/build.mjs fills in. */
declare const VERSION: string

/** @returns the exit status: 0 done, 1 refused or findings, 2 wrong usage, 70 a bug of ours */
export async function run(argv: readonly string[], { quiet = false } = {}): Promise<number> {
  const running: Running = {
    sources: [],
    severity: 'capacity-warns',
    json: false,
    quiet,
    ask: byFlags,
  }
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
    default:
      return runRow(command.name, command, running)
  }
}

const rows: { readonly [Name in CommandName]: Pick<CommandRow<CommandNamed<Name>>, 'run'> } = commands

function runRow<Name extends CommandName>(
  name: Name,
  command: CommandNamed<Name>,
  running: Running,
): number | Promise<number> {
  return rows[name].run(command, running)
}

function fail(error: unknown, running: Running): number {
  if (!(error instanceof Refusal)) return failWithBug(error)
  try {
    report(error.diagnostics, running)
    if (running.json)
      printJson({ diagnostics: diagnosticFacts(error.diagnostics, running.severity, running.sources) })
  } catch {
    // stderr cannot be written; only the exit status is left.
  }
  return error.diagnostics.some(({ code }) => isUsage(code)) ? 2 : 1
}

function failWithBug(error: unknown): number {
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error)
  try {
    print(
      2,
      `error[bug]: virt-numa failed: ${visible(error instanceof Error ? error.message : trace)}\n` +
        '   why: this is a bug in virt-numa, not in its input; nothing was written\n' +
        '   fix: report it with the domain, the command and the output of: virt-numa snapshot\n' +
        `${trace.replace(/^/gm, '    ')}\n`,
    )
  } catch {
    // As above.
  }
  return 70
}
