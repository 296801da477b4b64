// libvirt's status files of all running guests -> the CPUs that each of these guests has to itself.

import { type CpuSet, has, type IdSet, union, type VcpuSet } from '../../base/idset.ts'
import { parseSet } from '../../base/parse-set.ts'
import { decodeUtf8 } from '../../base/utf8.ts'
import type { TakenCpus } from '../../model/host.ts'
import { attribute, child, childrenOf, type XmlElement } from '../../xml/parse.ts'
import type { Files } from '../files.ts'
import { ifReadable } from '../kernel-text.ts'
import { type GuestStatus, readStatus, STATUS_FOLDERS } from './status.ts'

/** `unread`: status files that could not be read, so that nothing is known of their guests. */
interface TakenOnHost {
  readonly taken: readonly TakenCpus[]
  readonly unread: readonly string[]
}

/** More running guests than the largest hosts have. */
const MOST_FILES = 4096
/** A guest of 4,096 vCPUs, each with a pin, has a status file of less than 1 MiB. */
const MOST_BYTES = 2 * 1024 * 1024

/**
 * Reads the status files of libvirt's system daemon. No guest is there twice; guests ascend by name.
 * The hook calls this while libvirt waits, so it asks no daemon, and a file without pins is not parsed.
 */
export function readTaken(files: Files): TakenOnHost {
  const taken = new Map<string, TakenCpus>()
  const unread: string[] = []
  for (const file of statusFiles(files)) {
    const read = readPins(files, file)
    if (read === undefined) unread.push(file)
    else if (read.cpus.length > 0) taken.set(read.guest, read)
  }
  const byName = [...taken.values()].sort((a, b) => ((a.guest ?? '') < (b.guest ?? '') ? -1 : 1))
  return { taken: byName, unread }
}

function statusFiles(files: Files): readonly string[] {
  return STATUS_FOLDERS.flatMap((folder) =>
    (files.list(folder) ?? []).filter((name) => name.endsWith('.xml')).map((name) => `${folder}/${name}`),
  ).slice(0, MOST_FILES)
}

type Pins = Required<TakenCpus>

const NO_PINS: Pins = { guest: '', cpus: union<CpuSet>() }

function readPins(files: Files, file: string): Pins | undefined {
  const bytes = files.read(file)
  if (bytes === undefined || bytes.length > MOST_BYTES) return undefined
  const text = decodeUtf8(bytes)
  if (typeof text !== 'string') return undefined
  if (!text.includes('<vcpupin')) return NO_PINS
  return ifReadable(() => pinsIn(readStatus(text, file)))
}

/** Counts the vCPUs that are online: libvirt keeps the pin of one that is not, and nothing runs there. */
function pinsIn({ domain: { root }, vcpus }: GuestStatus): Pins {
  const tune = child(root, 'cputune')
  const realtime = union(
    ...childrenOf(tune, 'vcpusched')
      .filter((sched) => ['fifo', 'rr'].includes(attribute(sched, 'scheduler')?.value ?? ''))
      .map((sched) => setIn<VcpuSet>(sched, 'vcpus')),
  )
  // Where vCPUs have no threads of their own, the status file names none.
  const isOnline = (vcpu: number): boolean => vcpus.size === 0 || vcpus.has(vcpu)
  const own = childrenOf(tune, 'vcpupin').flatMap((pin) => {
    const vcpu = Number(attribute(pin, 'vcpu')?.value)
    const cpus = setIn<CpuSet>(pin, 'cpuset')
    // A vCPU that is scheduled real-time starves whatever else runs on its CPUs.
    return isOnline(vcpu) && (cpus.length === 1 || has(realtime, vcpu)) ? [cpus] : []
  })
  return { guest: child(root, 'name')?.text.trim() ?? '', cpus: union<CpuSet>(...own) }
}

/** @throws Refusal of a set that cannot be read */
function setIn<Set extends IdSet<string>>(element: XmlElement, name: string): Set {
  return parseSet<Set>(attribute(element, name)?.value ?? '', name)
}
