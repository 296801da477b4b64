// The commands, in the order of the help. arguments.ts parses by this table, help.ts prints it, and run.ts
// looks up in it what to run.

import { check } from './commands/check.ts'
import { define } from './commands/define.ts'
import { doctor } from './commands/doctor.ts'
import { explain } from './commands/explain/explain.ts'
import { install } from './commands/install.ts'
import { fleet } from './commands/many/fleet.ts'
import { onDefineDomain } from './commands/on-define-domain.ts'
import { plan } from './commands/plan.ts'
import { ps } from './commands/running/ps.ts'
import { verify } from './commands/running/verify.ts'
import { serve } from './commands/serve.ts'
import { snapshot } from './commands/snapshot.ts'
import { transform } from './commands/transform.ts'
import { uninstall } from './commands/uninstall.ts'
import { watch } from './commands/watch.ts'

/** Every command by its name. */
export const commands = {
  transform,
  plan,
  check,
  fleet,
  define,
  watch,
  verify,
  ps,
  snapshot,
  install,
  uninstall,
  doctor,
  explain,
  serve,
  onDefineDomain,
} as const

/** The name of a command, as it is typed. */
export type CommandName = keyof typeof commands

/** In the order of the help. */
export const commandNames = Object.keys(commands) as readonly CommandName[]

/** The parsed command line of a command, by its name. */
export type CommandNamed<Name extends CommandName> = ReturnType<(typeof commands)[Name]['command']>

/** A parsed command line: one of the commands, or a request for help or the version. */
export type Command =
  | { readonly name: 'help'; readonly of?: CommandName }
  | { readonly name: 'version' }
  | { [Name in CommandName]: CommandNamed<Name> }[CommandName]
