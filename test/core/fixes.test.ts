// A fix that is printed works: the fixes of all golden cases that a program can apply (XML to write, flags to
// add, pages to allocate) are applied, and the finding is gone then.

import t from 'tap'
import { keyNames } from '../../src/request/keys.ts'
import { readKeys } from '../../src/request/request.ts'
import { answer, type GoldenCase, readCases } from './golden-case.ts'
import { SMALL_EDITS } from './small-edits.ts'
import { FOLLOWS, UNAPPLIED } from './unapplied-fixes.ts'

interface Finding {
  readonly code: string
  readonly label: string
  readonly what: string
  readonly fix: string
}

/** What the program prints of a case. */
function findingsOf(each: GoldenCase): Finding[] {
  const given = answer(each).answer
  const text = `${given['refusal.txt'] ?? ''}\n${given['explain.txt'] ?? ''}`
  const all = text.matchAll(/^(error|warning|note)\[([\w-]+)\]: (.*)(?:\n {3}why: .*)?(?:\n {3}fix: (.*))?/gm)
  return [...all].map(([, label = '', code = '', what = '', fix = '']) => ({ code, label, what, fix }))
}

/** The cases that follow from a fix, one for each alternative that it names. */
function applied(each: GoldenCase, { code, what, fix }: Finding): GoldenCase[] {
  const made = pages(each, fix)
  // An option that is used after pages were allocated needs both.
  const before = fix.includes(' after: echo ') ? made : []
  return [
    ...topologies(each, fix),
    ...smallEdits(each, { code, what, fix }),
    ...(before[0] === undefined ? made : []),
    ...options(before[0] ?? each, fix),
    ...rebinds(each, fix),
  ]
}

/** `write <topology .../>`. */
function topologies(each: GoldenCase, fix: string): GoldenCase[] {
  return [...fix.matchAll(/<topology [^>]*\/>/g)].map(([element]) => ({
    ...each,
    domain: each.domain.replace(/<topology [^>]*\/>/, element),
  }))
}

/** An edit of which the test knows the wording. */
function smallEdits(each: GoldenCase, { code, what, fix }: Omit<Finding, 'label'>): GoldenCase[] {
  const domain = SMALL_EDITS[code]?.(each.domain, fix, what)
  return domain === undefined || domain === each.domain ? [] : [{ ...each, domain }]
}

/** `use --KEY VALUE`, and `run virt-numa transform --KEY VALUE --KEY VALUE`. */
function options(each: GoldenCase, fix: string): GoldenCase[] {
  return [...fix.matchAll(/(?:use|run virt-numa transform)((?: --[a-z-]+ [\w-]+)+)/g)].flatMap(
    ([, words = '']) => {
      const flags = [...words.matchAll(/--([a-z-]+) ([\w-]+)/g)].map(([, key = '', value = '']) => [
        key,
        value,
      ])
      if (flags.some(([key, value]) => !isKey(key ?? '') || /^[A-Z]+$/.test(value ?? ''))) return []
      const keys = { ...each.keys, ...(Object.fromEntries(flags) as Record<string, string>) }
      const surroundings = { ...each.surroundings, flags: readKeys(Object.entries(keys), 'fix') }
      const asked = { ...each, keys, surroundings }
      return each.run === 'check' ? transformed(asked, 'transform') : [asked]
    },
  )
}

const isKey = (name: string): boolean => (keyNames as readonly string[]).includes(name)

/** `run virt-numa transform --rebind`. */
const rebinds = (each: GoldenCase, fix: string): GoldenCase[] =>
  /run virt-numa transform --rebind/.test(fix) && each.run === 'check' ? transformed(each, 'rebind') : []

/** The checked document as transform writes it; none where other findings stand against it. */
function transformed(each: GoldenCase, run: 'transform' | 'rebind'): GoldenCase[] {
  const domain = answer({ ...each, run }).answer['expected.xml']
  return domain === undefined ? [] : [{ ...each, domain }]
}

const POOL =
  /echo (\d+) > \/sys\/devices\/system\/node\/node(\d+)\/hugepages\/hugepages-(\d+)kB\/nr_hugepages/g

/** Pages allocated on nodes of the host. */
function pages(each: GoldenCase, fix: string): GoldenCase[] {
  const { surroundings } = each
  let { nodes } = surroundings.host
  for (const [, count, node, size] of fix.matchAll(POOL))
    nodes = nodes.map((one) =>
      one.id !== Number(node)
        ? one
        : {
            ...one,
            pages: one.pages.map((pool) => {
              const more = pool.pagesizeKiB === Number(size) ? Number(count) - pool.total : 0
              return { ...pool, total: pool.total + more, free: (pool.free ?? pool.total) + more }
            }),
          },
    )
  if (nodes === surroundings.host.nodes) return []
  return [{ ...each, surroundings: { ...surroundings, host: { ...surroundings.host, nodes } } }]
}

const cases = readCases().filter(({ run }) => ['transform', 'rebind', 'check'].includes(run))
const seen = new Map<string, number>()

for (const each of cases) {
  const before = findingsOf(each)
  const isRefused = before.some(({ label }) => label === 'error') && each.run !== 'check'
  for (const finding of before) {
    const attempts = finding.fix === '' ? [] : applied(each, finding)
    seen.set(finding.code, (seen.get(finding.code) ?? 0) + attempts.length)
    if (attempts.length === 0) continue
    t.test(`${each.name}: ${finding.code}: ${finding.fix}`, (t) => {
      for (const attempt of attempts) {
        const after = findingsOf(attempt)
        t.notOk(
          after.some(({ code, what }) => code === finding.code && what === finding.what),
          'the finding is gone',
        )
        const known = [...before.map(({ code }) => code), ...(FOLLOWS[finding.code] ?? [])]
        const fresh = after.filter(
          ({ code, label }) => !known.includes(code) && (label === 'error' || !isRefused),
        )
        t.same(fresh, [], 'no other finding has come')
      }
      t.end()
    })
  }
}

t.test('every code of a golden case has a fix that is applied, or a reason why none can be', (t) => {
  for (const [code, count] of seen) t.not(count > 0, code in UNAPPLIED, `${code}: applied ${count} times`)
  t.same(
    Object.keys(UNAPPLIED).filter((code) => !seen.has(code)),
    [],
    'no reason without a golden case',
  )
  t.end()
})
