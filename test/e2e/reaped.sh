#!/bin/sh
# Runs a command in a PID namespace whose first process, a shell, reaps orphans at once. libvirt waits until a
# QEMU that has ended is reaped, at each probe, stop and restart; the first process of a container or a small
# virtual machine may take seconds for that. What the command leaves running ends with it.
if ! unshare --pid --fork --mount-proc true; then
  echo "the end-to-end tests mount, set page pools and start libvirtd: run them as root" >&2
  exit 1
fi
exec unshare --pid --fork --kill-child --mount-proc sh -c '"$@"; exit $?' sh "$@"
