// The files that root would run -> which other users could change them, and which are in folders that the
// daemon may not see.

import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Diagnostic } from '../base/diagnostic.ts'
import { diagnostic } from '../codes/codes.ts'
import type { PrivateFolder, WhoElse } from '../codes/hook.ts'

/** Folders that are emptied or closed to a daemon, and tools that install Node for one user. */
const PRIVATE: readonly (readonly [pattern: RegExp, folder: PrivateFolder])[] = [
  [/^\/(?:var\/)?tmp\/|^\/dev\/shm\//, 'temporary'],
  [/^\/run\//, 'emptied-at-boot'],
  [/\/\.(?:nvm|volta|fnm|asdf|nodenv|n)\/|\/(?:mise|fnm)\//, 'node-of-one-user'],
  [/^\/home\/|^\/root\/|^\/Users\//, 'home'],
]

/**
 * @param program dist/hooks/qemu.cjs: what it loads lies one folder up
 * @param others other files that are run for it: the hook itself
 * @returns errors (`hook-program-exposed`) and notes (`hook-program-private`)
 */
export function exposureOf(node: string, program: string, others: readonly string[] = []): Diagnostic[] {
  const above = dirname(dirname(program))
  const loaded = readdirSync(above)
    .filter((name) => name.endsWith('.cjs'))
    .map((name) => join(above, name))
  const paths = new Set([node, program, ...loaded, ...others].flatMap(withParents))
  const exposed = [...paths].sort().flatMap((path) => {
    const by = whoElse(lstatSync(path), trusted())
    return by === undefined ? [] : [diagnostic('hook-program-exposed', { path, by })]
  })
  const hidden = [...new Set([node, program])].flatMap((path) => {
    const folder = PRIVATE.find(([pattern]) => pattern.test(path))?.[1]
    return folder === undefined ? [] : [diagnostic('hook-program-private', { path, folder })]
  })
  return [...exposed, ...hidden]
}

/** The path and every folder above it. */
function withParents(path: string): string[] {
  const above = dirname(path)
  return above === path ? [path] : [...withParents(above), path]
}

/** Users who may change the hook: root, or in a pod without root the user of this process. */
const trusted = (): readonly number[] => [0, process.getuid?.() ?? 0]

/**
 * Who else may change a file; undefined for nobody. Everybody may write to a sticky folder (/tmp), but only
 * owners replace its files. Links have no mode of their own.
 */
export function whoElse(
  status: Pick<Stats, 'uid' | 'gid' | 'mode'>,
  users: readonly number[],
): WhoElse | undefined {
  const { uid, gid, mode } = status
  if (!users.includes(uid)) return { is: 'owner', id: uid }
  const kind = mode & 0o170000
  if (kind === 0o120000 || (kind === 0o040000 && (mode & 0o1000) !== 0)) return undefined
  if ((mode & 0o002) !== 0) return { is: 'everybody' }
  return (mode & 0o020) !== 0 && gid !== 0 ? { is: 'group', id: gid } : undefined
}
