// The commands, in the order of the help. Arguments are read by this table, help is printed from it, and
// run.ts runs by it.

import { check } from './commands/check.ts'
import { define } from './commands/define.ts'
import { doctor } from './commands/doctor.ts'
import { install } from './commands/install.ts'
import { onDefineDomain } from './commands/on-define-domain.ts'
import { plan } from './commands/plan.ts'
import { snapshot } from './commands/snapshot.ts'
import { transform } from './commands/transform.ts'
import { uninstall } from './commands/uninstall.ts'
import { verify } from './commands/verify.ts'
import { watch } from './commands/watch.ts'

/** Every command by its name. */
export const commands = {
  transform,
  plan,
  check,
  define,
  watch,
  verify,
  snapshot,
  install,
  uninstall,
  doctor,
  onDefineDomain,
} as const

/** The name of a command, as it is typed. */
export type CommandName = keyof typeof commands

/** In the order of the help. */
export const commandNames = Object.keys(commands) as readonly CommandName[]

/** What the words of a command become, by its name. */
export type CommandNamed<Name extends CommandName> = ReturnType<(typeof commands)[Name]['command']>

/** What is to be done: one of the commands, or to show help or the version. */
export type Command =
  | { readonly name: 'help'; readonly of?: CommandName }
  | { readonly name: 'version' }
  | { [Name in CommandName]: CommandNamed<Name> }[CommandName]
