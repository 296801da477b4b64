// The commands' table, the options and the request's keys -> help.

import { type Key, keys } from '../request/keys.ts'
import { type Command, type CommandName, commandNames, commands } from './commands.ts'
import { type CommandUsage, type Option, type OptionRow, options } from './options.ts'

/** The values of a key, as the help lists them. */
export function spelled(key: Key): readonly string[] {
  const { words, open } = keys[key]
  return open === undefined ? words : [...words, open.metavar]
}

const WIDTH = 80

/** The help of one command, or of the program; for 80 columns, with a newline at its end. */
export function helpText(command?: string): string {
  const name = commandNames.find((known) => known === command)
  return `${(name === undefined ? programHelp() : commandHelp(name)).join('\n')}\n`
}

function programHelp(): string[] {
  return [
    'virt-numa COMMAND [OPTIONS] [DOMAIN.XML|-]',
    '',
    'Gives a libvirt guest the NUMA topology of the CPUs it was given.',
    '',
    'Commands:',
    ...columns(commandNames.map((name) => [name, commands[name].about])),
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

type Row = readonly [left: string, right: string]

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

/** Two columns, the right one folded at 80 columns. */
function columns(rows: readonly Row[]): string[] {
  const left = Math.max(...rows.map(([each]) => each.length)) + 4
  return rows.flatMap(([head, text]) =>
    fold(text, WIDTH - left).map((line, index) => `${(index === 0 ? `  ${head}` : '').padEnd(left)}${line}`),
  )
}

function fold(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1]
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
