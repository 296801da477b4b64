// `npm run test:one -- NAME [-g PATTERN] [--all]`: builds the program and this one test file, and runs it.
// NAME is that of the file without .test.ts: golden, doors/define; -g runs the tests whose names match, --all
// what `npm test` leaves out.

import { spawnSync } from 'node:child_process'
import { buildTest } from '../packaging/build.mjs'

const [name = '', ...options] = process.argv.slice(2)
const files = name.startsWith('-') || name === '' ? [] : await buildTest(name)
if (files.length === 0) {
  console.error(`no test file is called "${name}"; usage: npm run test:one -- NAME [-g PATTERN] [--all]`)
  process.exit(2)
}
const run = [process.execPath, 'test/run.mjs', '--timeout=900', ...options, ...files]
const isEndToEnd = files.some((file) => file.includes('/e2e/'))
const [command, ...words] = isEndToEnd ? ['test/e2e/reaped.sh', ...run] : run
const { status } = spawnSync(command, words, { stdio: 'inherit' })
process.exit(status ?? 1)
