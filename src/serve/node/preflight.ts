// A VMI, its pod and its node -> what would keep the guest from starting there, before virt-launcher has
// defined it.
//
// Only a proof refuses: what KubeVirt will define is not known, so the guest is fitted as Boot will fit it.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { formatSet } from '../../base/idset.ts'
import type { Json } from '../../base/json.ts'
import { preflight } from '../../check.ts'
import { classOf } from '../../codes/codes.ts'
import { readDocument } from '../../document.ts'
import { readDomain } from '../../domain/view.ts'
import { resourcesOf } from '../../host/resources.ts'
import { fitVmi, withoutMounts } from '../../kubevirt.ts'
import { lazyWrite } from '../../machine/lazy.ts'
import type { Allowed, Host } from '../../model/host.ts'
import type { Shape } from '../../model/shape.ts'
import { place } from '../../place.ts'
import type { Config } from '../../request/config.ts'
import type { RequestedKeys } from '../../request/request.ts'
import { readShape } from '../../request/shape/text.ts'
import { readVmi, type Vmi } from '../../request/vmi.ts'
import { domainNameOf, topologyOf } from './vmi.ts'

/** A guest that is about to come to this node. */
export interface Arriving {
  readonly vmi: Json
  /** `allowed`: of the pod. */
  readonly source: { readonly host: Host; readonly allowed: Partial<Allowed> }
  readonly config: Config
  readonly configSource: string
  readonly flags: RequestedKeys
}

const SOURCE = 'the VMI'

/**
 * Findings against a start on this node: none of them is a note.
 * @throws Refusal of readVmi and of place
 */
export function againstStart(arriving: Arriving): Diagnostic[] {
  const { vmi, source, ...surroundings } = arriving
  const read = readVmi(vmi, SOURCE)
  if (!read.dedicated || read.memoryKiB === undefined) return []
  const domain = readDocument(domainOf(arriving, read), SOURCE)
  const placed = fitVmi({ vmi, domain }, { ...surroundings, source: () => source }, lazyWrite)
  return placed === undefined
    ? []
    : findings(preflight(readDomain(readDocument(placed.text, SOURCE)), placed.resources))
}

/**
 * Findings against the target of a migration. The cells of the running guest are known only from its recorded
 * shape: then every cell needs a node, as our hook on the target will look for one. Without a shape, the
 * nodes of the pod together need its memory.
 * @throws Refusal as againstStart
 */
export function againstMigration(arriving: Arriving): Diagnostic[] {
  const { vmi, source } = arriving
  const read = readVmi(vmi, SOURCE)
  if (!read.dedicated || read.memoryKiB === undefined) return []
  const { allowed } = source
  const host = withoutMounts(source.host)
  const nodes = allowed.nodes === undefined ? '' : formatSet(allowed.nodes)
  const shape = read.recordedShape === undefined ? undefined : readShape(read.recordedShape, SOURCE)
  const document = readDocument(domainOf(arriving, read, { nodes, shape }), SOURCE)
  if (shape === undefined) return findings(preflight(readDomain(document), resourcesOf(host, allowed)))
  const { config, configSource } = arriving
  const placed = place(document, { host, allowed, config, configSource, runs: true }, lazyWrite, 'if-better')
  return findings(preflight(readDomain(readDocument(placed.text, SOURCE)), placed.resources))
}

const findings = (found: readonly Diagnostic[]): Diagnostic[] =>
  found.filter(({ code }) => classOf(code) !== 'note')

/** Where a running guest may go, and its cells where they are known. */
interface Bound {
  readonly nodes: string
  readonly shape: Shape | undefined
}

/** The guest as far as the VMI states it. A new fit writes pages and binding itself. */
function domainOf({ vmi }: Arriving, { memoryKiB, requested }: Vmi, bound?: Bound): string {
  const { isArm, ...ofVmi } = topologyOf(vmi)
  const { sockets, cores, threads } = bound?.shape?.topology ?? ofVmi
  const { pagesize } = requested
  const pages =
    typeof pagesize === 'number'
      ? `<memoryBacking><hugepages><page size='${pagesize}' unit='KiB'/></hugepages></memoryBacking>`
      : ''
  return `<domain type='kvm'>
  <name>${domainNameOf(vmi)}</name>
  <memory unit='KiB'>${memoryKiB}</memory>
  ${pages}
  <vcpu>${sockets * cores * threads}</vcpu>
  ${bound === undefined || bound.nodes === '' ? '' : numatuneOf(bound)}
  <os><type arch='${isArm ? 'aarch64' : 'x86_64'}' machine='${isArm ? 'virt' : 'q35'}'>hvm</type></os>
  <cpu mode='host-passthrough'>
    <topology sockets='${sockets}' cores='${cores}' threads='${threads}'/>
    ${bound?.shape === undefined ? '' : `<numa>${bound.shape.cells.map(cellText).join('')}</numa>`}
  </cpu>
</domain>
`
}

function cellText({ id, vcpus, memoryKiB }: Shape['cells'][number]): string {
  const cpus = vcpus.length === 0 ? '' : ` cpus='${formatSet(vcpus)}'`
  return `<cell id='${id}'${cpus} memory='${memoryKiB}' unit='KiB'/>`
}

/** Every cell on all nodes: no binding that is kept. */
function numatuneOf({ nodes, shape }: Bound): string {
  const cells = shape?.cells ?? []
  const memnodes = cells.map(({ id }) => `<memnode cellid='${id}' mode='strict' nodeset='${nodes}'/>`)
  return `<numatune><memory mode='strict' nodeset='${nodes}'/>${memnodes.join('')}</numatune>`
}
