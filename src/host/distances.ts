// A row of the node distance matrix to distances that can be relied on, or to nothing.

/** ACPI SLIT: nothing is nearer than 10, which is local; 255 is unreachable. */
const NEAREST = 10
const UNREACHABLE = 255

/** The row, if it has one distance per node. Kernels without a SLIT write 0 for local, and a row that is cut short says nothing sure. */
export function soundDistances(row: readonly number[], nodes: number): readonly number[] | undefined {
  return row.length === nodes && row.every(isDistance) ? row : undefined
}

export function isDistance(value: number): boolean {
  return Number.isInteger(value) && value >= NEAREST && value <= UNREACHABLE
}
