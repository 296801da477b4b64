#!/bin/sh
# The libvirt hook of virt-numa, written by "virt-numa install" and removed by "virt-numa uninstall".
#
# All operations but three are answered here. At these three only a verdict of the program counts: exit status 83 (go on)
# or 84 (cancel), or the signals USR1 and USR2 in their place. Whatever else becomes of the program, prepare goes on with a
# line in the log, and migrate and restore are cancelled, which leaves the guest where it is.
#
# libvirt waits until nobody holds its pipes: nothing that could block gets them. Its stdin is 3 here, its stderr 4.
cd /
case "$2 $3" in 'prepare begin' | 'migrate begin' | 'restore begin') ;; *) exit 0 ;; esac

PATH=/usr/sbin:/usr/bin:/sbin:/bin
node=@NODE@
program=@PROGRAM@
guest=$1 operation="$2 $3"
code=hook-missing reason="cannot run $program with $node" child='' watchdogs=''

functions='
# Sets value to that of a setting of the configuration. Reading may block, so only processes in the background do it.
read_setting() {
  value=""
  while read -r line || [ -n "$line" ]; do
    case $line in "$1"[\ =]*) ;; *) continue ;; esac
    case $line in *\"*) value=${line#*\"} value=${value%%\"*} ;; *) value=${line#*=} value=${value%%#*} ;; esac
  done <"${VIRT_NUMA_CONFIG:-/etc/libvirt/virt-numa.conf}"
}

# Interrupts the main shell after so many seconds, and at once if the watch cannot be kept for want of a process. Some sleep
# only whole seconds; where there is no sleep at all, only the program keeps the time.
interrupt_after() {
  trap "kill -ALRM $$" EXIT
  trap "trap - EXIT; kill \$!; exit" TERM
  sleep "$1" &
  wait $! || { sleep $((${1%.*} + 1)) & wait $!; } || { trap - EXIT; exit; }
  while kill -ALRM $$; do sleep 1 & wait $!; done
}

# One write by one process, and no byte of a name that could break the line.
write_log() {
  read_setting log_file
  [ -n "$value$VIRT_NUMA_CONFIG" ] || value=/var/log/libvirt/virt-numa.log
  case $1 in *[!A-Za-z0-9._:@+-]*) name="(a name with other characters)" ;; *) name=$1 ;; esac
  case $4 in *[!A-Za-z0-9._:@+\ /-]*) why="see what libvirt runs" ;; *) why=$4 ;; esac
  exec date -u "+%Y-%m-%dT%H:%M:%SZ $2 $name: failed, error[$3]: $why" >>"$value"
}
'
eval "$functions"

# One by one, so that sh needs no more than one descriptor of its own for it.
let_go() { exec </dev/null; exec >/dev/null; exec 3<&-; exec 4>&-; }

# A trap that fails, since there is no process to be had, ends with a status of the shell: so a second shell writes the log.
end_without_verdict() {
  case $operation in prepare*) status=0 ;; *) status=1; echo "error[$code]: $reason; fix: virt-numa install" >&4 ;; esac
  [ -n "$watchdogs" ] || exit $status
  kill -KILL $child
  kill $watchdogs
  let_go
  exec /bin/sh -c "$functions
    trap 'exit $status' EXIT HUP INT TERM ALRM
    interrupt_after 0.3 &
    watchdog=\$!
    write_log \"\$@\" &
    wait \$!
    kill \$watchdog" sh "$guest" "$operation" "$code" "$reason"
}

end_with_verdict() {
  trap - EXIT
  kill $watchdogs
  exit "$1"
}

trap end_without_verdict EXIT
trap 'end_with_verdict 0' USR1
trap 'end_with_verdict 1' USR2
trap '' ALRM
# From here on what sh itself has to say is lost.
command exec 4>&2 2>/dev/null || exec 4>/dev/null 2>/dev/null
command exec 3<&0 || exec 3</dev/null

# The first keeps the default of timeout_s, the second what is configured below it. The program, which is given their ids,
# ends them where it has read a longer one.
{ let_go; interrupt_after 10.6; } & watchdogs=$!
{
  let_go
  read_setting timeout_s
  value=${value#"${value%%[!\ ]*}"}
  case $value in [1-9] | [1-9]\ *) interrupt_after "${value%% *}.6" ;; esac
} & watchdogs="$watchdogs $!"
{
  exec <&3; exec 2>&4; exec 3<&-; exec 4>&-
  [ -r "$program" ] || exit 127
  unset NODE_OPTIONS NODE_PATH
  OPENSSL_CONF=/dev/null VIRT_NUMA_SHIM="$$ $watchdogs" exec "$node" "$program" "$@"
} & child=$!

# Only now: a bash that a signal interrupts while it tries to fork ends with status 0 and without its EXIT trap.
trap 'code=hook-timeout reason="$program has not answered in time"; exit' ALRM
trap 'code=hook-failed reason="a signal has stopped the hook"; exit' HUP INT TERM
wait $child
status=$?
case $status in
  83) end_with_verdict 0 ;;
  84) end_with_verdict 1 ;;
  126 | 127) ;;
  *) code=hook-failed reason="$program ended with status $status instead of a verdict" ;;
esac
exit 1
