// The host caches that `<cachetune>` and `<memorytune>` name, against those that their vCPUs use once placed.
//
// An id is lost if no vCPU of its element uses that cache any more. Where the ids of all level-3 caches are
// known, lost ids become those of caches that are used and not yet named: each the one cache that the vCPUs
// on the lost one have moved to; else in ascending order, if they are as many and state the same limits.
// Otherwise they stay, and are reported: a limit per cache cannot be made up.

import type { Diagnostic } from '../base/diagnostic.ts'
import { type CpuSet, formatSet, setOf, union } from '../base/idset.ts'
import { diagnostic } from '../codes/codes.ts'
import type { DomainView, ResctrlTune } from '../model/domain.ts'
import type { Resources } from '../model/host.ts'

/** `ids`: the new id of each level-3 cache, by element as `DomainView.resctrl` has them. */
export interface ResctrlIds {
  readonly ids: readonly ReadonlyMap<number, number>[]
  /** Of class invalid where an id that stays does not exist here. */
  readonly found: readonly Diagnostic[]
}

/** The ids for new pins, which are in vCPU order; an empty pin allows every allowed CPU. */
export function resctrlIds(view: DomainView, vcpupin: readonly CpuSet[], resources: Resources): ResctrlIds {
  const uses = usedCaches(resources)
  const decided = view.resctrl.map((tune) => {
    const moves = movesOf(view, tune, vcpupin)
    return uses === undefined ? unknownIds(tune, moves) : newIds(tune, moves, uses)
  })
  return { ids: decided.map(({ ids }) => ids), found: decided.flatMap(({ found }) => found) }
}

/** What is said of the ids where they stay: a placed domain is checked. */
export function checkResctrlIds(view: DomainView, resources: Resources): readonly Diagnostic[] {
  const uses = usedCaches(resources)
  if (uses === undefined) return []
  return view.resctrl.flatMap((tune) => {
    const moves = movesOf(view, tune, [])
    return staying(tune, { lost: lostIds(tune, uses(moves.all)), used: uses(moves.all), uses })
  })
}

/** The CPUs of the vCPUs of one element, before and after. */
interface Moves {
  readonly each: readonly { readonly before: CpuSet; readonly after: CpuSet }[]
  /** All CPUs after; empty: some vCPU is not pinned. */
  readonly all: CpuSet
  readonly hasMoved: boolean
}

const NONE = setOf<CpuSet>([])

function movesOf(
  { vcpupin: written, online }: DomainView,
  { vcpus }: ResctrlTune,
  now: readonly CpuSet[],
): Moves {
  const isOnline = new Set<number>(online)
  const each = vcpus
    .filter((vcpu) => isOnline.has(vcpu))
    .map((vcpu) => {
      const before = written.get(vcpu) ?? NONE
      return { before, after: now[vcpu] ?? before }
    })
  const isPinned = each.every(({ after }) => after.length > 0)
  return {
    each,
    all: isPinned ? union(...new Set(each.map(({ after }) => after))) : NONE,
    hasMoved: each.some(({ before, after }) => before !== after && formatSet(before) !== formatSet(after)),
  }
}

/** The ids of the level-3 caches of CPUs, ascending; of all allowed CPUs where none is named. */
interface Uses {
  (cpus: CpuSet): readonly number[]
  readonly known: ReadonlySet<number>
}

/** Undefined: not every level-3 cache of the host has a known id. */
function usedCaches({ caches = [], allowed }: Resources): Uses | undefined {
  const idOf = new Map<number, number>()
  for (const { id, cpus } of caches) {
    if (id === undefined) return undefined
    for (const cpu of cpus) idOf.set(cpu, id)
  }
  if (idOf.size === 0) return undefined
  const found = new Map<CpuSet, readonly number[]>()
  const uses = (named: CpuSet): readonly number[] => {
    const cpus = named.length > 0 ? named : allowed.cpus
    const before = found.get(cpus)
    const ids = before ?? [...new Set(cpus.flatMap((cpu) => idOf.get(cpu) ?? []))].sort((a, b) => a - b)
    found.set(cpus, ids)
    return ids
  }
  return Object.assign(uses, { known: new Set(idOf.values()) })
}

const NO_IDS: ReadonlyMap<number, number> = new Map()

interface Decided {
  readonly ids: ReadonlyMap<number, number>
  readonly found: readonly Diagnostic[]
}

function unknownIds({ element, vcpus, limits }: ResctrlTune, { each, hasMoved }: Moves): Decided {
  const wasPinned = each.some(({ before }) => before.length > 0)
  if (!hasMoved || !wasPinned) return { ids: NO_IDS, found: [] }
  const caches = distinct(limits.map(({ id }) => id))
  return { ids: NO_IDS, found: [diagnostic('resctrl-stays', { element, vcpus, caches })] }
}

/** The level of caches whose ids are known. */
const KNOWN_LEVEL = 3

function newIds(tune: ResctrlTune, moves: Moves, uses: Uses): Decided {
  const { element, vcpus, limits } = tune
  const used = uses(moves.all)
  const lost = lostIds(tune, used)
  const mayChange = moves.hasMoved || lost.some((id) => !uses.known.has(id))
  const others = limits.filter(({ level }) => level !== KNOWN_LEVEL).map(({ id }) => id)
  const otherLevels =
    others.length > 0 && moves.hasMoved
      ? [diagnostic('resctrl-stays', { element, vcpus, caches: distinct(others) })]
      : []
  const named = new Set(lastLevel(tune).map(({ id }) => id))
  const free = used.filter((id) => !named.has(id))
  const ids = mayChange ? (followed(lost, free, moves, uses) ?? inOrder(tune, lost, free)) : undefined
  if (ids === undefined)
    return { ids: NO_IDS, found: [...staying(tune, { lost, used, uses }), ...otherLevels] }
  const to = lost.map((id) => ids.get(id) as number)
  const moved = lost.length === 0 ? [] : [diagnostic('resctrl-moved', { element, vcpus, from: lost, to })]
  return { ids, found: [...moved, ...otherLevels] }
}

const lastLevel = ({ limits }: ResctrlTune): ResctrlTune['limits'] =>
  limits.filter(({ level }) => level === KNOWN_LEVEL)

const lostIds = (tune: ResctrlTune, used: readonly number[]): readonly number[] =>
  distinct(lastLevel(tune).map(({ id }) => id)).filter((id) => !used.includes(id))

/** Each lost id -> the one cache that all vCPUs which used it use now, or undefined where there is none. */
function followed(
  lost: readonly number[],
  free: readonly number[],
  { each }: Moves,
  uses: Uses,
): ReadonlyMap<number, number> | undefined {
  const ids = lost.map((id) => {
    const own = each.filter(({ before }) => before.length > 0 && uses(before).includes(id))
    const now = distinct(own.flatMap(({ after }) => uses(after)))
    return now.length === 1 && free.includes(now[0] as number) ? now[0] : undefined
  })
  if (ids.includes(undefined) || new Set(ids).size < ids.length) return undefined
  return new Map(lost.map((id, at) => [id, ids[at] as number]))
}

/** Lost ids in ascending order -> free ones, where it makes no difference which becomes which. */
function inOrder(
  tune: ResctrlTune,
  lost: readonly number[],
  free: readonly number[],
): ReadonlyMap<number, number> | undefined {
  const limitsOf = (id: number): string =>
    lastLevel(tune)
      .flatMap((limit) => (limit.id === id ? limit.says : []))
      .sort()
      .join('; ')
  const areAlike = new Set(lost.map(limitsOf)).size <= 1
  if (lost.length !== free.length || !areAlike) return undefined
  return new Map(lost.map((id, at) => [id, free[at] as number]))
}

interface Staying {
  readonly lost: readonly number[]
  readonly used: readonly number[]
  readonly uses: Uses
}

function staying({ element, vcpus }: ResctrlTune, { lost, used, uses }: Staying): Diagnostic[] {
  const missing = lost.filter((id) => !uses.known.has(id))
  const left = lost.filter((id) => uses.known.has(id))
  const has = [...uses.known].sort((a, b) => a - b)
  return [
    ...(missing.length > 0 ? [diagnostic('resctrl-missing', { element, vcpus, caches: missing, has })] : []),
    ...(left.length > 0 ? [diagnostic('resctrl-stays', { element, vcpus, caches: left, used })] : []),
  ]
}

const distinct = (ids: readonly number[]): readonly number[] => [...new Set(ids)].sort((a, b) => a - b)
