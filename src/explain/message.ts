// A diagnostic -> what, why and fix: the only place where its text is made.

import type { Diagnostic } from '../base/diagnostic.ts'
import type { Facts } from '../codes/codes.ts'
import { byFlags } from './asks.ts'
import { commandLineTexts } from './texts/command-line.ts'
import { doctorTexts } from './texts/doctor.ts'
import { documentsTexts, valuesTexts } from './texts/documents.ts'
import { filesTexts } from './texts/files.ts'
import { bindingTexts } from './texts/guest/binding.ts'
import { cellsTexts } from './texts/guest/cells.ts'
import { cpusTexts } from './texts/guest/cpus.ts'
import { domainTexts } from './texts/guest/domain.ts'
import { memoryTexts } from './texts/guest/memory.ts'
import { memoryDeviceTexts } from './texts/guest/memory-devices.ts'
import { pciTexts } from './texts/guest/pci.ts'
import { hookTexts } from './texts/hook.ts'
import { hostTexts } from './texts/host.ts'
import { kubevirtTexts } from './texts/kubevirt.ts'
import { libvirtTexts } from './texts/libvirt.ts'
import { requestTexts } from './texts/request.ts'
import { runningGuestTexts } from './texts/running-guest.ts'
import type { Around, Text, Texts } from './texts/words.ts'

const texts: Texts<Facts> = {
  ...bindingTexts,
  ...cellsTexts,
  ...commandLineTexts,
  ...cpusTexts,
  ...pciTexts,
  ...doctorTexts,
  ...documentsTexts,
  ...domainTexts,
  ...filesTexts,
  ...hookTexts,
  ...hostTexts,
  ...kubevirtTexts,
  ...libvirtTexts,
  ...memoryTexts,
  ...memoryDeviceTexts,
  ...requestTexts,
  ...runningGuestTexts,
  ...valuesTexts,
}

const byCode = texts as Readonly<Record<string, (facts: object, around: Around) => Text>>

/** What is wrong, the rule behind it, and what to do: `ask` is how the reader requests it. */
export function messageOf({ code, facts }: Diagnostic, ask = byFlags): Text {
  const text = byCode[code]
  if (text === undefined) throw new Error(`no text for ${code}`)
  return text(facts, { ask, messageOf: (cause) => messageOf(cause, ask) })
}
