// The items about versions, the configuration and the hook.

import type { Diagnostic } from '../base/diagnostic.ts'
import { diagnostic } from '../codes/codes.ts'
import type { HookDefect } from '../codes/hook.ts'
import { textAt } from '../host/kernel-text.ts'
import { type Inspection, type Item, named, type OurHook } from './inspection.ts'

/** The oldest supported libvirt. */
const OLDEST = '6.5'

/** The versions of the programs. */
export function versionsItem({ versions, files, isThisHost }: Inspection): Item {
  const { libvirt, qemu, node } = versions
  const kernel = textAt(files, '/proc/sys/kernel/osrelease')?.trim()
  const stated = [
    ['libvirt', libvirt],
    ['QEMU', qemu],
    ['Linux', kernel],
    // The native command runs without Node.
    ...(node === undefined && isThisHost ? [] : [['Node', node] as const]),
  ] as const
  const found: Diagnostic[] = []
  if (libvirt === undefined && isThisHost) found.push(diagnostic('libvirt-missing', {}))
  if (libvirt !== undefined && isBefore(libvirt, OLDEST))
    found.push(diagnostic('libvirt-old', { version: libvirt, oldest: OLDEST }))
  return {
    name: 'versions',
    says: stated.map(([name, version]) => `${name} ${version ?? 'unknown'}`).join(', '),
    isUnknown: libvirt === undefined,
    found,
  }
}

/** Compares numbers between dots. */
function isBefore(version: string, other: string): boolean {
  const [one, two] = [version, other].map((each) => each.split('.').map(Number))
  for (const [at, number] of (two ?? []).entries()) {
    const own = one?.[at] ?? 0
    if (own !== number) return own < number
  }
  return false
}

/** Whether the configuration can be read. */
export function configurationItem({ config: { path, isThere, found } }: Inspection): Item {
  return { name: 'configuration', says: isThere ? path : `defaults (no ${path})`, found }
}

/** Whether our hook is installed, works, and is run. */
export function hookItem({ hooks, otherHooks, hooksFolder, daemon, isHookSeen }: Inspection): Item {
  const path = `${hooksFolder}/qemu`
  if (hooks.length === 0)
    return {
      name: 'hook',
      says: `not installed in ${hooksFolder}`,
      found: [diagnostic('hook-absent', { path })],
    }
  const found = hooks.flatMap(wrongWith)
  const isRun = hooks.some(({ mode }) => (mode & 0o111) !== 0)
  const first = hooks[0] as OurHook
  if (daemon !== undefined && isRun && !isHookSeen) {
    found.push(
      diagnostic('hook-unseen', {
        daemon: named(daemon),
        path: first.path,
        reload: 'virt-numa install --reload',
      }),
    )
  }
  const others = otherHooks.length === 0 ? '' : `; other hooks: ${otherHooks.join(', ')}`
  const seen =
    daemon === undefined ? '; no daemon is running' : isHookSeen ? `; ${named(daemon)} runs it` : ''
  return {
    name: 'hook',
    says: `${hooks.map((each) => each.path).join(', ')} runs ${first.program}${others}${seen}`,
    found,
  }
}

function wrongWith({ path, mode, missing, isOutdated, exposed }: OurHook): Diagnostic[] {
  const found = [...exposed]
  const report = (because: HookDefect): void => {
    found.push(diagnostic('hook-broken', { path, because }))
  }
  if (isOutdated) report({ is: 'outdated' })
  if ((mode & 0o111) === 0) report({ is: 'not-executable', mode })
  if (missing.length > 0) report({ is: 'incomplete', files: missing })
  return found
}
