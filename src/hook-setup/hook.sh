#!/bin/sh
# The libvirt hook of virt-numa, written by "virt-numa install" and removed by "virt-numa uninstall".
#
# All operations but three are answered here; at some of these the promise to the guest ends. At the three
# only a verdict of the program counts: exit status 83 (continue) or 84 (refuse), or the signals USR1 and USR2
# in their place. If the program ends in any other way, prepare continues and tries to log one line, and
# migrate and restore are refused.
#
# libvirt waits until every process has closed its pipes: only this shell and the program, which closes them
# in time, hold them. libvirt's stdin is descriptor 3 here, its stderr 4.
cd /
case "$2 $3" in
  'prepare begin' | 'migrate begin' | 'restore begin') ;;
  @DROPS@)
    # The guest's promise in the ledger ends. Its file is emptied, since a program that removes it needs a
    # fork: if that fails, sh ends with a status of its own, which kills the guest.
    trap 'exit 0' EXIT
    promise=@LEDGER@/$1@SUFFIX@
    case $1 in
      */*) ;;
      *)
        [ ! -s "$promise" ] || [ ! -f "$promise" ] || [ -L "$promise" ] ||
          command : 2>/dev/null >"$promise"
        ;;
    esac
    exit 0
    ;;
  *) exit 0 ;;
esac

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

# Sends the signal $2 to the main shell after $1 seconds, or at once if it cannot fork. Some versions of sleep
# take whole seconds only; without any sleep, only the program enforces the limit. USR1 stops the timer but
# keeps the process id in use, so that the main shell never signals an unrelated process.
interrupt_after() {
  trap "trap - EXIT; kill \$!; exit" TERM
  trap "trap - EXIT; kill \$!; exec sleep 3700" USR1
  # Repeats the signal: the main shell may not have its trap yet. Counts between two signals, since it cannot
  # sleep here: a shell that is interrupted all the time does not get to its exit.
  trap "while kill -$2 $$; do i=0; while [ \$i -lt 5000 ]; do i=\$((i + 1)); done; done" EXIT
  sleep "$1" &
  wait $! || { sleep $((${1%.*} + 1)) & wait $!; } || { trap - EXIT; exit; }
  while kill -$2 $$; do sleep 1 & wait $!; done
}

# Writes the line in one write by one process, without any byte of a name that could break it.
write_log() {
  read_setting log_file
  [ -n "$value$VIRT_NUMA_CONFIG" ] || value=/var/log/libvirt/virt-numa.log
  case $1 in *[!A-Za-z0-9._:@+-]*) name="(a name with other characters)" ;; *) name=$1 ;; esac
  case $4 in *[!A-Za-z0-9._:@+\ /-]*) why="see what libvirt runs" ;; *) why=$4 ;; esac
  exec date -u "+%Y-%m-%dT%H:%M:%SZ $2 $name: failed: error[$3]: $why" >>"$value"
}
'
eval "$functions"

# Closes one at a time: a combined exec needs more descriptors.
let_go() { exec </dev/null; exec >/dev/null; exec 3<&-; exec 4>&-; }

# If fork fails inside a trap, sh exits with a status of its own, so a second shell writes the log. Its
# watchdog uses another signal, since a signal that is ignored when a shell starts cannot be trapped, and it
# sets its trap only after its forks (see the end).
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

# Ignores further signals first: one that arrives during the exit would replace its status.
stop() {
  trap '' ALRM HUP INT TERM
  code=$1 reason=$2 fix=$3
  exit
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
# From here on messages of sh itself are dropped.
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
  # When memory runs out, the kernel should kill the program, and neither this shell nor a guest.
  { echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null
  OPENSSL_CONF=/dev/null VIRT_NUMA_SHIM="$$ $watchdogs" exec "$node" "$program" "$@"
} & child=$!

# These traps are set only now: a bash that a signal interrupts while it tries to fork ends with status 0 and
# without its EXIT trap.
trap 'stop hook-timeout "$program has not answered in time" "see what is slow: time virt-numa snapshot"' ALRM
trap 'stop hook-failed "a signal has stopped the hook" "try again"' HUP INT TERM
wait $child
status=$? child=''
case $status in
  83) end_with_verdict 0 ;;
  84) end_with_verdict 1 ;;
  126 | 127) ;;
  *) code=hook-failed reason="$program ended with status $status instead of a verdict" ;;
esac
exit 1
