// How the guest's memory is divided among its cells.

import t from 'tap'
import type { DomainView } from '../../src/model/domain.ts'
import { splitMemory } from '../../src/plan/cells/memory.ts'
import { type RequestedKeys, requestFrom } from '../../src/request/request.ts'
import { guest, HOST, orCodes } from './fixtures.ts'

interface Given {
  /** The vCPUs of each cell, on nodes 0, 1, ... */
  readonly vcpus: readonly number[]
  readonly memoryMiB?: number
  readonly view?: Partial<DomainView>
  readonly requested?: RequestedKeys
  readonly pagesizeKiB?: number
}

/** MiB of each cell, or the codes of a refusal. */
function divided({ vcpus, memoryMiB = 1024, view, requested = {}, pagesizeKiB }: Given): string {
  const whole = { ...guest(vcpus.length), memoryKiB: memoryMiB * 1024, ...view }
  const cells = vcpus.map((count, node) => ({ node, vcpus: count }))
  const split = (): readonly number[] =>
    splitMemory({ view: whole, resources: HOST, request: requestFrom([requested]) }, cells, pagesizeKiB)
  return orCodes(() =>
    split()
      .map((kib) => kib / 1024)
      .join(' '),
  )
}

const EVEN: RequestedKeys = { memory: 'even' }
const DEVICE = "<memory model='dimm'><target><size unit='MiB'>256</size><node>0</node></target></memory>"
const { memoryDevices: DIMM } = guest(2, `<devices>${DEVICE}</devices>`)

const table: readonly (readonly [string, Given, string])[] = [
  ['by vCPU', { vcpus: [3, 1] }, '768 256'],
  ['even', { vcpus: [3, 1], requested: EVEN }, '512 512'],
  [
    'by free pages, without huge pages: by vCPU',
    { vcpus: [3, 1], requested: { memory: 'by-free-pages' } },
    '768 256',
  ],
  ['a remainder goes to the lowest cells', { vcpus: [1, 1, 1], memoryMiB: 1001 }, '334 334 333'],
  ['what is left below 1 MiB goes to the last cell', { vcpus: [1, 1], memoryMiB: 1024.5 }, '512 512.5'],
  ['one cell has it all', { vcpus: [4], memoryMiB: 1024.5 }, '1024.5'],
  ['an odd page goes to the lowest cell', { vcpus: [1, 1], memoryMiB: 1026, pagesizeKiB: 2048 }, '514 512'],
  ['pages of 1 GiB', { vcpus: [1, 1], memoryMiB: 3072, pagesizeKiB: 2 ** 20 }, '2048 1024'],
  ['pages of 64 KiB: whole MiB all the same', { vcpus: [1, 1], memoryMiB: 1025, pagesizeKiB: 64 }, '513 512'],
  [
    "KubeVirt's cells: whole pages",
    { vcpus: [1, 1], memoryMiB: 1024.0625, requested: { like: 'kubevirt' }, pagesizeKiB: 64 },
    '512.0625 512',
  ],
  ['ppc64: whole 256 MiB', { vcpus: [1, 1], memoryMiB: 1280, view: { arch: 'ppc64le' } }, '768 512'],
  ['no cell stays empty', { vcpus: [9, 1], memoryMiB: 4, pagesizeKiB: 2048 }, '2 2'],
  ['memory devices are left out', { vcpus: [1, 1], view: { memoryDevices: DIMM } }, '384 384'],
  ['less than a unit for each cell', { vcpus: [1, 1], memoryMiB: 1 }, 'memory-too-small'],
  [
    'no multiple of the page size',
    { vcpus: [1, 1], memoryMiB: 1025, pagesizeKiB: 2048 },
    'memory-not-page-multiple',
  ],
]

for (const [what, given, expected] of table) {
  t.test(`division of memory: ${what}`, (t) => {
    t.equal(divided(given), expected)
    t.end()
  })
}
