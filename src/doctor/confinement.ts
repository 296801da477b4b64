// What the kernel may forbid: the hook by SELinux and AppArmor, QEMU's mbind by seccomp, /dev/kvm by its
// mode.

import type { Diagnostic } from '../base/diagnostic.ts'
import { diagnostic } from '../codes/codes.ts'
import { isAppArmorOn, isConfinedByAppArmor } from '../host/confinement.ts'
import type { Daemon } from '../host/daemon.ts'
import type { Files } from '../host/files.ts'
import { textAt } from '../host/kernel-text.ts'
import { type Inspection, type Item, named } from './inspection.ts'
import { mayUse, ownerOf, qemuUser } from './qemu-user.ts'

/** Programs that libvirtd's profile lets it start (PUx). */
const APPARMOR_MAY = /^(?:\/usr)?\/s?bin\/[^/]+$/

/** Reports a profile that does not allow the program. A profile that names it is taken to allow it. */
export function apparmorFindings(files: Files, daemon: Daemon | undefined, node: string): Diagnostic[] {
  if (daemon === undefined || !isAppArmorOn(files) || !isConfinedByAppArmor(daemon.confinement)) return []
  const profile = `usr.sbin.${daemon.name}`
  const texts = [`/etc/apparmor.d/${profile}`, `/etc/apparmor.d/local/${profile}`].map(
    (path) => textAt(files, path) ?? '',
  )
  if (APPARMOR_MAY.test(node) || texts.some((text) => text.includes(node))) return []
  return [diagnostic('apparmor-denies', { daemon: named(daemon), node, profile })]
}

/** A machine with SELinux or AppArmor has one of these; a capture may have left them out. */
const SECURITY = ['/sys/fs/selinux', '/sys/module/apparmor', '/sys/kernel/security']

/** Whether SELinux and AppArmor allow the hook. */
export function accessItem({ files, daemon, hooks, selinux, policy, isThisHost }: Inspection): Item {
  const name = 'access'
  if (!isThisHost && !SECURITY.some((folder) => files.list(folder) !== undefined))
    return { name, says: 'SELinux and AppArmor are not in the capture', isUnknown: true, found: policy }
  const isOn = isAppArmorOn(files)
  const isConfined = isOn && isConfinedByAppArmor(daemon?.confinement)
  const apparmor = isOn
    ? isConfined
      ? `AppArmor confines ${daemon?.name}`
      : 'AppArmor is on'
    : 'AppArmor is off'
  const nodes = [...new Set(hooks.map(({ node }) => node))]
  const found = [...policy, ...nodes.flatMap((node) => apparmorFindings(files, daemon, node))]
  return { name, says: `SELinux is ${selinux}, ${apparmor}`, found }
}

const FILTER = 2
const CAP_SYS_NICE = 23n

/** Whether QEMU may call mbind. */
export function bindingItem({ daemon }: Inspection): Item {
  const name = 'binding'
  if (daemon === undefined) return { name, says: 'no libvirt daemon is running', isUnknown: true, found: [] }
  const { seccomp, bounding } = daemon
  const hasNice = bounding === undefined ? undefined : ((bounding >> CAP_SYS_NICE) & 1n) === 1n
  const filter =
    seccomp === undefined ? 'seccomp unknown' : seccomp === FILTER ? 'a seccomp filter' : 'no seccomp filter'
  const nice = hasNice === undefined ? 'CAP_SYS_NICE unknown' : `${hasNice ? 'with' : 'without'} CAP_SYS_NICE`
  const isFiltered = seccomp === FILTER && hasNice === false
  return {
    name,
    says: `${named(daemon)}: ${filter}, ${nice}`,
    isUnknown: hasNice !== true && (seccomp === undefined || (seccomp === FILTER && hasNice === undefined)),
    found: isFiltered ? [diagnostic('mbind-filtered', { daemon: named(daemon) })] : [],
  }
}

/** Whether QEMU may use /dev/kvm. */
export function kvmItem({ files, kvm, qemuConf, isThisHost }: Inspection): Item {
  const name = 'kvm'
  if (kvm === undefined)
    return {
      name,
      says: isThisHost ? 'no /dev/kvm' : 'no /dev in the capture',
      isUnknown: !isThisHost,
      found: isThisHost ? [diagnostic('kvm-missing', {})] : [],
    }
  const user = qemuUser(files, qemuConf)
  const facts = { owner: ownerOf(files, kvm), mode: (kvm.mode & 0o7777).toString(8).padStart(4, '0') }
  const runsAs = user === undefined ? 'an unknown user' : `${user.name} (${user.source})`
  const says = `/dev/kvm is ${facts.owner} ${facts.mode}, QEMU runs as ${runsAs}`
  const isDenied = user !== undefined && !mayUse(user, kvm)
  return {
    name,
    says,
    isUnknown: user === undefined,
    found: isDenied ? [diagnostic('kvm-denied', { ...facts, user: user.name, source: user.source })] : [],
  }
}
