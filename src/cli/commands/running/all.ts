// All running guests of a host, each surveyed: libvirt's status files where they can be read, else what virsh
// says of each guest.

import { Refusal } from '../../../base/diagnostic.ts'
import type { Files } from '../../../host/files.ts'
import { ifReadable, numberedIn } from '../../../host/kernel-text.ts'
import { type MappingDetail, readCommandOf } from '../../../host/qemu/process.ts'
import { dumpLive, listRunning } from '../../../libvirt/guests.ts'
import { readFilesOf } from '../../../machine/host-source.ts'
import type { GuestSurvey, GuestsOfHost } from '../../../model/actual-placement.ts'
import { virshFor } from '../../guest-definition.ts'
import type { Running } from '../../report.ts'
import { type AllLocated, type Located, locateAll } from './locate.ts'
import { readMachine, survey } from './survey.ts'

/**
 * Where every running guest is, by name. A guest that ends meanwhile is left out; one that cannot be read is
 * among the problems.
 * @throws Refusal of virsh, where nothing is known of any guest
 */
export async function surveyAll(
  host: string | undefined,
  detail: MappingDetail,
  running: Running,
): Promise<GuestsOfHost> {
  const files = readFilesOf(host)
  const { located, problems } = await locate(files, host === undefined, running)
  const machine = readMachine(files, detail)
  const guests: GuestSurvey[] = []
  const found = [...problems]
  for (const status of located) {
    try {
      guests.push(survey(machine, { pid: status.pid, status }, running))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (!hasVanished(error)) found.push(...error.diagnostics)
    }
  }
  guests.sort(byName)
  return { guests, problems: found, ...(machine.host && { nodes: machine.host.nodes }) }
}

/** Guests of different daemons may have the same name. */
function byName({ actual: a }: GuestSurvey, { actual: b }: GuestSurvey): number {
  return a.guest < b.guest ? -1 : a.guest > b.guest ? 1 : a.pid - b.pid
}

/** The process ended, and its id may be that of another by now. */
const hasVanished = ({ diagnostics }: Refusal): boolean =>
  diagnostics.every(({ code }) => ['guest-gone', 'process-missing', 'not-qemu-process'].includes(code))

async function locate(
  files: Files,
  isThisMachine: boolean,
  running: Running,
): Promise<Pick<AllLocated, 'located' | 'problems'>> {
  const all = locateAll(files, isThisMachine)
  if (all.isComplete || !isThisMachine) return all
  const isNothingKnown = all.located.length === 0 && all.problems.length === 0
  try {
    const others = await locateByVirsh(files, running)
    const pids = new Set(all.located.map(({ pid }) => pid))
    const added = others.filter(({ pid }) => !pids.has(pid))
    const problems = all.problems.filter(({ code }) => code !== 'guests-unread')
    return { located: [...all.located, ...added], problems }
  } catch (error) {
    if (!(error instanceof Refusal) || isNothingKnown) throw error
    return { ...all, problems: [...all.problems, ...error.diagnostics] }
  }
}

/**
 * libvirt does not state a guest's process to users who may only read; QEMU's command line has the guest's
 * name, and anybody may read it. Threads are then identified by their names.
 */
async function locateByVirsh(files: Files, running: Running): Promise<readonly Located[]> {
  const virsh = virshFor(undefined, new AbortController(), running)
  const listed = await listRunning(virsh)
  const pids = listed.length === 0 ? new Map<string, number[]>() : pidsByGuest(files)
  const located: Located[] = []
  for (const guest of listed) {
    const [pid, ...others] = pids.get(guest.name) ?? []
    if (pid === undefined || others.length > 0) continue
    const file = `virsh dumpxml ${guest.name}`
    located.push({ pid, vcpus: new Map(), domain: await dumpLive(virsh, guest), file })
  }
  return located
}

function pidsByGuest(files: Files): ReadonlyMap<string, number[]> {
  const pids = new Map<string, number[]>()
  for (const pid of numberedIn(files, '/proc', '') ?? []) {
    const guest = ifReadable(() => readCommandOf(files, pid))?.guest
    if (guest !== undefined) pids.set(guest, [...(pids.get(guest) ?? []), pid])
  }
  return pids
}
