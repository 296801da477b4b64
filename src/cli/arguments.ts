// The words of a command line -> one Command. A pure function: nothing is read here.

import { type Diagnostic, Refusal } from '../base/diagnostic.ts'
import { nearest } from '../base/nearest.ts'
import { diagnostic, refuse, refuseAll } from '../codes/codes.ts'
import { type Key, keys } from '../request/keys.ts'
import { type RequestedKeys, readKeys } from '../request/request.ts'
import { type Command, type CommandName, commandNames, commands } from './commands.ts'
import { OTHER_COMMANDS, spelled } from './help.ts'
import { type CommandUsage, type Option, type OptionRow, options } from './options.ts'

/**
 * Reads the words after the program's name. `--help`, then `--version`, take precedence over everything else
 * on the command line. A value that begins with `-` must be written after `=`, except a lone `-`.
 * @throws Refusal of the class `usage`, with all mistakes at once
 */
export function parseArguments(argv: readonly string[]): Command {
  const [first, ...words] = argv
  if (first === 'help') return parseHelp(words[0])
  if (isFlagOf('help', first)) return helpOf(commandNames.find((name) => name === words[0]))
  if (first === 'version' || isFlagOf('version', first)) return { name: 'version' }
  return parseCommand(commandOf(first), words)
}

/** The word after `help`: a command, or what needs no help of its own. */
function parseHelp(word: string | undefined): Command {
  const isOfProgram = word === undefined || word.startsWith('-') || word === 'help' || word === 'version'
  return helpOf(isOfProgram ? undefined : commandOf(word))
}

function commandOf(word: string | undefined): CommandName {
  const name = commandNames.find((known) => known === word)
  return name ?? refuse('usage-command', { given: word, close: nearest(word ?? '', WORDS) })
}

const WORDS: readonly string[] = [...commandNames, ...OTHER_COMMANDS.map(([word]) => word)]

const helpOf = (of: CommandName | undefined): Command => ({ name: 'help', ...(of !== undefined && { of }) })

const isFlagOf = (option: Option, word: string | undefined): boolean =>
  options[option].flags.some((flag) => flag === word)

function parseCommand(name: CommandName, words: readonly string[]): Command {
  const row: CommandUsage<Command> = commands[name]
  const found: Diagnostic[] = []
  const { values, keys: texts, inputs } = readWords(name, words, found)
  if (values.help !== undefined) return helpOf(name)
  if (values.version !== undefined) return { name: 'version' }
  // The value of an unknown option would be reported a second time, as a file too many.
  if (inputs.length > row.maxInputs && !found.some(({ code }) => code === 'usage-option')) {
    found.push(diagnostic('usage-inputs', { command: name, inputs, max: row.maxInputs }))
  }
  for (const need of row.needs ?? []) {
    const { flags, takes }: OptionRow = options[need]
    if (values[need] === undefined)
      found.push(diagnostic('usage-missing', { command: name, option: flags[0] ?? '', takes: takes ?? '' }))
  }
  const given = { values, inputs, requested: requestedOf(texts, found) }
  found.push(...(row.conflicts?.(given) ?? []))
  refuseAll(found)
  return row.command(given)
}

interface Typed {
  readonly values: { [Name in Option]?: string }
  readonly keys: Map<Key, string>
  readonly inputs: string[]
}

/** An option of one command as it is typed: one of the table, or a key of the request. */
type Known = OptionRow & ({ readonly option: Option } | { readonly key: Key })

function knownOf({
  options: own,
  keys: ownKeys,
}: Pick<CommandUsage<Command>, 'options' | 'keys'>): readonly Known[] {
  return [
    ...own.map((option) => ({ ...options[option], option })),
    ...ownKeys.map((key) => ({
      flags: [`--${key}`],
      takes: spelled(key).join('|'),
      about: keys[key].about,
      key,
    })),
    ...(['help', 'version'] as const).map((option) => ({ ...options[option], option })),
  ]
}

function readWords(name: CommandName, words: readonly string[], found: Diagnostic[]): Typed {
  const typed: Typed = { values: {}, keys: new Map(), inputs: [] }
  const known = knownOf(commands[name])
  const seen = new Set<Known>()
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string
    if (word === '--') return { ...typed, inputs: [...typed.inputs, ...words.slice(at + 1)] }
    if (!isOption(word)) {
      typed.inputs.push(word)
      continue
    }
    const { flag, written } = split(word)
    const option = known.find(({ flags }) => flags.includes(flag))
    if (option === undefined) {
      found.push(unknownOption(name, flag, known))
      continue
    }
    if (seen.has(option)) found.push(diagnostic('usage-repeated', { option: flag }))
    seen.add(option)
    const next = words[at + 1]
    const isNextTaken =
      option.takes !== undefined && written === undefined && next !== undefined && !isOption(next)
    if (isNextTaken) at++
    const value = isNextTaken ? next : written
    found.push(...wrongValue(option, flag, value))
    store(typed, option, value)
  }
  return typed
}

const isOption = (word: string): boolean => word.startsWith('-') && word !== '-'

function split(word: string): { readonly flag: string; readonly written?: string } {
  const equals = word.indexOf('=')
  return equals < 0 ? { flag: word } : { flag: word.slice(0, equals), written: word.slice(equals + 1) }
}

/**
 * "-host" suggests --host and "-oFILE" suggests -o; short options are too alike to suggest one for the other.
 */
function unknownOption(command: CommandName, option: string, known: readonly Known[]): Diagnostic {
  const flags = known.flatMap((each) => each.flags)
  const isLong = (flag: string): boolean => flag.startsWith('--')
  const close = nearest(isLong(option) ? option : `-${option}`, flags.filter(isLong))
  const short = flags.find((flag) => !isLong(flag) && option.startsWith(flag))
  return diagnostic('usage-option', { command, option, close: close ?? short })
}

function wrongValue(known: Known, flag: string, value: string | undefined): Diagnostic[] {
  const { takes } = known
  // An unset variable in a script leaves an empty value; the reader of a key reports that better.
  const isMissing = value === undefined || (value === '' && 'option' in known)
  if (takes === undefined ? value !== undefined : isMissing)
    return [diagnostic('usage-option-value', { option: flag, given: value, takes })]
  return takes === 'PID' && !/^0*[1-9]\d{0,9}$/.test(value ?? '')
    ? [diagnostic('usage-pid', { option: flag, given: value ?? '' })]
    : []
}

/** A wrong value is stored too, so that it is not reported as missing as well. */
function store(typed: Typed, known: Known, value: string | undefined): void {
  if ('option' in known) typed.values[known.option] = value ?? ''
  else if (value !== undefined) typed.keys.set(known.key, value)
}

function requestedOf(typed: ReadonlyMap<Key, string>, found: Diagnostic[]): RequestedKeys {
  const read: RequestedKeys[] = []
  for (const [key, value] of typed) {
    try {
      read.push(readKeys([[key, value]], `--${key}`))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      for (const cause of error.diagnostics) found.push(diagnostic('usage-value', { cause }))
    }
  }
  return Object.assign({}, ...read)
}
