/** Several patterns in a row as one, for a pattern that is longer than a line. */
export const pattern = (...parts: readonly RegExp[]): RegExp =>
  new RegExp(parts.map(({ source }) => source).join(''))
