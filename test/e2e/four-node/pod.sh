#!/bin/sh
# pod.sh NAME SCOPE SEES: a libvirtd in a pod. It joins the container's cgroup, then has mounts, a host name
# and a separate cgroup namespace. What it sees as /sys/fs/cgroup: "own" its namespace's, writable, so that
# libvirt makes cgroups for its guests; "read-only" the same as a container of Kubernetes has it; "host" the
# host's, mounted before the namespace was made.
set -eu
name=$1 scope=$2 sees=$3
echo $$ >"$scope/cgroup.procs"
exec unshare --mount --uts --cgroup sh -eu -c '
  name=$1 sees=$2 home=/job/pods/$1
  mkdir -p "$home/run" "$home/lib" "$home/etc" "$home/cache" "$home/log"
  cp -a /etc/libvirt/. "$home/etc/"
  cp -a /var/lib/libvirt/. "$home/lib/"
  mount --make-rprivate /
  if [ "$sees" != host ]; then
    umount -l /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup
  fi
  if [ "$sees" = own ]; then
    # A cgroup that hands controllers on holds no process itself.
    mkdir -p /sys/fs/cgroup/init
    echo $$ >/sys/fs/cgroup/init/cgroup.procs
    echo "+cpuset +cpu +memory" >/sys/fs/cgroup/cgroup.subtree_control
  else
    echo "cgroup_controllers = []" >>"$home/etc/qemu.conf"
    if [ "$sees" = read-only ]; then mount -o remount,bind,ro /sys/fs/cgroup; fi
  fi
  mount --bind "$home/run" /run/libvirt
  mount --bind "$home/lib" /var/lib/libvirt
  mount --bind "$home/etc" /etc/libvirt
  mount --bind "$home/cache" /var/cache/libvirt
  mount --bind "$home/log" /var/log/libvirt
  umount /dev/hugepages
  mount -t hugetlbfs "hugetlbfs-$name" /dev/hugepages
  hostname "$name"
  printf "host_uuid = \"%s\"\n" "$(cat /proc/sys/kernel/random/uuid)" >>"$home/etc/libvirtd.conf"
  exec libvirtd -d -p "$home/libvirtd.pid"
' sh "$name" "$sees"
