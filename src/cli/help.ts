// The commands' table, the options and the request's keys -> help.

import { columns, type Row } from '../base/columns.ts'
import { type Key, keys } from '../request/keys.ts'
import { type Command, type CommandName, commandNames, commands } from './commands.ts'
import { type CommandUsage, type Option, type OptionRow, options } from './options.ts'

/** The values of a key, as the help lists them. */
export function spelled(key: Key): readonly string[] {
  const { words, open } = keys[key]
  return open === undefined ? words : [...words, open.metavar]
}

/** The help of one command, or of the program; for 80 columns, with a newline at its end. */
export function helpText(command?: string): string {
  const name = commandNames.find((known) => known === command)
  return `${(name === undefined ? programHelp() : commandHelp(name)).join('\n')}\n`
}

/** What the parser of arguments answers itself. */
export const OTHER_COMMANDS: readonly Row[] = [
  ['help', 'show this help, or that of the COMMAND behind it'],
  ['version', 'show the version'],
]

function programHelp(): string[] {
  return [
    'virt-numa COMMAND [OPTIONS] [DOMAIN.XML|-]',
    '',
    'Gives a libvirt guest the NUMA topology of the CPUs it was given.',
    '',
    'Commands:',
    ...columns([...commandNames.map((name): Row => [name, commands[name].about]), ...OTHER_COMMANDS]),
    '',
    'Options:',
    ...columns([...optionRows(['help', 'version'])]),
    '',
    "Run 'virt-numa COMMAND --help' for details.",
  ]
}

function commandHelp(name: CommandName): string[] {
  const {
    about,
    takes,
    maxInputs,
    options: own,
    keys: ownKeys,
    exits,
    examples,
  }: CommandUsage<Command> = commands[name]
  return [
    `virt-numa ${name} [OPTIONS]${maxInputs === 0 ? '' : ` ${takes ?? '[DOMAIN.XML|-]'}`}`,
    '',
    `${about[0]?.toUpperCase()}${about.slice(1)}`,
    '',
    'Options:',
    ...columns(optionRows([...own, 'help', 'version'])),
    '',
    ...(ownKeys.length === 0 ? [] : keysHelp(ownKeys)),
    'Exit status:',
    ...columns(exits),
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
  ]
}

function keysHelp(ownKeys: readonly Key[]): string[] {
  return ['Placement options (default listed first):', ...columns(ownKeys.flatMap((key) => keyRows(key))), '']
}

function optionRows(names: readonly Option[]): readonly Row[] {
  return names.map((name) => {
    const { flags, takes, about }: OptionRow = options[name]
    return [`${flags.join(', ')}${takes === undefined ? '' : ` ${takes}`}`, about]
  })
}

function keyRows(key: Key): readonly Row[] {
  const { unstated, about } = keys[key]
  const values = unstated === undefined ? spelled(key) : [`(${unstated})`, ...spelled(key)]
  return [
    [`--${key}`, values.join(', ')],
    ['', about],
  ]
}
