// Which source decides on the CPUs that a guest may use.

import t from 'tap'
import { type CpuSet, formatSet } from '../../src/base/idset.ts'
import { parseSet } from '../../src/base/parse-set.ts'
import { allowedCpus } from '../../src/request/allowed-cpus.ts'

const cpus = (text: string): CpuSet => parseSet<CpuSet>(text, 'test')

type Stated = Partial<Record<'cpuset' | 'pins' | 'pod' | 'confined', string>>

/** What the sources say on a host of CPUs 0-7; "-": a guest without pins. */
const table: readonly (readonly [string, Stated, string])[] = [
  ['nothing is said', {}, 'online 0-7'],
  ['a cgroup confines it', { confined: '2-5' }, 'confined 2-5'],
  ['a cgroup allows nothing', { confined: '-' }, 'confined '],
  ["its pod's pins are stronger than the cgroup", { confined: '2-5', pod: '1,3' }, 'pod 1,3'],
  ['a pod without pins', { confined: '2-5', pod: '-' }, 'confined 2-5'],
  ['its own pins are stronger than the pod', { pins: '6-7', pod: '1,3' }, 'pins 6-7'],
  ['as-pinned without a pin: as given', { pins: '-', confined: '2-5' }, 'pins 2-5'],
  ['a cpuset is the strongest', { cpuset: '0,4', pins: '6', pod: '1', confined: '2' }, 'cpuset 0,4'],
  ['CPUs that are offline are left out', { cpuset: '6-9' }, 'cpuset 6-7'],
  ['even if none is left', { pins: '8-9', confined: '2' }, 'pins '],
]

for (const [what, stated, expected] of table) {
  t.test(`allowed CPUs: ${what}`, (t) => {
    const sources = Object.entries(stated).map(([key, text]) => [key, cpus(text === '-' ? '' : text)])
    const { by, cpus: allowed } = allowedCpus({ online: cpus('0-7'), ...Object.fromEntries(sources) })
    t.equal(`${by} ${formatSet(allowed)}`, expected)
    t.end()
  })
}
