#!/bin/sh
# Process 1 of the four-node host once its root is there: mounts, then the job, then the power. The job
# reports on the second serial line; whatever else is said goes to the console.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mkdir -p /run/lock /run/libvirt /dev/pts /dev/shm /dev/hugepages
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 none /sys/fs/cgroup
mount -t hugetlbfs hugetlbfs /dev/hugepages
ip link set lo up
hostname fournode
stty -F /dev/ttyS1 raw -echo
node /job/job.cjs >/dev/ttyS1
echo "the job ended with $?"
sync
echo o >/proc/sysrq-trigger
sleep 60
