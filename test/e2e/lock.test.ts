// topology=lock: one guest, fitted to four captured machines in turn and booted each time: its kernel sees
// the same nodes, distances, sockets, dies, cores and threads. This machine has one node and few CPUs, so
// before a boot all memory is bound to node 0, and pins and huge pages are left out; no guest sees those.

import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import { cellsSeen, guestXml, makeInitramfs, vcpusSeen } from './guest.ts'
import { type LibvirtHost, openHost } from './libvirtd.ts'
import { fetchKernel, installPackages } from './packages.ts'

const SYSFS = `${process.cwd()}/../shared/corpora/sysfs`

/** Each with the nodes that the guest gets there. The last has one node, which both cells share. */
const MACHINES = {
  'hwloc-32em64t-2n8c+1mic': [0, 1],
  'hwloc-48amd64-4d2n6c-sparse': [0, 33],
  'hwloc-8amd64-4n2c': [0, 1],
  'hwloc-8em64t-4c2t': [0, 0],
} as const

const scratch = mkdtempSync(join(tmpdir(), 'virt-numa-lock-'))
const name = `lock-${randomUUID().slice(0, 8)}`
const undo: (() => unknown)[] = [() => rmSync(scratch, { recursive: true, force: true })]
t.teardown(async () => {
  for (const step of undo.reverse()) await step()
})

/** The domain fitted to a captured machine. */
async function fitted(host: LibvirtHost, xml: string, machine: string, ...words: string[]): Promise<string> {
  const file = join(scratch, 'domain.xml')
  writeFileSync(file, xml)
  const { status, stderr } = await host.virtNuma(
    ...['transform', '--host', `${SYSFS}/${machine}.tar.gz`, ...words, '-i', file],
  )
  if (status !== 0) throw new Error(`transform on ${machine}: ${stderr}`)
  return readFileSync(file, 'utf8')
}

const nodesOf = (xml: string): number[] =>
  readDomain(readDocument(xml)).tune.memnodes.flatMap(({ nodes }) => [...nodes])

/** The same for the guest, on one node and whatever CPUs are free. */
const onThisMachine = (xml: string, console: string): string =>
  xml
    .replace(/<cputune>[\s\S]*?<\/cputune>/, '')
    .replace(/<memoryBacking>[\s\S]*?<\/memoryBacking>/, '')
    .replace(/nodeset='[^']*'/g, "nodeset='0'")
    .replace(/<source path='[^']*'/, `<source path='${console}'`)

/** What the guest's kernel prints of its nodes and vCPUs. A few pages more or less of memory are its own. */
async function seenBy(host: LibvirtHost, xml: string, console: string) {
  const file = join(scratch, 'boot.xml')
  writeFileSync(file, onThisMachine(xml, console))
  await host.ask('create', file, '--validate')
  try {
    const cells = await cellsSeen(console)
    return {
      cells: cells.map(({ memoryKiB, ...cell }) => ({ ...cell, memory: Math.round(memoryKiB / 8192) })),
      vcpus: vcpusSeen(console),
    }
  } finally {
    await host.ask('destroy', name)
  }
}

const LIMIT_MS = 400_000
t.setTimeout(LIMIT_MS)

t.test('a locked guest sees the same on four machines', { timeout: LIMIT_MS }, async (t) => {
  await installPackages()
  const [kernel, initramfs] = [await fetchKernel(), await makeInitramfs(scratch)]
  const host = await openHost('host-lock', join(scratch, 'host-lock'))
  undo.push(host.close)
  await host.startDaemon()
  const own = { name, memoryMiB: 256, vcpus: 4, kernel, initramfs, console: '/dev/null' }
  let xml = guestXml({ ...own, requested: "cells='2' topology='lock'" })
  let first: Awaited<ReturnType<typeof seenBy>> | undefined
  const unlocked = new Set<string>()
  for (const [machine, nodes] of Object.entries(MACHINES)) {
    xml = await fitted(host, xml, machine)
    t.same(nodesOf(xml), nodes, `${machine}: the nodes of its cells there`)
    const seen = await seenBy(host, xml, join(scratch, `${machine}.log`))
    first ??= seen
    t.same(seen, first, `${machine}: the guest's kernel sees what it saw on the first`)
    const cpu = /<cpu [\s\S]*<\/cpu>/.exec(
      await fitted(host, guestXml({ ...own, requested: "topology='align'" }), machine),
    )
    unlocked.add(cpu?.[0] ?? '')
  }
  t.same(
    first?.cells.map(({ cell, vcpus }) => [cell, vcpus]),
    [
      [0, '0-1'],
      [1, '2-3'],
    ],
    'two nodes',
  )
  t.same(
    first?.vcpus.map(({ socket }) => socket),
    [0, 0, 1, 1],
    'each a socket',
  )
  t.ok(unlocked.size > 1, `a guest that is not locked sees ${unlocked.size} topologies`)
  t.comment(JSON.stringify(first))
})
