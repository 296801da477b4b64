// Two texts -> a unified diff, by the diff library. Loaded only for --diff.
//
// The library looks for the shortest edit in a number of steps that grows with the square of the number of
// lines that differ. Beyond a thousand such lines, the common start and end and the lines that only one text
// has are removed first. If that is still too much, everything in between counts as changed.

import {
  createTwoFilesPatch,
  diffArrays,
  FILE_HEADERS_ONLY,
  formatPatch,
  type StructuredPatchHunk,
} from 'diff'

/** Lines that differ, in both texts together. */
const MOST_EDITS = 1000
const CONTEXT = 3
const HEADERS = ['as it is', 'fitted'] as const

/** The output of `diff -u`; empty when the texts are the same. */
export function unifiedDiff(name: string, before: string, after: string): string {
  if (before === after) return ''
  const options = { context: CONTEXT, headerOptions: FILE_HEADERS_ONLY, maxEditLength: MOST_EDITS }
  const [oldHeader, newHeader] = HEADERS
  const patch: string | undefined = createTwoFilesPatch(
    name,
    name,
    before,
    after,
    oldHeader,
    newHeader,
    options,
  )
  if (patch !== undefined) return patch
  const hunks = hunksOf(linesOf(before), linesOf(after))
  const whole = { oldFileName: name, newFileName: name, oldHeader, newHeader, hunks }
  return formatPatch(whole, FILE_HEADERS_ONLY)
}

/** Lines with their ends. */
const linesOf = (text: string): string[] => text.split(/(?<=\n)/)

/** A run of lines: in both texts, or in one of them. */
interface Run {
  readonly sign: ' ' | '-' | '+'
  readonly lines: readonly string[]
}

function runsOf(before: readonly string[], after: readonly string[]): Run[] {
  const most = Math.min(before.length, after.length)
  let start = 0
  while (start < most && before[start] === after[start]) start++
  let end = 0
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end++
  const [old, next] = [before.slice(start, before.length - end), after.slice(start, after.length - end)]
  const runs: Run[] = [{ sign: ' ', lines: before.slice(0, start) }]
  let [oldAt, nextAt] = [0, 0]
  for (const [oldLine, nextLine] of [...pairsOf(old, next), [old.length, next.length] as const]) {
    runs.push(
      { sign: '-', lines: old.slice(oldAt, oldLine) },
      { sign: '+', lines: next.slice(nextAt, nextLine) },
    )
    if (oldLine < old.length) runs.push({ sign: ' ', lines: [old[oldLine] as string] })
    oldAt = oldLine + 1
    nextAt = nextLine + 1
  }
  return joined([...runs, { sign: ' ', lines: before.slice(before.length - end) }])
}

/** Pairs of equal lines, by their indexes. */
function pairsOf(old: readonly string[], next: readonly string[]): (readonly [old: number, next: number])[] {
  const indexesIn = (lines: readonly string[], others: ReadonlySet<string>): number[] =>
    [...lines.keys()].filter((at) => others.has(lines[at] as string))
  const [oldIndexes, newIndexes] = [indexesIn(old, new Set(next)), indexesIn(next, new Set(old))]
  const options = { maxEditLength: MOST_EDITS }
  const changes =
    diffArrays(
      oldIndexes.map((at) => old[at]),
      newIndexes.map((at) => next[at]),
      options,
    ) ?? []
  const pairs: (readonly [number, number])[] = []
  let [oldAt, nextAt] = [0, 0]
  for (const { added, removed, count } of changes) {
    for (let line = 0; line < count && !added && !removed; line++)
      pairs.push([oldIndexes[oldAt + line] as number, newIndexes[nextAt + line] as number])
    if (!added) oldAt += count
    if (!removed) nextAt += count
  }
  return pairs
}

/** Merges adjacent runs of one kind and drops empty ones. */
function joined(runs: readonly Run[]): Run[] {
  const all: { sign: Run['sign']; lines: string[] }[] = []
  for (const { sign, lines } of runs) {
    const last = all.at(-1)
    if (lines.length === 0) continue
    if (last?.sign === sign) for (const line of lines) last.lines.push(line)
    else all.push({ sign, lines: [...lines] })
  }
  return all
}

/** Changes with their context; two changes with at most twice the context between them share a hunk. */
function hunksOf(before: readonly string[], after: readonly string[]): StructuredPatchHunk[] {
  const hunks: StructuredPatchHunk[] = []
  const runs = runsOf(before, after)
  let open: StructuredPatchHunk | undefined
  let [oldLine, newLine] = [1, 1]
  const add = (hunk: StructuredPatchHunk, sign: Run['sign'], lines: readonly string[]): void => {
    if (sign !== '+') hunk.oldLines += lines.length
    if (sign !== '-') hunk.newLines += lines.length
    for (const line of lines) {
      hunk.lines.push(sign + line.replace(/\n$/, ''))
      if (!line.endsWith('\n')) hunk.lines.push('\\ No newline at end of file')
    }
  }
  runs.forEach(({ sign, lines }, at) => {
    if (sign === ' ') {
      const isBetween = open !== undefined && at < runs.length - 1 && lines.length <= 2 * CONTEXT
      if (open !== undefined) add(open, sign, isBetween ? lines : lines.slice(0, CONTEXT))
      if (!isBetween) open = undefined
    } else {
      if (open === undefined) {
        const context = at === 0 ? [] : (runs[at - 1]?.lines ?? []).slice(-CONTEXT)
        open = {
          oldStart: oldLine - context.length,
          newStart: newLine - context.length,
          oldLines: 0,
          newLines: 0,
          lines: [],
        }
        hunks.push(open)
        add(open, ' ', context)
      }
      add(open, sign, lines)
    }
    if (sign !== '+') oldLine += lines.length
    if (sign !== '-') newLine += lines.length
  })
  return hunks
}
