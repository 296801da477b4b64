// /sys -> the state of the kernel's mandatory access control (SELinux, AppArmor).

import type { Files } from './files.ts'
import { textAt } from './kernel-text.ts'

/** What SELinux does; `off` when it is disabled or not built in. */
export type SelinuxMode = 'off' | 'permissive' | 'enforcing'

/** Reads the mode of SELinux. Without selinuxfs, SELinux is absent or inactive. @see selinux(8) */
export function selinuxMode(files: Files): SelinuxMode {
  const enforce = textAt(files, '/sys/fs/selinux/enforce')?.trim()
  if (enforce === undefined) return 'off'
  return enforce === '1' ? 'enforcing' : 'permissive'
}

/** Whether the kernel enforces AppArmor profiles. @see apparmor(7) */
export function isAppArmorOn(files: Files): boolean {
  return textAt(files, '/sys/module/apparmor/parameters/enabled')?.trim() === 'Y'
}

/**
 * Whether a /proc/PID/attr/current is confined: "libvirtd (enforce)", not "unconfined" or "libvirtd
 * (complain)".
 */
export function isConfinedByAppArmor(confinement: string | undefined): boolean {
  return /^\S+ \(enforce\)$/.test(confinement ?? '')
}
