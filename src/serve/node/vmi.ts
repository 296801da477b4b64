// What a VirtualMachineInstance says of its pods and its size. Nothing here refuses.

import type { Json } from '../../base/json.ts'
import { at, instanceIn, objectAt, type Reading } from '../../request/vmi-value.ts'

const quietly = (): Reading => ({ source: '', problems: [] })

/** The UIDs of the pods of a VMI on a node: `status.activePods` has the node of each. */
export function podsOn(value: Json, node: string): readonly string[] {
  const quiet = quietly()
  const pods = objectAt(quiet, at(quiet, instanceIn(quiet, value), 'status', 'activePods'))
  return [...(pods ?? [])].flatMap(([uid, on]) => (on === node && UID.test(uid) ? [uid] : []))
}

const UID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The name of a VMI's domain: "namespace_name", as far as the VMI states both. */
export function domainNameOf(value: Json): string {
  const quiet = quietly()
  const metadata = at(quiet, instanceIn(quiet, value), 'metadata')
  return ['namespace', 'name']
    .flatMap((key) => at(quiet, metadata, key).value ?? [])
    .filter((each) => typeof each === 'string' && /^[a-z0-9.-]{1,253}$/.test(each))
    .join('_')
}

/** `spec.domain.cpu`: an absent factor is 1. `isArm`: the machine type is virt, else q35. */
export function topologyOf(value: Json): {
  readonly sockets: number
  readonly cores: number
  readonly threads: number
  readonly isArm: boolean
} {
  const quiet = quietly()
  const spec = at(quiet, instanceIn(quiet, value), 'spec')
  const cpu = at(quiet, spec, 'domain', 'cpu')
  const factor = (key: string): number => {
    const { value: given } = at(quiet, cpu, key)
    return typeof given === 'number' && Number.isInteger(given) && given > 0 ? given : 1
  }
  return {
    sockets: factor('sockets'),
    cores: factor('cores'),
    threads: factor('threads'),
    isArm: at(quiet, spec, 'architecture').value === 'arm64',
  }
}
