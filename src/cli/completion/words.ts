// The tables of commands, options and keys -> what a shell completes: words and values of each command.

import { allCodes } from '../../explain/code/explanation.ts'
import { keyNames, keys } from '../../request/keys.ts'
import { type Command, type CommandName, commandNames, commands } from '../commands.ts'
import { OTHER_COMMANDS } from '../help.ts'
import { type CommandUsage, type OptionRow, options } from '../options.ts'

/** What comes behind an option or a command; `unknown`: a text that no shell can guess. */
export type Value =
  | { readonly is: 'words'; readonly words: readonly string[] }
  | { readonly is: 'file' | 'folder' | 'domain' | 'guest' | 'guest-or-domain' | 'unknown' }

/** One option of a command. */
interface CompletedOption {
  readonly flags: readonly string[]
  readonly about: string
  /** Absent for a switch. */
  readonly value?: Value
}

/** A command. */
export interface CompletedCommand {
  readonly name: string
  readonly about: string
  readonly options: readonly CompletedOption[]
  /** Absent if nothing comes behind the options. */
  readonly input?: Value
}

/** Every command, `help` and `version` too. */
export const completedCommands = (): readonly CompletedCommand[] => [
  ...commandNames.map(commandOf),
  ...OTHER_COMMANDS.map(([name, about]) => ({
    name,
    about,
    options: [],
    ...(name === 'help' && { input: { is: 'words' as const, words: commandNames } }),
  })),
]

function commandOf(name: CommandName): CompletedCommand {
  const { about, options: own, keys: ownKeys, maxInputs }: CommandUsage<Command> = commands[name]
  return {
    name,
    about,
    options: [
      ...own.map((option) => optionOf(options[option])),
      ...keyNames.filter((key) => ownKeys.includes(key)).map(keyOption),
      ...(['help', 'version'] as const).map((option) => optionOf(options[option])),
    ],
    ...(maxInputs > 0 && { input: inputOf(name) }),
  }
}

function inputOf(name: CommandName): Value {
  if (name === 'fleet') return { is: 'file' }
  if (name === 'explain') return { is: 'words', words: allCodes() }
  return { is: name === 'verify' ? 'guest-or-domain' : 'domain' }
}

function keyOption(key: (typeof keyNames)[number]): CompletedOption {
  const { words, about } = keys[key]
  return {
    flags: [`--${key}`],
    about,
    value: words.length === 0 ? { is: 'unknown' } : { is: 'words', words },
  }
}

const optionOf = ({ flags, takes, about }: OptionRow): CompletedOption => ({
  flags,
  about,
  ...(takes !== undefined && { value: valueOfPlaceholder(takes) }),
})

/** Placeholders are in capitals; anything else is a list of words. */
function valueOfPlaceholder(takes: string): Value {
  const known: Readonly<Record<string, Value>> = {
    FILE: { is: 'file' },
    PATH: { is: 'file' },
    'FILE|DIR': { is: 'file' },
    DIR: { is: 'folder' },
    NAME: { is: 'guest' },
    'KEY=A,B,...': { is: 'unknown' },
    URI: { is: 'words', words: ['qemu:///system', 'qemu:///session'] },
  }
  return (
    known[takes] ?? (/^[A-Z]+$/.test(takes) ? { is: 'unknown' } : { is: 'words', words: takes.split('|') })
  )
}
