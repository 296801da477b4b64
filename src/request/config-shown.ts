// The configuration to what of it may be shown with a diagnostic: the settings that are known. Anything else
// may be a secret that was put into the wrong file.

import type { Span } from '../base/diagnostic.ts'
import { isConfigKey } from './config.ts'

const SETTING = /^[ \t\uFEFF]*([A-Za-z_][\w.-]*)[ \t]*(=?)/
/** Up to a comment, or to a quote that nothing closes. */
const BARE = /^(?:[^"'#]|"[^"]*"|'[^']*')*/

/**
 * In order, without overlap and each on one line: comments, what is behind an unknown key, and lines without
 * a key.
 */
export function hiddenInConfig(text: string): readonly Span[] {
  const found: Span[] = []
  let isListOpen = false
  let start = 0
  for (const line of text.split('\n')) {
    const [head = '', key = '', equals = ''] = SETTING.exec(line) ?? []
    const isKnown: boolean = key === '' ? isListOpen : isConfigKey(key)
    const shown: string = isKnown ? withoutComment(line) : equals === '' ? '' : head
    const rest = line.slice(shown.length)
    for (const { index, 0: words } of rest.matchAll(/\S(?:.*\S)?/g)) {
      const from = start + shown.length + index
      found.push({ start: from, end: from + words.length })
    }
    if (isKnown) isListOpen = key === '' ? !shown.includes(']') : shown.includes('[') && !shown.includes(']')
    else isListOpen = false
    start += line.length + 1
  }
  return found
}

function withoutComment(line: string): string {
  const bare = BARE.exec(line)?.[0] ?? ''
  return line.slice(bare.length).includes('#') ? bare : line
}
