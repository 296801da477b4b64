// The TAP of one test file to a short report: each failure in full, with the names of the tests around it,
// and what the tests print themselves.

const RESULT = /^( *)(not )?ok \d+(?: - (.*?))?(?: # time=([\d.]+)ms)?$/
/** Lines that say nothing about a failure: plans, comments, versions. */
const QUIET = /^ *(?:#.*|\d+\.\.\d+.*|TAP version .*|pragma .*|ok \d+ - .* # SKIP.*)?$/
/** The plan of the file, which comes last: without it the file did not run to its end. */
const PLAN = /^1\.\.[1-9]\d*$/

/**
 * @param tap the lines that the file wrote
 * @returns the lines to print, the numbers of assertions, and whether the file came to its end
 */
export function reportOf(tap) {
  const report = { lines: [], passed: 0, failed: 0, isWhole: tap.some((line) => PLAN.test(line)) }
  /** The tests that the current line is in, with what was counted before them. */
  const around = []
  let isYaml = false
  let isExplained = false
  const counted = () => ({ all: report.passed + report.failed, failed: report.failed })

  /** A test that asserts nothing by itself, or that fails though its assertions hold, counts as one. */
  const end = ({ depth, isFailed, name }) => {
    isExplained = false
    const test = around[depth]?.name === name ? around.splice(depth)[0] : undefined
    const now = counted()
    const isCounted = test !== undefined && now.all > test.before.all
    if (isCounted && !(isFailed && now.failed === test.before.failed)) return
    report[isFailed ? 'failed' : 'passed'] += 1
    isExplained = isFailed
    const names = [...around.slice(0, depth).map((each) => each.name), name]
    if (isFailed) report.lines.push('', `not ok: ${names.join(' > ')}`)
  }

  for (const line of tap) {
    const [, subtest] = /^ *# Subtest: (.*)$/.exec(line) ?? []
    const result = RESULT.exec(line)
    const depth = line.search(/\S|$/) / 4
    if (isYaml) {
      isYaml = line.trim() !== '...'
      if (isYaml && isExplained) report.lines.push(line.trimEnd())
    } else if (subtest !== undefined)
      around.splice(depth, around.length, { name: subtest, before: counted() })
    else if (line.trim() === '---') isYaml = true
    else if (result !== null && !QUIET.test(line))
      end({ depth, isFailed: result[2] !== undefined, name: result[3] })
    else if (!QUIET.test(line)) report.lines.push(line)
  }
  return report
}
