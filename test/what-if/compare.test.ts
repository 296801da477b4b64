// plan --compare: each column is what plan prints with that value, and a value that is refused is a column.

import t from 'tap'
import { codesOf, folder, SEED, shell } from '../seed.ts'

t.setTimeout(120_000)

const plan = '$N plan --host $HOST'
const DOMAIN = `${SEED}/domain.xml`

interface Compared {
  readonly guest?: string
  readonly compared: string
  readonly differs?: string
  readonly variants: readonly (Record<string, unknown> & {
    readonly value: string
    readonly refused: boolean
    readonly diagnostics: readonly { readonly code: string }[]
  })[]
}

t.test('each variant is the plan with that value', async (t) => {
  const place = folder(t)
  const { status, stdout, stderr } = shell(`${plan} --json --compare cells=2,1,per-node ${DOMAIN}`, place)
  t.same([status, stderr], [0, ''])
  const { guest, compared, variants }: Compared = JSON.parse(stdout)
  t.same([guest, compared], ['seed', 'cells'])
  t.same(
    variants.map(({ value, refused }) => [value, refused]),
    [
      ['2', false],
      ['1', true],
      ['per-node', false],
    ],
  )
  for (const { value, refused, cost, worseBy, ...rest } of variants) {
    const alone = JSON.parse(shell(`${plan} --json --cells ${value} ${DOMAIN}`, place).stdout)
    t.same(rest, alone, `as plan --cells ${value} prints it`)
    if (!refused) t.same([worseBy, Object.keys(cost as object).length], [null, 9])
  }
})

t.test('the text has a column for each variant, at most 80 columns wide', async (t) => {
  const place = folder(t)
  const { status, stdout } = shell(`${plan} --compare cells=per-node,1,2,3,9 ${DOMAIN}`, place)
  t.equal(status, 0)
  const lines = stdout.split('\n')
  t.same(
    lines.filter((line) => line.length > 80),
    [],
  )
  t.same(
    lines
      .filter((line, at) => /^result/.test(line) || /^result/.test(lines[at + 1] ?? ''))
      .map((line) => line.split(/ {2,}/)),
    [
      ['cells', 'per-node', '1', '2'],
      ['result', '3 edits', 'refused: 1 reason', '3 edits'],
      ['cells', '3', '9'],
      ['result', '3 edits', 'refused: 1 reason'],
    ],
  )
  t.match(stdout, / nodes-too-small: /)
  t.match(stdout, / cells-too-many:\n/)
  t.match(stdout, /^cost +least/m)
})

t.test('the criterion in which variants differ is named', async (t) => {
  const host = '4n4c1t,64G'
  const { stdout } = shell(
    `${plan.replace('$HOST', host)} --compare 'cpuset=0-3;0-1,4-5;0,4,8,12' ${DOMAIN}`,
    folder(t),
  )
  t.match(stdout, /^cpuset +0-3 +0-1,4-5 +0,4,8,12$/m)
  t.match(stdout, /^cost +least +distance: \d+, least 0/m)
})

t.test('status 1 where every variant is refused, 2 for what cannot be compared', async (t) => {
  const place = folder(t)
  const all = shell(`${plan} --compare cells=1,9 ${DOMAIN}`, place)
  t.same([all.status, codesOf(all.stderr)], [1, ['nodes-too-small', 'cells-too-many']])
  t.match(all.stdout, /refused: 1 reason/, 'the columns are printed all the same')
  const wrong: readonly (readonly [words: string, code: string])[] = [
    ['--compare memory', 'usage-option-value'],
    ['--compare memory=even', 'usage-option-value'],
    ['--compare memory=even,even', 'usage-option-value'],
    ['--compare memory=even,', 'usage-option-value'],
    ['--compare memory=even,odd', 'usage-value'],
    ['--compare memry=even,by-vcpu', 'usage-value'],
    ['--compare memory=even,by-vcpu --memory even', 'usage-conflict'],
    ['--compare memory=even,by-vcpu --svg a.svg', 'usage-conflict'],
  ]
  for (const [words, code] of wrong) {
    const { status, stderr } = shell(`${plan} ${words} ${DOMAIN}`, place)
    t.same([status, codesOf(stderr)], [2, [code]], words)
  }
})
