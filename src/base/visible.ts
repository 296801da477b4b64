// Foreign text (the name of a guest or file, a message of libvirt) -> text that can be printed: control
// sequences and invisible characters become escapes. Everything that the program prints, logs or draws passes
// through here.

// Control characters, format characters (bidi, zero width, soft hyphen, tags), line separators, unpaired
// surrogates, private characters, noncharacters (NChar), and what a font may not draw (DI), such as variation
// selectors. The set stands in each expression: QuickJS compiles literals when the program is built, and
// other expressions whenever it starts.
const hidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{NChar}\p{DI}]/gu
const isHidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{NChar}\p{DI}]/u
const hiddenInLines = /(?![\t\n]|\r\n)[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{NChar}\p{DI}]/gu
const hiddenInJson = /(?!\n)[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{NChar}\p{DI}]/gu
const escapes = /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]{5,6})\})/g

/**
 * Escapes a text that is printed on one line: "\x1b", "\u202e", "\u{e0001}", line ends included. A backslash
 * stays (systemd's "\x2d" is ordinary text), but becomes "\x5c" where it would look like one of our escapes,
 * so that no two texts look the same.
 */
export function visible(text: string): string {
  return text.replace(escapes, withPlainBackslash).replace(hidden, escapeOf)
}

/**
 * Escapes a text of several lines: line ends, tabs and backslashes stay. It does not change what `visible`
 * returned.
 */
export function visibleLines(text: string): string {
  return text.replace(hiddenInLines, escapeOf)
}

/** A value as JSON that reads back as the same value: indented, with a line end. */
export function visibleJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2).replace(hiddenInJson, jsonEscapeOf)}\n`
}

function withPlainBackslash(written: string, ...codes: (string | undefined)[]): string {
  const code = Number.parseInt(codes.slice(0, 3).find((each) => each !== undefined) ?? '', 16)
  const isOurs = code <= 0x10ffff && (code === 0x5c || isHidden.test(String.fromCodePoint(code)))
  return isOurs ? `\\x5c${written.slice(1)}` : written
}

function escapeOf(character: string): string {
  const digits = (character.codePointAt(0) as number).toString(16)
  if (digits.length <= 2) return `\\x${digits.padStart(2, '0')}`
  return digits.length <= 4 ? `\\u${digits.padStart(4, '0')}` : `\\u{${digits}}`
}

function jsonEscapeOf(character: string): string {
  return [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('')
}

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
