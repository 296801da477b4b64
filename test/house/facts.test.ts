// Facts of diagnostics are data: what, why and fix are made of them in explain/texts/, and not among them.

import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import ts from 'typescript'

/** Names of what is a text for people; `reason` holds what another program reports. */
const TEXTS = ['what', 'why', 'fix', 'how', 'message']

/** The names of such properties in the types of a file. */
function textsIn(path: string, source: string): string[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isPropertySignature(node) && TEXTS.includes(node.name.getText(file)))
      found.push(node.name.getText(file))
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

t.test('no text is among the facts of a diagnostic', (t) => {
  const codes = readdirSync('src/codes', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `src/codes/${name}`)
  const found = [...codes, 'src/base/diagnostic.ts'].flatMap((path) =>
    textsIn(path, readFileSync(path, 'utf8')).map((name) => `${path} ${name}`),
  )
  t.same(found, [], 'state data in facts; write texts in explain/texts/')
  t.end()
})

t.test('what it finds', (t) => {
  t.same(textsIn('a.ts', "interface A { readonly 'a-b': { cell: number; fix: string } }"), ['fix'])
  t.same(textsIn('a.ts', 'type A = { is: 1; why?: string } | { what: number[] }'), ['why', 'what'])
  t.same(textsIn('a.ts', 'interface A { reason: string; nodes: NodeSet }'), [])
  t.end()
})
