// Paths as the kernel reads and writes them: names, symbolic links, octal escapes.

/** The names of a path; "." and empty ones are gone, ".." stays. */
export function parts(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

/** As in the kernel: more links than this on one path are a loop. */
const MAX_LINKS = 40

/**
 * Follows a path by names, all links included. ".." at the root stays there and absolute links start there,
 * so that no link leads out of a capture.
 * @param look what a name in a folder is, or the target of a link; undefined where there is nothing
 * @returns undefined for a path to nothing, and for a loop
 */
export function follow<Place>(
  root: Place,
  names: readonly string[],
  look: (folder: Place, name: string) => { readonly at: Place } | { readonly link: string } | undefined,
): Place | undefined {
  const open = [...names].reverse()
  let above: Place[] = []
  let at = root
  for (let links = 0; ; ) {
    const name = open.pop()
    if (name === undefined) return at
    if (name === '..') {
      at = above.pop() ?? root
      continue
    }
    const found = look(at, name)
    if (found === undefined) return undefined
    if ('at' in found) {
      above.push(at)
      at = found.at
      continue
    }
    links += 1
    if (links > MAX_LINKS) return undefined
    open.push(...parts(found.link).reverse())
    if (found.link.startsWith('/')) {
      above = []
      at = root
    }
  }
}

/** The path that the kernel wrote: it writes blank, tab, line feed and backslash in octal. @see proc(5) */
export function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
