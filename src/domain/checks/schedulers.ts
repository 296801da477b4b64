// Schedulers and quotas in <cputune>, which are never changed: what libvirt refuses of them.

import type { IdSet } from '../../base/idset.ts'
import { diagnostic } from '../../codes/codes.ts'
import { attribute, child, childrenOf, stringValue, tagSpan, type XmlElement } from '../../xml/parse.ts'
import { missing, numberIn, type Reading, setIn, wordIn } from '../values.ts'

/** Ids of the threads that the guest has. */
interface Threads {
  readonly vcpus: readonly number[]
  readonly iothreads: readonly number[]
}

/**
 * Reports schedulers and quotas that libvirt refuses.
 * @see libvirt virDomainThreadSchedParseHelper, virDomainDefCputuneValidate
 */
export function checkSchedulers(reading: Reading, cputune: XmlElement | undefined, threads: Threads): void {
  const { vcpus, iothreads } = threads
  checkThreads(reading, cputune, { element: 'vcpusched', ids: 'vcpus', role: 'vcpu', has: vcpus })
  checkThreads(reading, cputune, {
    element: 'iothreadsched',
    ids: 'iothreads',
    role: 'iothread',
    has: iothreads,
  })
  for (const each of childrenOf(cputune, 'emulatorsched')) checkPolicy(reading, each)
  for (const name of ['period', 'global_period', 'emulator_period', 'iothread_period'])
    checkTime(reading, child(cputune, name), MOST_PERIOD_US)
  for (const name of ['quota', 'global_quota', 'emulator_quota', 'iothread_quota'])
    checkTime(reading, child(cputune, name), MOST_QUOTA_US)
}

/** A kind of threads: the elements that schedule them, and the attribute with their ids. */
interface Kind {
  readonly element: 'vcpusched' | 'iothreadsched'
  readonly ids: string
  readonly role: 'vcpu' | 'iothread'
  readonly has: readonly number[]
}

function checkThreads(
  reading: Reading,
  cputune: XmlElement | undefined,
  { element, ids, role, has }: Kind,
): void {
  const known = new Set(has)
  const scheduled = new Set<number>()
  for (const each of childrenOf(cputune, element)) {
    if (attribute(each, ids) === undefined) missing(reading, each, ids)
    const named = setIn<IdSet<string>>(reading, each, ids) ?? []
    const others = named.filter((id) => !known.has(id))
    if (others.length > 0) {
      const facts = { element, ids: others, has }
      reading.problems.push(diagnostic('sched-without-thread', facts, tagSpan(each)))
    }
    const again = named.find((id) => scheduled.has(id))
    if (again !== undefined)
      reading.problems.push(
        diagnostic('entry-twice', { element, of: { is: role, id: again } }, tagSpan(each)),
      )
    for (const id of named) scheduled.add(id)
    checkPolicy(reading, each)
  }
}

/** The priorities of fifo and rr. @see sched(7) */
const PRIORITIES = [1, 99] as const

function checkPolicy(reading: Reading, element: XmlElement): void {
  if (attribute(element, 'scheduler') === undefined) missing(reading, element, 'scheduler')
  const policy = wordIn(reading, element, 'scheduler', ['batch', 'idle', 'fifo', 'rr'])
  if (policy !== 'fifo' && policy !== 'rr') return
  if (attribute(element, 'priority') === undefined) missing(reading, element, 'priority')
  else numberIn(reading, element, 'priority', PRIORITIES)
}

const LEAST_US = 1000
const MOST_PERIOD_US = 1_000_000
/** @see libvirt VIR_CGROUP_CPU_QUOTA_MAX */
const MOST_QUOTA_US = 17_592_186_044_415

/** Nothing, 0 and negative numbers stand for no limit. */
function checkTime(reading: Reading, element: XmlElement | undefined, max: number): void {
  if (element === undefined) return
  const text = stringValue(element)
  if (!/^[\t-\r ]*\+?\d+$/.test(text)) return
  const value = Number(text)
  if (value === 0 || (value >= LEAST_US && value <= max)) return
  const facts = { element: element.name, value: text.trim(), min: LEAST_US, max }
  reading.problems.push(diagnostic('domain-value', facts, tagSpan(element)))
}
