// A guest's name, which may be almost anything -> a word of a sentence or of a command line.

/** White space at either end, or an invisible character anywhere. */
const UNSEEN = /^[\s\p{Z}]|[\s\p{Z}]$|\p{C}/u

/**
 * The name; in quotes if a reader could not see where it begins and ends. visible.ts escapes what is in it.
 */
export function shownName(name: string): string {
  return name === '' || UNSEEN.test(name) ? `"${name}"` : name
}

/** A word for sh: as it is, or in single quotes. */
export function shellWord(word: string): string {
  return /^[\w.@%+=:,/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
