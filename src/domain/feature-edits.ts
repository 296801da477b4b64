// What KubeVirt writes for dedicated CPUs to edits of `<features>`: the hint that CPUs are not shared, and no
// PMU for realtime.

import type { KubevirtElements } from '../model/request.ts'
import type { Edit } from '../xml/edit.ts'
import { insertChildren, type NewElement } from '../xml/insert.ts'
import { child, type XmlElement } from '../xml/parse.ts'
import { setAttributes } from './reconcile.ts'
import type { Fitting, Section } from './section.ts'

/** @see libvirt src/conf/domain_conf.h, virDomainFeature: the order of printing */
const FEATURES = (
  'acpi apic pae hap viridian privnet hyperv kvm pvspinlock capabilities pmu vmport gic smm ioapic hpt ' +
  'vmcoreinfo'
).split(' ')
const KVM = ['hidden', 'hint-dedicated', 'poll-control', 'pv-ipi', 'dirty-ring']

/** What is there gets its state; everything else stays. */
export function featureEdits(fitting: Fitting, { hintDedicated, pmuOff }: KubevirtElements): Section {
  const { document } = fitting
  const features = child(document.root, 'features')
  const kvm = child(features, 'kvm')
  const hints = hintDedicated ? [state('hint-dedicated', 'on')] : []
  const desired = [
    ...(hints.length > 0 && kvm === undefined ? [{ ...element('kvm'), children: hints }] : []),
    ...(pmuOff ? [state('pmu', 'off')] : []),
  ]
  if (features === undefined)
    return {
      edits: [],
      added: desired.length === 0 ? undefined : { ...element('features'), children: desired },
    }
  return {
    edits: [
      ...stateEdits(fitting, features, desired, FEATURES),
      ...(kvm === undefined ? [] : stateEdits(fitting, kvm, hints, KVM)),
    ],
  }
}

const element = (name: string): NewElement => ({ name, attributes: [] })
const state = (name: string, value: string): NewElement => ({ name, attributes: [['state', value]] })

function stateEdits(
  { document, write }: Fitting,
  parent: XmlElement,
  desired: readonly NewElement[],
  order: readonly string[],
): Edit[] {
  const written = desired.map((each) => [each, child(parent, each.name)] as const)
  const missing = written.flatMap(([each, there]) => (there === undefined ? [each] : []))
  return [
    ...written.flatMap(([each, there]) =>
      there === undefined ? [] : setAttributes(document, there, each.attributes),
    ),
    ...insertChildren(document, parent, { added: missing, order }, write),
  ]
}
