// A tree of folders, files and symbolic links in memory to Files.

import type { Files } from '../files.ts'
import { follow, parts } from '../paths.ts'

/** A folder; its children may be changed. */
export interface Folder {
  readonly kind: 'folder'
  readonly children: Map<string, Entry>
}

/** What a name in a folder is. */
export type Entry =
  | Folder
  | { readonly kind: 'file'; readonly content: Uint8Array }
  | { readonly kind: 'link'; readonly target: string }

/** The files of a machine whose root is this folder. */
export function filesOfTree(root: Folder): Files {
  return {
    read: (path) => {
      const found = entryAt(root, parts(path))
      return found?.kind === 'file' ? found.content : undefined
    },
    list: (path) => {
      const found = entryAt(root, parts(path))
      return found?.kind === 'folder' ? [...found.children.keys()].sort() : undefined
    },
    readlink: (path) => {
      const names = parts(path)
      const parent = entryAt(root, names.slice(0, -1))
      const found = parent?.kind === 'folder' ? parent.children.get(names.at(-1) ?? '') : undefined
      return found?.kind === 'link' ? found.target : undefined
    },
  }
}

/** An empty folder. */
export function folder(): Folder {
  return { kind: 'folder', children: new Map() }
}

/**
 * Stores an entry, and the folders above it where the archive does not name them. A later entry replaces an
 * earlier one.
 * @returns how many were stored
 */
export function put(root: Folder, names: readonly string[], entry: Entry): number {
  const kept: string[] = []
  for (const name of names) {
    if (name === '..') kept.pop()
    else kept.push(name)
  }
  const last = kept.pop()
  if (last === undefined) return 0
  let at = root
  let stored = 1
  for (const name of kept) {
    let next = at.children.get(name)
    if (next?.kind !== 'folder') {
      next = folder()
      at.children.set(name, next)
      stored += 1
    }
    at = next
  }
  if (entry.kind !== 'folder' || at.children.get(last)?.kind !== 'folder') at.children.set(last, entry)
  return stored
}

/** What a path leads to, all links followed. */
export function entryAt(root: Folder, names: readonly string[]): Resolved | undefined {
  return follow<Resolved>(root, names, (at, name) => {
    const found = at.kind === 'folder' ? at.children.get(name) : undefined
    if (found === undefined) return undefined
    return found.kind === 'link' ? { link: found.target } : { at: found }
  })
}

type Resolved = Exclude<Entry, { kind: 'link' }>
