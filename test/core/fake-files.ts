// A machine as plain texts by path.

import type { Files } from '../../src/host/files.ts'

/** Plain files; a folder is there when something is in it. `asked` gathers what was read. */
export function fake(texts: Record<string, string>, asked: string[] = []): Files {
  return {
    read: (path) => {
      asked.push(path)
      return path in texts ? Buffer.from(texts[path] as string) : undefined
    },
    list: (path) => {
      const inside = Object.keys(texts).filter((each) => each.startsWith(`${path}/`))
      const names = new Set(inside.map((each) => each.slice(path.length + 1).split('/')[0] as string))
      return names.size === 0 ? undefined : [...names].sort()
    },
    readlink: () => undefined,
  }
}
