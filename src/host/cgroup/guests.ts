// The settings of libvirt and what a machine runs -> which cgroup holds the QEMU of a guest: that of the
// daemon, or the guest's partition.

import type { QemuConf } from '../../model/host.ts'
import type { Files } from '../files.ts'
import { readMounts } from './mounts.ts'

/** `unknown`: what decides it cannot be read. */
export type GuestsIn = 'daemon' | 'partition' | 'unknown'

/**
 * Where a daemon that runs as root puts guests. systemd-machined moves every guest into its slice. Without it
 * libvirt itself creates the partition, unless it has no controller to create it with.
 * @see libvirt virCgroupNewMachine, virCgroupNewIgnoreError
 */
export function guestsIn(files: Files, { controllers, isUnreadable }: QemuConf): GuestsIn {
  if (readMounts(files, 'self').length === 0) return 'unknown'
  if (hasMachined(files)) return 'partition'
  if (isUnreadable) return 'unknown'
  return controllers?.length === 0 ? 'daemon' : 'partition'
}

/** libvirt asks D-Bus for both: a systemd that runs, and a machined that D-Bus can start. */
export function hasMachined(files: Files): boolean {
  const service = '/usr/share/dbus-1/system-services/org.freedesktop.machine1.service'
  return files.list('/run/systemd/system') !== undefined && files.read(service) !== undefined
}
