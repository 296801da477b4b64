// A guest of four vCPUs on every captured machine, in words: corpora-plans.txt, read by a person, and what
// must hold of each. `--rewrite` regenerates it; review the diff.

import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { type CpuSet, formatSet, subtract, union } from '../../src/base/idset.ts'
import { readDocument } from '../../src/document.ts'
import { renderDiagnostics } from '../../src/explain/diagnostics.ts'
import { explain } from '../../src/explain/text.ts'
import { filesOfTar } from '../../src/host/capture/tar.ts'
import { readHost } from '../../src/host/sysfs.ts'
import type { Host } from '../../src/model/host.ts'
import { type Placed, place } from '../../src/place.ts'
import { writeElement } from '../../src/xml/build.ts'
import { CORPORA } from './corpus.ts'

const PLANS = 'test/corpora/corpora-plans.txt'

interface Machine {
  readonly kind: string
  readonly id: string
  readonly path: string
  readonly arch: string | null
}

/** A guest that such a machine runs; QEMU has none for ia64 any more. */
const MACHINES: Record<string, readonly [arch: string, machine: string]> = {
  aarch64: ['aarch64', 'virt'],
  ppc64: ['ppc64', 'pseries'],
  s390x: ['s390x', 's390-ccw-virtio'],
  riscv64: ['riscv64', 'virt'],
  loongarch64: ['loongarch64', 'virt'],
}

function guestFor(arch: string | null): string {
  const [own, machine] = MACHINES[arch ?? ''] ?? ['x86_64', 'q35']
  return `<domain type='kvm'>
  <name>four</name>
  <memory unit='GiB'>1</memory>
  <vcpu>4</vcpu>
  <iothreads>1</iothreads>
  <os><type arch='${own}' machine='${machine}'>hvm</type></os>
  <cpu><topology sockets='1' cores='2' threads='2'/></cpu>
</domain>
`
}

const index = JSON.parse(readFileSync(`${CORPORA}/INDEX.json`, 'utf8')) as { items: Machine[] }
const machines = index.items.filter(({ kind }) => kind === 'sysfs').sort((a, b) => (a.id < b.id ? -1 : 1))

/** Open: beside other guests. Own: all the CPUs are this guest's. */
function planOn(host: Host, guest: string, own: boolean): Placed | Refusal {
  const flags = own ? { cpuset: union<CpuSet>(...host.nodes.map(({ cpus }) => cpus)) } : {}
  try {
    return place(readDocument(guest), { host, allowed: {}, flags }, writeElement)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

const words = (plan: Placed | Refusal): string =>
  plan instanceof Refusal
    ? renderDiagnostics(plan.diagnostics, 'capacity-warns', [])
    : explain(plan) + renderDiagnostics(plan.notes, 'capacity-warns', [])

const plans = machines.map(({ id, path, arch }) => {
  const host = readHost(filesOfTar(gunzipSync(readFileSync(`${CORPORA}/${path}`))))
  const guest = guestFor(arch)
  return { id, host, open: planOn(host, guest, false), own: planOn(host, guest, true) }
})
const text = plans
  .map(({ id, open, own }) => `==== ${id}, beside others\n${words(open)}\n==== ${id}, alone\n${words(own)}`)
  .join('\n')
  .replace(/\n\n+/g, '\n')

/** What a person would find senseless. */
function senseless({ siblings, nodes }: Host, { placement, resources }: Placed): string[] {
  const { cells, binding } = placement
  const onNode = (cpus: CpuSet): number[] =>
    nodes.filter((node) => subtract(cpus, node.cpus).length < cpus.length).map(({ id }) => id)
  const whole = (cell: (typeof cells)[number]): CpuSet =>
    union(...cell.vcpus.map((vcpu) => binding.vcpupin[vcpu] as CpuSet))
  const memoryless = nodes.filter(({ memoryKiB }) => memoryKiB === 0).map(({ id }) => id)
  const used = union(...binding.vcpupin)
  const split = siblings.filter((core) => core.length === 2 && subtract(core, used).length === 1)
  return [
    ...cells
      .filter((cell) => onNode(whole(cell)).length !== 1)
      .map(({ id }) => `cell ${id} runs on several nodes`),
    ...cells
      .filter(
        (cell, at) =>
          !memoryless.includes(onNode(whole(cell))[0] as number) &&
          formatSet(onNode(whole(cell))) !== formatSet(binding.memnodes[at]?.nodes ?? []),
      )
      .map(({ id }) => `cell ${id} has its memory elsewhere`),
    ...binding.memnodes
      .filter(({ nodes: bound }) => bound.some((id) => memoryless.includes(id)))
      .map(() => 'memory on a node without memory'),
    ...(binding.vcpupin.every(
      (cpus) => cpus.length > 0 && subtract(cpus, resources.allowed.cpus).length === 0,
    )
      ? []
      : ['a pin outside']),
    ...(binding.vcpupin.every((cpus) => cpus.length === 1) && used.length === 4 && split.length > 0
      ? ['a core of two threads is split']
      : []),
  ]
}

function test(): void {
  t.test('a plan on each of the captured machines, as it was read', (t) => {
    t.equal(machines.length, 81)
    t.equal(text, readFileSync(PLANS, 'utf8'), PLANS)
    const placed = plans.flatMap(({ id, host, open, own }) => [open, own].map((plan) => ({ id, host, plan })))
    let fitted = 0
    for (const { id, host, plan } of placed) {
      if (plan instanceof Refusal) continue
      fitted += 1
      t.same(senseless(host, plan), [], id)
    }
    t.same(
      plans.filter(({ open }) => open instanceof Refusal).map(({ id }) => id),
      ['hwloc-4fake-4gr1nu1pu', 'libvirt-hostcpu-test1'],
      'beside others: the first has one CPU per node and no place for a core of two threads, ' +
        'the nodes of the second name no CPU',
    )
    t.ok(fitted > 140, `${fitted} plans of ${placed.length}, the rest refused for want of CPUs`)
    t.end()
  })
}

if (process.argv.includes('--rewrite')) writeFileSync(PLANS, text)
else test()
