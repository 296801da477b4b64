// Everything that a file exports is imported by another file of the program. What only tests import is listed
// by name.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import ts from 'typescript'

/** What only tests use, to check a part by itself that has many cases or faults. "FILE NAME" each. */
const FOR_TESTS: readonly string[] = [
  'src/codes/codes.ts classes',
  'src/explain/diagnostics.ts masked',
  'src/explain/guests/text.ts cellWords',
  'src/hook-setup/exposure.ts whoElse',
  'src/hook-setup/locate.ts isSince',
  'src/hook-setup/selinux.ts Ask',
  'src/hook-setup/selinux.ts Execution',
  'src/hook-setup/trial.ts OPERATIONS',
  'src/libvirt/events.ts MOST_REFITS',
  'src/libvirt/events.ts WITHIN_MS',
  'src/libvirt/guests.ts readList',
  'src/libvirt/guests.ts readState',
  'src/libvirt/virsh.ts machineOf',
  'src/machine/host-source.ts readMachine',
  'src/machine/write/save.ts copyAttributes',
  'src/redact/secrets.ts hiddenSpans',
  'src/redact/secrets.ts secretSpans',
  'src/request/tenant-cpus.ts Cut',
]

/** What programs import, not other files. */
const LIBRARY = 'src/library.ts *'

/** Rooms that are not checked yet: being rewritten. */
const NOT_YET = ['src/plan/']

/** The native forms of Node's modules; those of its globals are used wherever a file names one. */
const NATIVE_NODE = 'src/machine/native/node'
const GLOBALS = `${NATIVE_NODE}/globals.ts *`

/** What a file exports and imports. */
interface Module {
  readonly exported: readonly string[]
  /** "FILE NAME" of everything that it imports; "FILE *" for a whole module. */
  readonly imported: readonly string[]
}

function sourcesBelow(...folders: readonly string[]): string[] {
  const words = ['ls-files', '-co', '--exclude-standard', '--deduplicate', '--', ...folders]
  const listed = execFileSync('git', words, { encoding: 'utf8' }).split('\n')
  const deleted = execFileSync('git', ['ls-files', '-d', '--', ...folders], { encoding: 'utf8' }).split('\n')
  return listed.filter((path) => /(?<!\.d)\.ts$/.test(path) && !deleted.includes(path))
}

function read(path: string, source: string): Module {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true)
  const exported: string[] = []
  const imported: string[] = []
  const use = (target: string, names: readonly string[]): void => {
    if (target.startsWith('.'))
      imported.push(...names.map((name) => `${join(dirname(path), target)} ${name}`))
    else if (target.startsWith('node:'))
      imported.push(...names.map((name) => `${NATIVE_NODE}/${target.slice(5).replace('/', '-')}.ts ${name}`))
  }
  for (const statement of file.statements) {
    if (ts.isImportDeclaration(statement)) {
      const bindings = statement.importClause?.namedBindings
      const names =
        bindings !== undefined && ts.isNamedImports(bindings)
          ? bindings.elements.map(({ propertyName, name }) => (propertyName ?? name).text)
          : ['*']
      use((statement.moduleSpecifier as ts.StringLiteral).text, names)
    }
    const isExported = ts.canHaveModifiers(statement)
      ? ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
      : false
    if (!isExported) continue
    if (ts.isVariableStatement(statement))
      exported.push(...statement.declarationList.declarations.map(({ name }) => name.getText(file)))
    else if ('name' in statement) exported.push((statement.name as ts.Identifier).text)
  }
  // What is loaded at run time: `const { a } = require('./x.cjs') as typeof import('./x.ts')`, or all of it.
  const visit = (node: ts.Node): void => {
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const target = (node.argument.literal as ts.StringLiteral).text
      const holder = ts.findAncestor(node, ts.isVariableDeclaration)?.name
      const isDestructured = holder !== undefined && ts.isObjectBindingPattern(holder)
      if (node.qualifier !== undefined) use(target, [node.qualifier.getText(file)])
      else use(target, isDestructured ? holder.elements.map(({ name }) => name.getText(file)) : ['*'])
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return { exported, imported }
}

/** By file, what stands in for it in the native programs: each use of the one is a use of the other. */
const INSTEAD = new Map(
  Object.entries<string>(JSON.parse(readFileSync('packaging/native/instead.json', 'utf8'))),
)

function alike(use: string): string[] {
  const [path = '', name] = use.split(' ')
  const instead = INSTEAD.get(path)
  return instead === undefined ? [use] : [use, `${instead} ${name}`]
}

/** "FILE NAME" of every export that no file imports. */
function unused(modules: ReadonlyMap<string, Module>): string[] {
  const used = new Set([
    GLOBALS,
    LIBRARY,
    ...[...modules.values()].flatMap(({ imported }) => imported.flatMap(alike)),
  ])
  return [...modules].flatMap(([path, { exported }]) =>
    used.has(`${path} *`) ? [] : exported.map((name) => `${path} ${name}`).filter((each) => !used.has(each)),
  )
}

const modulesBelow = (...folders: readonly string[]): ReadonlyMap<string, Module> =>
  new Map(sourcesBelow(...folders).map((path) => [path, read(path, readFileSync(path, 'utf8'))]))

const isChecked = (each: string): boolean => !NOT_YET.some((room) => each.startsWith(room))

t.test('everything that is exported is imported', (t) => {
  const modules = modulesBelow('src', 'hooks')
  const found = unused(modules).filter(isChecked)
  const wrong = found.filter((each) => !FOR_TESTS.includes(each))
  t.equal(wrong.join('\n'), '', 'export only what another file imports')
  t.same(
    FOR_TESTS.filter((each) => !found.includes(each)),
    [],
    'what a program uses too is not listed',
  )
  const unusedByAll = unused(new Map([...modules, ...modulesBelow('test')]))
  t.same(
    FOR_TESTS.filter((each) => unusedByAll.includes(each)),
    [],
    'what is listed is used by a test',
  )
  t.end()
})

t.test('what it finds', (t) => {
  const found = (...sources: readonly string[]): string[] =>
    unused(new Map(sources.map((source, at) => [`f${at}.ts`, read(`f${at}.ts`, source)])))
  const all =
    'export const a = 1\nexport function b() {}\nexport interface C {}\nexport type D = C\nconst e = 1'
  t.same(found(all), ['f0.ts a', 'f0.ts b', 'f0.ts C', 'f0.ts D'])
  t.same(found(all, "import { a, b as c, type C } from './f0.ts'"), ['f0.ts D'])
  t.same(found(all, "import * as all from './f0.ts'"), [])
  const loaded = "const { a } = require('./f0.cjs') as typeof import('./f0.ts')"
  t.same(found(all, loaded), ['f0.ts b', 'f0.ts C', 'f0.ts D'], 'what is loaded at run time')
  t.same(found(all, "const f: typeof import('./f0.ts').b = () => {}"), ['f0.ts a', 'f0.ts C', 'f0.ts D'])
  t.end()
})
