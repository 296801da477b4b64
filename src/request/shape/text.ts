// The shape of a guest <-> the text that a fit with topology=lock leaves behind, in the guest's metadata or
// in an annotation of its VMI:
//
//     v1 sockets:2 cores:2 threads:1 / cpus:0-1 memory:32768KiB distances:10,21 / cpus:2-3 ...
//
// Parts are separated by " / ". The first has the version of the format and the topology, where dies and
// clusters of 1 are left out. The others are the cells in the order of their ids; a cell without vCPUs has no
// cpus, and one that states no distances has no distances. A text is one line of words, numbers and sets, so
// that it needs no quotes in XML, YAML or a shell.

import { collectRefusals } from '../../base/diagnostic.ts'
import { formatSet, MAX_CELLS, setOf, type VcpuSet } from '../../base/idset.ts'
import { parseSet } from '../../base/parse-set.ts'
import { refuse } from '../../codes/codes.ts'
import type { ShapeProblem } from '../../codes/request.ts'
import type { CpuTopology } from '../../model/domain.ts'
import type { RecordedShape, Shape } from '../../model/shape.ts'

const VERSION = 'v1'

/** A shape as one line of text, which `readShape` reads. */
export function shapeText({ cells, topology }: Shape): string {
  const { sockets, dies, clusters, cores, threads } = topology
  const levels = { sockets, ...(dies > 1 && { dies }), ...(clusters > 1 && { clusters }), cores, threads }
  const parts = cells.map(({ vcpus, memoryKiB, distances }) =>
    words({
      ...(vcpus.length > 0 && { cpus: formatSet(vcpus) }),
      memory: `${memoryKiB}KiB`,
      ...(distances.length > 0 && { distances: distances.join(',') }),
    }),
  )
  return [`${VERSION} ${words(levels)}`, ...parts].join(' / ')
}

const words = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}:${value}`)
    .join(' ')

/**
 * Reads a recorded shape.
 * @param source where it is recorded, such as "metadata of db1"
 * @throws Refusal `shape-malformed`
 */
export function readShape(text: string, source: string): RecordedShape {
  const [first = '', ...rest] = text.split('/').map((part) => part.trim())
  const [version = '', ...levels] = first.split(/\s+/)
  const malformed = (problem: ShapeProblem): never => refuse('shape-malformed', { source, problem })
  if (version !== VERSION) malformed({ is: 'version', found: version })
  const topology = topologyIn(levels) ?? malformed({ is: 'topology', found: levels.join(' ') })
  if (rest.length === 0 || rest.length > MAX_CELLS)
    malformed({ is: 'cells', found: rest.length, max: MAX_CELLS })
  const cells = rest.map((part, id) => {
    const cell = cellIn(part) ?? malformed({ is: 'cell', cell: id, found: part })
    const isWhole = cell.distances.length === 0 || isRow(cell.distances, id, rest.length)
    return isWhole ? { id, ...cell } : malformed({ is: 'distances', cell: id, cells: rest.length })
  })
  const places = Object.values(topology).reduce((all, each) => all * each, 1)
  const listed = cells.flatMap(({ vcpus }) => [...vcpus]).sort((a, b) => a - b)
  if (listed.length !== places || listed.some((vcpu, position) => vcpu !== position))
    malformed({ is: 'vcpus', places })
  return { cells, topology, source, text }
}

/** Names and values; undefined where a word is none, or a name comes twice or is not known. */
function valuesIn(parts: readonly string[], known: readonly string[]): Map<string, string> | undefined {
  const values = new Map<string, string>()
  for (const part of parts) {
    const [, name = '', value = ''] = /^([a-z]+):(\S+)$/.exec(part) ?? []
    if (!known.includes(name) || values.has(name)) return undefined
    values.set(name, value)
  }
  return values
}

function topologyIn(parts: readonly string[]): CpuTopology | undefined {
  const values = valuesIn(parts, ['sockets', 'dies', 'clusters', 'cores', 'threads'])
  if (values === undefined) return undefined
  const count = (name: string, unstated = ''): number => {
    const text = values.get(name) ?? unstated
    return /^\d{1,5}$/.test(text) ? Number(text) : 0
  }
  const [sockets, dies, clusters] = [count('sockets'), count('dies', '1'), count('clusters', '1')]
  const topology = { sockets, dies, clusters, cores: count('cores'), threads: count('threads') }
  return Object.values(topology).every((each) => each > 0) ? topology : undefined
}

function cellIn(part: string): Omit<Shape['cells'][number], 'id'> | undefined {
  const values = valuesIn(part.split(/\s+/), ['cpus', 'memory', 'distances'])
  const memory = /^(\d{1,12})KiB$/.exec(values?.get('memory') ?? '')?.[1]
  const distances = values?.get('distances')
  if (values === undefined || memory === undefined) return undefined
  if (distances !== undefined && !/^\d{1,3}(?:,\d{1,3})*$/.test(distances)) return undefined
  const cpus = values.get('cpus')
  const vcpus =
    cpus === undefined ? setOf<VcpuSet>([]) : collectRefusals([], () => parseSet<VcpuSet>(cpus, 'cpus'))
  return vcpus && { vcpus, memoryKiB: Number(memory), distances: distances?.split(',').map(Number) ?? [] }
}

/** Whether libvirt takes these as the distances of a cell (id): 10 to itself, more to the others. */
function isRow(distances: readonly number[], cell: number, cells: number): boolean {
  const fits = (value: number, to: number): boolean =>
    to === cell ? value === 10 : value > 10 && value <= 255
  return distances.length === cells && distances.every(fits)
}
