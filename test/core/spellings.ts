// Spellings of what we read in a domain, and libvirt's answer to each: test/data/spellings.json. libvirt
// prints a document that it accepts in plain form, so that both readings can be compared.

import { readFileSync, writeFileSync } from 'node:fs'
import type { DomainView } from '../../src/model/domain.ts'
import { attribute, parseXml, type XmlElement } from '../../src/xml/parse.ts'

/** libvirt 9.0's answer; the text of a refusal is kept for people. */
export interface Spelling {
  /** The element or attribute in question. */
  readonly part: string
  /** Children of `<domain>`. */
  readonly xml: string
  /** What libvirt prints of the parts that we read. */
  readonly accepted?: string
  readonly refused?: string
  /** Where versions of libvirt, its drivers or its schema differ: which one we follow, and why. */
  readonly ours?: 'accepted' | 'refused'
  readonly why?: string
}

const FILE = 'test/data/spellings.json'

/** The recorded spellings, in the order of the file. */
export const readSpellings = (): Spelling[] => JSON.parse(readFileSync(FILE, 'utf8')) as Spelling[]

/** Records the spellings, in place of the former ones. */
export function writeSpellings(spellings: readonly Spelling[]): void {
  writeFileSync(FILE, `${JSON.stringify(spellings, null, 2)}\n`)
}

/** A guest with 4 vCPUs and 4 GiB, unless the spelling states others. */
export function documentOf(xml: string): string {
  const names = parseXml(`<domain>${xml}</domain>`).root.children.map(({ name }) => name)
  const memory = names.includes('memory') ? '' : '<memory>4194304</memory>'
  const vcpu = names.includes('vcpu') ? '' : '<vcpu>4</vcpu>'
  const os = "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>"
  return `<domain type='qemu'><name>spelled</name>${memory}${vcpu}${xml}${os}</domain>`
}

const PARTS =
  'maxMemory memory currentMemory memoryBacking vcpu vcpus iothreads iothreadids cputune numatune cpu'.split(
    ' ',
  )

/**
 * The part of a document printed by libvirt that `documentOf` takes: no white space between elements, and no
 * devices that we ignore.
 */
export function partsOf(printed: string): string {
  const text = printed.replace(/>\s+</g, '><')
  const { root } = parseXml(text)
  const cut = ({ start, end }: XmlElement): string => text.slice(start, end)
  const devices =
    root.children
      .find(({ name }) => name === 'devices')
      ?.children.filter(isRead)
      .map(cut) ?? []
  const parts = root.children.filter(({ name }) => PARTS.includes(name)).map(cut)
  return parts.join('') + (devices.length === 0 ? '' : `<devices>${devices.join('')}</devices>`)
}

/** The one controller that a spelling states; libvirt adds others when it prints. */
const EXPANDER = 'pcie-expander-bus'

const isRead = (device: XmlElement): boolean =>
  device.name === 'memory' || (device.name === 'controller' && attribute(device, 'model')?.value === EXPANDER)

/** A reading without what libvirt adds when it prints. */
export function comparable(read: DomainView): object {
  const {
    controllers,
    currentMemoryKiB,
    hugepages,
    memoryDevices,
    memoryRounded: _,
    tune,
    vcpuAuto,
    ...view
  } = read
  const isImplied = vcpuAuto && tune.memory?.auto === true && tune.memory.mode === 'strict'
  return {
    ...view,
    controllers: controllers.filter(({ model }) => model === EXPANDER),
    currentMemoryKiB: currentMemoryKiB ?? view.memoryKiB,
    // In a guest without cells, cell 0 is the whole guest.
    hugepages: hugepages?.map((page) => (view.cells.length === 0 ? page.pagesizeKiB : page)),
    // libvirt gives every guest with placement='auto' a <memory> of that kind.
    tune: isImplied ? { memnodes: tune.memnodes } : tune,
    vcpuAuto,
    memoryDevices: memoryDevices.map(({ alias: _, ...device }) => device),
    vcpupin: [...view.vcpupin],
    iothreadpin: [...view.iothreadpin],
  }
}
