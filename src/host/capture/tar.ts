// The bytes of an uncompressed tar of a machine's sys/ and proc/ -> the Files that the machine itself would
// have.

import { refuse } from '../../codes/codes.ts'
import type { Files } from '../files.ts'
import { parts } from '../paths.ts'
import { readEntries } from './tar-entries.ts'
import { type Entry, entryAt, type Folder, filesOfTree, folder, put } from './tree.ts'

/** The largest capture that we know has 40,000. */
const MAX_ENTRIES = 200_000

/**
 * The files of the machine. The folder with sys/ or proc/, at the top of the archive or below, is its "/"; a
 * folder with devices/system is its "/sys". Links cannot leave it.
 * @throws Refusal `tar-malformed` when the bytes are not a tar, are truncated, or do not hold one machine
 */
export function filesOfTar(bytes: Uint8Array): Files {
  const archive = folder()
  const entries = { left: MAX_ENTRIES }
  const store = (name: string, entry: Entry): void => {
    entries.left -= put(archive, parts(name), entry)
    if (entries.left < 0) refuse('tar-malformed', { problem: { is: 'too-many-entries', max: MAX_ENTRIES } })
  }
  const hardLinks: [name: string, target: string][] = []
  for (const { name, target, kind, content } of readEntries(bytes)) {
    if (kind === 'hard link') hardLinks.push([name, target])
    else if (kind === 'symlink') store(name, { kind: 'link', target })
    else if (kind === 'folder') store(name, folder())
    else store(name, { kind: 'file', content })
  }
  for (const [name, target] of hardLinks) {
    // Its target may be anywhere in the archive, so it is looked up only now; one without a target is a file
    // that is missing.
    const file = entryAt(archive, parts(target))
    if (file?.kind === 'file') store(name, file)
  }
  return filesOfTree(machineIn(archive))
}

/** The root of the machine: breadth first, so that nothing below sys/ is taken for another machine. */
function machineIn(archive: Folder): Folder {
  for (
    let level: [name: string, at: Folder][] = [['/', archive]];
    level.length > 0;
    level = level.flatMap(foldersIn)
  ) {
    const machines = level.flatMap(([name, at]) => rootAt(at).map((root): [string, Folder] => [name, root]))
    const [only, second] = machines
    if (only !== undefined && second === undefined) return only[1]
    if (only !== undefined) refuseMany(machines.map(([name]) => name))
  }
  return refuse('tar-malformed', { problem: { is: 'no-machine' } })
}

function foldersIn([path, at]: [string, Folder]): [string, Folder][] {
  return [...at.children].flatMap(([name, child]) =>
    child.kind === 'folder' ? [[`${path}${name}/`, child] as [string, Folder]] : [],
  )
}

function rootAt(at: Folder): Folder[] {
  if (at.children.get('sys')?.kind === 'folder' || at.children.get('proc')?.kind === 'folder') return [at]
  if (entryAt(at, ['devices', 'system'])?.kind !== 'folder') return []
  const root = folder()
  root.children.set('sys', at)
  return [root]
}

/** A report names no more of them. */
const MOST_NAMED = 5

function refuseMany(names: readonly string[]): never {
  const folders = [...names].sort().slice(0, MOST_NAMED)
  refuse('tar-malformed', { problem: { is: 'several-machines', count: names.length, folders } })
}
