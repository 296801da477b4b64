// Parts of the program that lie in files of their own and are loaded when they are needed.

import type { Write } from '../xml/edit.ts'

/** xmlbuilder2 is large; most runs on a fitted guest need no new element. */
export const lazyWrite: Write = (element, layout) => {
  const { writeElement } = require('./write.cjs') as typeof import('../xml/build.ts')
  return writeElement(element, layout)
}
