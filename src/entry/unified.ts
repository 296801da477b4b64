// Two texts to a unified diff, by the diff library. Loaded only for --diff.

import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'

/** As `diff -u` prints it; empty when the texts are the same. */
export function unifiedDiff(name: string, before: string, after: string): string {
  return before === after
    ? ''
    : createTwoFilesPatch(name, name, before, after, 'as it is', 'fitted', { context: 3, headerOptions: FILE_HEADERS_ONLY })
}
