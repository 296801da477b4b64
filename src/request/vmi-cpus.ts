// The CPU counts of `spec.domain.resources` to what KubeVirt's admission would say of them. The domain
// decides how many vCPUs there are, so nothing here stands in the way of a placement.

import type { Diagnostic } from '../base/diagnostic.ts'
import { diagnostic } from '../codes/codes.ts'
import { at, quantityTextAt, type Reading, type Spot, wrong } from './vmi-value.ts'

interface Count {
  readonly path: string
  readonly given: string
  readonly cpus: number
}

/** @see KubeVirt user guide, "Dedicated CPU resources": whole numbers, and requests equal to limits */
export function cpuNotes(reading: Reading, spec: Spot): Diagnostic[] {
  const { source } = reading
  const requests = countIn(reading, at(reading, spec, 'domain', 'resources', 'requests', 'cpu'))
  const limits = countIn(reading, at(reading, spec, 'domain', 'resources', 'limits', 'cpu'))
  const fractions = [requests, limits].filter(
    (count): count is Count => count !== undefined && !Number.isInteger(count.cpus),
  )
  const differ = requests !== undefined && limits !== undefined && requests.cpus !== limits.cpus
  return [
    ...fractions.map(({ path, given }) => diagnostic('vmi-cpu-count', { source, path, given })),
    ...(differ
      ? [diagnostic('vmi-cpu-limit', { source, requests: requests.given, limits: limits.given })]
      : []),
  ]
}

function countIn(reading: Reading, spot: Spot): Count | undefined {
  const given = quantityTextAt(reading, spot)
  if (given === undefined) return undefined
  const match = /^\+?(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?:[eE]([0-3]))?(m?)$/.exec(given.trim())
  if (match === null) return wrong(reading, spot, 'a number of CPUs belongs here', 'write it like "4"')
  const thousandths = Number(match[1]) * 10 ** Number(match[2] ?? 0) * (match[3] === 'm' ? 1 : 1000)
  return { path: spot.path, given, cpus: thousandths / 1000 }
}
