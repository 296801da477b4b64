// The actual placement of running guests -> Prometheus text for the node exporter's textfile collector.

import { formatSet } from '../base/idset.ts'
import { visible } from '../base/visible.ts'
import type { ActualPlacement, CellPlace, GuestsOfHost } from '../model/actual-placement.ts'
import { isMisplaced, remoteRatio } from './actual-placement.ts'
import { findingsOf, summaryOf } from './guests/summary.ts'

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

interface Metric {
  readonly name: string
  readonly help: string
  readonly samples: readonly Sample[]
}

/**
 * One guest. Every metric is a gauge. An unknown fact has no sample; a metric without samples is left out.
 * Cells whose memory cannot be distinguished share one label, "0-1".
 * @see https://prometheus.io/docs/instrumenting/exposition_formats
 */
export const actualMetrics = (actual: ActualPlacement, findings: number): string =>
  exposition(metricsOf(actual, findings))

/** All guests of a host: the metrics of each, and about the run itself. Of equal names the first counts. */
export function guestsMetrics({ guests, problems, nodes }: GuestsOfHost, version: string): string {
  const names = new Set<string>()
  const distinct = guests.filter(({ actual }) => !names.has(actual.guest) && names.add(actual.guest))
  const summaries = distinct.map(({ actual }) => ({ guest: actual.guest, ...summaryOf(actual, nodes) }))
  const perGuest = (value: (summary: (typeof summaries)[0]) => number | undefined): Sample[] =>
    summaries.flatMap((summary) => {
      const known = value(summary)
      return known === undefined ? [] : [{ labels: { guest: summary.guest }, value: known }]
    })
  return exposition([
    {
      name: 'build_info',
      help: 'The version of virt-numa that wrote these metrics; the value is always 1.',
      samples: [{ labels: { version }, value: 1 }],
    },
    { name: 'guests', help: 'Running guests.', samples: [{ labels: {}, value: guests.length }] },
    {
      name: 'read_errors',
      help: 'Errors that kept running guests from being read.',
      samples: [{ labels: {}, value: problems.length }],
    },
    {
      name: 'guest_local_ratio',
      help: 'Share of the allocated memory of a guest on the nodes of its cells, 0 to 1.',
      samples: perGuest(({ localRatio }) => localRatio),
    },
    {
      name: 'guest_threads',
      help: 'Threads of a guest that were compared with its pins.',
      samples: perGuest(({ threads }) => threads),
    },
    {
      name: 'guest_threads_misplaced',
      help: 'Threads of a guest that may run on unexpected CPUs.',
      samples: perGuest(({ misplacedThreads }) => misplacedThreads),
    },
    ...merged(distinct.map((each) => metricsOf(each.actual, findingsOf(each)))),
  ])
}

/** The samples of all guests below each metric. */
function merged(all: readonly (readonly Metric[])[]): Metric[] {
  const [first = []] = all
  return first.map((metric, index) => ({
    ...metric,
    samples: all.flatMap((metrics) => metrics[index]?.samples ?? []),
  }))
}

/** Always the same metrics in the same order. */
function metricsOf({ guest, cells, threads }: ActualPlacement, findings: number): Metric[] {
  const perCell = (value: (place: CellPlace) => number | undefined): Sample[] =>
    cells.flatMap((place) => {
      const known = place.policies.length === 0 ? undefined : value(place)
      return known === undefined ? [] : [{ labels: { guest, cell: formatSet(place.cells) }, value: known }]
    })
  const misplaced = (role: 'vcpu' | 'iothread' | 'emulator'): Sample[] => {
    const known = threads.filter((thread) => thread.role === role && thread.verdict !== 'unknown')
    const wrong = new Set(known.filter(isMisplaced).map(({ id }) => id))
    return [...new Set(known.map(({ id }) => id))].map((id) => ({
      labels: { guest, ...(id !== undefined && { [role]: id }) },
      value: wrong.has(id) ? 1 : 0,
    }))
  }
  const perNode = cells.flatMap((place) =>
    [...place.nodesKiB].map(([node, kib]) => ({
      labels: { guest, cell: formatSet(place.cells), node },
      value: kib * 1024,
    })),
  )
  const bytes = (kib: number | undefined): number | undefined => (kib === undefined ? undefined : kib * 1024)
  return [
    running(guest, 1),
    {
      name: 'findings',
      help: 'Findings of virt-numa verify: threads and memory that are not placed as the domain states.',
      samples: [{ labels: { guest }, value: findings }],
    },
    { name: 'cell_memory_bytes', help: 'Allocated memory of a guest cell on a host node.', samples: perNode },
    {
      name: 'cell_size_bytes',
      help: 'Memory of a guest cell, allocated or not, memory devices included.',
      samples: cells.map(({ cells: ids, memoryKiB }) => ({
        labels: { guest, cell: formatSet(ids) },
        value: memoryKiB * 1024,
      })),
    },
    {
      name: 'cell_remote_bytes',
      help: 'Allocated memory of a guest cell on unexpected host nodes.',
      samples: perCell((cell) => bytes(cell.elsewhereKiB)),
    },
    {
      name: 'cell_remote_ratio',
      help: 'Share of the allocated memory of a guest cell on unexpected host nodes, 0 to 1.',
      samples: perCell(remoteRatio),
    },
    {
      name: 'cell_unknown_bytes',
      help: 'Memory of a guest cell whose mapping cannot be found.',
      samples: cells.map((cell) => ({
        labels: { guest, cell: formatSet(cell.cells) },
        value: cell.unknownKiB * 1024,
      })),
    },
    {
      name: 'cell_thp_bytes',
      help: 'Memory of a guest cell in transparent huge pages.',
      samples: perCell((cell) => bytes(cell.thpKiB)),
    },
    {
      name: 'cell_swap_bytes',
      help: 'Memory of a guest cell that is swapped out.',
      samples: perCell((cell) => bytes(cell.swapKiB)),
    },
    {
      name: 'vcpu_misplaced',
      help: 'Whether a vCPU may run on unexpected CPUs (1) or not (0).',
      samples: misplaced('vcpu'),
    },
    {
      name: 'iothread_misplaced',
      help: 'Whether an I/O thread may run on unexpected CPUs (1) or not (0).',
      samples: misplaced('iothread'),
    },
    {
      name: 'emulator_misplaced',
      help: 'Whether an emulator thread may run on unexpected CPUs (1) or not (0).',
      samples: misplaced('emulator'),
    },
  ]
}

/** The metrics of a guest that is not running, which replace those of its last run. */
export function absentMetrics(guest: string): string {
  return exposition([running(guest, 0)])
}

const running = (guest: string, value: 0 | 1): Metric => ({
  name: 'guest_running',
  help: 'Whether the guest was running when it was verified.',
  samples: [{ labels: { guest }, value }],
})

function exposition(metrics: readonly Metric[]): string {
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, samples }) => {
      const lines = samples.map(({ labels, value }) => `virt_numa_${name}${labelText(labels)} ${value}\n`)
      return `# HELP virt_numa_${name} ${help}\n# TYPE virt_numa_${name} gauge\n${lines.join('')}`
    })
    .join('')
}

function labelText(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${visible(`${value}`).replace(/["\\]/g, '\\$&')}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
