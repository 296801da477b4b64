// Whether a VirtualMachineInstance concerns us at all, before it is read in earnest. Nothing here refuses.

import type { Json } from '../base/json.ts'
import { at, instanceIn, objectAt, PREFIX, type Reading } from './vmi-value.ts'

const TARGET = 'kubevirt.io/create-migration-target'

/** Whether the VMI asks for more than KubeVirt does by itself for dedicated CPUs. */
export function asksFor(value: Json): boolean {
  const quiet: Reading = { source: '', problems: [] }
  const root = instanceIn(quiet, value)
  const annotations = objectAt(quiet, at(quiet, root, 'metadata', 'annotations'))
  const passthrough = at(quiet, root, 'spec', 'domain', 'cpu', 'numa', 'guestMappingPassthrough')
  return (
    passthrough.value !== undefined || [...(annotations?.keys() ?? [])].some((key) => key.startsWith(PREFIX))
  )
}

/**
 * Whether KubeVirt asks on the target of a migration, where it discards the answer.
 * On the source a domain that runs is not defined again, so a migration under way says it.
 */
export function isMigrationTarget(value: Json): boolean {
  const quiet: Reading = { source: '', problems: [] }
  const root = instanceIn(quiet, value)
  const state = at(quiet, root, 'status', 'migrationState')
  const annotations = objectAt(quiet, at(quiet, root, 'metadata', 'annotations'))
  const ended = ['completed', 'failed'].some((key) => at(quiet, state, key).value === true)
  return annotations?.get(TARGET) === 'true' || (state.value instanceof Map && state.value.size > 0 && !ended)
}
