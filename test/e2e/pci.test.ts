// PCI devices behind the expander buses that we write, before a real QEMU. This machine has no device to pass
// through, so an emulated network card takes the address of each: libvirt makes QEMU's command line of every
// golden answer, and the kernel of a guest that boots reports the node of each card.

import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type CpuSet, setOf } from '../../src/base/idset.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import { parseSnapshot } from '../../src/host/capture/snapshot.ts'
import { type Placed, place } from '../../src/place.ts'
import { writeElement } from '../../src/xml/build.ts'
import { answer, readCases } from '../core/golden-case.ts'
import { cellsSeen, devicesSeen, guestXml, makeInitramfs } from './guest.ts'
import { type LibvirtHost, openHost } from './libvirtd.ts'
import { fetchKernel, installPackages } from './packages.ts'

const scratch = mkdtempSync(join(tmpdir(), 'virt-numa-pci-'))
const name = `pci-${randomUUID().slice(0, 8)}`
const undo: (() => unknown)[] = [() => rmSync(scratch, { recursive: true, force: true })]
t.teardown(async () => {
  for (const step of undo.reverse()) await step()
})

let made: { readonly kernel: string; readonly initramfs: string; readonly one: LibvirtHost } | undefined
const ready = () => {
  if (made === undefined) throw new Error('the host is not set up')
  return made
}

const HOSTDEV = /<hostdev [\s\S]*?<\/hostdev>|<interface type='hostdev'[\s\S]*?<\/interface>/g
/** Of an e1000e. */
const CARD = '0x8086:0x10d3'

/** The document for this machine: cards in place of devices, and nothing that binds it to another host. */
function emulated(text: string): string {
  return text
    .replace(HOSTDEV, (device) => {
      const address = /<\/source>[\s\S]*?(<address [^>]*\bslot=[^>]*>)/.exec(device)?.[1] ?? ''
      return `<interface type='user'><model type='e1000e'/>${address}</interface>`
    })
    .replace(/<numatune>[\s\S]*?<\/numatune>/, '')
    .replace(/<cputune>[\s\S]*?<\/cputune>/, '')
    .replace(/<hugepages>[\s\S]*?<\/hugepages>/, '')
    .replace(/<domain type='kvm'>/, "<domain type='qemu'>")
    .replace("mode='host-passthrough'", "mode='maximum'")
}

interface QemuDevice {
  readonly driver: string
  readonly id: string
  readonly bus?: string
  readonly numa_node?: number
}

/** The cell of each card on a command line, by the bus that it is on. */
function cellsOf(command: string): ReadonlyMap<string, number | undefined> {
  const devices = [...command.matchAll(/-device '(\{[^']*\})'/g)].map(
    ([, json = '']) => JSON.parse(json) as QemuDevice,
  )
  const above = ({ bus }: QemuDevice): QemuDevice | undefined => devices.find(({ id }) => id === bus)
  return new Map(
    devices
      .filter(({ driver }) => driver === 'e1000e')
      .map((card) => {
        let at = above(card)
        while (at !== undefined && at.driver !== 'pxb-pcie') at = above(at)
        return [card.bus ?? '', at?.numa_node]
      }),
  )
}

t.test('set up', async () => {
  await installPackages()
  const [kernel, initramfs] = [await fetchKernel(), await makeInitramfs(scratch)]
  const one = await openHost('pci', join(scratch, 'one'))
  undo.push(one.close)
  await one.startDaemon()
  made = { kernel, initramfs, one }
})

t.test('golden answers become a command line with every device on the node of its cell', async (t) => {
  const { one } = ready()
  const cases = readCases().filter(
    ({ domain, folder }) =>
      domain.match(HOSTDEV) !== null &&
      /machine='(q35|pc)/.test(domain) &&
      existsSync(`${folder}/expected.xml`),
  )
  t.ok(cases.length >= 12, `${cases.length} golden answers`)
  let behind = 0
  for (const each of cases) {
    const { placed } = answer(each)
    const text = readFileSync(`${each.folder}/expected.xml`, 'utf8')
    const { hostdevs } = readDomain(readDocument(text))
    const file = join(scratch, `${each.name}.xml`)
    writeFileSync(file, emulated(text))
    const cells = cellsOf(await one.ask('domxml-to-native', 'qemu-argv', file))
    t.equal(cells.size, hostdevs.length, `${each.name}: each device has a bus of its own`)
    const places = placed?.placement.devices?.places ?? []
    for (const { hostdev, cell, name: device } of places) {
      if (cell === undefined) continue
      t.equal(cells.get(`pci.${hostdevs[hostdev]?.address?.bus}`), cell, `${each.name}: ${device}`)
      behind += 1
    }
    const inNone = [...cells.values()].filter((cell) => cell === undefined)
    t.equal(inNone.length, places.filter(({ cell }) => cell === undefined).length)
  }
  t.ok(behind > 40, `${behind} devices behind expander buses`)
})

const hostdev = (bus: string): string => `
    <hostdev mode='subsystem' type='pci' managed='yes'>
      <source>
        <address domain='0x0000' bus='0x${bus}' slot='0x00' function='0x0'/>
      </source>
    </hostdev>`

/** Fitted for a host with two nodes, and one device on each of them and one on neither. */
function fitted(console: string): Placed {
  const { kernel, initramfs } = ready()
  const devices = [hostdev('86'), hostdev('3b'), hostdev('5e')].join('')
  const text = guestXml({
    name,
    memoryMiB: 256,
    requested: "pin='cell'",
    kernel,
    initramfs,
    console,
    devices,
  })
  const { host } = parseSnapshot(readFileSync('golden/2n4c2t-devices-cell/host.json', 'utf8'), 'host.json')
  const flags = { devices: 'cell', cpuset: setOf<CpuSet>([0, 4]) } as const
  return place(readDocument(text), { host, allowed: {}, flags }, writeElement)
}

t.test('the kernel of a guest reports the node of each device', async (t) => {
  const { one } = ready()
  const console = join(scratch, 'console.log')
  const { text, placement } = fitted(console)
  t.equal(placement.cells.length, 2)
  t.same(
    placement.devices?.places.map(({ name: device, cell }) => [device, cell]),
    [
      ['0000:86:00.0', 1],
      ['0000:3b:00.0', 0],
      ['0000:5e:00.0', undefined],
    ],
  )
  const file = join(scratch, 'guest.xml')
  writeFileSync(file, emulated(text))
  await one.ask('define', file)
  await one.ask('start', name)
  t.equal((await cellsSeen(console)).length, 2, 'the guest sees two nodes')
  const cards = devicesSeen(console).filter(({ device }) => device === CARD)
  const expected = placement.devices?.buses.map(({ busNr, cell }) => ({
    // The bus behind the first port of an expander bus has the next number.
    address: `0000:${(busNr + 1).toString(16)}:00.0`,
    device: CARD,
    node: cell,
  }))
  t.equal(cards.length, 3)
  t.same(
    cards.filter(({ node }) => node >= 0),
    [...(expected ?? [])].sort((a, b) => (a.address < b.address ? -1 : 1)),
    'each card on the node of its cell',
  )
  const view = readDomain(readDocument(await one.ask('dumpxml', name)))
  const written = readDomain(readDocument(text)).controllers.filter(({ model }) => /expander/.test(model))
  t.same(
    view.controllers.filter(({ model }) => /expander/.test(model)).map(({ cell }) => cell),
    written.map(({ cell }) => cell),
    'libvirt keeps the buses',
  )
  await one.ask('destroy', name)
})
