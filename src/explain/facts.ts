// A placement and what was said of it, as plain data for --json: the same facts as the words, sets as text.

import type { Diagnostic } from '../base/diagnostic.ts'
import { formatSet, formatSets } from '../base/idset.ts'
import { lineAndColumn } from '../xml/parse.ts'
import { firstOf, labelOf, type Severity, type Source } from './diagnostics.ts'
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
  source: Source | undefined,
): object[] {
  return firstOf(all).map((each) => ({
    severity: labelOf(each, severity),
    code: each.code,
    ...messageOf(each),
    ...(each.at !== undefined &&
      source !== undefined && { at: { file: source.name, ...lineAndColumn(source.text, each.at.start) } }),
  }))
}
