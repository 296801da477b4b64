// What plan and rebind decide.

import type { Diagnostic } from '../base/diagnostic.ts'
import type { Placement } from '../model.ts'

export interface Plan {
  readonly placement: Placement
  readonly notes: readonly Diagnostic[]
  /** Set where the binding that the domain has is left as it is. */
  readonly kept?: boolean
}
