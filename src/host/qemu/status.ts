// libvirt's status file of a running guest (/run/libvirt/qemu/NAME.xml) -> process, vCPU threads and live
// domain.

import type { CpuSet, IdSet, NodeSet } from '../../base/idset.ts'
import { parseSet } from '../../base/parse-set.ts'
import { refuse } from '../../codes/codes.ts'
import { attribute, child, childrenOf, parseXml, type XmlDocument, type XmlElement } from '../../xml/parse.ts'
import { ifReadable, known } from '../kernel-text.ts'

/** Where libvirt's system daemon keeps the status files of running guests. */
export const STATUS_FOLDERS = ['/run/libvirt/qemu', '/run/libvirt/qemu/run'] as const

/**
 * A running guest as libvirt sees it. `vcpus` maps each vCPU to its thread; `autoNodes` and `autoCpus` are
 * numad's answer for placement='auto'; `domain` is the live one.
 */
export interface GuestStatus {
  readonly pid: number
  readonly state?: string
  readonly vcpus: ReadonlyMap<number, number>
  readonly autoNodes?: NodeSet
  readonly autoCpus?: CpuSet
  readonly domain: XmlDocument
}

/** Parses a status file. @throws Refusal `status-malformed`, `xml-*` */
export function readStatus(text: string, file: string): GuestStatus {
  const { root } = parseXml(text)
  const domain = child(root, 'domain')
  const pid = numberOf(root, 'pid')
  if (root.name !== 'domstatus' || domain === undefined || pid === undefined)
    refuse('status-malformed', { file })
  const vcpus = childrenOf(child(root, 'vcpus'), 'vcpu').flatMap((vcpu): [number, number][] => {
    const [id, thread] = [numberOf(vcpu, 'id'), numberOf(vcpu, 'pid')]
    // If the vCPUs share a thread, libvirt knows no vCPU threads and writes 0 or the process id.
    return id === undefined || thread === undefined || thread === 0 || thread === pid ? [] : [[id, thread]]
  })
  const numad = child(root, 'numad')
  return {
    pid,
    ...known('state', attribute(root, 'state')?.value),
    vcpus: new Map(vcpus),
    ...known('autoNodes', setOf<NodeSet>(numad, 'nodeset')),
    ...known('autoCpus', setOf<CpuSet>(numad, 'cpuset')),
    domain: { text, root: domain },
  }
}

function numberOf(element: XmlElement, name: string): number | undefined {
  const text = attribute(element, name)?.value ?? ''
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

function setOf<Set extends IdSet<string>>(element: XmlElement | undefined, name: string): Set | undefined {
  const written = attribute(element, name)?.value
  return written === undefined ? undefined : ifReadable(() => parseSet<Set>(written, name))
}
