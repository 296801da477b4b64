// A mistyped word -> the known word that was probably meant.

/** After this many mistakes nobody reads suggestions, and computing them costs time. */
const MOST_GUESSES = 100

/**
 * The known word that begins with this word, or the one that differs least, in at most a third of its
 * letters; the first of equally near ones. Undefined if there is none.
 * @param mistakes how many were found before this one
 */
export function nearest(word: string, known: readonly string[], mistakes = 0): string | undefined {
  if (mistakes >= MOST_GUESSES) return undefined
  const begun =
    word.replace(/^-+/, '').length < 3
      ? undefined
      : known.find((candidate) => candidate.startsWith(word.toLowerCase()))
  if (begun !== undefined) return begun
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const edits = distance(word.toLowerCase().slice(0, 64), candidate.toLowerCase())
    if (edits >= least || edits > Math.max(1, Math.floor(candidate.length / 3))) continue
    best = candidate
    least = edits
  }
  return best
}

/** How many letters to insert, delete, replace or swap with a neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const line = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      line[column] = Math.min(
        at(above, column) + 1,
        at(line, column - 1) + 1,
        at(above, column - 1) + (same ? 0 : 1),
        swapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    before = above
    above = line
  }
  return at(above, b.length)
}

const at = (line: readonly number[], column: number): number => line[column] as number
