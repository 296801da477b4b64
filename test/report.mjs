#!/usr/bin/env node
// The report of `npm test`: reads TAP, prints a line for each test file, each failure in full, what a test
// prints itself, and a summary. TAP_REPORTER=tap prints the TAP as it is.

import { createInterface } from 'node:readline'

const RESULT = /^( *)(not )?ok \d+(?: - (.*?))?(?: # time=([\d.]+)ms)?$/
/** Lines that say nothing about a failure: plans, comments, versions. */
const QUIET = /^ *(?:#.*|\d+\.\.\d+.*|TAP version .*|pragma .*|ok \d+ - .* # SKIP.*)?$/

/** The tests that the current line is in, with what was counted before them; the first is the file. */
const around = []
const passed = { files: 0, assertions: 0 }
const failed = { files: [], assertions: 0 }
let isExplaining = false
let isExplained = false

function read(line) {
  if (isExplaining) return explain(line)
  const [, subtest] = /^ *# Subtest: (.*)$/.exec(line) ?? []
  const result = RESULT.exec(line)
  const depth = line.search(/\S|$/) / 4
  if (subtest !== undefined) around.splice(depth, around.length, { name: subtest, before: counted() })
  else if (line.trim() === '---') isExplaining = true
  else if (QUIET.test(line)) return
  else if (result !== null) end({ depth, isFailed: result[2] !== undefined, name: result[3], ms: result[4] })
  else console.log(line)
}

/** The YAML after a result; that of a failure is printed. */
function explain(line) {
  if (line.trim() === '...') isExplaining = false
  else if (isExplained) console.log(line.trimEnd())
}

const counted = () => ({ all: passed.assertions + failed.assertions, failed: failed.assertions })

/**
 * Of an assertion, or of a test; a test that asserts nothing by itself, or that fails though its assertions
 * hold, counts as one.
 */
function end({ depth, isFailed, name, ms }) {
  isExplained = false
  const test = around[depth]?.name === name ? around.splice(depth)[0] : undefined
  const now = counted()
  const isCounted = test !== undefined && now.all > test.before.all
  if (!isCounted || (isFailed && now.failed === test.before.failed)) {
    ;(isFailed ? failed : passed).assertions += 1
    isExplained = isFailed
    if (isFailed)
      console.log(`\nnot ok: ${[...around.slice(0, depth).map((each) => each.name), name].join(' > ')}`)
  }
  if (depth === 0) endFile({ name, isFailed, ms, count: counted().all - (test?.before.all ?? 0) })
}

function endFile({ name, isFailed, ms, count }) {
  const seconds = (Number(ms) / 1000).toFixed(1)
  console.log(`${isFailed ? 'not ok' : 'ok    '}  ${name}: ${count} assertions, ${seconds} s`)
  if (isFailed) failed.files.push(name)
  else passed.files += 1
}

const lines = createInterface({ input: process.stdin })
lines.on('line', read)
lines.on('close', () => {
  const all = failed.files.length + passed.files
  console.log(`\n${passed.assertions} assertions passed, ${failed.assertions} failed, in ${all} files`)
  for (const name of failed.files) console.log(`failed: ${name}`)
})
