// <cachetune> and <memorytune> in <cputune>: what libvirt refuses of them.
//
// libvirt makes one group of vCPUs of each: first of every <cachetune>, then of every <memorytune>, which may
// join the group of a <cachetune> with the same vCPUs. Groups must not overlap.

import { formatSet, intersect, setOf, type VcpuSet } from '../../base/idset.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { MonitorProblem } from '../../codes/guest/domain.ts'
import { attribute, childrenOf, tagSpan, type XmlElement } from '../../xml/parse.ts'
import { anySetIn, missing, numberIn, type Reading, sizeIn, UINT_MAX, wordIn } from '../values.ts'

/** The vCPUs of one group; `monitors` are their sets, by the element that they stand in. */
interface Group {
  readonly vcpus: VcpuSet
  readonly monitors: { readonly of: string; readonly vcpus: VcpuSet }[]
  /** Whether it limits nothing and only monitors. */
  isDefault: boolean
}

/** What the rules look at: the number of vCPUs, and the `type` of the domain. */
interface Guest {
  readonly vcpus: number
  readonly type: string
}

/**
 * Reports groups that libvirt refuses.
 * @see libvirt virDomainCachetuneDefParse, virDomainMemorytuneDefParse
 */
export function checkResctrl(reading: Reading, cputune: XmlElement | undefined, guest: Guest): void {
  const groups: Group[] = []
  for (const each of childrenOf(cputune, 'cachetune')) readGroup(reading, each, { groups, guest })
  for (const each of childrenOf(cputune, 'memorytune')) readGroup(reading, each, { groups, guest })
  const [first] = [...childrenOf(cputune, 'cachetune'), ...childrenOf(cputune, 'memorytune')]
  if (groups.length > 0 && first !== undefined && guest.type !== 'kvm')
    reading.problems.push(
      diagnostic('resctrl-needs-kvm', { element: first.name, type: guest.type }, tagSpan(first)),
    )
}

interface Groups {
  readonly groups: Group[]
  readonly guest: Guest
}

function readGroup(reading: Reading, element: XmlElement, { groups, guest }: Groups): void {
  const vcpus = vcpusOf(reading, element, guest)
  if (vcpus === undefined || vcpus.length === 0) return
  const joined = joinedGroup(reading, element, groups, vcpus)
  const group = joined ?? { vcpus, monitors: [], isDefault: true }
  const limits = element.name === 'cachetune' ? 'cache' : 'node'
  const seen = new Set<string>()
  for (const each of childrenOf(element, limits)) {
    if (limits === 'cache') checkCache(reading, each, seen)
    else checkBandwidth(reading, each, seen)
    group.isDefault = false
  }
  const monitors = childrenOf(element, 'monitor')
  for (const each of monitors) checkMonitor(reading, each, group, guest)
  const isEmpty = group.isDefault && monitors.length === 0
  if (joined === undefined && !isEmpty) groups.push(group)
}

/** libvirt ignores the vCPUs that the guest does not have. */
function vcpusOf(reading: Reading, element: XmlElement, guest: Guest): VcpuSet | undefined {
  if (attribute(element, 'vcpus') === undefined) return missing(reading, element, 'vcpus')
  const vcpus = anySetIn<VcpuSet>(reading, element, 'vcpus')
  return vcpus && setOf<VcpuSet>(vcpus.filter((vcpu) => vcpu < guest.vcpus))
}

function joinedGroup(
  reading: Reading,
  element: XmlElement,
  groups: readonly Group[],
  vcpus: VcpuSet,
): Group | undefined {
  const same = groups.find((each) => isSame(each.vcpus, vcpus))
  if (same !== undefined) {
    const of = { is: 'vcpus', vcpus } as const
    if (element.name === 'cachetune')
      reading.problems.push(diagnostic('entry-twice', { element: 'cachetune', of }, tagSpan(element)))
    return same
  }
  const overlap = groups.map((each) => intersect(each.vcpus, vcpus)).find((each) => each.length > 0)
  if (overlap !== undefined) {
    const facts = { element: element.name, vcpus: overlap }
    reading.problems.push(diagnostic('resctrl-overlap', facts, tagSpan(element)))
  }
  return undefined
}

const TYPES = ['both', 'code', 'data'] as const

/** A cache of both has no further limits; else code and data have one each. */
function checkCache(reading: Reading, element: XmlElement, seen: Set<string>): void {
  const id = numberOf(reading, element, 'id')
  const level = numberOf(reading, element, 'level')
  if (attribute(element, 'type') === undefined) missing(reading, element, 'type')
  const type = wordIn(reading, element, 'type', TYPES)
  if (attribute(element, 'size') === undefined) missing(reading, element, 'size')
  else sizeIn(reading, element, 'size')
  if (id === undefined || level === undefined || type === undefined) return
  const others = type === 'both' ? TYPES : (['both', type] as const)
  if (others.some((other) => seen.has(`${level} ${id} ${other}`)))
    reading.problems.push(
      diagnostic('entry-twice', { element: 'cache', of: { is: 'cache', id, level } }, tagSpan(element)),
    )
  seen.add(`${level} ${id} ${type}`)
}

function checkBandwidth(reading: Reading, element: XmlElement, seen: Set<string>): void {
  const id = numberOf(reading, element, 'id')
  numberOf(reading, element, 'bandwidth')
  if (id === undefined) return
  if (seen.has(`${id}`))
    reading.problems.push(
      diagnostic('entry-twice', { element: 'node', of: { is: 'id', id } }, tagSpan(element)),
    )
  seen.add(`${id}`)
}

/** libvirt monitors caches of this level only. @see libvirt VIR_DOMAIN_RESCTRL_MONITOR_CACHELEVEL */
const MONITORED = 3

/**
 * The vCPUs of a monitor are some of its group. Monitors of one kind differ; those that are not of the whole
 * group do not overlap, and in a group without limits none do.
 * @see libvirt virDomainResctrlValidateMonitor
 */
function checkMonitor(reading: Reading, element: XmlElement, group: Group, guest: Guest): void {
  const of = element.parent?.name ?? ''
  if (of === 'cachetune' && attribute(element, 'level') === undefined) missing(reading, element, 'level')
  else if (of === 'cachetune') numberIn(reading, element, 'level', [MONITORED, MONITORED])
  const vcpus = vcpusOf(reading, element, guest)
  if (vcpus === undefined) return
  const is = monitorProblem(group, of, vcpus)
  if (is !== undefined) {
    const facts = { is, of, vcpus, group: group.vcpus }
    reading.problems.push(diagnostic('monitor-vcpus', facts, tagSpan(element)))
  }
  group.monitors.push({ of, vcpus })
}

function monitorProblem(
  { vcpus: all, monitors, isDefault }: Group,
  of: string,
  vcpus: VcpuSet,
): MonitorProblem | undefined {
  if (vcpus.length === 0) return 'empty'
  if (intersect(vcpus, all).length < vcpus.length) return 'outside'
  if (monitors.some((each) => each.of === of && isSame(each.vcpus, vcpus))) return 'twice'
  const overlapping = monitors.filter(
    (each) => !isSame(each.vcpus, vcpus) && intersect(each.vcpus, vcpus).length > 0,
  )
  if (isDefault && overlapping.length > 0) return 'overlapping'
  const parts = isSame(vcpus, all) ? [] : overlapping.filter((each) => !isSame(each.vcpus, all))
  return parts.length > 0 ? 'overlapping' : undefined
}

const isSame = (one: VcpuSet, other: VcpuSet): boolean => formatSet(one) === formatSet(other)

function numberOf(reading: Reading, element: XmlElement, name: string): number | undefined {
  return attribute(element, name) === undefined
    ? missing(reading, element, name)
    : numberIn(reading, element, name, [0, UINT_MAX])
}
