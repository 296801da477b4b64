#!/bin/sh
# The first process of the four-node host: loads what the root disk needs, puts /job beside it, hands over to
# job.sh there.
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
# In this order: each needs the ones before it.
for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk; do
  if [ -f "/modules/$module.ko" ]; then insmod "/modules/$module.ko"; fi
done
waited=0
while [ ! -b /dev/vda ] && [ "$waited" -lt 300 ]; do
  sleep 0.1
  waited=$((waited + 1))
done
mount -t ext4 -o rw,noatime /dev/vda /root
mount -t tmpfs tmpfs /root/job
cp -a /job/. /root/job/
mount --move /dev /root/dev
mount --move /proc /root/proc
mount --move /sys /root/sys
exec switch_root /root /bin/sh /job/job.sh
