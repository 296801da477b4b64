// The import lines of the house: they go down its floors only, and rooms of one floor do not know each other.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'

/** Rooms by floor, the lowest first. A room is a folder, or a file where a file stands alone. */
const FLOORS = [
  ['src/base'],
  ['src/model.ts', 'src/xml'],
  ['src/domain', 'src/host', 'src/request', 'src/plan', 'src/explain'],
  ['src/redact', 'src/document.ts', 'src/place.ts', 'src/check.ts', 'src/doctor', 'src/verify'],
  ['src/machine'],
  ['src/libvirt', 'src/hook-setup'],
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
  if (here === undefined) return [`${path} stands in no room`]
  return importsOf(source).flatMap((target) => {
    const to = join(dirname(path), target)
    const there = roomOf(to)
    if (there === undefined) return [`${path} imports ${to}, which stands in no room`]
    if (there.floor > here.floor) return [`${path} imports up: ${to}`]
    return there.floor === here.floor && there.room !== here.room
      ? [`${path} knows a room of its own floor: ${to}`]
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
    `imports go down only, and rooms of one floor do not know each other:\n${floorPlan}\n`,
  )
  t.end()
})

t.test('every room of the plan is there, and is read', (t) => {
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
    found('src/plan/plan.ts', "import { refuse } from '../base/diagnostic.ts'\nimport { a } from './b.ts'"),
    0,
    'down and inside',
  )
  t.equal(
    found('src/base/memory.ts', "import type { Host } from '../model.ts'"),
    1,
    'a type that comes from above',
  )
  t.equal(found('src/plan/plan.ts', "import {\n  place,\n} from '../place.ts'"), 1, 'up, over several lines')
  t.equal(found('src/plan/plan.ts', 'import { view } from "../domain/view.ts"'), 1, 'a room of its own floor')
  t.equal(found('src/xml/edit.ts', "export { Host } from '../model.ts'"), 1, 'a re-export')
  t.equal(
    found('src/host/a.ts', "const a = require('./x.cjs') as typeof import('../entry/x.ts')"),
    1,
    'what is loaded at run time',
  )
  t.equal(found('src/host/a.ts', "import '../place.ts'"), 1, 'an import for its effect')
  t.equal(found('src/place.ts', "import { check } from './check.ts'"), 1, 'two compositions')
  t.equal(found('src/base/a.ts', "// as in import x from '../place.ts'"), 0, 'a comment imports nothing')
  t.equal(found('src/misc/a.ts', ''), 1, 'a folder that is no room')
  t.end()
})
