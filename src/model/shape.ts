// What the guest sees of its vCPUs and memory, whatever host it is on: Shape.

import type { CpuTopology, WrittenCell } from './domain.ts'

/** Guest ABI. Cells are in the order of their ids, and every vCPU is in one of them. */
export interface Shape {
  readonly cells: readonly Pick<WrittenCell, 'id' | 'vcpus' | 'memoryKiB' | 'distances'>[]
  readonly topology: CpuTopology
}

/** A shape that an earlier fit recorded. `source`: where it is recorded, such as "metadata of db1". */
export interface RecordedShape extends Shape {
  readonly source: string
  /** As recorded. */
  readonly text: string
}
