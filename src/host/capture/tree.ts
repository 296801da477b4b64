// A tree of folders, files and symbolic links in memory to Files.

import type { Files } from '../files.ts'

export interface Folder {
  readonly kind: 'folder'
  readonly children: Map<string, Entry>
}

export type Entry =
  | Folder
  | { readonly kind: 'file'; readonly content: Uint8Array }
  | { readonly kind: 'link'; readonly target: string }

/** As the kernel: more links than this on one path are a loop. */
const MAX_LINKS = 40

export function filesOfTree(root: Folder): Files {
  return {
    read: (path) => {
      const found = follow(root, parts(path))
      return found?.kind === 'file' ? found.content : undefined
    },
    list: (path) => {
      const found = follow(root, parts(path))
      return found?.kind === 'folder' ? [...found.children.keys()].sort() : undefined
    },
    readlink: (path) => {
      const names = parts(path)
      const parent = follow(root, names.slice(0, -1))
      const found = parent?.kind === 'folder' ? parent.children.get(names.at(-1) ?? '') : undefined
      return found?.kind === 'link' ? found.target : undefined
    },
  }
}

export function folder(): Folder {
  return { kind: 'folder', children: new Map() }
}

/** The names of a path; "." and empty ones are gone, ".." stays. */
export function parts(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

/**
 * Stores an entry, and the folders above it where the archive does not name them. A later entry replaces an earlier one.
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

/** What a path leads to, all links followed; ".." at the root stays there, so no link leads out. */
export function follow(root: Folder, names: readonly string[]): Exclude<Entry, { kind: 'link' }> | undefined {
  const todo = [...names].reverse()
  const way: Folder[] = []
  let at: Exclude<Entry, { kind: 'link' }> = root
  for (let links = 0; ; ) {
    const name = todo.pop()
    if (name === undefined) return at
    if (at.kind !== 'folder') return undefined
    if (name === '..') {
      at = way.pop() ?? root
      continue
    }
    const next: Entry | undefined = at.children.get(name)
    if (next === undefined) return undefined
    if (next.kind === 'link') {
      links += 1
      if (links > MAX_LINKS) return undefined
      todo.push(...parts(next.target).reverse())
      if (next.target.startsWith('/')) {
        way.length = 0
        at = root
      }
      continue
    }
    way.push(at)
    at = next
  }
}
