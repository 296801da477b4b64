// `node test/run.mjs [--jobs=N] [--timeout=S] [--all|--long] [-g PATTERN] FILE...`: runs built test files,
// each in a separate process and once, in the order given, and prints a line for each, its failures in full,
// and a summary. --all leaves out no test; --long neither, and runs only the files that have such tests.
// TAP_REPORTER=tap prints the TAP. tap's own runner would take a third of the time of `npm test` for its
// loader and its parser.

import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { reportOf } from './report.mjs'

const OPTIONS = {
  jobs: { type: 'string', default: String(availableParallelism()) },
  timeout: { type: 'string', default: '300' },
  all: { type: 'boolean', default: false },
  long: { type: 'boolean', default: false },
  grep: { type: 'string', short: 'g' },
}

/** @returns whether there were files, and all passed */
async function run(words) {
  const { values, positionals } = parseArgs({ args: words, options: OPTIONS, allowPositionals: true })
  const began = performance.now()
  const waiting = [...new Set(positionals)].filter((file) => !values.long || leavesOut(file))
  const isWhole = values.all || values.long
  const ended = []
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await runFile(file, { ...values, isWhole })
      ended.push(result)
      print(result)
    }
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, work))
  summarize(ended, isWhole, performance.now() - began)
  return ended.length > 0 && ended.every(({ isFailed }) => !isFailed)
}

/** esbuild names each file that it put into a bundle. */
const leavesOut = (file) => readFileSync(file, 'utf8').includes('\n// test/long.ts\n')

/** Of the process: its output as lines, and what is wrong with how it ended. */
function runFile(file, { timeout, isWhole, grep }) {
  const began = performance.now()
  const words = ['--enable-source-maps', file, ...(isWhole ? ['--all'] : [])]
  const env = { ...process.env, TAP: '1', TAP_TIMEOUT: timeout, ...(grep && { TAP_GREP: grep }) }
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'], env })
  const written = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'])
    child[stream].setEncoding('utf8').on('data', (text) => {
      written[stream] += text
    })
  // tap ends its tests by itself at this time; this is for a file that hangs in a loop.
  const kill = setTimeout(() => child.kill('SIGKILL'), (Number(timeout) + 10) * 1000)
  return new Promise((resolve) =>
    child.once('close', (status, signal) => {
      clearTimeout(kill)
      const report = reportOf(written.stdout.split('\n'))
      const isFailed = status !== 0 || report.failed > 0 || !report.isWhole
      const ms = performance.now() - began
      resolve({ file, ...written, status, signal, ms, ...report, isFailed })
    }),
  )
}

function print({ file, stdout, stderr, status, signal, ms, lines, passed, failed, isFailed, isWhole }) {
  if (process.env.TAP_REPORTER === 'tap') process.stdout.write(stdout)
  else for (const line of lines) console.log(line)
  if (stderr !== '') console.log(stderr.trimEnd())
  if (isFailed && failed === 0)
    console.log(
      `\n${file} ended with ${signal ?? `status ${status}`}${isWhole ? '' : ', before its last test'}`,
    )
  const seconds = (ms / 1000).toFixed(1)
  console.log(`${isFailed ? 'not ok' : 'ok    '}  ${file}: ${passed + failed} assertions, ${seconds} s`)
}

function summarize(ended, isWhole, ms) {
  const sum = (name) => ended.reduce((total, each) => total + each[name], 0)
  const [passed, failed] = [sum('passed'), sum('failed')]
  const seconds = Math.round(ms / 1000)
  console.log(`\n${passed} assertions passed, ${failed} failed, in ${ended.length} files, ${seconds} s`)
  const option = isWhole ? ' --all' : ''
  for (const { file } of ended.filter(({ isFailed }) => isFailed))
    console.log(`failed: ${file}; to run it alone: npm run test:one -- ${nameOf(file)}${option}`)
}

/** As test:one takes it, with the folder of its source. */
function nameOf(file) {
  const name = basename(file, '.test.cjs')
  const folders = ['core', 'plan', 'doors', 'house', basename(dirname(file))]
  return `${folders.find((each) => existsSync(`test/${each}/${name}.test.ts`))}/${name}`
}

process.exitCode = (await run(process.argv.slice(2))) ? 0 : 1
