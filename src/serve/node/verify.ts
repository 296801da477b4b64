// A pod's QEMU -> where its threads and its memory are, as a line of the log and findings below it.

import { decodeUtf8 } from '../../base/utf8.ts'
import { readDomain } from '../../domain/view.ts'
import { actualText } from '../../explain/actual-placement.ts'
import { renderDiagnostics } from '../../explain/diagnostics.ts'
import { findingsOf } from '../../explain/guests/summary.ts'
import type { Files } from '../../host/files.ts'
import { ifReadable } from '../../host/kernel-text.ts'
import { readRunningGuest } from '../../host/qemu/process.ts'
import { readStatus, STATUS_FOLDERS } from '../../host/qemu/status.ts'
import { machineIn } from '../../machine/files.ts'
import type { Host } from '../../model/host.ts'
import type { QemuCommand } from '../../model/running-guest.ts'
import { domainSource } from '../../redact/secrets.ts'
import { expectedOfCommand, expectedOfDomain, pagesizesOf } from '../../verify/expected.ts'
import { verify } from '../../verify/verify.ts'
import type { XmlDocument } from '../../xml/parse.ts'

/** A guest that runs in a pod. */
interface Running {
  readonly files: Files
  /** The folder with the node's proc/ and sys/. */
  readonly root: string
  readonly pid: number
  readonly host: Host
}

/** What is logged of it. */
interface Verified {
  /** "placed as expected", "2 findings". */
  readonly summary: string
  /** The tables of `virt-numa verify` and the findings. */
  readonly details: string
}

/** @throws Refusal of readRunningGuest: the guest ended meanwhile */
export function verifyPod({ files, root, pid, host }: Running): Verified {
  // Process ids in the status file are those of the pod: vCPUs are known by the names of their threads.
  const guest = readRunningGuest(files, pid, new Map())
  const status = liveDomain(`${root}/proc/${pid}/root`, guest.command)
  const source =
    status === undefined ? `the command line of process ${pid}` : "libvirt's status file in the pod"
  const expected =
    status === undefined
      ? expectedOfCommand(guest.command, source)
      : expectedOfDomain(readDomain({ ...status, source }), guest.command, {
          source,
          ...pagesizesOf(host, guest),
        })
  const { actual, found } = verify({
    running: guest,
    expected,
    isLibvirts: status !== undefined,
    nodes: host.nodes,
  })
  const findings = findingsOf({ found })
  const text = actualText(actual, findings)
  const sources = status === undefined ? [] : [domainSource(source, status.text)]
  return {
    summary: text.trimEnd().split('\n').at(-1) ?? '',
    details: text + renderDiagnostics(found, 'capacity-fails', sources),
  }
}

/** The live domain in the status file of the pod's own libvirt, which only root of the node may read. */
function liveDomain(root: string, { guest = '' }: QemuCommand): XmlDocument | undefined {
  if (guest === '' || guest.includes('/')) return undefined
  const files = machineIn(root)
  for (const folder of [...STATUS_FOLDERS].reverse()) {
    const file = `/var${folder}/${guest}.xml`
    const bytes = files.read(file)
    const text = bytes && decodeUtf8(bytes)
    const status = typeof text === 'string' ? ifReadable(() => readStatus(text, file)) : undefined
    if (status !== undefined) return status.domain
  }
  return undefined
}
