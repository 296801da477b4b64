// The types of the library (src/library.ts) in one file that needs no other: the declarations that TypeScript
// emits for it and for what it uses of other files, and only those.
//
// 1. Emit the declarations of the entry and, through its imports, of every file that it names.
// 2. From what the entry exports, follow every name that a declaration mentions to the declaration of that
//    name, in the same file or where it is imported from.
// 3. Print these declarations, those of the entry first; the others can be used, but not imported.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

const HEAD =
  '// The types of virt-numa. Memory is in KiB; sets are ascending lists of numbers without duplicates.\n'

/**
 * @param root the repository
 * @param entry the file that exports, from there
 * @throws where two declarations that are needed have one name, or a name cannot be followed
 */
export function rolledUpTypes(root, entry) {
  const files = new Map()
  const fileAt = (path) => {
    if (!files.has(path)) files.set(path, readDeclarations(root, path))
    return files.get(path)
  }
  /** Where a name is declared. */
  const find = (path, name) => {
    const { declared, imported } = fileAt(path)
    if (declared.has(name)) return { path, name }
    const from = imported.get(name)
    return from && find(from.path, from.name)
  }
  const needed = new Map()
  const open = fileAt(entry).exported.map((name) => ({ path: entry, name, isExported: true }))
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const found = find(next.path, next.name)
    if (found === undefined) {
      if (next.isExported) throw new Error(`${entry} exports ${next.name}, which no file declares`)
      continue
    }
    const known = needed.get(found.name)
    if (known !== undefined && known.path !== found.path)
      throw new Error(`the types have two ${found.name}: in ${known.path} and ${found.path}`)
    if (known !== undefined) continue
    needed.set(found.name, { ...found, isExported: next.isExported })
    for (const name of fileAt(found.path).declared.get(found.name).mentions)
      open.push({ path: found.path, name })
  }
  const parts = [...needed.values()].map(({ path, name, isExported }) => {
    const { text } = fileAt(path).declared.get(name)
    return isExported ? text.replace(/^((?:\/\*\*[\s\S]*?\*\/\s*)?)(?!export )/, '$1export ') : text
  })
  // Without this line everything that is declared could be imported.
  return [HEAD, ...parts, 'export {}\n'].join('\n')
}

/** The declarations of a file by name, what it imports, and what it exports. */
function readDeclarations(root, path) {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, isolatedDeclarations: true }
  const source = readFileSync(join(root, path), 'utf8')
  const { outputText } = ts.transpileDeclaration(source, { fileName: path, compilerOptions })
  const file = ts.createSourceFile(path, outputText, ts.ScriptTarget.ES2022, true)
  const declared = new Map()
  const imported = new Map()
  const exported = []
  for (const statement of file.statements) {
    const target = statement.moduleSpecifier?.text
    const from = (element) => ({
      path: join(dirname(path), target),
      name: (element.propertyName ?? element.name).text,
    })
    if (ts.isImportDeclaration(statement)) {
      if (!target.startsWith('.')) continue
      for (const element of statement.importClause?.namedBindings?.elements ?? [])
        imported.set(element.name.text, from(element))
    } else if (ts.isExportDeclaration(statement)) {
      for (const element of statement.exportClause?.elements ?? []) {
        exported.push(element.name.text)
        if (target !== undefined) imported.set(element.name.text, from(element))
      }
    } else {
      const names = namesOf(statement)
      const isExported = ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
      const text = file.text
        .slice(statement.getStart(file, true), statement.end)
        .replace(/^((?:\/\*\*[\s\S]*?\*\/\s*)?)export /, '$1')
      for (const name of names) {
        declared.set(name, { text, mentions: mentionedIn(statement) })
        if (isExported) exported.push(name)
      }
    }
  }
  return { declared, imported, exported }
}

function namesOf(statement) {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map(({ name }) => name.text)
  return statement.name === undefined ? [] : [statement.name.text]
}

/** The types that a declaration mentions; its own parameters are among them, and no file declares these. */
function mentionedIn(statement) {
  const found = new Set()
  const visit = (node) => {
    if (ts.isTypeReferenceNode(node)) found.add(leftmost(node.typeName))
    else if (ts.isTypeQueryNode(node)) found.add(leftmost(node.exprName))
    else if (ts.isExpressionWithTypeArguments(node) && ts.isIdentifier(node.expression))
      found.add(node.expression.text)
    else if (ts.isComputedPropertyName(node) && ts.isIdentifier(node.expression))
      found.add(node.expression.text)
    ts.forEachChild(node, visit)
  }
  visit(statement)
  return found
}

const leftmost = (name) => (ts.isIdentifier(name) ? name.text : leftmost(name.left))
