// The actual placement of a running guest -> Prometheus text for the node exporter's textfile collector.

import { formatSet } from '../base/idset.ts'
import { visible } from '../base/visible.ts'
import type { ActualPlacement, CellPlace } from '../model/actual-placement.ts'
import { remoteRatio } from './actual-placement.ts'

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
 * Every metric is a gauge. An unknown fact has no sample; a metric without samples is left out.
 * Cells whose memory cannot be distinguished share one label, "0-1".
 * @see https://prometheus.io/docs/instrumenting/exposition_formats
 */
export function actualMetrics({ guest, cells, threads }: ActualPlacement, findings: number): string {
  const perCell = (value: (place: CellPlace) => number | undefined): Sample[] =>
    cells.flatMap((place) => {
      const known = place.policies.length === 0 ? undefined : value(place)
      return known === undefined ? [] : [{ labels: { guest, cell: formatSet(place.cells) }, value: known }]
    })
  const misplaced = (role: 'vcpu' | 'iothread' | 'emulator'): Sample[] => {
    const known = threads.filter((thread) => thread.role === role && thread.verdict !== 'unknown')
    const wrong = new Set(known.filter(({ verdict }) => MISPLACED.includes(verdict)).map(({ id }) => id))
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
  return exposition([
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
  ])
}

const MISPLACED: readonly string[] = ['wider', 'elsewhere', 'crowded']

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
      const lines = samples.map(({ labels, value }) => `virt_numa_${name}{${labelText(labels)}} ${value}\n`)
      return `# HELP virt_numa_${name} ${help}\n# TYPE virt_numa_${name} gauge\n${lines.join('')}`
    })
    .join('')
}

function labelText(labels: Sample['labels']): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${visible(`${value}`).replace(/["\\]/g, '\\$&')}"`)
    .join(',')
}
