// Expander buses and root ports for devices, and their numbers.

import fc from 'fast-check'
import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { range } from '../../src/base/idset.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import type { PciDevice } from '../../src/model/devices.ts'
import { type Placed, place } from '../../src/place.ts'
import { numberBuses, type Placeable } from '../../src/plan/devices/buses.ts'
import type { RequestedKeys } from '../../src/request/request.ts'
import { writeElement } from '../../src/xml/build.ts'
import { times } from '../long.ts'
import { HOST } from './fixtures.ts'

/** Devices of these cells and root complexes: "0a 0b 1a" are three, by address in this order. */
const devicesOf = (text: string): Placeable[] =>
  text.split(' ').map((each, hostdev) => ({
    hostdev,
    source: `0000:0${hostdev}:00.0`,
    node: Number(each[0]),
    cell: Number(each[0]),
    ...(each[1] !== undefined && { root: `pci0000:${each[1]}0` }),
  }))

/** Each bus as "index/busNr cell: ports=devices". */
function said(devices: readonly Placeable[], highest: number, by: 'cell' | 'root', busNr?: number): string {
  const controllers = [
    { type: 'pci', model: 'pcie-root-port', index: highest },
    ...(busNr === undefined ? [] : [{ type: 'pci', model: 'pcie-expander-bus', index: 1, busNr }]),
  ]
  const numbered = numberBuses(devices, controllers, by)
  if ('short' in numbered) return `short: ${JSON.stringify(numbered.short)}`
  return numbered.buses
    .map(({ index, busNr: own, cell, ports, devices: its }) => {
      const placed = ports.map((port, at) => `${port}=${its[at]?.hostdev}`)
      return `${index}/${own} cell ${cell}: ${placed.join(' ')}`
    })
    .join('; ')
}

t.test('buses', (t) => {
  t.equal(said(devicesOf('0'), 0, 'cell'), '1/254 cell 0: 2=0')
  t.equal(
    said(devicesOf('1 0 1'), 6, 'cell'),
    '7/254 cell 0: 8=1; 9/251 cell 1: 10=0 11=2',
    'by cell, and by address within it, behind the highest index',
  )
  t.equal(said(devicesOf('0b 0a 0b'), 0, 'cell'), '1/252 cell 0: 2=0 3=1 4=2', 'roots do not count')
  t.equal(said(devicesOf('0b 0a 0b'), 0, 'root'), '1/254 cell 0: 2=1; 3/251 cell 0: 4=0 5=2', 'and here do')
  t.equal(said(devicesOf('0 1'), 0, 'root'), '1/254 cell 0: 2=0; 3/252 cell 1: 4=1', 'the node stands in')
  t.equal(said(devicesOf('0'), 3, 'cell', 250), '4/248 cell 0: 5=0', 'below the lowest bus that is written')
  t.equal(said(devicesOf('0'), 252, 'cell'), '253/254 cell 0: 254=0', 'the last that fits')
  t.equal(
    said(devicesOf('0 0'), 252, 'cell'),
    'short: {"devices":2,"need":3,"highest":252,"lowest":255}',
    'the first that does not',
  )
  t.end()
})

t.test('numbers never meet, and no bus has more than 32 ports', (t) => {
  const device = fc.record({ cell: fc.nat(3), root: fc.nat(2) })
  fc.assert(
    fc.property(
      fc.array(device, { minLength: 1, maxLength: 120 }),
      fc.nat(260),
      fc.constantFrom('cell' as const, 'root' as const),
      (all, highest, by) => {
        const devices = all.map(({ cell, root }, hostdev) => ({
          ...{ hostdev, cell, node: cell },
          ...{ source: `${hostdev}`, root: `pci0000:${root}0` },
        }))
        const numbered = numberBuses(devices, [{ type: 'pci', model: '', index: highest }], by)
        if ('short' in numbered) return
        const { buses } = numbered
        const taken = buses.flatMap(({ busNr, ports }) => range(ports.length + 1).map((at) => busNr + at))
        t.equal(new Set(taken).size, taken.length)
        t.ok(Math.min(...taken) > highest && Math.max(...taken) <= 255)
        const indices = buses.flatMap(({ index, ports }) => [index, ...ports])
        t.same(
          indices,
          range(indices.length).map((at) => highest + 1 + at),
        )
        t.ok(buses.every(({ ports }) => ports.length <= 32))
        const placed = buses.flatMap((bus) =>
          bus.devices.map(({ hostdev, cell }) => [hostdev, cell === bus.cell]),
        )
        t.same(
          placed.sort((a, b) => Number(a[0]) - Number(b[0])),
          devices.map(({ hostdev }) => [hostdev, true]),
        )
      },
    ),
    { numRuns: times(300), seed: 7 },
  )
  t.end()
})

// ---- Whole guests ----

interface Device {
  readonly node: number
  readonly root: number
  readonly known: boolean
  /** The address that it has, if any. */
  readonly address: string | undefined
}

interface Guest {
  readonly devices: readonly Device[]
  readonly controllers: readonly number[]
  readonly devicesKey: 'leave' | 'cell' | 'root'
  readonly requested: RequestedKeys
}

const guests: fc.Arbitrary<Guest> = fc.record({
  devices: fc.array(
    fc.record({
      node: fc.constantFrom(0, 1, 0, 1, 3),
      root: fc.nat(2),
      known: fc.boolean(),
      address: fc.constantFrom(undefined, undefined, "<address type='pci' bus='0x01' slot='0x00'/>"),
    }),
    { minLength: 2, maxLength: 8 },
  ),
  controllers: fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }),
  devicesKey: fc.constantFrom('leave', 'cell', 'root'),
  requested: fc.constantFrom<RequestedKeys>({}, { cells: 1 }, { cells: 4 }, { tiers: 'expose' }),
})

const sourceOf = (at: number): string => `0000:0${at}:00.0`

function textOf({ devices, controllers }: Guest): string {
  const hostdevs = devices.map(
    ({ address = '' }, at) =>
      `    <hostdev mode='subsystem' type='pci'>\n      <source>\n` +
      `        <address bus='0x0${at}' slot='0x00'/>\n      </source>${address}\n    </hostdev>\n`,
  )
  const ports = controllers.map(
    (index) => `    <controller type='pci' index='${index}' model='pcie-root-port'/>\n`,
  )
  return (
    `<domain type='kvm'>\n  <name>db1</name>\n  <memory>1048576</memory>\n  <vcpu>4</vcpu>\n` +
    `  <os><type arch='x86_64' machine='q35'>hvm</type></os>\n  <devices>\n` +
    `${ports.join('')}${hostdevs.join('')}  </devices>\n</domain>\n`
  )
}

const factsOf = ({ devices }: Guest): PciDevice[] =>
  devices.flatMap(({ node, root, known }, at) =>
    known ? [{ address: sourceOf(at), node, root: `pci0000:${root}0` }] : [],
  )

function fitted(guest: Guest, text: string, move?: 'if-better'): Placed | string {
  const flags = { ...guest.requested, devices: guest.devicesKey }
  const { allowed, ...host } = HOST
  const around = { host: { ...host, devices: factsOf(guest) }, allowed, flags }
  try {
    return place(readDocument(text), around, writeElement, move)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return error.diagnostics[0]?.code ?? ''
  }
}

t.test(
  'a device with an address is never moved, no controller renumbered, and a second run changes nothing',
  (t) => {
    let placed = 0
    fc.assert(
      fc.property(guests, (guest) => {
        const text = textOf(guest)
        const before = readDomain(readDocument(text))
        const answer = fitted(guest, text)
        if (typeof answer === 'string') {
          t.equal(answer, 'pci-bus-numbers')
          return
        }
        const after = readDomain(readDocument(answer.text))
        for (const [at, { address }] of before.hostdevs.entries())
          if (address !== undefined) t.same(after.hostdevs[at]?.address, address)
        t.same(after.controllers.slice(0, before.controllers.length), before.controllers)
        if (guest.devicesKey === 'leave') t.same(after.hostdevs, before.hostdevs)
        const added = after.controllers.slice(before.controllers.length)
        for (const { place: of, device } of placesIn(answer)) {
          if (of.port === undefined) continue
          placed += 1
          const bus = added.find(({ index }) => index === of.port)?.bus
          const { cell } = added.find(({ index }) => index === bus) ?? {}
          t.equal(cell, of.cell, 'the bus is in the cell that is said')
          const memnode = after.tune.memnodes.find((each) => each.cell === cell)
          const onNode = (memnode?.nodes as readonly number[] | undefined)?.includes(device.node)
          t.ok(guest.requested.cells !== undefined || onNode, 'and the cell is on the node of the device')
        }
        const again = fitted(guest, answer.text)
        t.same(typeof again === 'string' ? again : again.edits, [])
        const moved = fitted(guest, answer.text, 'if-better')
        if (typeof moved !== 'string') t.same(readDomain(readDocument(moved.text)).hostdevs, after.hostdevs)

        function placesIn({ placement }: Placed) {
          return (placement.devices?.places ?? []).map((each) => ({
            place: each,
            device: guest.devices[each.hostdev] as Device,
          }))
        }
      }),
      { numRuns: times(400), seed: 11 },
    )
    t.ok(placed > times(150), `${placed} devices placed`)
    t.end()
  },
)
