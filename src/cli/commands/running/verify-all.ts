// `virt-numa verify --all`: every running guest compared with its XML, in one table.

import { shownName } from '../../../base/visible.ts'
import { classOf } from '../../../codes/codes.ts'
import { actualFacts } from '../../../explain/actual-facts.ts'
import { diagnosticFacts } from '../../../explain/facts.ts'
import { findingsOf } from '../../../explain/guests/summary.ts'
import { guestsText } from '../../../explain/guests/text.ts'
import { guestsMetrics } from '../../../explain/metrics.ts'
import { saveFile } from '../../../machine/write/save.ts'
import type { GuestsOfHost } from '../../../model/actual-placement.ts'
import { print, printJson, printLines } from '../../output.ts'
import { type Running, report } from '../../report.ts'
import { surveyAll } from './all.ts'

/** The version in package.json, which packaging/build.mjs fills in. */
declare const VERSION: string

interface VerifyAll {
  readonly host?: string
  readonly metrics?: string
  readonly json: boolean
}

/** @returns 1 for findings, and for guests that cannot be read */
export async function verifyAll({ host, metrics, json }: VerifyAll, running: Running): Promise<number> {
  running.sources.length = 0
  const all = await surveyAll(host, 'pages', running)
  if (metrics !== undefined) saveFile(metrics, guestsMetrics(all, VERSION))
  if (json) printJson(allFacts(all, running))
  else print(1, guestsText(all, 'findings'))
  for (const { actual, found } of all.guests) {
    if (found.length > 0 && !json) printLines(2, [`guest ${shownName(actual.guest)}, process ${actual.pid}:`])
    report(json ? found.filter(({ code }) => classOf(code) !== 'note') : found, running)
  }
  report(all.problems, running)
  return all.problems.length === 0 && all.guests.every((each) => findingsOf(each) === 0) ? 0 : 1
}

function allFacts({ guests, problems }: GuestsOfHost, { severity, sources }: Running): object {
  return {
    guests: guests.map((each) => ({
      ...actualFacts(each.actual),
      findings: findingsOf(each),
      diagnostics: diagnosticFacts(each.found, severity, sources),
    })),
    findings: guests.reduce((all, each) => all + findingsOf(each), 0),
    diagnostics: diagnosticFacts(problems, severity, sources),
  }
}
