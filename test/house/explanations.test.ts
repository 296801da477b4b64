// `virt-numa explain`: every code is explained, with an example that the program prints. --rewrite writes the
// examples: for a code without one, or whose case has changed, the clearest that is printed.

import { readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { explanationLines } from '../../src/cli/commands/explain/lines.ts'
import { allCodes, explanationOf, groups } from '../../src/explain/code/explanation.ts'
import { outcomesOf } from '../../src/explain/code/outcome.ts'
import { renderDiagnostics } from '../../src/explain/diagnostics.ts'
import { programMeanings } from '../../src/explain/meanings/programs.ts'
import { runCommand } from '../command.ts'
import { long } from '../long.ts'
import {
  codes,
  commandIn,
  diagnosticsIn,
  differences,
  type Printed,
  printedByCases,
  statusesOf,
} from './examples.ts'
import { outputOf } from './show-code.ts'
import { lines } from './shown.ts'
import { calls } from './shown-by-call.ts'
import { programLines } from './shown-programs.ts'

const EXAMPLES = 'src/explain/code/examples.txt'
const byCases = printedByCases()
const byLines = { ...lines, ...programLines } as Readonly<Record<string, string>>
t.setTimeout(300_000)

const isRewriting = process.argv.includes('--rewrite')
if (isRewriting) t.test('the examples are written; build again to see them', rewrite)

async function rewrite(): Promise<void> {
  const entries: string[] = []
  for (const code of allCodes()) {
    const kept = explanationOf(code)?.example
    const found = await printed(code)
    const best = found.find((each) => isSame(each, kept)) ?? clearest(found)
    if (best === undefined) throw new Error(`nothing prints ${code}`)
    entries.push(`== ${code}: ${best.from}: ${best.command}\n${best.text}\n`)
  }
  writeFileSync(EXAMPLES, entries.join('\n'))
}

const isSame = (one: Printed, other: Printed | undefined): boolean =>
  one.from === other?.from && one.command === other.command && one.text === other.text

/** The most lines (why, fix and position), then the fewest letters. */
function clearest(found: readonly Printed[]): Printed | undefined {
  const count = ({ text }: Printed): number => text.split('\n').length
  const order = (a: Printed, b: Printed): number => count(b) - count(a) || a.text.length - b.text.length
  return [...found].sort(order)[0]
}

async function printed(code: string): Promise<readonly Printed[]> {
  const line = byLines[code]
  if (line === undefined) return byCases.get(code) ?? printedByCall(code)
  const { text } = await outputOf(line)
  const from = code in lines ? 'test/house/shown.ts' : 'test/house/shown-programs.ts'
  return diagnosticsIn(text)
    .filter((each) => each.code === code)
    .map((each) => ({ from, command: commandIn(line), text: each.text }))
}

function printedByCall(code: string): readonly Printed[] {
  const found = calls[code as keyof typeof calls]?.[1]() ?? []
  const text = renderDiagnostics(
    found.filter((each) => each.code === code),
    'capacity-fails',
    [],
  ).trimEnd()
  const { group } = explanationOf(code) ?? { group: groups.find(({ meanings }) => code in meanings)?.name }
  const command = { doctor: 'virt-numa doctor', hook: 'virt-numa install', kubevirt: 'virt-numa serve' }[
    group ?? ''
  ]
  return [{ from: 'test/house/shown-by-call.ts', command: command ?? 'a function', text }]
}

/** What is rewritten is in the bundle only after the next build. */
const test = (name: string, run: (t: Test) => void): void => {
  if (!isRewriting) t.test(name, run)
}

test('every code is explained, once', (t) => {
  const explained = allCodes()
  t.same([...explained].sort(), [...codes, ...Object.keys(programMeanings)].sort())
  t.equal(new Set(explained).size, explained.length)
  for (const code of explained) {
    const found = explanationOf(code)
    t.ok(found, `${code} has an explanation and an example`)
    if (found === undefined) continue
    t.match(
      found.brief,
      /^[^A-Z ]|^[A-Z]{2}|^[A-Z]\w+[A-Z]|^SELinux|^AppArmor|^QEMU/,
      `${code}: ${found.brief}`,
    )
    t.notMatch(found.brief, /[^.]\.$/, `${code}: a line without a full stop`)
    t.match(found.about, /[.)"]$/, `${code}: sentences`)
    t.ok(found.fix.length > 10, `${code}: a fix`)
    const label = /^(\w+)\[/.exec(found.example.text)?.[1]
    t.ok(
      outcomesOf(code).some(({ severity }) => severity === label),
      `${code}: the example is one of the stated severities`,
    )
  }
  t.equal(explanationOf('toString'), undefined)
  t.end()
})

test('every example is what its case prints', (t) => {
  for (const code of allCodes()) {
    const example = explanationOf(code)?.example
    if (code in byLines) continue
    const found = byCases.get(code) ?? printedByCall(code)
    t.ok(
      found.some((each) => isSame(each, example)),
      `${code}: ${example?.from} prints\n${example?.text}`,
    )
  }
  t.end()
})

test('the file of examples has nothing else', (t) => {
  const heads = readFileSync(EXAMPLES, 'utf8').match(/^== [\w-]+/gm) ?? []
  t.same(
    heads.map((head) => head.slice(3)),
    allCodes(),
  )
  t.end()
})

long('what stands in place of an answer', async (t) => {
  for (const [code, line] of Object.entries(programLines)) {
    const { status, text } = await outputOf(line)
    t.same(differences(code, line, text), [], code)
    t.ok(statusesOf(code).includes(status), `${code}: exit status ${status}`)
  }
})

// ---- The command ----

const run = (...words: string[]) => runCommand(['explain', ...words], {})

test('a code at length', (t) => {
  const { status, stdout, stderr } = run('pages-short')
  t.same([status, stderr], [0, ''])
  const { example, brief } = explanationOf('pages-short') ?? {}
  t.ok(stdout.startsWith(`pages-short: ${brief}\n\n`))
  t.match(stdout, /^Fix:\n {2}\S/m)
  t.match(stdout, /^ {2}warning, exit 0 +transform/m)
  t.match(stdout, /^ {2}error, exit 1 +check/m)
  t.ok(stdout.endsWith(`${example?.text.replace(/^/gm, '  ')}\n`))
  for (const word of ['error[pages-short]', '[pages-short]', 'warning[pages-short]: node 1 has 3 free pages'])
    t.equal(run(word).stdout, stdout, word)
  t.end()
})

test('every explanation fits on 80 columns, up to its example', (t) => {
  for (const code of allCodes()) {
    const all = explanationOf(code)
    const printed = all === undefined ? [] : explanationLines(all)
    const text = printed.slice(
      0,
      printed.findIndex((line) => line.startsWith('Example (')),
    )
    t.ok(text.length > 6, code)
    t.same(
      text.filter(({ length }) => length > 80),
      [],
      code,
    )
  }
  t.end()
})

test('the list of all codes', (t) => {
  const { status, stdout, stderr } = run()
  t.same([status, stderr], [0, ''])
  const listed = [...stdout.matchAll(/^ {2}([\w-]+) {2,}\S.*$/gm)].map((match) => match[1])
  t.same(listed, allCodes())
  for (const { title } of groups) t.match(stdout, new RegExp(`^${title}:$`, 'm'))
  t.same(
    stdout.split('\n').filter(({ length }) => length > 80),
    [],
  )
  t.end()
})

test('as JSON', (t) => {
  const one = JSON.parse(run('pages-short', '--json').stdout)
  const { code, group, outcomes, example } = explanationOf('pages-short') ?? {}
  t.match(one, { code, group, outcomes, example })
  const all = JSON.parse(run('--json').stdout)
  t.same(
    all.groups.flatMap(({ codes }: { codes: { code: string }[] }) => codes.map((each) => each.code)),
    allCodes(),
  )
  t.end()
})

test('an unknown code', (t) => {
  const near = run('pages-shrot')
  t.same([near.status, near.stdout], [2, ''])
  t.equal(
    near.stderr,
    'error[usage-code]: unknown code "pages-shrot"\n' +
      "   fix: did you mean pages-short? Run 'virt-numa explain' for all codes\n",
  )
  t.match(run('zzzzzz').stderr, /fix: run 'virt-numa explain' for all codes/)
  const json = run('pages-shrot', '--json')
  t.equal(json.status, 2)
  t.equal(JSON.parse(json.stdout).diagnostics[0].facts.close, 'pages-short')
  t.match(run('__proto__').stderr, /^error\[usage-code\]/)
  t.end()
})
