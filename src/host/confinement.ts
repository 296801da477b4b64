// The kernel's mandatory access control, as far as its own files tell.

import type { Files } from './files.ts'
import { textAt } from './kernel-text.ts'

export type SelinuxMode = 'off' | 'permissive' | 'enforcing'

/** @see selinux(8); without the file system there is no SELinux, or none that acts */
export function selinuxMode(files: Files): SelinuxMode {
  const enforce = textAt(files, '/sys/fs/selinux/enforce')?.trim()
  if (enforce === undefined) return 'off'
  return enforce === '1' ? 'enforcing' : 'permissive'
}

export function isAppArmorOn(files: Files): boolean {
  return textAt(files, '/sys/module/apparmor/parameters/enabled')?.trim() === 'Y'
}

/** "libvirtd (enforce)" is confined, "unconfined" and "libvirtd (complain)" are not. */
export function isConfinedByAppArmor(confinement: string | undefined): boolean {
  return /^\S+ \(enforce\)$/.test(confinement ?? '')
}
