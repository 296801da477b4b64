#!/bin/sh
# capture.sh FOLDER NAME...: copies there what host/ reads of the machine, its cgroups and its processes, as
# this process sees them: of itself as /proc/self, and of every process with one of the names.
set -u
folder=$1
shift
mkdir -p "$folder"
cd / || exit 1
taken() {
  find sys/devices/system/cpu -type f \( -name online -o -name possible -o -name present -o -name isolated \
    -o -name thread_siblings_list -o -name core_cpus_list -o -name core_id -o -name physical_package_id \)
  find sys/devices/system/node -type f \( -name online -o -name possible -o -name 'has_*' \
    -o -name cpulist -o -name meminfo -o -name distance \
    -o -name nr_hugepages -o -name free_hugepages -o -name surplus_hugepages \)
  find sys/kernel/mm/hugepages -type f -name '*_hugepages'
  find sys/fs/cgroup -type f \( -name cgroup.controllers -o -name cgroup.subtree_control \
    -o -name cgroup.procs -o -name 'cpuset.*' -o -name 'hugetlb.*.max' -o -name 'hugetlb.*.current' \)
  echo proc/meminfo
  echo proc/mounts
  for process in self $(for name in "$@"; do pidof "$name"; done); do
    for file in comm cgroup cpuset status mountinfo; do echo "proc/$process/$file"; done
  done
}
# Some files can only be written, and a process may end meanwhile.
taken "$@" | xargs cp --parents -t "$folder" 2>/dev/null
exit 0
