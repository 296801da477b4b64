// What a shell completes -> a script for bash. It needs no bash-completion package.

import script from './completion.sh'
import type { CompletedCommand, Value } from './words.ts'

/** The script, which defines and registers one function. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  return script
    .replace('@ROWS@', () => commands.flatMap(rowsOf).join('\n'))
    .replace('@COMMANDS@', () => [...commands.map(({ name }) => name), '--help', '--version'].join(' '))
}

/** A case for the flags of a command, one for what it reads, and one for each kind of value. */
function rowsOf({ name, options, input }: CompletedCommand): string[] {
  const flags = options.flatMap((option) => option.flags)
  const byValue = new Map<string, string[]>()
  for (const { flags: own, value } of options) {
    if (value === undefined) continue
    const action = actionOf(value)
    byValue.set(action, [...(byValue.get(action) ?? []), ...own.map((flag) => `${name}:${flag}`)])
  }
  return [
    `    ${name}) flags='${flags.join(' ')}' ;;`,
    ...(input === undefined ? [] : [`    ${name}:) ${actionOf(input)} ;;`]),
    ...[...byValue].map(([action, patterns]) => `    ${patterns.join(' | ')}) ${action} ;;`),
  ]
}

function actionOf(value: Value): string {
  switch (value.is) {
    case 'words':
      return `words='${value.words.join(' ')}'`
    case 'file':
      return '_virt_numa_files'
    case 'folder':
      return '_virt_numa_folders'
    case 'domain':
      return '_virt_numa_domains'
    case 'guest':
      return '_virt_numa_guests'
    case 'guest-or-domain':
      return '_virt_numa_guests_or_domains'
    case 'unknown':
      return ':'
  }
}
