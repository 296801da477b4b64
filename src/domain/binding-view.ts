// `<memoryBacking>`, `<numatune>` and `<cputune>` to the binding as written.

import { diagnostic } from '../base/diagnostic.ts'
import { gather } from '../base/gather.ts'
import type { CpuSet, NodeSet, VcpuSet } from '../base/idset.ts'
import { parseLibvirtSize } from '../base/memory.ts'
import type { DomainView, MemoryMode, WrittenPage, WrittenTune } from '../model.ts'
import { attribute, child, childrenOf, tagSpan, type XmlElement } from '../xml/parse.ts'
import { numberIn, optional, type Reading, setIn } from './values.ts'

const MODES: readonly MemoryMode[] = ['strict', 'preferred', 'interleave', 'restrictive']

export function readBacking(reading: Reading, backing: XmlElement | undefined): Pick<DomainView, 'hugepages' | 'allocation'> {
  const hugepages = child(backing, 'hugepages')
  return {
    ...optional('hugepages', hugepages && childrenOf(hugepages, 'page').flatMap((page) => readPage(reading, page) ?? [])),
    ...optional('allocation', attribute(child(backing, 'allocation'), 'mode')?.value),
  }
}

function readPage(reading: Reading, page: XmlElement): WrittenPage | undefined {
  const size = attribute(page, 'size')
  const cells = setIn<VcpuSet>(reading, page, 'nodeset')
  const parsed = gather(
    reading.problems,
    () => parseLibvirtSize(size?.value ?? '', attribute(page, 'unit')?.value, '<page size>'),
    size ?? tagSpan(page),
  )
  if (parsed === undefined) return undefined
  if (parsed.kib > 0 && parsed.exact) return { pagesizeKiB: parsed.kib, ...optional('cells', cells) }
  reading.problems.push(
    diagnostic('pagesize-invalid', { text: `${size?.value} ${attribute(page, 'unit')?.value ?? 'KiB'}` }, tagSpan(page)),
  )
  return undefined
}

export function readTune(reading: Reading, numatune: XmlElement | undefined): WrittenTune {
  const memory = child(numatune, 'memory')
  const memnodes = childrenOf(numatune, 'memnode').flatMap((memnode) => {
    const cell = numberIn(reading, memnode, 'cellid', 0, 16_384)
    const nodes = setIn<NodeSet>(reading, memnode, 'nodeset')
    return cell === undefined || nodes === undefined ? [] : [{ cell, nodes, mode: modeOf(reading, memnode) }]
  })
  if (memory === undefined) return { memnodes }
  const auto = attribute(memory, 'placement')?.value === 'auto'
  return { memory: { mode: modeOf(reading, memory), auto, ...optional('nodes', setIn<NodeSet>(reading, memory, 'nodeset')) }, memnodes }
}

function modeOf(reading: Reading, element: XmlElement): MemoryMode {
  const written = attribute(element, 'mode')
  const mode = MODES.find((each) => each === (written?.value ?? 'strict'))
  if (mode !== undefined) return mode
  reading.problems.push(diagnostic('tune-mode', { element: element.name, value: written?.value ?? '', known: MODES.join(', ') }, written))
  return 'strict'
}

export function readPins(reading: Reading, cputune: XmlElement | undefined): Pick<DomainView, 'vcpupin' | 'emulatorpin' | 'iothreadpin'> {
  return {
    vcpupin: readPinMap(reading, cputune, 'vcpupin', 'vcpu'),
    ...optional('emulatorpin', setIn<CpuSet>(reading, child(cputune, 'emulatorpin'), 'cpuset')),
    iothreadpin: readPinMap(reading, cputune, 'iothreadpin', 'iothread'),
  }
}

function readPinMap(reading: Reading, cputune: XmlElement | undefined, name: string, key: string): Map<number, CpuSet> {
  const pins = new Map<number, CpuSet>()
  for (const pin of childrenOf(cputune, name)) {
    const id = numberIn(reading, pin, key, 0, 16_384)
    const cpus = setIn<CpuSet>(reading, pin, 'cpuset')
    if (id !== undefined && cpus !== undefined) pins.set(id, cpus)
  }
  return pins
}
