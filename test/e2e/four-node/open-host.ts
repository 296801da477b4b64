// What one libvirtd that may use the whole host does to several guests: one fitted after another, a real-time
// guest that is restored while some of its CPUs are offline, a cell without vCPUs on a node without CPUs, and
// a guest that gets such a cell.
//
// Nodes 0 and 1 hold the real-time guest. A second guest as large has pages on node 0, but not the CPUs; on
// node 2 it has the CPUs, but not the pages.

import { cpSync, writeFileSync } from 'node:fs'
import { daemonAnswers, fit, look, run, setPages, virsh, virtNuma } from './steps.ts'

/** Per node. The real-time guest needs 32 on each of two nodes, the second guest 64 on one. */
const PAGES = [96, 64, 10, 64]
/** For a cell of the real-time guest. */
const PAGES_OF_CELL = 32

/** All CPUs of node 1, which keeps its memory. */
const OFFLINE = [2, 3]

/** Runs after the pods' guests are gone. */
export async function openHost(): Promise<void> {
  for (const [node, pages] of PAGES.entries()) setPages(node, pages)
  await startDaemon()

  await fit('fitted, real-time', 'open', 'rt1', ['--cells', '2'])
  await virsh('open', 'started, real-time', ['start', 'rt1'])
  await look('started, real-time', 'open', 'rt1')

  await fit('fitted second', 'open', 'db1', ['--pin', 'cpu'])
  await virsh('open', 'started second', ['start', 'db1'])
  await look('started second', 'open', 'db1')
  await virtNuma('open', 'on the CPUs of both', ['transform', '--cpuset', '0,1,6', '/job/db2.xml'])

  await virsh('open', 'saved, real-time', ['save', 'rt1', '/job/rt1.save'])
  // The cell that loses its node cannot join the other on node 0.
  for (const node of [0, 2]) setPages(node, PAGES_OF_CELL)
  for (const cpu of OFFLINE) writeFileSync(`/sys/devices/system/cpu/cpu${cpu}/online`, '0')
  await virsh('open', 'restored, real-time', ['restore', '/job/rt1.save'])
  await look('restored, real-time', 'open', 'rt1')
  await virsh('open', 'destroyed, real-time', ['destroy', 'rt1'])

  // By its distance the cell belongs on node 1, seen from node 2. Its memory is ordinary: QEMU allocates huge
  // pages from a thread on CPUs of their node, and libvirt 9.0 has it do so where there are none.
  await fit('fitted to a node without CPUs', 'open', 'cxl1', ['--cpuset', '4-5'])
  await virsh('open', 'started on a node without CPUs', ['start', 'cxl1'])
  await look('started on a node without CPUs', 'open', 'cxl1')
  await virsh('open', 'destroyed on a node without CPUs', ['destroy', 'cxl1'])

  // Node 1 has become a tier: it has memory, but no CPUs.
  await fit('fitted with a tier', 'open', 'tier1', ['--cpuset', '4-5'])
  await virsh('open', 'started with a tier', ['start', 'tier1'])
  await look('started with a tier', 'open', 'tier1')
}

/** What a pod's daemon found out about QEMU need not be found out again. */
async function startDaemon(): Promise<void> {
  cpSync('/job/pods/guaranteed/cache', '/var/cache/libvirt', { recursive: true, preserveTimestamps: true })
  await run('daemon of the open host', 'libvirtd', ['-d', '-p', '/job/libvirtd.pid'])
  await daemonAnswers('open')
}
