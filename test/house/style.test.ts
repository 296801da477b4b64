// The rules of the house style that a program can check: the length of lines, the number of parameters, and
// docstrings on everything that is exported.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import ts from 'typescript'

/** Columns of a line. */
const WIDTH = 110
const MOST_PARAMETERS = 4

/** Tracked and new files below these folders. */
function sourcesBelow(...folders: readonly string[]): string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', ...folders], {
    encoding: 'utf8',
  })
  const deleted = execFileSync('git', ['ls-files', '-d', '--', ...folders], { encoding: 'utf8' }).split('\n')
  return listed.split('\n').filter((path) => /\.(ts|mjs|sh|c|h)$/.test(path) && !deleted.includes(path))
}

/** "12: a line of 113 columns" each. */
function longLines(source: string): string[] {
  return source
    .split('\n')
    .flatMap((line, at) => (line.length > WIDTH ? [`${at + 1}: a line of ${line.length} columns`] : []))
}

/** Functions with too many parameters, and exported things without a docstring. */
function unlikeTheStyle(path: string, source: string): string[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const at = (node: ts.Node): number => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && node.parameters.length > MOST_PARAMETERS)
      found.push(`${at(node)}: a function of ${node.parameters.length} parameters`)
    ts.forEachChild(node, visit)
  }
  visit(file)
  for (const statement of file.statements) {
    const isExported = ts.canHaveModifiers(statement)
      ? ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
      : false
    if (isExported && ts.getJSDocCommentsAndTags(statement).length === 0)
      found.push(`${at(statement)}: exported without a docstring`)
  }
  return found
}

/** The findings of every file, "PATH:LINE: WHAT" each, by room: "src/plan", "test/doors", "hooks". */
function findingsByRoom(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  const add = (path: string, findings: readonly string[]): void => {
    const room = dirname(path).split('/').slice(0, 2).join('/')
    found.set(room, [...(found.get(room) ?? []), ...findings.map((each) => `${path}:${each}`)])
  }
  const everywhere = sourcesBelow('src', 'hooks', 'test', 'bench', 'packaging')
  for (const path of everywhere) {
    const source = readFileSync(path, 'utf8')
    const isTyped = /(?<!\.d)\.ts$/.test(path)
    add(path, [...longLines(source), ...(isTyped ? unlikeTheStyle(path, source) : [])])
  }
  return found
}

t.test('the style of every file', (t) => {
  for (const [room, findings] of findingsByRoom()) {
    if (findings.length > 0) t.fail(`${room} has ${findings.length}:\n${findings.join('\n')}`)
    else t.pass(`${room} has no findings`)
  }
  t.end()
})

t.test('what it finds', (t) => {
  const found = (source: string): string[] => unlikeTheStyle('a.ts', source)
  t.same(longLines(`${'x'.repeat(WIDTH)}\n${'x'.repeat(WIDTH + 1)}`), ['2: a line of 111 columns'])
  t.same(found('function f(a, b, c, d, e) {}'), ['1: a function of 5 parameters'])
  t.same(found('const f = (a, b, c, { d, e }) => 0'), [], 'fields of a parameter are not parameters')
  t.same(found('export const a = 1'), ['1: exported without a docstring'])
  t.same(found('/** One. */\nexport const a = 1\nconst b = 2'), [])
  t.same(
    found('// One.\nexport interface A {}'),
    ['2: exported without a docstring'],
    'a comment is not a docstring',
  )
  t.same(found("export { a } from './a.ts'"), [], 'a re-export')
  t.end()
})
