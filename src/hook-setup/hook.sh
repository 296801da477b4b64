#!/bin/sh
# The libvirt hook of virt-numa, written by "virt-numa install" and removed by "virt-numa uninstall".
#
# All operations but three are answered here. At these three only a verdict of the program counts: exit status
# 83 (go on) or 84 (refuse), or the signals USR1 and USR2 in their place. If the program ends in any other
# way, prepare goes on and tries to log one line, and migrate and restore are refused.
#
# libvirt waits until every process has closed its pipes: only this shell and the program, which closes them
# in time, hold them. Its stdin is descriptor 3 here, its stderr 4.
cd /
case "$2 $3" in 'prepare begin' | 'migrate begin' | 'restore begin') ;; *) exit 0 ;; esac

PATH=/usr/sbin:/usr/bin:/sbin:/bin
node=@NODE@
program=@PROGRAM@
guest=$1 operation="$2 $3"
code=hook-missing reason="cannot run $program with $node" fix='virt-numa install' child='' watchdogs=''

functions='
# Sets value to that of a setting of the configuration. Reading may block, so only processes in the background
# do it.
read_setting() {
  value=""
  while read -r line || [ -n "$line" ]; do
    case $line in "$1"[[:blank:]=]*) ;; *) continue ;; esac
    case $line in
    *\"*) value=${line#*\"} value=${value%%\"*} ;;
    *) value=${line#*=} value=${value%%#*} ;;
    esac
  done <"${VIRT_NUMA_CONFIG:-/etc/libvirt/virt-numa.conf}"
}

# Sends the signal $2 to the main shell after $1 seconds, or at once if it cannot fork. Some sleep takes whole
# seconds only; without any sleep, only the program keeps the time. USR1 stops the watch but keeps the process
# id in use, so that the main shell never signals a stranger.
interrupt_after() {
  trap "trap - EXIT; kill \$!; exit" TERM
  trap "trap - EXIT; kill \$!; exec sleep 3700" USR1
  # Again and again: the main shell may not listen yet.
  trap "while kill -$2 $$; do :; done" EXIT
  sleep "$1" &
  wait $! || { sleep $((${1%.*} + 1)) & wait $!; } || { trap - EXIT; exit; }
  while kill -$2 $$; do sleep 1 & wait $!; done
}

# One write by one process, and no byte of a name that could break the line.
write_log() {
  read_setting log_file
  [ -n "$value$VIRT_NUMA_CONFIG" ] || value=/var/log/libvirt/virt-numa.log
  case $1 in *[!A-Za-z0-9._:@+-]*) name="(a name with other characters)" ;; *) name=$1 ;; esac
  case $4 in *[!A-Za-z0-9._:@+\ /-]*) why="see what libvirt runs" ;; *) why=$4 ;; esac
  exec date -u "+%Y-%m-%dT%H:%M:%SZ $2 $name: failed: error[$3]: $why" >>"$value"
}
'
eval "$functions"

# Separately: a combined exec needs more descriptors.
let_go() { exec </dev/null; exec >/dev/null; exec 3<&-; exec 4>&-; }

# If fork fails inside a trap, sh exits with a status of its own, so a second shell writes the log. It gets
# another signal from its watchdog, for one that is ignored when a shell starts cannot be trapped, and only
# after its forks (see the end).
end_without_verdict() {
  trap '' ALRM USR1 USR2
  case $operation in prepare*) status=0 ;; *) status=1; echo "error[$code]: $reason; fix: $fix" >&4 ;; esac
  trap "exit $status" HUP INT TERM
  [ -n "$watchdogs" ] || exit $status
  [ -z "$child" ] || kill -KILL $child
  kill $watchdogs
  let_go
  exec /bin/sh -c "$functions
    trap 'exit $status' EXIT HUP INT TERM
    trap '' QUIT
    interrupt_after 0.3 QUIT &
    watchdog=\$!
    write_log \"\$@\" &
    writer=\$!
    trap 'kill -KILL \$writer; exit $status' QUIT
    wait \$writer
    kill \$watchdog" sh "$guest" "$operation" "$code" "$reason"
}

end_with_verdict() {
  trap '' ALRM HUP INT TERM USR1 USR2
  trap "exit $1" EXIT
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

# Watchdog 1 enforces the default timeout_s, watchdog 2 a configured value below it. The program stops both if
# it reads a larger value.
{ let_go; interrupt_after 10.6 ALRM; } & watchdogs=$!
{
  let_go
  read_setting timeout_s
  value=${value#"${value%%[![:space:]]*}"}
  case $value in [1-9] | [1-9][[:space:]]*) ;; *) value=10 ;; esac
  interrupt_after "${value%%[[:space:]]*}.6" ALRM
} & watchdogs="$watchdogs $!"
{
  exec <&3; exec 2>&4; exec 3<&-; exec 4>&-
  [ -r "$program" ] || exit 127
  unset NODE_OPTIONS NODE_PATH
  # Where memory runs out, the kernel is to end the program, and neither this shell nor a guest.
  { echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null
  OPENSSL_CONF=/dev/null VIRT_NUMA_SHIM="$$ $watchdogs" exec "$node" "$program" "$@"
} & child=$!

# Only now: a bash that a signal interrupts while it tries to fork ends with status 0 and without its EXIT
# trap.
trap 'code=hook-timeout reason="$program has not answered in time" fix="virt-numa doctor"; exit' ALRM
trap 'code=hook-failed reason="a signal has stopped the hook" fix="try again"; exit' HUP INT TERM
wait $child
status=$? child=''
case $status in
  83) end_with_verdict 0 ;;
  84) end_with_verdict 1 ;;
  126 | 127) ;;
  *) code=hook-failed reason="$program ended with status $status instead of a verdict" ;;
esac
exit 1
