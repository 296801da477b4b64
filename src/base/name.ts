// The name of a guest, which may be almost anything, to a word of a sentence or of a command line.

const PLAIN = /^[^\s"'`\\\p{C}\p{Z}]+$/u

/** As it is, or in quotes where nobody could see where it begins and ends. */
export function shownName(name: string): string {
  return PLAIN.test(name) ? name : JSON.stringify(name)
}

/** For sh: as it is, or in single quotes. */
export function shellWord(word: string): string {
  return /^[\w.@%+=:,/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
