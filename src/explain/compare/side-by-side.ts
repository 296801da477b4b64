// Rows of cells -> text of at most 80 columns: a column for each variant, several tables below each other
// where they do not fit into one.

/** A row: its name, and what each column has there. */
export interface ComparedRow {
  readonly name: string
  readonly cells: readonly (readonly string[])[]
}

const WIDTH = 80
const GAP = 2
/** Narrower columns would break most lines. */
const NARROWEST = 21

/** Lines of at most 80 columns. Each cell is a list of lines, which are folded at words and commas. */
export function sideBySide(rows: readonly ComparedRow[]): string[] {
  const names = Math.max(...rows.map(({ name }) => name.length)) + GAP
  const columns = rows[0]?.cells.length ?? 0
  const most = Math.max(1, Math.floor((WIDTH - names) / (NARROWEST + GAP)))
  const tables = Math.ceil(columns / most)
  const each = Math.ceil(columns / tables)
  const lines: string[] = []
  for (let first = 0; first < columns; first += each) {
    if (first > 0) lines.push('')
    const width = Math.floor((WIDTH - names) / each) - GAP
    for (const { name, cells } of rows)
      lines.push(...rowLines(name.padEnd(names), cells.slice(first, first + each), width))
  }
  return lines
}

function rowLines(name: string, cells: ComparedRow['cells'], width: number): string[] {
  const folded = cells.map((lines) => lines.flatMap((line) => foldedTo(line, width)))
  const height = Math.max(1, ...folded.map((lines) => lines.length))
  return Array.from({ length: height }, (_, at) => {
    const head = at === 0 ? name : ' '.repeat(name.length)
    return `${head}${folded.map((lines) => (lines[at] ?? '').padEnd(width + GAP)).join('')}`.trimEnd()
  })
}

/** Further lines are indented. A piece that is longer than a line is cut. */
function foldedTo(line: string, width: number): string[] {
  const folded: string[] = ['']
  for (const piece of line.split(/(?<=[ ,])/)) {
    const last = folded.at(-1) as string
    if (last.trim() !== '' && last.length + piece.trimEnd().length > width) folded.push(`  ${piece}`)
    else folded[folded.length - 1] = last + piece
  }
  return folded.flatMap((each) => cutTo(each.trimEnd(), width))
}

function cutTo(line: string, width: number): string[] {
  if (line.length <= width) return [line]
  return [line.slice(0, width), ...cutTo(`  ${line.slice(width)}`, width)]
}
