// <vcpu current> and <vcpus> to the vCPUs that are online at boot.

import { range, setOf, type VcpuSet } from '../base/idset.ts'
import { diagnostic } from '../codes/codes.ts'
import type { VcpuStateProblem } from '../codes/guest/domain.ts'
import { attribute, child, childrenOf, tagSpan, type XmlElement } from '../xml/parse.ts'
import { missing, numberIn, type Reading, UINT_MAX, wordIn } from './values.ts'

/** One vCPU. `order` 0: none is stated. */
interface State {
  readonly online: boolean
  readonly hotpluggable: boolean
  readonly order: number
  /** Where it is stated. */
  readonly element: XmlElement
}

/**
 * The vCPUs that are online at boot, in a list of states or as a number. Of a list, what is not listed is
 * offline.
 * @param vcpus how many the guest may have
 * @see libvirt virDomainVcpuParse
 */
export function readOnline(reading: Reading, root: XmlElement, vcpus: number): VcpuSet {
  const vcpu = child(root, 'vcpu')
  const elements = childrenOf(child(root, 'vcpus'), 'vcpu')
  const isWritten = vcpu !== undefined && attribute(vcpu, 'current') !== undefined
  // Beside a list the number must be one, and is not looked at.
  const current = isWritten
    ? numberIn(reading, vcpu, 'current', [0, elements.length > 0 ? UINT_MAX : vcpus])
    : vcpus
  if (elements.length === 0) {
    if (current === 0 && vcpu !== undefined) reportState(reading, vcpu, 0, 'first-offline')
    return setOf<VcpuSet>(range(current ?? 0))
  }
  const states = new Map<number, State>()
  for (const element of elements) {
    const id = numberIn(reading, element, 'id', [0, vcpus - 1])
    const state = readState(reading, element)
    // Of two states of one vCPU the last one counts.
    if (id !== undefined) states.set(id, state)
  }
  checkStates(reading, states, child(root, 'vcpus') ?? root)
  return setOf<VcpuSet>([...states].filter(([, { online }]) => online).map(([id]) => id))
}

function readState(reading: Reading, element: XmlElement): State {
  if (attribute(element, 'enabled') === undefined) missing(reading, element, 'enabled')
  const online = wordIn(reading, element, 'enabled', ['yes', 'no']) !== 'no'
  const pluggable = wordIn(reading, element, 'hotpluggable', ['yes', 'no'])
  const order =
    attribute(element, 'order') === undefined ? 0 : numberIn(reading, element, 'order', [0, UINT_MAX])
  // What is offline must be plugged in to be used.
  const hotpluggable = pluggable === undefined ? !online : pluggable === 'yes'
  return { online, hotpluggable, order: order ?? 0, element }
}

/** A vCPU that no list states is offline. */
const UNLISTED = { hotpluggable: true, order: 0 }

/** @see libvirt virDomainVcpuDefPostParse, qemuDomainDefVcpusPostParse */
function checkStates(reading: Reading, states: ReadonlyMap<number, State>, vcpus: XmlElement): void {
  const first = states.get(0)
  if (first === undefined || !first.online) reportState(reading, first?.element ?? vcpus, 0, 'first-offline')
  else if (first.hotpluggable) reportState(reading, first.element, 0, 'first-hotpluggable')
  else if (first.order > 1) reportState(reading, first.element, 0, 'first-late')
  const hasOrder = (first?.order ?? 0) > 0
  for (const [id, state] of [...states].sort(([a], [b]) => a - b)) {
    const { online, hotpluggable, order, element } = state
    const before = states.get(id - 1) ?? UNLISTED
    if (!online && !hotpluggable)
      reading.problems.push(diagnostic('vcpu-not-pluggable', { vcpu: id }, tagSpan(element)))
    if (id > 0 && online && order > 0 !== hasOrder) reportState(reading, element, id, 'order-of-some')
    else if (id > 0 && online && !hotpluggable && before.hotpluggable)
      reportState(reading, element, id, 'after-hotpluggable')
    else if (id > 0 && online && !hotpluggable && before.order > order)
      reportState(reading, element, id, 'order-descends')
  }
}

function reportState(reading: Reading, element: XmlElement, vcpu: number, is: VcpuStateProblem): void {
  reading.problems.push(diagnostic('vcpu-state', { vcpu, is }, tagSpan(element)))
}
