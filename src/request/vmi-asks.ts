// Whether a VirtualMachineInstance concerns us at all, before it is read in earnest. Nothing here refuses.

import { at, instanceIn, objectAt, PREFIX, type Reading, type Value } from './vmi-value.ts'

const TARGET = 'kubevirt.io/create-migration-target'

/** Whether the VMI asks for more than KubeVirt does by itself for dedicated CPUs. */
export function asksFor(value: Value): boolean {
  const quiet: Reading = { source: '', problems: [] }
  const root = instanceIn(quiet, value)
  const annotations = objectAt(quiet, at(quiet, root, 'metadata', 'annotations'))
  const passthrough = at(quiet, root, 'spec', 'domain', 'cpu', 'numa', 'guestMappingPassthrough')
  return (
    passthrough.value !== undefined || [...(annotations?.keys() ?? [])].some((key) => key.startsWith(PREFIX))
  )
}

/**
 * Whether this is asked on the side that a migration goes to: there KubeVirt throws the answer away.
 * On the source a domain that runs is not defined again, so a migration under way says it.
 */
export function isMigrationTarget(value: Value): boolean {
  const quiet: Reading = { source: '', problems: [] }
  const root = instanceIn(quiet, value)
  const state = at(quiet, root, 'status', 'migrationState')
  const annotations = objectAt(quiet, at(quiet, root, 'metadata', 'annotations'))
  const ended = ['completed', 'failed'].some((key) => at(quiet, state, key).value === true)
  return annotations?.get(TARGET) === 'true' || (state.value instanceof Map && state.value.size > 0 && !ended)
}
