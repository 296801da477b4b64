// The tables of commands, options and keys -> virt-numa(1).

import { keyNames, keys } from '../../request/keys.ts'
import { type Command, type CommandName, commandNames, commands } from '../commands.ts'
import { OTHER_COMMANDS, spelled } from '../help.ts'
import { type CommandUsage, EXITS, type Option, type OptionRow, options } from '../options.ts'
import { head, item, paragraph, section, seeAlso, sentence, subsection, typed } from './roff.ts'

const usageOf = (name: CommandName): CommandUsage<Command> => commands[name]

/** The page of the command. */
export function commandPage(version: string): readonly string[] {
  return [
    ...head('virt-numa', 1, version, 'User Commands'),
    ...section('NAME', 'virt\\-numa \\- give a libvirt guest the NUMA topology of the CPUs it was given'),
    ...section('SYNOPSIS', ...synopsis()),
    ...section('DESCRIPTION', ...description()),
    ...section('COMMANDS', ...commandNames.flatMap(commandItem), ...otherCommands()),
    ...section('OPTIONS', ...optionItems()),
    ...section('PLACEMENT OPTIONS', ...placementOptions()),
    ...section('EXIT STATUS', ...exitStatus()),
    ...section('FILES', ...files()),
    ...section('EXAMPLES', ...examples()),
    ...seeAlso('virt-numa.conf(5)', 'virt-numa-hook(8)', 'virsh(1)', 'numactl(8)', 'cpuset(7)', 'numa(7)'),
  ]
}

const synopsis = (): string[] => [
  ...paragraph('*virt-numa* _COMMAND_ [_OPTIONS_] [_DOMAIN.XML_|-]'),
  ...paragraph('*virt-numa* *help* [_COMMAND_]'),
  ...paragraph('*virt-numa* *--help* | *--version*'),
]

const description = (): string[] => [
  ...paragraph(
    'virt-numa gives a libvirt guest the NUMA topology of the CPUs that its pod or slice was given: ' +
      'guest cells, the memory of each cell bound to the node of its vCPUs, huge pages on that node, ' +
      'and one vCPU per CPU. It edits the domain XML and changes only the bytes that it has to.',
  ),
  ...paragraph(
    'A domain is read from a file, from standard input (-, or no file), or with *--guest* from libvirt. ' +
      'The result goes to standard output, messages to standard error. With *--json* the result is ' +
      'JSON, diagnostics included.',
  ),
  ...paragraph(
    'Every message begins with a severity and a code, as in error[pages-short]. *virt-numa explain* _CODE_ ' +
      'explains it at length.',
  ),
]

/** What is typed behind a command. */
const operandOf = ({ maxInputs, takes }: CommandUsage<Command>): string =>
  maxInputs === 0 ? '' : ` ${takes ?? '[DOMAIN.XML|-]'}`

function commandItem(name: CommandName): string[] {
  const usage = usageOf(name)
  const { about, needs = [], keys: ownKeys } = usage
  const optional = usage.options.filter((option) => !needs.includes(option)).map(flagsOf)
  const placement = ownKeys.length === keyNames.length ? ['the placement options'] : ownKeys.map(keyFlag)
  return [
    ...item(`*${name}* [_OPTIONS_]${operandOf(usage)}`, sentence(about)),
    ...furtherOf('Required', needs.map(flagsOf)),
    ...furtherOf('Options', [...optional, ...placement]),
  ]
}

/** A paragraph below an item. */
const furtherOf = (title: string, words: readonly string[]): string[] =>
  words.length === 0 ? [] : ['.IP', ...paragraph(`${title}: ${words.join(', ')}.`).slice(1)]

const otherCommands = (): string[] =>
  OTHER_COMMANDS.flatMap(([name, about]) => item(`*${name}*`, sentence(about)))

/** "*-o* _FILE_". */
function flagsOf(option: Option): string {
  const { flags, takes }: OptionRow = options[option]
  const names = flags.map((flag) => `*${flag}*`).join(', ')
  return takes === undefined ? names : `${names} ${placeholder(takes)}`
}

/** A placeholder is italic, and a word that is typed as it is bold. */
const placeholder = (takes: string): string =>
  takes
    .split('|')
    .map((word) => (/^[A-Z]+$/.test(word) ? `_${word}_` : `*${word}*`))
    .join('|')

const keyFlag = (key: (typeof keyNames)[number]): string => `*--${key}*`

/** Every option once, with the commands that have it unless all have. */
function optionItems(): string[] {
  return (Object.keys(options) as Option[]).flatMap((option) => {
    const having = commandNames.filter((name) => usageOf(name).options.includes(option))
    const where = having.length === 0 ? 'every command' : having.join(', ')
    return item(flagsOf(option), `${sentence(options[option].about)} (${where})`)
  })
}

function placementOptions(): string[] {
  return [
    ...paragraph(
      'The same keys are attributes of the element guestMappingPassthrough in the metadata of a guest ' +
        '(namespace urn:virt-numa:1), annotations of a VMI (virt-numa.io/_KEY_), and settings in ' +
        'virt-numa.conf(5). The default is listed first.',
    ),
    ...keyNames.flatMap((key) => {
      const { unstated, about } = keys[key]
      const values = spelled(key).map((value) => (/^[A-Z]+$/.test(value) ? `_${value}_` : `*${value}*`))
      const all = unstated === undefined ? values : [`(${unstated})`, ...values]
      return item(`*--${key}* ${all.join(', ')}`, sentence(about))
    }),
  ]
}

/** The usual statuses, then what differs for a command. */
function exitStatus(): string[] {
  const usual = new Map<string, string>(EXITS)
  const others = commandNames.flatMap((name) => {
    const differing = usageOf(name).exits.filter(([status, meaning]) => usual.get(status) !== meaning)
    return differing.length === 0 ? [] : [[name, differing] as const]
  })
  return [
    ...EXITS.flatMap(([status, meaning]) => item(`*${status}*`, sentence(meaning))),
    ...others.flatMap(([name, differing]) =>
      subsection(name, ...differing.flatMap(([status, meaning]) => item(`*${status}*`, sentence(meaning)))),
    ),
  ]
}

const files = (): string[] => [
  ...item('_/etc/libvirt/virt-numa.conf_', 'The configuration, see virt-numa.conf(5).'),
  ...item('_/etc/libvirt/hooks/qemu_', 'The hook, see virt-numa-hook(8).'),
  ...item('_/var/lib/virt-numa/_', 'The definitions that *define* and *watch* have replaced.'),
  ...item('_/run/virt-numa/_', 'What guests that are starting were promised.'),
]

function examples(): string[] {
  return commandNames.flatMap((name) => [
    ...paragraph(sentence(usageOf(name).about).replace(/\.$/, ':')),
    ...typed(usageOf(name).examples),
  ])
}
