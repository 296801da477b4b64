// Parts of the program that are bundles of their own and are loaded when they are needed.

import type { Write } from '../xml/insert.ts'

/** Prints new elements. xmlbuilder2 is large, and most runs on a fitted guest need no new element. */
export const lazyWrite: Write = (element, layout) => {
  const { writeElement } = require('./write.cjs') as typeof import('../xml/build.ts')
  return writeElement(element, layout)
}

/** Opens a file that states a host. The hook and most commands read this machine or a folder. */
export const lazyHostFile: typeof import('./host-file.ts').openHostFile = (path) => {
  const { openHostFile } = require('./host-file.cjs') as typeof import('./host-file.ts')
  return openHostFile(path)
}
