// The first bytes of a file -> what kind of output it holds, so that none replaces one of another kind.

import { refuse } from '../codes/codes.ts'
import type { OutputKind } from '../codes/files.ts'
import { readAtMost } from '../machine/node/system.ts'
import { withFile } from '../machine/read/read-bytes.ts'
import { systemError } from '../machine/system-error.ts'

/** What comes before the root element may be as long. */
const MOST_BYTES = 64 * 1024

/** What a regular file holds; `empty`: nothing, or white space. @throws Refusal `unreadable` */
export function kindOf(path: string): OutputKind | 'empty' | 'other' {
  try {
    const bytes = withFile(path, 'at-once', (file) => readAtMost(file, MOST_BYTES))
    return kindOfText(new TextDecoder().decode(bytes))
  } catch (error) {
    throw systemError(error, (fault) => refuse('unreadable', { file: path, ...fault }))
  }
}

/** Declaration, comments, processing instructions and the document type before the root element. */
const PROLOG = /^(?:\s+|<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!DOCTYPE[^>]*>)/

function kindOfText(text: string): OutputKind | 'empty' | 'other' {
  if (text.trim() === '') return 'empty'
  if (/^\s*# (?:HELP|TYPE) virt_numa_/.test(text)) return 'metrics'
  let left = text
  for (let found = PROLOG.exec(left); found !== null; found = PROLOG.exec(left))
    left = left.slice(found[0].length)
  const root = /^<(?:[\w.-]+:)?([\w.-]+)/.exec(left)?.[1]
  return root === 'domain' || root === 'svg' || root === 'html' ? root : 'other'
}
