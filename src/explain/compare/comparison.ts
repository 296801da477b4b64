// Several placements of one guest: what is compared, and the criterion by which their nodes differ.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { CRITERIA, type Criterion, type NodesReason } from '../../model/placement.ts'
import type { Severity, Source } from '../diagnostics.ts'
import type { Explained } from '../text.ts'

/** A value of the key, and the placement with it, or why there is none. */
export interface Variant {
  readonly value: string
  readonly placed?: Explained & { readonly notes: readonly Diagnostic[] }
  readonly refused?: readonly Diagnostic[]
}

/** What is shown side by side. */
export interface Comparison {
  readonly key: string
  readonly variants: readonly Variant[]
  readonly severity: Severity
  readonly sources: readonly Source[]
}

type Cost = NodesReason['cost']
type Compared = keyof Cost

/** What the nodes of the variants cost at least, and the strongest criterion in which they differ. */
export interface Costs {
  readonly differs?: Criterion
  readonly leastOf?: Cost
}

/** Variants without chosen nodes, such as those that keep the guest's cells, are left out. */
export function costsOf(variants: readonly Variant[]): Costs {
  const costs = variants.flatMap(({ placed }) => placed?.reason?.cost ?? [])
  const [first, ...others] = costs
  if (first === undefined) return {}
  const leastOf = others.reduce((least, cost) => {
    const criterion = differingIn(cost, least)
    return criterion !== undefined && cost[criterion] < least[criterion] ? cost : least
  }, first)
  const differs = CRITERIA.find((criterion) => costs.some((cost) => cost[criterion] !== first[criterion]))
  return { leastOf, ...(differs && { differs }) }
}

/** The strongest criterion in which two costs differ. */
export function differingIn(cost: Cost, other: Cost | undefined): Compared | undefined {
  return other && CRITERIA.find((criterion) => cost[criterion] !== other[criterion])
}
