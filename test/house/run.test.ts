// The runner of the tests: every way in which a test file can fail is a failure, and is named.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { runApart } from '../apart.ts'
import { folder } from '../seed.ts'

const tap = `const t = require(${JSON.stringify(require.resolve('tap'))})\n`

/** Each with what the report prints about it. */
const FAILING = {
  'assertion.test.cjs': [
    `${tap}t.test('an outer', async (t) => t.test('an inner', async (t) => t.equal(1, 2, 'one is two')))`,
    /^not ok: an outer > an inner > one is two$[\s\S]*lineNumber: 2\n[\s\S]*^ +-2\n +\+1$/m,
  ],
  'crash.test.cjs': [`${tap}t.pass('first'); process.exit(3)`, /crash\.test\.cjs ended with status 3\n/],
  'empty.test.cjs': ['', /empty\.test\.cjs ended with status 0, before its last test\n/],
  'error.test.cjs': ["throw new Error('thrown at the start')", /^Error: thrown at the start$/m],
  'killed.test.cjs': [
    `${tap}t.test('hangs', () => new Promise(() => {})); process.kill(process.pid, 'SIGKILL')`,
    /killed\.test\.cjs ended with SIGKILL, before its last test\n/,
  ],
  'slow.test.cjs': [
    `${tap}t.test('waits', () => new Promise((done) => setTimeout(done, 4000)))`,
    /^not ok: waits > timeout!$/m,
  ],
} as const

t.test('every failure of a test file is reported', (t) => {
  const place = folder(t)
  const write = (name: string, text: string): string => {
    writeFileSync(join(place, name), text)
    return join(place, name)
  }
  const passing = write('passing.test.cjs', `${tap}t.test('one', (t) => { t.pass(); t.end() })`)
  const run = (...words: string[]) => runApart(process.execPath, ['test/run.mjs', ...words])
  const passed = run(passing)
  t.equal(passed.status, 0, passed.stderr)
  t.match(passed.stdout, /^1 assertions passed, 0 failed, in 1 files, /m)
  const files = Object.entries(FAILING).map(([name, [text]]) => write(name, text))
  const { status, stdout } = run('--timeout=2', passing, ...files)
  t.equal(status, 1)
  for (const [name, [, finding]] of Object.entries(FAILING)) {
    t.match(stdout, finding, name)
    t.match(stdout, `failed: ${join(place, name)}; to run it alone: npm run test:one -- `, name)
  }
  t.notMatch(stdout, `failed: ${passing}`)
  t.end()
})

t.test('--long runs the files with tests that are left out otherwise', (t) => {
  const place = folder(t)
  const files = [
    ['whole.test.cjs', ''],
    ['partial.test.cjs', '\n// test/long.ts\n'],
  ].map(([name = '', marker]) => {
    writeFileSync(join(place, name), `${tap}${marker}t.ok(process.argv.includes('--all'))`)
    return join(place, name)
  })
  const { status, stdout } = runApart(process.execPath, ['test/run.mjs', '--long', ...files])
  t.equal(status, 0, stdout)
  t.match(stdout, /^ok +\S*\/partial\.test\.cjs: 1 assertions/m)
  t.notMatch(stdout, 'whole')
  t.equal(runApart(process.execPath, ['test/run.mjs', '--long', files[0] ?? '']).status, 1, 'no file')
  t.end()
})

t.test('npm run test:long finds the built files with such tests', (t) => {
  const sources = readdirSync('test', { recursive: true, encoding: 'utf8' })
  const built = sources
    .filter((file) => /^(core|plan|doors|house)\/[^/]*\.test\.ts$/.test(file))
    .map((file) => [file, `dist/test/${basename(file, '.ts')}.cjs`] as const)
    .filter(([, bundle]) => existsSync(bundle))
  t.ok(built.length > 0)
  for (const [file, bundle] of built) {
    const isPartial = /from '\.\.\/long\.ts'/.test(readFileSync(`test/${file}`, 'utf8'))
    t.equal(readFileSync(bundle, 'utf8').includes('\n// test/long.ts\n'), isPartial, file)
  }
  t.end()
})
