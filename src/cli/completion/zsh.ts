// What a shell completes -> a script for zsh: a function named after the command, for a folder of $fpath.

import type { CompletedCommand, Value } from './words.ts'

/** The script. @see zshcompsys(1), _arguments */
export function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef virt-numa
# zsh completion for virt-numa, generated from its tables.

_virt_numa_domains() { _files -g '*.xml' }

# libvirt may not answer, and the user waits.
_virt_numa_guests() {
  local -a guests expl
  guests=(\${(f)"$(timeout 2 virsh -q --readonly list --name --all 2>/dev/null)"})
  _wanted guests expl guest compadd -a guests
}

_virt_numa_guests_or_domains() {
  if (( \${words[(I)--pid*]} )); then _virt_numa_domains; else _virt_numa_guests; fi
}

_virt_numa() {
  local curcontext=$curcontext state line ret=1
  local -a commands
  commands=(
${commands.map(({ name, about }) => `    ${quoted(`${name}:${about}`)}`).join('\n')}
  )
  _arguments -C '(- *)'{-h,--help}'[print this help]' '(- *)'{-V,--version}'[print the version]' \\
    '1:command:->command' '*::argument:->argument' && ret=0
  case $state in
    command) _describe command commands && ret=0 ;;
    argument)
      case $words[1] in
${commands.map(caseOf).join('\n')}
      esac
      ;;
  esac
  return ret
}

_virt_numa "$@"
`
}

function caseOf({ name, options, input }: CompletedCommand): string {
  const specs = [
    ...options.flatMap((option) => option.flags.map((flag) => specOf(flag, option))),
    ...(input === undefined ? [] : [`*:input:${actionOf(input)}`]),
  ]
  return [`        ${name}) _arguments`, ...specs.map((spec) => `          ${quoted(spec)}`)]
    .join(' \\\n')
    .concat(' && ret=0 ;;')
}

function specOf(flag: string, { flags, about, value }: CompletedCommand['options'][number]): string {
  const excluded = flags.length > 1 ? `(${flags.join(' ')})` : ''
  if (value === undefined) return `${excluded}${flag}[${escaped(about)}]`
  const behind = flag.startsWith('--') ? '=' : ''
  return `${excluded}${flag}${behind}[${escaped(about)}]:value:${actionOf(value)}`
}

function actionOf(value: Value): string {
  switch (value.is) {
    case 'words':
      return `(${value.words.map(escaped).join(' ')})`
    case 'file':
      return '_files'
    case 'folder':
      return '_files -/'
    case 'domain':
      return '_virt_numa_domains'
    case 'guest':
      return '_virt_numa_guests'
    case 'guest-or-domain':
      return '_virt_numa_guests_or_domains'
    case 'unknown':
      return ' '
  }
}

const escaped = (text: string): string => text.replace(/[\\:[\]]/g, '\\$&')

/** Only the single quote is special between single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
