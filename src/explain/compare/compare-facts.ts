// Placements for several values of one key -> plain data for --json.

import { diagnosticFacts, placementFacts } from '../facts.ts'
import { type Comparison, costsOf, differingIn } from './comparison.ts'

/** The values in the order in which they were typed; of a refused one, why. */
export function compareFacts({ key, variants, severity, sources }: Comparison): object {
  const { differs, leastOf } = costsOf(variants)
  return {
    guest: variants.flatMap(({ placed }) => placed?.view.name ?? [])[0],
    compared: key,
    ...(differs !== undefined && { differs }),
    variants: variants.map((variant) => {
      const { value, placed, refused } = variant
      const found = diagnosticFacts(refused ?? placed?.notes ?? [], severity, sources)
      if (placed === undefined) return { value, refused: true, diagnostics: found }
      const cost = placed.reason?.cost
      return {
        value,
        refused: false,
        ...placementFacts(placed),
        ...(cost && { cost, worseBy: differingIn(cost, leastOf) ?? null }),
        diagnostics: found,
      }
    }),
  }
}
