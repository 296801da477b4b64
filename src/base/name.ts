// The name of a guest, which may be almost anything, to a word of a sentence or of a command line.

/** At its ends, or what shows nothing of itself anywhere. */
const UNSEEN = /^[\s\p{Z}]|[\s\p{Z}]$|\p{C}/u

/** As it is, or in quotes where nobody could see where it begins and ends. What cannot be seen in it is left to visible.ts. */
export function shownName(name: string): string {
  return name === '' || UNSEEN.test(name) ? `"${name}"` : name
}

/** For sh: as it is, or in single quotes. */
export function shellWord(word: string): string {
  return /^[\w.@%+=:,/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
