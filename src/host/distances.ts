// A row of the node distance matrix -> reliable distances, or nothing.

/** ACPI SLIT: 10 is local and the smallest distance, 255 is unreachable. */
const NEAREST = 10
const UNREACHABLE = 255

/**
 * The row, if it has one valid distance per node. Kernels without a SLIT may write 0; a short row is not
 * reliable.
 */
export function soundDistances(row: readonly number[], nodes: number): readonly number[] | undefined {
  return row.length === nodes && row.every(isDistance) ? row : undefined
}

/** Whether a number is a valid distance: a whole number from 10 to 255. */
export function isDistance(value: number): boolean {
  return Number.isInteger(value) && value >= NEAREST && value <= UNREACHABLE
}
