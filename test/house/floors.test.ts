// The imports of src/ and hooks/: they only go down the floors, the rooms of one floor do not import each
// other, and there are no cycles. And no folder has too many files to survey.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'

/** Rooms by floor, the lowest first. A room is a folder, or a single file. */
const FLOORS = [
  ['src/base'],
  ['src/codes'],
  ['src/model', 'src/xml'],
  ['src/domain', 'src/host', 'src/request', 'src/plan', 'src/explain'],
  ['src/document.ts'],
  ['src/redact', 'src/place.ts', 'src/check.ts', 'src/doctor', 'src/verify'],
  ['src/kubevirt.ts', 'src/guest-check.ts', 'src/machine'],
  ['src/library.ts', 'src/libvirt', 'src/hook-setup', 'src/serve'],
  ['src/cli', 'hooks'],
]

const floorPlan = FLOORS.map((rooms, floor) => `  ${floor}  ${rooms.join('  ')}`)
  .reverse()
  .join('\n')

function roomOf(path: string): { readonly room: string; readonly floor: number } | undefined {
  const floor = FLOORS.findIndex((rooms) =>
    rooms.some((room) => path === room || path.startsWith(`${room}/`)),
  )
  const room = FLOORS[floor]?.find((each) => path === each || path.startsWith(`${each}/`))
  return room === undefined ? undefined : { room, floor }
}

/** Every relative path that a file imports or loads: with or without `type`, re-exported, or at run time. */
function importsOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const found = code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]*)\1/g)
  return [...found].map((match) => match[2] as string)
}

/** What is wrong with the imports of one file, a line each. */
function wrongImports(path: string, source: string): string[] {
  const here = roomOf(path)
  if (here === undefined) return [`${path} belongs to no room`]
  return importsOf(source).flatMap((target) => {
    const to = join(dirname(path), target)
    const there = roomOf(to)
    if (there === undefined) return [`${path} imports ${to}, which belongs to no room`]
    if (there.floor > here.floor) return [`${path} imports up: ${to}`]
    return there.floor === here.floor && there.room !== here.room
      ? [`${path} imports a room of its own floor: ${to}`]
      : []
  })
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return sourcesIn(path)
    return /\.[mc]?[jt]s$/.test(entry.name) ? [path] : []
  })
}

const sources = readdirSync('.').includes('hooks')
  ? [...sourcesIn('src'), ...sourcesIn('hooks')]
  : sourcesIn('src')

t.test('imports go down the floors', (t) => {
  const wrong = sources.flatMap((path) => wrongImports(path, readFileSync(path, 'utf8')))
  t.equal(
    wrong.join('\n'),
    '',
    `imports go down only, and rooms of one floor do not import each other:\n${floorPlan}\n`,
  )
  t.end()
})

/**
 * Files that import each other, directly or through others, a line per group. `import type` counts as any
 * other.
 */
function cyclesIn(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const reached = new Map<string, Set<string>>()
  const reach = (from: string): Set<string> => {
    const known = reached.get(from)
    if (known !== undefined) return known
    const found = new Set<string>()
    const open = [...(imports.get(from) ?? [])]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue
      found.add(next)
      open.push(...(imports.get(next) ?? []))
    }
    reached.set(from, found)
    return found
  }
  const inCycle = [...imports.keys()].filter((path) => reach(path).has(path))
  const groups = inCycle.map((path) =>
    inCycle.filter((other) => reach(path).has(other) && reach(other).has(path)),
  )
  return [...new Set(groups.map((group) => group.sort().join(' <-> ')))]
}

t.test('no file imports itself, directly or through others', (t) => {
  const imports = sources.map((path) => {
    const targets = importsOf(readFileSync(path, 'utf8')).map((target) => join(dirname(path), target))
    return [path, targets] as const
  })
  t.equal(cyclesIn(new Map(imports)).join('\n'), '', 'no import cycles')
  t.end()
})

/** A folder with more needs sub-folders. */
const MOST_FILES = 16

t.test('no folder has more than 16 source files', (t) => {
  const count = new Map<string, number>()
  for (const path of sources) count.set(dirname(path), (count.get(dirname(path)) ?? 0) + 1)
  t.same(
    [...count].filter(([, files]) => files > MOST_FILES),
    [],
  )
  t.end()
})

t.test('every room of the plan exists, and is read', (t) => {
  const imports = sources.flatMap((path) => importsOf(readFileSync(path, 'utf8')))
  t.ok(imports.length > 2 * sources.length, `${imports.length} imports in ${sources.length} files`)
  for (const room of FLOORS.flat().filter((each) => each.startsWith('src'))) {
    t.ok(
      sources.some((path) => roomOf(path)?.room === room),
      `${room} has a file`,
    )
  }
  t.end()
})

t.test('what it finds', (t) => {
  const found = (path: string, source: string): number => wrongImports(path, source).length
  t.equal(
    found('src/plan/plan.ts', "import { refuse } from '../codes/codes.ts'\nimport { a } from './b.ts'"),
    0,
    'down and inside',
  )
  t.equal(
    found('src/base/memory.ts', "import type { Host } from '../model/host.ts'"),
    1,
    'a type that comes from above',
  )
  t.equal(found('src/plan/plan.ts', "import {\n  place,\n} from '../place.ts'"), 1, 'up, over several lines')
  t.equal(found('src/plan/plan.ts', 'import { view } from "../domain/view.ts"'), 1, 'a room of its own floor')
  t.equal(found('src/xml/edit.ts', "export { Host } from '../model/host.ts'"), 1, 'a re-export')
  t.equal(
    found('src/host/a.ts', "const a = require('./x.cjs') as typeof import('../entry/x.ts')"),
    1,
    'what is loaded at run time',
  )
  t.equal(found('src/host/a.ts', "import '../place.ts'"), 1, 'an import for its effect')
  t.equal(found('src/place.ts', "import { check } from './check.ts'"), 1, 'two compositions')
  t.equal(found('src/base/a.ts', "// as in import x from '../place.ts'"), 0, 'a comment imports nothing')
  t.equal(found('src/misc/a.ts', ''), 1, 'a folder that is not a room')

  const cycles = (edges: Record<string, readonly string[]>): readonly string[] =>
    cyclesIn(new Map(Object.entries(edges)))
  t.same(cycles({ a: ['b', 'c'], b: ['c'], c: [] }), [], 'two ways to one file')
  t.same(
    cycles({ a: ['b'], b: ['c'], c: ['b'], d: ['a'] }),
    ['b <-> c'],
    'a cycle, without those that only lead to it',
  )
  t.same(cycles({ a: ['b'], b: ['a'], c: ['d', 'a'], d: ['c'] }), ['a <-> b', 'c <-> d'], 'two cycles')
  t.same(importsOf("import type { Running } from './run.ts'"), ['./run.ts'], 'a type import counts')
  t.end()
})
