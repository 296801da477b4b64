// A placement and what was said of it, as plain data for --json: the same facts as the words, sets as text.

import type { Diagnostic } from '../base/diagnostic.ts'
import { formatSet, formatSets, setOf } from '../base/idset.ts'
import { lineAndColumn } from '../xml/parse.ts'
import { firstOf, labelOf, type Severity, type Source, sourceOf } from './diagnostics.ts'
import { messageOf } from './message.ts'
import type { Explained } from './text.ts'

export function placementFacts({ view, request, resources, placement, edits }: Explained): object {
  const { cells, binding } = placement
  const { reserve, cpuset, emulator, rules, ...keys } = request
  return {
    guest: view.name,
    cells: cells.map(({ id, vcpus, memoryKiB, distances }, index) => {
      const memnode = binding.memnodes[index]
      return {
        id,
        vcpus: formatSet(vcpus),
        memoryKiB,
        nodes: formatSet(memnode?.nodes ?? []),
        mode: memnode?.mode,
        pagesizeKiB: memnode?.pagesizeKiB,
        ...(distances.length > 0 && { distances }),
      }
    }),
    ...(binding.memory && { memory: { nodes: formatSet(binding.memory.nodes), mode: binding.memory.mode } }),
    memoryDevices: view.memoryDevices.map(({ model, cell, sizeKiB, nodes }) => ({
      model,
      cell,
      sizeKiB,
      ...(nodes && { nodes: formatSet(nodes) }),
    })),
    vcpupin: formatSets(binding.vcpupin).flatMap((cpus, vcpu) => (cpus === '' ? [] : [{ vcpu, cpus }])),
    ...(binding.emulatorpin !== undefined && { emulatorpin: formatSet(binding.emulatorpin) }),
    iothreadpin: formatSets(binding.iothreadpin).map((cpus, index) => ({
      iothread: view.iothreads[index],
      cpus,
    })),
    request: {
      ...keys,
      emulator: typeof emulator === 'string' ? emulator : formatSet(emulator),
      ...(cpuset !== undefined && { cpuset: formatSet(cpuset) }),
    },
    allowed: { cpus: formatSet(resources.allowed.cpus), nodes: formatSet(resources.allowed.nodes) },
    edits: edits.length,
  }
}

export function diagnosticFacts(
  all: readonly Diagnostic[],
  severity: Severity,
  sources: readonly Source[],
): object[] {
  return firstOf(all).map((each) => ({
    severity: labelOf(each, severity),
    code: each.code,
    ...messageOf(each),
    facts: plainFacts(each.facts),
    ...placeFacts(each, sources),
  }))
}

function placeFacts(each: Diagnostic, sources: readonly Source[]): object {
  const source = sourceOf(each, sources)
  if (each.at === undefined || source === undefined) return {}
  return { at: { file: source.name, ...lineAndColumn(source.text, each.at.start) } }
}

/** What others wrote may be of any length, and what it holds further on nobody has looked at. */
const MOST_LETTERS = 100

/** Facts as JSON: sets of numbers as text, long texts cut; memory has its unit in the key (KiB). */
function plainFacts(facts: object): object {
  const plain = Object.entries(facts).map(([key, value]) => [key, plainFact(value)])
  return Object.fromEntries(plain)
}

function plainFact(value: unknown): unknown {
  if (typeof value === 'string')
    return value.length > MOST_LETTERS ? `${value.slice(0, MOST_LETTERS - 3)}...` : value
  if (Array.isArray(value)) return plainList(value)
  return typeof value === 'object' && value !== null ? plainFacts(value) : value
}

function plainList(list: readonly unknown[]): unknown {
  const numbers = list.filter((each) => typeof each === 'number')
  return list.length > 0 && numbers.length === list.length ? formatSet(setOf(numbers)) : list.map(plainFact)
}
