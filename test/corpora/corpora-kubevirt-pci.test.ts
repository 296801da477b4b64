// KubeVirt's own placements of PCI devices, ../shared/conformance/kubevirt.jsonl: with devices=cell we give
// all of them.

import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { setOf } from '../../src/base/idset.ts'
import { parseJson } from '../../src/base/json.ts'
import { readDocument } from '../../src/document.ts'
import type { PciDevice } from '../../src/model/devices.ts'
import { place } from '../../src/place.ts'
import { readVmi } from '../../src/request/vmi.ts'
import { writeElement } from '../../src/xml/build.ts'
import { attribute, child, childrenOf, parseXml, stringValue, type XmlElement } from '../../src/xml/parse.ts'
import { differences, expectedOf, hostOf, type KubevirtCase, readCases, saidBy } from './kubevirt-cases.ts'

interface Address {
  readonly domain?: string
  readonly bus?: string
  readonly slot?: string
  readonly function?: string
}

/** How the cases state devices and controllers. */
interface Pci {
  readonly devices: readonly {
    readonly alias: string
    readonly address?: string | Address
    readonly numaNode: string | null
  }[]
  readonly controllers?: readonly {
    readonly type: string
    readonly index: string
    readonly model: string
    readonly busNr?: number
    readonly node?: number
    readonly address?: Address
  }[]
  /** Absent: exactly with guestMappingPassthrough. */
  readonly strict?: boolean
}

const cases = readCases()
  .filter(({ input }) => input.pci !== undefined)
  .map(inOrder)

/**
 * KubeVirt takes nodes in the order in which they are reported, and Linux reports ascending ids: two cases
 * with nodes 3, 1, 7 and 0 get ids in that order. Nothing that KubeVirt says of PCI has an id of the host.
 */
function inOrder(each: KubevirtCase): KubevirtCase {
  const { topology } = each.input
  const pci = each.input.pci as Pci
  const ids = topology.numaCells.map(({ id }) => id)
  if (ids.every((id, at) => at === 0 || id > (ids[at - 1] as number))) return each
  const newId = (id: number): number => ids.indexOf(id)
  const numaCells = topology.numaCells.map((cell) => ({
    ...cell,
    id: newId(cell.id),
    ...(cell.distances && { distances: cell.distances.map((one) => ({ ...one, id: newId(one.id) })) }),
  }))
  const devices = pci.devices.map((device) => ({
    ...device,
    numaNode: device.numaNode === null ? null : `${newId(Number(device.numaNode))}`,
  }))
  const input = { ...each.input, topology: { numaCells }, pci: { ...pci, devices } }
  return { ...each, input, tags: [...each.tags, 'renumbered'] }
}

/** The devices that sysfs has. */
function devicesOf({ devices }: Pci): PciDevice[] {
  return devices.flatMap(({ address, numaNode }) =>
    typeof address !== 'string' || numaNode === null
      ? []
      : [{ address, ...(Number(numaNode) >= 0 && { node: Number(numaNode) }) }],
  )
}

const asText = (address: Address | undefined): string =>
  [address?.domain, address?.bus, address?.slot, address?.function]
    .map((part) => (part === undefined ? '-' : `${Number(part)}`))
    .join(':')

/** What is written of PCI: controllers of that type, and devices by alias. */
interface Said {
  readonly controllers: readonly string[]
  readonly devices: readonly string[]
}

function expectedPci(each: KubevirtCase): Said {
  const { controllers = [], devices } = each.expected.pci as Pci
  return {
    controllers: controllers
      .filter(({ type }) => type === 'pci')
      .map(({ index, model, busNr = '', node = '', address }) =>
        [index, model, busNr, node, asText(address)].join(' '),
      ),
    devices: devices.map(({ alias, address }) => `${alias} ${asText(address as Address)}`),
  }
}

function writtenPci(text: string): Said {
  const { root } = parseXml(text)
  const value = (element: XmlElement | undefined, name: string): string =>
    attribute(element, name)?.value ?? ''
  const address = (element: XmlElement): string => {
    const written = child(element, 'address')
    const part = (name: string) => attribute(written, name)?.value
    const [domain, bus, slot, fn] = ['domain', 'bus', 'slot', 'function'].map(part)
    return [domain, bus, slot, fn].map((each) => (each === undefined ? '-' : `${Number(each)}`)).join(':')
  }
  const devices = child(root, 'devices')
  return {
    controllers: childrenOf(devices, 'controller')
      .filter((each) => value(each, 'type') === 'pci')
      .map((each) => {
        const target = child(each, 'target')
        const node = child(target, 'node')
        return [
          value(each, 'index'),
          value(each, 'model'),
          value(target, 'busNr'),
          node === undefined ? '' : stringValue(node),
          address(each),
        ].join(' ')
      }),
    devices: childrenOf(devices, 'hostdev').map(
      (each) => `${value(child(each, 'alias'), 'name').replace(/^ua-/, '')} ${address(each)}`,
    ),
  }
}

/** The edits of a second run. */
const again = (each: KubevirtCase, text: string): readonly object[] | string => {
  const { edits = [], code } = answer(each, text)
  return code === 'none' ? edits : code
}

interface Answer {
  readonly text?: string
  readonly edits?: readonly object[]
  readonly code: string
}

/** KubeVirt's lenient mode is that of guests without passthrough. */
function answer(each: KubevirtCase, domain: string): Answer {
  const { vmi, topology, cpuset } = each.input
  const pci = each.input.pci as Pci
  const { numa: _, ...cpu } = vmi.spec.domain.cpu
  const spec = { ...vmi.spec, domain: { ...vmi.spec.domain, cpu } }
  const asked = pci.strict === false ? { ...vmi, spec } : vmi
  try {
    const placed = place(
      readDocument(domain),
      {
        host: { ...hostOf(topology.numaCells), devices: devicesOf(pci) },
        allowed: {},
        vmi: readVmi(parseJson(JSON.stringify(asked), 'the VMI'), 'the VMI'),
        flags: { like: 'kubevirt', devices: 'cell', cpuset: setOf(cpuset) },
      },
      writeElement,
    )
    return { text: placed.text, edits: placed.edits, code: 'none' }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { code: error.diagnostics[0]?.code ?? '' }
  }
}

t.test('the cases are those that the numbers are of', (t) => {
  t.equal(cases.length, 20)
  t.equal(cases.filter(({ expected }) => expected.errorClass === 'pci-strict').length, 6)
  t.end()
})

t.test('where KubeVirt places PCI devices, we do, and what it refuses, we refuse', (t) => {
  let right = 0
  for (const each of cases) {
    const { text, code } = answer(each, each.input.domainXML)
    t.equal(code, each.expected.errorClass ?? 'none', each.name)
    if (text === undefined) {
      right += 1
      continue
    }
    const same = t.same(writtenPci(text), expectedPci(each), each.name)
    const { numatune: _, ...expected } = expectedOf(each)
    const wrong = differences(saidBy(text), each.tags.includes('renumbered') ? expected : expectedOf(each))
    const rest = t.same(wrong, [], `${each.name}: the rest`)
    if (same && rest) right += 1
    t.same(again(each, text), [], `${each.name}: a second run changes nothing`)
  }
  t.equal(right, 20)
  t.comment(`${right} of ${cases.length} placements of PCI devices are KubeVirt's answer`)
  t.end()
})
