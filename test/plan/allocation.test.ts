// Which nodes may back memory that QEMU allocates at start, by the version of libvirt and the emulator.

import t from 'tap'
import {
  allocationOfNew,
  backingNodes,
  emulatorAsWritten,
  startsWithoutCpus,
} from '../../src/plan/backing/allocation.ts'
import { type RequestedKeys, requestFrom } from '../../src/request/request.ts'
import { cpus, guest, HOST } from './fixtures.ts'

/** Whether it starts with a pinned emulator, and with one that is not pinned. */
const versions: readonly (readonly [string | undefined, boolean, boolean])[] = [
  [undefined, false, false],
  ['7.0.0', true, true],
  ['8.9.0', true, true],
  ['8.10.0', false, false],
  ['9.0.0', false, false],
  ['9.1.0', false, false],
  ['9.2.0', true, false],
  ['9.10', true, false],
  ['10.0.0', true, false],
  ['12.5.0', true, false],
]

for (const [libvirt, pinned, unpinned] of versions) {
  t.test(`memory on nodes without CPUs: libvirt ${libvirt ?? 'of an unknown version'}`, (t) => {
    const host = libvirt === undefined ? {} : { libvirt }
    t.equal(startsWithoutCpus(host, 'pinned'), pinned, 'pinned')
    t.equal(startsWithoutCpus(host, 'unpinned'), unpinned, 'not pinned')
    t.end()
  })
}

t.test('nodes that may back memory', (t) => {
  const [first, second] = HOST.nodes
  if (first === undefined || second === undefined) return t.fail('two nodes')
  const bare = { ...HOST, nodes: [first, { ...second, cpus: cpus('') }] }
  t.same(backingNodes(HOST, 'pinned'), { later: [0, 1], 'at-start': [0, 1] })
  t.same(backingNodes(bare, 'pinned'), { later: [0, 1], 'at-start': [0] }, 'those with CPUs')
  t.same(backingNodes({ ...bare, libvirt: '9.2.0' }, 'pinned')['at-start'], [0, 1])
  t.same(backingNodes({ ...bare, libvirt: '9.2.0' }, 'unpinned')['at-start'], [0])
  const memoryless = {
    ...bare,
    nodes: [
      { ...first, memoryKiB: 0 },
      { ...second, cpus: cpus('') },
    ],
  }
  t.same(backingNodes(memoryless, 'pinned')['at-start'], [1], 'no node with memory has CPUs')
  t.end()
})

t.test('what QEMU allocates at start', (t) => {
  const of = (inside: string, keys: RequestedKeys = {}): string =>
    allocationOfNew({
      view: guest(1, `<memoryBacking>${inside}</memoryBacking>`),
      resources: { ...HOST, pools: [{ pagesizeKiB: 16 }] },
      request: requestFrom([keys]),
    })
  const pages = (kib: number): string => `<hugepages><page size='${kib}'/></hugepages>`
  t.equal(of(''), 'later')
  t.equal(of('<locked/>'), 'later', 'locked memory has no thread-context')
  t.equal(of("<allocation mode='immediate'/>"), 'at-start')
  t.equal(of('<hugepages/>'), 'at-start', 'the default size')
  t.equal(of(pages(2048)), 'at-start')
  t.equal(of(pages(4)), 'later', 'the size of ordinary pages')
  t.equal(of(pages(16)), 'at-start', 'a small size of which the host has a pool')
  t.equal(of(pages(2048), { pagesize: 'none' }), 'later')
  t.equal(of('', { pagesize: 2048 }), 'at-start')
  t.equal(of("<allocation mode='immediate'/>", { pagesize: 'none' }), 'at-start')
  t.end()
})

t.test('an emulator that libvirt knows CPUs for', (t) => {
  t.equal(emulatorAsWritten(guest(1)), 'unpinned')
  t.equal(emulatorAsWritten(guest(1, "<cputune><emulatorpin cpuset='0'/></cputune>")), 'pinned')
  t.equal(emulatorAsWritten({ vcpuCpuset: cpus('0'), vcpuAuto: false }), 'pinned')
  t.equal(emulatorAsWritten({ vcpuAuto: true }), 'pinned', 'the CPUs of the nodes that numad names')
  t.end()
})
