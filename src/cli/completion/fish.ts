// What a shell completes -> a script for fish: a line for each command, option and input.

import type { CompletedCommand, Value } from './words.ts'

/** The script. @see complete(1) of fish */
export function fishScript(commands: readonly CompletedCommand[]): string {
  return [
    '# fish completion for virt-numa, generated from its tables.',
    'complete -c virt-numa -f',
    ...["-l help -s h -d 'print this help'", "-l version -s V -d 'print the version'"].map(
      (option) => `complete -c virt-numa -n __fish_use_subcommand ${option}`,
    ),
    ...commands.map(
      ({ name, about }) => `complete -c virt-numa -n __fish_use_subcommand -a ${name} -d ${quoted(about)}`,
    ),
    ...commands.flatMap(linesOf),
    '',
  ].join('\n')
}

function linesOf({ name, options, input }: CompletedCommand): string[] {
  const within = `complete -c virt-numa -n '__fish_seen_subcommand_from ${name}'`
  return [
    ...options.map(({ flags, about, value }) =>
      [
        within,
        ...flags.map(flagOf),
        ...(value === undefined ? [] : [actionOf(value)]),
        '-d',
        quoted(about),
      ].join(' '),
    ),
    ...(input === undefined ? [] : [`${within} ${actionOf(input)}`]),
  ]
}

const flagOf = (flag: string): string =>
  flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`

/** -r: the option has a value; -x: which is no file; -k: in this order. */
function actionOf(value: Value): string {
  switch (value.is) {
    case 'words':
      return `-x -k -a ${quoted(value.words.join(' '))}`
    case 'file':
      return '-r -F'
    case 'folder':
      return "-x -a '(__fish_complete_directories)'"
    case 'domain':
      return "-x -k -a '(__fish_complete_suffix .xml)'"
    case 'guest':
      return `-x -a '(${GUESTS})'`
    case 'guest-or-domain':
      return `-x -k -a '(${GUESTS}; __fish_complete_suffix .xml)'`
    case 'unknown':
      return '-x'
  }
}

/** libvirt may not answer, and the user waits. */
const GUESTS = 'timeout 2 virsh -q --readonly list --name --all 2>/dev/null'

/** Only these two are special between single quotes. */
const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`
