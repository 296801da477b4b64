// A diagnostic code -> its explanation: meaning, fix, severity, exit status and an example. A bundle of its
// own: only `virt-numa explain` loads it.

import { commandLineMeanings } from '../meanings/command-line.ts'
import { doctorMeanings } from '../meanings/doctor.ts'
import { documentsMeanings, valuesMeanings } from '../meanings/documents.ts'
import { filesMeanings } from '../meanings/files.ts'
import { bindingMeanings } from '../meanings/guest/binding.ts'
import { cellsMeanings } from '../meanings/guest/cells.ts'
import { cpusMeanings } from '../meanings/guest/cpus.ts'
import { domainMeanings } from '../meanings/guest/domain.ts'
import { memoryMeanings } from '../meanings/guest/memory.ts'
import { memoryDeviceMeanings } from '../meanings/guest/memory-devices.ts'
import { pciMeanings } from '../meanings/guest/pci.ts'
import { hookMeanings } from '../meanings/hook.ts'
import { hostMeanings } from '../meanings/host.ts'
import { kubevirtMeanings } from '../meanings/kubevirt.ts'
import { libvirtMeanings } from '../meanings/libvirt.ts'
import { programMeanings } from '../meanings/programs.ts'
import { requestMeanings } from '../meanings/request.ts'
import { runningGuestMeanings } from '../meanings/running-guest.ts'
import examples from './examples.txt'
import type { Meaning } from './meaning.ts'
import { type Outcome, outcomesOf } from './outcome.ts'

/** Codes that belong together: a file of src/codes/. */
export interface Group {
  readonly name: string
  readonly title: string
  readonly meanings: Readonly<Record<string, Meaning>>
}

/** Everything that is said about one code. */
export interface Explanation extends Meaning {
  readonly code: string
  readonly group: string
  readonly outcomes: readonly Outcome[]
  readonly example: Example
}

/** `text`: as it was printed. `from`: the test that shows it. `command`: what was run. */
interface Example {
  readonly from: string
  readonly command: string
  readonly text: string
}

const group = (name: string, title: string, meanings: Group['meanings']): Group => ({ name, title, meanings })

/** Every code once, in the order in which `virt-numa explain` lists them. */
export const groups: readonly Group[] = [
  group('command-line', 'The command line', commandLineMeanings),
  group('files', 'Files that cannot be read or written', filesMeanings),
  group('documents', 'Documents that are not well-formed', documentsMeanings),
  group('values', 'Sets, sizes and JSON', valuesMeanings),
  group('request', 'Placement options, metadata and configuration', requestMeanings),
  group('kubevirt', 'KubeVirt', kubevirtMeanings),
  group('host', 'Descriptions of a host', hostMeanings),
  group('domain', 'The domain, apart from its cells', domainMeanings),
  group('cells', 'Cells of the guest', cellsMeanings),
  group('cpus', 'CPUs and pins', cpusMeanings),
  group('binding', 'Nodes that memory is bound to', bindingMeanings),
  group('memory', 'Memory and huge pages', memoryMeanings),
  group('memory-devices', 'Memory devices', memoryDeviceMeanings),
  group('pci', 'PCI devices of the host', pciMeanings),
  group('libvirt', 'Definitions in libvirt', libvirtMeanings),
  group('running-guest', 'Running guests', runningGuestMeanings),
  group('hook', 'The hook and its installation', hookMeanings),
  group('doctor', 'The host', doctorMeanings),
  group('programs', 'In place of an answer', programMeanings),
]

/** Undefined for an unknown code. */
export function explanationOf(code: string): Explanation | undefined {
  for (const { name, meanings } of groups) {
    const meaning = Object.hasOwn(meanings, code) ? meanings[code] : undefined
    const example = exampleOf(code)
    if (meaning === undefined || example === undefined) continue
    return { code, group: name, ...meaning, outcomes: outcomesOf(code), example }
  }
  return undefined
}

/** Every code, in the order of the groups. */
export const allCodes = (): readonly string[] => groups.flatMap(({ meanings }) => Object.keys(meanings))

/**
 * An entry of the file is a line "== CODE: FROM: COMMAND" and what was printed.
 * test/house/explanations.test.ts writes it, and compares it with what the tests print.
 */
function exampleOf(code: string): Example | undefined {
  const head = `== ${code}: `
  const entry = examples.split(/^(?=== )/m).find((each) => each.startsWith(head))
  if (entry === undefined) return undefined
  const [first = '', ...lines] = entry.trimEnd().split('\n')
  const [from = '', command = ''] = first.slice(head.length).split(': ')
  return { from, command, text: lines.join('\n') }
}
