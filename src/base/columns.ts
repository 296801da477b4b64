// Text in columns, for a terminal of 80 columns.

const WIDTH = 80

/** A row of two columns. */
export type Row = readonly [left: string, right: string]

/** Two columns, the right one folded at 80 columns. */
export function columns(rows: readonly Row[]): string[] {
  const left = Math.max(...rows.map(([each]) => each.length)) + 4
  return rows.flatMap(([head, text]) =>
    folded(text, WIDTH - left).map(
      (line, index) => `${(index === 0 ? `  ${head}` : '').padEnd(left)}${line}`,
    ),
  )
}

/** A paragraph, with the same indent before each line. */
export function paragraph(text: string, indent = 0): string[] {
  return folded(text, WIDTH - indent).map((line) => `${' '.repeat(indent)}${line}`)
}

/** Columns as wide as their widest cell; the first row decides how many there are. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function folded(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1]
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
