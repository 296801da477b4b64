# bash completion for virt-numa, generated from its tables. Put it into
# /usr/share/bash-completion/completions/virt-numa, or source it.

# $cur, $words, $flags and $connect are those of _virt_numa. Each adds to COMPREPLY.
_virt_numa_paths() {
  local path
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen "$@" -- "$cur")
}
_virt_numa_files() { _virt_numa_paths -f; }
_virt_numa_folders() { _virt_numa_paths -d; }
# XML files, and the folders that may hold them.
_virt_numa_domains() {
  _virt_numa_paths -f -X '!*.xml'
  _virt_numa_paths -d
}
# libvirt may not answer, and the user waits.
_virt_numa_guests() {
  local guest
  while IFS= read -r guest; do
    [[ -n $guest && $guest == "$cur"* ]] && COMPREPLY+=("$(printf %q "$guest")")
  done < <(timeout 2 virsh ${connect:+--connect "$connect"} -q --readonly list --name --all 2>/dev/null)
}
_virt_numa_guests_or_domains() {
  case " ${COMP_WORDS[*]} " in
    *' --pid '* | *' --pid='* | *' --pid = '*) _virt_numa_domains ;;
    *) _virt_numa_guests ;;
  esac
}

# The options, and what comes behind them, of each command: COMMAND, then COMMAND:OPTION.
_virt_numa_words() {
  case $1 in
@ROWS@
    *) return 1 ;;
  esac
}

_virt_numa() {
  local cur=${COMP_WORDS[COMP_CWORD]} last=$((COMP_CWORD - 1))
  local command= option= flags= words= connect= commands at each
  COMPREPLY=()
  commands='@COMMANDS@'
  if [[ $cur == --*=* ]]; then
    option=${cur%%=*} cur=${cur#*=}
  elif [[ $cur == = ]]; then
    option=${COMP_WORDS[last]} cur=
  elif [[ $last -gt 1 && ${COMP_WORDS[last]} == = ]]; then
    option=${COMP_WORDS[last - 1]}
  elif [[ ${COMP_WORDS[last]} == -* ]]; then
    option=${COMP_WORDS[last]}
  fi
  for ((at = 1; at < COMP_CWORD; at++)); do
    each=${COMP_WORDS[at]}
    [[ -n $command || $each == -* ]] || command=$each
    [[ $each == --connect && ${COMP_WORDS[at + 1]} != = ]] && connect=${COMP_LINE#*--connect }
    [[ $each == --connect && ${COMP_WORDS[at + 1]} == = ]] && connect=${COMP_LINE#*--connect=}
    connect=${connect%% *}
  done
  if [[ -z $command ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$cur"))
    return
  fi
  if [[ $option == -- ]]; then
    option=
  elif [[ -n $option ]] && _virt_numa_words "$command:$option"; then
    [[ -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  if [[ $cur == -* ]]; then
    _virt_numa_words "$command" || return
    COMPREPLY=($(compgen -W "$(_virt_numa_left)" -- "$cur"))
  elif _virt_numa_words "$command:"; then
    [[ -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
# The flags that are not on the command line yet.
_virt_numa_left() {
  local flag
  for flag in $flags; do
    [[ " ${COMP_WORDS[*]:0:COMP_CWORD} " == *" $flag "* ]] || echo "$flag"
  done
}
complete -F _virt_numa virt-numa
