// host.json to a Host, and back. DESIGN: sets are text, memory is KiB, a fact that is not known is left out.

import { type CpuSet, formatSet, MAX_ID, type NodeSet, setOf } from '../../base/idset.ts'
import { type Json, type JsonObject, parseJson } from '../../base/json.ts'
import { refuseAll } from '../../codes/codes.ts'
import type { Allowed, Host, HostNode, NodePages, Pool } from '../../model.ts'
import { known } from '../kernel-text.ts'
import { resourcesOf } from '../resources.ts'
import {
  booleanIn,
  join,
  listIn,
  numberIn,
  objectAt,
  problem,
  type Shape,
  setAt,
  setIn,
  wholeNumber,
} from './json-shape.ts'
import { orderNodes, reportContradictions } from './snapshot-checks.ts'

export interface Snapshot {
  readonly host: Host
  readonly allowed?: Allowed
}

const KEYS = ['nodes', 'siblings', 'allowed', 'pools', 'defaultPagesizeKiB', 'isolated']
const NODE_KEYS = ['id', 'cpus', 'memoryKiB', 'freeKiB', 'pages', 'distances']
/** Stands for a number that is refused already: it is like no other, so no second problem comes of it. */
const WRONG = Number.NaN

const POOL_KEYS = ['pagesizeKiB', 'reserved', 'overcommit', 'surplus', 'mounted']

/**
 * Nodes and cores may be in any order, the answer ascends. Where `allowed` names only CPUs or only nodes, the
 * other are all.
 * @param source what the text is (a file name), for the words of a refusal
 * @throws Refusal `json-malformed`, or `host-malformed` and `set-malformed` with all that is wrong, each with
 * its JSON path
 */
export function parseSnapshot(text: string, source: string): Snapshot {
  const shape: Shape = { source, problems: [] }
  const root = objectAt(shape, parseJson(text, source), '', KEYS, ['nodes'])
  const written = listIn(shape, root, '', 'nodes', (value, path) => nodeAt(shape, value, path)) ?? []
  const siblings =
    listIn(shape, root, '', 'siblings', (value, path) => setAt<CpuSet>(shape, value, path)) ?? []
  const pools = listIn(shape, root, '', 'pools', (value, path) => poolAt(shape, value, path))
  const defaultPagesizeKiB = pagesizeIn(shape, root, '', 'defaultPagesizeKiB')
  const isolated = setIn<CpuSet>(shape, root, '', 'isolated')
  const wanted = root.has('allowed') ? allowedAt(shape, root.get('allowed') as Json, 'allowed') : undefined
  reportContradictions(shape, written, siblings, pools)
  refuseAll(shape.problems)
  const host: Host = {
    nodes: orderNodes(written),
    siblings: (siblings as CpuSet[]).sort((a, b) => (a[0] as number) - (b[0] as number)),
    ...known('pools', pools),
    ...known('defaultPagesizeKiB', defaultPagesizeKiB),
    ...known('isolated', isolated),
  }
  // An allowed CPU that is not online is kept: the planner tells of it.
  return { host, ...(wanted && { allowed: { ...resourcesOf(host, wanted).allowed, ...wanted } }) }
}

function nodeAt(shape: Shape, value: Json, path: string): HostNode {
  const node = objectAt(shape, value, path, NODE_KEYS, ['id', 'cpus'])
  return {
    id: numberIn(shape, node, path, 'id', MAX_ID) ?? WRONG,
    cpus: setIn<CpuSet>(shape, node, path, 'cpus') ?? setOf<CpuSet>([]),
    ...known('memoryKiB', numberIn(shape, node, path, 'memoryKiB')),
    ...known('freeKiB', numberIn(shape, node, path, 'freeKiB')),
    pages: listIn(shape, node, path, 'pages', (each, at) => pagesAt(shape, each, at)) ?? [],
    ...known(
      'distances',
      listIn(shape, node, path, 'distances', (each, at) => wholeNumber(shape, each, at, 255) ?? WRONG),
    ),
  }
}

function pagesAt(shape: Shape, value: Json, path: string): NodePages {
  const pages = objectAt(shape, value, path, ['pagesizeKiB', 'total', 'free'], ['pagesizeKiB', 'total'])
  return {
    pagesizeKiB: pagesizeIn(shape, pages, path, 'pagesizeKiB') ?? WRONG,
    total: numberIn(shape, pages, path, 'total') ?? WRONG,
    ...known('free', numberIn(shape, pages, path, 'free')),
  }
}

function poolAt(shape: Shape, value: Json, path: string): Pool {
  const pool = objectAt(shape, value, path, POOL_KEYS, ['pagesizeKiB'])
  return {
    pagesizeKiB: pagesizeIn(shape, pool, path, 'pagesizeKiB') ?? WRONG,
    ...known('reserved', numberIn(shape, pool, path, 'reserved')),
    ...known('overcommit', numberIn(shape, pool, path, 'overcommit')),
    ...known('surplus', numberIn(shape, pool, path, 'surplus')),
    ...known('mounted', booleanIn(shape, pool, path, 'mounted')),
  }
}

function allowedAt(shape: Shape, value: Json, path: string): Partial<Allowed> {
  const allowed = objectAt(shape, value, path, ['cpus', 'nodes', 'pages'], [])
  const pages = listIn(shape, allowed, path, 'pages', (each, at) => {
    const limit = objectAt(shape, each, at, ['pagesizeKiB', 'max'], ['pagesizeKiB', 'max'])
    return {
      pagesizeKiB: pagesizeIn(shape, limit, at, 'pagesizeKiB') ?? WRONG,
      max: numberIn(shape, limit, at, 'max') ?? WRONG,
    }
  })
  return {
    ...known('cpus', setIn<CpuSet>(shape, allowed, path, 'cpus')),
    ...known('nodes', setIn<NodeSet>(shape, allowed, path, 'nodes')),
    ...known('pages', pages),
  }
}

function pagesizeIn(shape: Shape, object: JsonObject, path: string, key: string): number | undefined {
  const kib = numberIn(shape, object, path, key)
  if (kib === undefined || (kib > 0 && Number.isInteger(Math.log2(kib)))) return kib
  return problem(
    shape,
    join(path, key),
    `is ${kib}`,
    'a page size is a power of two',
    'write it in KiB: 2048 for 2M, 1048576 for 1G',
  )
}

/**
 * One line per node, per pool list and so on, so that two snapshots can be compared with diff. The same host
 * gives the same bytes.
 */
export function formatSnapshot(host: Host, allowed?: Allowed): string {
  const lines = [
    `"nodes": [\n    ${host.nodes.map(formatNode).join(',\n    ')}\n  ]`,
    `"siblings": [${host.siblings.map((core) => JSON.stringify(formatSet(core))).join(', ')}]`,
    ...(host.pools === undefined ? [] : [`"pools": ${formatList(host.pools)}`]),
    ...(host.defaultPagesizeKiB === undefined ? [] : [`"defaultPagesizeKiB": ${host.defaultPagesizeKiB}`]),
    ...(host.isolated === undefined ? [] : [`"isolated": ${JSON.stringify(formatSet(host.isolated))}`]),
    ...(allowed === undefined ? [] : [`"allowed": ${formatAllowed(allowed)}`]),
  ]
  return `{\n  ${lines.join(',\n  ')}\n}\n`
}

function formatNode({ id, cpus, memoryKiB, freeKiB, pages, distances }: HostNode): string {
  const facts = [formatObject({ id, cpus: formatSet(cpus), memoryKiB, freeKiB })]
  if (pages.length > 0)
    facts.push(
      `"pages": ${formatList(pages.map(({ pagesizeKiB, total, free }) => ({ pagesizeKiB, total, free })))}`,
    )
  if (distances !== undefined) facts.push(`"distances": [${distances.join(', ')}]`)
  return `{ ${facts.join(',\n      ')} }`
}

function formatAllowed({ cpus, nodes, pages }: Allowed): string {
  const sets = formatObject({ cpus: formatSet(cpus), nodes: formatSet(nodes) })
  return `{ ${sets}${pages === undefined ? '' : `, "pages": ${formatList(pages)}`} }`
}

function formatList(objects: readonly object[]): string {
  return `[${objects.map((each) => `{ ${formatObject(each)} }`).join(', ')}]`
}

function formatObject(facts: object): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `"${key}": ${JSON.stringify(value)}`)
    .join(', ')
}
