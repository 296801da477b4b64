// Which refusal comes first: what stands against the guest itself, then what the host lacks. Programs look at
// the first code.

import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import type { DomainView } from '../../src/model/domain.ts'
import type { PlanInput } from '../../src/model/placement.ts'
import { plan } from '../../src/plan/plan.ts'
import { rebind } from '../../src/plan/rebind.ts'
import { type RequestedKeys, requestFrom } from '../../src/request/request.ts'
import { cpus, guest, HOST } from './fixtures.ts'

const DIMM_AWAY =
  "<devices><memory model='dimm'><source><nodemask>7</nodemask></source>" +
  "<target><size unit='MiB'>256</size><node>0</node></target></memory></devices>"
const CACHE =
  "<cpu><numa><cell id='0' cpus='0-1' memory='1' unit='GiB'><cache level='1' associativity='none' " +
  "policy='none'><size value='64' unit='KiB'/><line value='64' unit='B'/></cache></cell></numa></cpu>"

/** A CPU that the host lacks. */
const OFFLINE: RequestedKeys = { cpuset: cpus('9') }

function codesOf(decide: (input: PlanInput) => unknown, view: DomainView, requested: RequestedKeys): string {
  try {
    decide({ view, resources: HOST, request: requestFrom([requested]) })
    return 'placed'
  } catch (error) {
    if (error instanceof Refusal) return error.diagnostics.map(({ code }) => code).join(' ')
    throw error
  }
}

const moved = (input: PlanInput): unknown => rebind(input, 'if-broken')

const table = [
  ['an offline CPU alone', plan, '', 'cpus-offline'],
  ['a nodemask', plan, DIMM_AWAY, 'node-missing'],
  ['caches', plan, CACHE, 'cells-hold-more'],
  ['caches and a nodemask', plan, CACHE + DIMM_AWAY, 'cells-hold-more node-missing'],
  ['an offline CPU for kept cells', moved, CACHE, 'cpus-offline'],
  ['a nodemask for kept cells', moved, CACHE + DIMM_AWAY, 'node-missing'],
] as const

for (const [what, decide, inside, expected] of table) {
  t.test(`refused first: ${what}`, (t) => {
    t.equal(codesOf(decide, guest(2, inside), OFFLINE), expected)
    t.end()
  })
}
