// CPUs that running guests have to themselves, from libvirt's status files.

import t from 'tap'
import { type CpuSet, formatSet } from '../../src/base/idset.ts'
import { readTaken } from '../../src/host/qemu/taken.ts'
import { fake } from './fake-files.ts'

const RUN = '/run/libvirt/qemu'

interface Guest {
  readonly name?: string
  /** Elements of <cputune>. */
  readonly tune: string
  /** Ids of the vCPUs that are online and have threads of their own. */
  readonly threads?: readonly number[]
}

function status({ name = 'db1', tune, threads = [0, 1] }: Guest): string {
  const vcpus = threads.map((id) => `<vcpu id='${id}' pid='${100 + id}'/>`).join('')
  return (
    `<domstatus state='running' pid='99'><vcpus>${vcpus}</vcpus><domain type='kvm' id='1'>` +
    `<name>${name}</name><vcpu>4</vcpu><cputune>${tune}</cputune></domain></domstatus>`
  )
}
const pin = (vcpu: number, cpuset: string): string => `<vcpupin vcpu='${vcpu}' cpuset='${cpuset}'/>`

function taken(texts: Record<string, string>): { taken: string[]; unread: readonly string[] } {
  const { taken, unread } = readTaken(fake(texts))
  return { taken: taken.map(({ guest, cpus }) => `${guest}: ${formatSet(cpus as CpuSet)}`), unread }
}

t.test('which pins count', (t) => {
  const cpusOf = (guest: Guest): string[] => taken({ [`${RUN}/db1.xml`]: status(guest) }).taken
  const one = pin(0, '4') + pin(1, '6')
  t.same(cpusOf({ tune: one }), ['db1: 4,6'])
  t.same(cpusOf({ tune: pin(0, '4-5') + pin(1, '6-7') }), [], 'pinned to sets')
  t.same(cpusOf({ tune: one, threads: [0] }), ['db1: 4'], 'vCPU 1 is offline')
  t.same(cpusOf({ tune: one, threads: [] }), ['db1: 4,6'], 'one thread runs all vCPUs')
  t.same(cpusOf({ tune: `${pin(0, '4-5')}<vcpusched vcpus='0' scheduler='fifo' priority='1'/>` }), [
    'db1: 4-5',
  ])
  t.same(cpusOf({ tune: `${pin(0, '4-5')}<vcpusched vcpus='0' scheduler='batch'/>` }), [])
  t.same(cpusOf({ tune: "<emulatorpin cpuset='4'/><iothreadpin iothread='1' cpuset='5'/>" }), [])
  t.end()
})

t.test('files of both folders, by the name of the guest; other files are not read', (t) => {
  t.same(
    taken({
      [`${RUN}/b.xml`]: status({ name: 'b', tune: pin(0, '2') }),
      [`${RUN}/run/a.xml`]: status({ name: 'a', tune: pin(0, '1') }),
      [`${RUN}/run/b.xml`]: status({ name: 'b', tune: pin(0, '2') }),
      [`${RUN}/b.pid`]: '99',
    }),
    { taken: ['a: 1', 'b: 2'], unread: [] },
  )
  t.same(taken({}), { taken: [], unread: [] })
  t.end()
})

t.test('a file that cannot be read is named, and the others count', (t) => {
  const good = status({ tune: pin(0, '1') })
  const found = taken({
    [`${RUN}/cut.xml`]: good.slice(0, -9),
    [`${RUN}/good.xml`]: good,
    [`${RUN}/large.xml`]: `${good}${' '.repeat(2 * 1024 * 1024)}`,
    [`${RUN}/other.xml`]: '<domain><vcpupin/></domain>',
    [`${RUN}/set.xml`]: status({ tune: pin(0, 'x') }),
    [`${RUN}/plain.xml`]: '<domstatus',
  })
  t.same(found.taken, ['db1: 1'])
  t.same(
    found.unread,
    ['cut', 'large', 'other', 'set'].map((name) => `${RUN}/${name}.xml`),
    'a file without pins is not parsed',
  )
  t.end()
})
