// Placement to Edit[]: the smallest splices that make a domain document say it. New elements go where libvirt
// prints them.

import { formatSet, union } from '../base/idset.ts'
import type { Placement } from '../model/placement.ts'
import { type Edit, inOrder } from '../xml/edit.ts'
import { insertChildren } from '../xml/insert.ts'
import { attribute, child, type XmlDocument, type XmlElement } from '../xml/parse.ts'
import { backingEdits } from './backing-edits.ts'
import { cellEdits } from './cell-edits.ts'
import { deviceEdits } from './devices/edits.ts'
import { featureEdits } from './feature-edits.ts'
import { setAttributes } from './reconcile.ts'
import { resctrlEdits } from './resctrl/view.ts'
import type { Fitting, Section } from './section.ts'
import { pinEdits, tuneEdits } from './tune-edits.ts'

/** @see libvirt src/conf/domain_conf.c, virDomainDefFormatInternalSetRootName: the order of printing */
const ORDER = (
  'name uuid genid title description metadata maxMemory memory currentMemory blkiotune memtune ' +
  'memoryBacking vcpu vcpus iothreads iothreadids defaultiothread cputune numatune resource sysinfo ' +
  'bootloader bootloader_args os idmap features cpu clock on_poweroff on_reboot on_crash on_lockfailure pm ' +
  'perf devices'
).split(' ')

/** No edit where nothing changes. */
export function editsFor(fitting: Fitting): Edit[] {
  const { document, placement, keeps, rules, write } = fitting
  // Ids of caches that this host does not have would keep a guest from starting whose binding holds.
  if (keeps === 'everything') return [...inOrder([...resctrlEdits(fitting), ...deviceEdits(fitting)])]
  const { root } = document
  const hasCells = placement.cells.length > 0
  const sections: Section[] = [
    { edits: vcpuEdits(document, child(root, 'vcpu'), placement) },
    pinEdits(fitting),
    { edits: resctrlEdits(fitting) },
    ...(hasCells || placement.binding.memory ? [tuneEdits(fitting)] : []),
    ...(hasCells && keeps === 'nothing' ? [backingEdits(fitting), cellEdits(fitting)] : []),
    ...(rules.elements === undefined || keeps !== 'nothing' ? [] : [featureEdits(fitting, rules.elements)]),
  ]
  const added = sections.flatMap((section) => section.added ?? [])
  return [
    ...inOrder([
      ...sections.flatMap(({ edits }) => edits),
      ...deviceEdits(fitting),
      ...insertChildren(document, root, { added, order: ORDER }, write),
    ]),
  ]
}

/**
 * A cpuset that is written confines whatever is not pinned, and a stale one fails the start; `auto` would ask
 * numad.
 */
function vcpuEdits(document: XmlDocument, vcpu: XmlElement | undefined, { binding }: Placement): Edit[] {
  if (vcpu === undefined) return []
  const { vcpupin, emulatorpin, iothreadpin } = binding
  const used = union(...vcpupin, ...(emulatorpin ? [emulatorpin] : []), ...iothreadpin)
  const auto = attribute(vcpu, 'placement')?.value === 'auto'
  return [
    ...(auto ? setAttributes(document, vcpu, [['placement', 'static']]) : []),
    ...(attribute(vcpu, 'cpuset') === undefined || used.length === 0
      ? []
      : setAttributes(document, vcpu, [['cpuset', formatSet(used)]])),
  ]
}
