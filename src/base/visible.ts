// Text of others (a guest's name, a file's, what libvirt says) to text that can be shown: what a terminal would obey, or what
// nobody would see, is written out. Everything that the program prints, logs or draws goes through here.

/**
 * Control characters, formats (bidi, zero width, soft hyphen, tags), line separators, half surrogate pairs, private characters,
 * noncharacters, and whatever a font may leave out, such as variation selectors.
 */
const HIDDEN =
  '[\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Noncharacter_Code_Point}\\p{Default_Ignorable_Code_Point}]'

const hidden = new RegExp(HIDDEN, 'gu')
const isHidden = new RegExp(HIDDEN, 'u')
const hiddenInLines = new RegExp(`(?![\\t\\n]|\\r\\n)${HIDDEN}`, 'gu')
const hiddenInJson = new RegExp(`(?!\\n)${HIDDEN}`, 'gu')
const escapes = /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]{5,6})\})/g

/**
 * One line, without a line end: "\x1b", "\u202e", "\u{e0001}". A backslash stays itself (systemd's "\x2d" is ordinary text),
 * but where it would look like one of our escapes it is "\x5c", so that no two texts look the same.
 */
export function visible(text: string): string {
  return text.replace(escapes, withPlainBackslash).replace(hidden, escapeOf)
}

/** Several lines: line ends and tabs stay, and so does every backslash. It changes nothing in what `visible` gave. */
export function visibleLines(text: string): string {
  return text.replace(hiddenInLines, escapeOf)
}

/** JSON that reads back as the very same values, indented, with a line end. */
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
