// A guest on many hosts -> one HTML file that loads nothing.

import { formatSet, setOf } from '../../base/idset.ts'
import { labelOf } from '../diagnostics.ts'
import { messageOf } from '../message.ts'
import { escaped } from '../svg-shapes.ts'
import { countsOf, type Fleet, type FleetOutcome, type FleetRow, reasonsOf } from './fleet-row.ts'
import { fleetHeadline } from './fleet-text.ts'

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif; }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .7rem .25rem 0; }
th, td { border-bottom: 1px solid #8884; }
td.n { font-variant-numeric: tabular-nums; }
.bar { display: flex; height: 1.2rem; margin: 1rem 0 .3rem; border-radius: .2rem; overflow: hidden; }
.starts { --c: #0072b2; } .short { --c: #e69f00; } .refused { --c: #d55e00; } .unread { --c: #777; }
.bar span { background: var(--c); }
.key::before { content: ''; display: inline-block; width: .8em; height: .8em; margin-right: .4em; }
.key::before { background: var(--c); }
.legend span { margin-right: 1.2rem; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem; }
code { font-size: .9em; }
@media print { details > * { display: block; } body { margin: 0; } }
`

const words: Readonly<Record<FleetOutcome, string>> = {
  starts: 'starts',
  short: 'pages or memory lacking now',
  refused: 'cannot be placed',
  unread: 'could not be read',
}

const HEADINGS = ['host', 'result', 'nodes', 'local cells', 'split cores', 'findings']

/** A whole document, with a final newline. The same fleet gives the same bytes. */
export function fleetHtml(fleet: Fleet): string {
  const { rows } = fleet
  const counts = countsOf(rows)
  const shown = (Object.keys(words) as FleetOutcome[]).filter((outcome) => counts[outcome] > 0)
  const title = escaped(fleetHeadline(fleet))
  const bars = shown.map((each) => `<span class="${each}" style="flex:${counts[each]}"></span>`).join('')
  const legend = shown
    .map((each) => `<span class="key ${each}">${words[each]}: ${counts[each]}</span>`)
    .join(' ')
  return [
    '<!DOCTYPE html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${title}</title>`,
    `<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body>`,
    `<h1>${title}</h1>`,
    `<div class="bar">${bars}</div>`,
    `<p class="legend">${legend}</p>`,
    ...reasonList(rows),
    `<table><thead><tr>${HEADINGS.map((each) => `<th>${each}`).join('')}</tr></thead><tbody>`,
    ...rows.map(tableRow),
    '</tbody></table>',
    '</body></html>',
    '',
  ].join('\n')
}

function reasonList(rows: readonly FleetRow[]): string[] {
  const reasons = reasonsOf(rows)
  if (reasons.length === 0) return []
  const items = reasons.map(({ code, hosts }) => `<li><code>${code}</code> on ${hosts}</li>`)
  return [`<p>Why it does not start:</p><ul>${items.join('')}</ul>`]
}

function tableRow({ host, outcome, fit, found }: FleetRow): string {
  const cells =
    fit === undefined
      ? ['', '', '']
      : [
          formatSet(setOf(fit.nodes)),
          fit.cells === 0 ? '-' : `${fit.localCells} of ${fit.cells}`,
          String(fit.splitCores),
        ]
  return (
    `<tr><td>${escaped(host)}<td><span class="key ${outcome}">${words[outcome]}</span>` +
    `${cells.map((cell) => `<td class="n">${cell}`).join('')}<td>${findings(found)}</tr>`
  )
}

function findings(found: FleetRow['found']): string {
  if (found.length === 0) return ''
  const items = found.map((each) => {
    const { what, why, fix } = messageOf(each)
    const more = [why, fix].filter((line) => line !== undefined).map((line) => `<dd>${escaped(line)}</dd>`)
    return `<dt>${labelOf(each, 'capacity-fails')}[${each.code}] ${escaped(what)}</dt>${more.join('')}`
  })
  const codes = [...new Set(found.map(({ code }) => code))].join(', ')
  return `<details><summary>${codes}</summary><dl>${items.join('')}</dl></details>`
}
