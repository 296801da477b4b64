// A running guest that cannot be read, or that is not where its XML says: the text of each code.

import { type CpuSet, formatSet, intersect, type NodeSet } from '../../base/idset.ts'
import { aboutKiB, formatKiB, inOneUnitAbout } from '../../base/memory.ts'
import { shellWord } from '../../base/visible.ts'
import type { NotRunning, RunningGuestFacts, ThreadGroup } from '../../codes/running-guest.ts'
import { policyWords, shareWords } from '../actual-placement.ts'
import { cellWord, cpuWord, isOrAre, nodesNamed, plural, short, type Texts, text, withIds } from './words.ts'

/** What, why and fix of each code. */
export const runningGuestTexts: Texts<RunningGuestFacts> = {
  'guest-not-running': (f) =>
    text(
      `the guest ${short(f.guest)} is not running here`,
      notRunning(f.because),
      'virsh list --all lists the guests; start it with virsh start, or use --pid PID',
    ),
  'guest-gone': (f) =>
    text(
      `process ${f.pid} ended while it was being read`,
      'its placement could not be read completely',
      'run it again when the guest is running',
    ),
  'not-qemu-process': (f) =>
    text(
      `process ${f.pid} is ${short(f.name)}, not QEMU`,
      'only QEMU processes have cells and vCPU threads',
      'pgrep -a qemu lists the running guests',
    ),
  'status-malformed': (f) =>
    text(
      `${f.file} is not the status file of a running guest`,
      'a status file is a <domstatus pid=...> that contains the live domain',
      'virt-numa verify --pid PID DOMAIN.XML',
    ),
  'status-unread': (f) =>
    text(unreadFiles(f.files), 'the CPUs that these guests are pinned to are considered free', 'run as root'),
  'guests-unread': (f) =>
    text(
      unreadFiles(f.files),
      'only root may read them, and nothing is known of these guests without them',
      'run as root',
    ),
  'guest-memory-unreadable': (f) =>
    text(
      `/proc/${f.pid}/numa_maps cannot be read`,
      "the kernel shows the memory of another user's process only to processes that may trace it",
      'run it as root, or with CAP_SYS_PTRACE',
    ),
  'host-without-processes': (f) =>
    text(
      `--host ${f.file} contains no processes`,
      'a running guest is read from /proc and /run',
      'give a folder or tar with proc/ and run/, or omit --host on the host itself',
    ),
  'threads-wider': (f) =>
    text(
      placedWords(f),
      f.isLive ? LIVE : 'the scheduler may move it away from its memory, or onto a CPU of another guest',
      pinFix(f),
    ),
  'threads-elsewhere': (f) =>
    text(
      placedWords(f),
      f.isLive ? LIVE : 'it was changed after libvirt pinned it, by taskset, cgset or a reduced cpuset',
      pinFix(f),
    ),
  'threads-narrower': (f) =>
    text(placedWords(f), 'taskset or a cpuset of its cgroup reduced the CPUs, without libvirt', pinFix(f)),
  'vcpus-crowded': (f) =>
    text(
      placedWords(f),
      'these vCPUs wait for one another, although their pins have a CPU for each; taskset or a cpuset of ' +
        'the cgroup reduced the CPUs, without libvirt',
      pinFix(f),
    ),
  'live-pins': (f) => text(`${livePinWords(f)} in its definition`, CHANGED, livePinFix(f)),
  'live-memory': (f) =>
    text(
      `${f.cells.length === 0 ? '<memory>' : `the memnode of ${cellWord(f.cells)}`} of the running guest ` +
        `names ${nodeWords(f.live)}, but ${nodeWords(f.defined)} in its definition`,
      CHANGED,
      f.cells.length === 0
        ? `to keep it: virsh numatune ${shellWord(f.guest)} --nodeset ${formatSet(f.live)} --config`
        : `to fit the definition to this host: virt-numa define --guest ${shellWord(f.guest)}`,
    ),
  'guest-memory-elsewhere': (f) =>
    text(
      `${cellsHave(f.cells)} ${strayWords(f)}`,
      f.before !== undefined
        ? `libvirt's live XML names other nodes than the definition (${nodeWords(f.before)}): it was ` +
            'changed while the guest ran, and pages that were allocated before stay'
        : f.mode === 'preferred'
          ? `${OVERFLOW}; above ${f.mostPercent} % that is a finding`
          : f.allowed !== undefined
            ? `QEMU may now use only ${nodeWords(f.allowed)}: virsh numatune or something else changed its ` +
              'cpuset'
            : 'it was moved (migratepages, a changed cpuset) or allocated before it was bound; each access ' +
              'is remote',
      moveFix(f),
    ),
  'guest-memory-overflow': (f) =>
    text(
      `${cellsHave(f.cells)} ${strayWords(f)}`,
      `${OVERFLOW}; up to ${f.mostPercent} % of a cell is not a finding`,
      moveFix(f),
    ),
  'guest-memory-unbound': (f) =>
    text(
      `${cellsHave(f.cells)} the memory policy ${boundWords(f)}`,
      'pages that are allocated from now on may come from other nodes',
      restartFix(f.guest),
    ),
  'guest-pagesize': (f) =>
    text(
      `${cellsHave(f.cells)} pages of ${sizes(f.pagesizesKiB)}${thpWords(f)}, expected ` +
        formatKiB(f.expectedKiB),
      f.thpKiB === undefined
        ? 'the guest was started with a page size other than its XML states'
        : 'transparent huge pages come from no pool: the kernel may split them or swap them out',
      restartFix(f.guest),
    ),
  'vcpus-far': (f) =>
    text(
      `${farWords(f)}, but the memory of the cell is on ${nodeWords(f.memoryNodes)}`,
      'each access to that memory is remote',
      'run virt-numa transform --rebind, then restart or migrate the guest',
    ),
  'guest-memory-unknown': (f) =>
    text(
      `the location of ${formatKiB(f.sizeKiB)} of ${cellsTogether(f.cells)} is not known`,
      'QEMU has no mapping, or several, with the name or the size of this memory',
    ),
  'guest-memory-alike': (f) =>
    text(
      `the ${formatKiB(f.sizeKiB)} mappings of cells ${formatSet(f.cells)} cannot be distinguished`,
      'their memory has the same size, kind and policy, and no name; they are reported together',
    ),
  'threads-unknown': (f) =>
    text(
      `${threadWords(f.threads)}: no separate thread was found`,
      f.because === 'one-for-all-vcpus'
        ? 'one thread runs all of them (TCG without multi-threading), so separate pins have no effect'
        : 'QEMU names its threads only with debug-threads=on',
    ),
  'wanted-unknown': (f) =>
    text(
      `only the QEMU command line of process ${f.pid} is known`,
      `there is no libvirt status file of ${f.guest === '' ? 'its guest' : `guest ${short(f.guest)}`}, ` +
        'so its pins are not known; memory is compared with the command line',
      `virsh dumpxml ${f.guest || 'NAME'} | virt-numa verify --pid ${f.pid} -`,
    ),
}

function notRunning(because: NotRunning): string {
  switch (because.is) {
    case 'not-a-name':
      return 'the name of a guest has no "/"; to compare with a domain file, use --pid PID'
    case 'no-status':
      return `there is no ${because.files.join(' or ')}`
    case 'process-gone':
      return `${because.file} names process ${because.pid}, which does not exist`
  }
}

const cellsTogether = (cells: readonly number[]): string =>
  cells.length === 1 ? `cell ${cells[0]}` : `cells ${formatSet(cells)} together`

const cellsHave = (cells: readonly number[]): string =>
  `${cellsTogether(cells)} ${cells.length === 1 ? 'has' : 'have'}`

const nodeWords = (nodes: NodeSet): string => nodesNamed(nodes)

const thpWords = ({ thpKiB }: RunningGuestFacts['guest-pagesize']): string =>
  thpKiB === undefined ? '' : ` (${aboutKiB(thpKiB)} in transparent huge pages)`

const sizes = (sizesKiB: readonly number[]): string => sizesKiB.map(formatKiB).join(' and ')

/** "bind:1, expected strict on node 0". */
function boundWords({ policies, expected }: RunningGuestFacts['guest-memory-unbound']): string {
  const has = policies.map(policyWords).join(' and ')
  return `${has}, expected ${expected.mode} on ${nodeWords(expected.nodes)}`
}

/** "vCPUs 0-1 of cell 0 may run on CPUs 4-5 of node 1". */
function farWords({ vcpus, cell, cpus, nodes }: RunningGuestFacts['vcpus-far']): string {
  const threads = `vCPU${vcpus.length === 1 ? '' : 's'} ${formatSet(vcpus)}`
  return `${threads} of cell ${cell} may run on ${cpuWord(cpus)} of ${nodeWords(nodes)}`
}

/** "2 MiB of 64 MiB on nodes other than node 0: 2 MiB on node 1". */
function strayWords(f: RunningGuestFacts['guest-memory-overflow']): string {
  const each = f.stray.map(({ kib }) => kib)
  const [stray, allocated, ...onNodes] = inOneUnitAbout(f.strayKiB, f.allocatedKiB, ...each)
  const where = f.stray.map(({ node }, at) => `${onNodes[at]} on node ${node}`).join(', ')
  const nodes = nodeWords(f.nodes)
  const share = f.mostPercent === undefined ? '' : ` (${shareWords(f.strayKiB / f.allocatedKiB)})`
  const least = f.atLeast ? 'at least ' : ''
  return `${least}${stray} of ${allocated}${share} on nodes other than ${nodes}: ${where}`
}

const OVERFLOW =
  'mode preferred uses another node when the preferred one is full, and each access is then remote'

/** The kernel moves pages only to nodes that the cpuset of the process allows. */
function moveFix(f: RunningGuestFacts['guest-memory-overflow']): string {
  const to = f.allowed === undefined ? f.nodes : intersect(f.nodes, f.allowed)
  const from = formatSet(f.stray.map(({ node }) => node))
  return f.canMovePages && to.length > 0
    ? `migratepages ${f.pid} ${from} ${formatSet(to)}`
    : restartFix(f.guest)
}

function restartFix(guest: string | undefined): string {
  if (guest === undefined) return 'restart the guest'
  const name = shellWord(guest)
  return `virsh shutdown ${name}; virsh start ${name}; or migrate it`
}

const roleNames: Readonly<Record<ThreadGroup['role'], string>> = {
  vcpu: 'vCPU',
  iothread: 'I/O thread',
  emulator: 'emulator thread',
}

function threadWords({ role, ids, tids }: ThreadGroup): string {
  const name = roleNames[role]
  if (role === 'emulator') return tids.length === 1 ? `the ${name} ${tids[0]}` : `${tids.length} ${name}s`
  return `${name}${ids.length === 1 ? '' : 's'} ${formatSet(ids)}`
}

type MisplacedThreads = RunningGuestFacts['threads-wider']

const placedWords = (f: MisplacedThreads): string =>
  `${threadWords(f.threads)} may run on ${cpuWord(f.cpus)}, expected ${expectedWords(f)}`

/** Pins that one message lists. */
const MOST_PINS = 8

function expectedWords({ threads, expected }: MisplacedThreads): string {
  return pinWords(threads.ids, expected)
}

/** "0-3" where all are the same, else "0:4 1:5"; "no CPU" for no pin. */
function pinWords(ids: readonly number[], sets: readonly CpuSet[]): string {
  const pins = sets.map((set) => formatSet(set) || 'no CPU')
  if (pins.every((pin) => pin === pins[0])) return `${pins[0]}`
  const listed = pins.slice(0, MOST_PINS).map((pin, at) => `${ids[at]}:${pin}`)
  return `${listed.join(' ')}${pins.length > MOST_PINS ? ' ...' : ''}`
}

/** The command for the first thread, and that the others need the like. */
function pinFix({ threads: { role, ids, tids }, expected, guest }: MisplacedThreads): string {
  const cpus = formatSet(expected[0] ?? [])
  const others = ids.length > 1 ? ', and likewise for the others' : ''
  if (guest === undefined) {
    const more =
      ids.length === 0 && tids.length > 1 ? `, and likewise for ${tids.slice(1).join(', ')}` : others
    return `taskset -pc ${cpus} ${tids[0]}${more}`
  }
  if (role === 'emulator') return `virsh emulatorpin ${guest} ${cpus} --live`
  return `virsh ${role === 'vcpu' ? 'vcpupin' : 'iothreadpin'} ${guest} ${ids[0]} ${cpus} --live${others}`
}

const LIVE =
  "libvirt's live XML says the same: virsh --live, a migration or the hook changed it, and libvirt pinned it"

const CHANGED =
  'virsh --live, a migration or the hook changed the running guest, or its definition was changed since; ' +
  'the next start uses the definition'

/** "vCPUs 0-1 of the running guest are pinned to 0:4 1:5, but to 0:2 1:3". */
function livePinWords({ role, ids, live, defined }: RunningGuestFacts['live-pins']): string {
  const threads = role === 'emulator' ? 'the emulator' : withIds(roleNames[role], ids)
  return (
    `${threads} of the running guest ${isOrAre(ids.length > 1 ? ids : [0])} pinned to ` +
    `${pinWords(ids, live)}, but to ${pinWords(ids, defined)}`
  )
}

function livePinFix({ role, ids, live, defined, guest }: RunningGuestFacts['live-pins']): string {
  const pin = { vcpu: 'vcpupin', iothread: 'iothreadpin', emulator: 'emulatorpin' }[role]
  const words = ['virsh', pin, shellWord(guest), ...(role === 'emulator' ? [] : [`${ids[0]}`])].join(' ')
  const [now, before] = [formatSet(live[0] ?? []), formatSet(defined[0] ?? [])]
  return (
    [
      ...(now === '' ? [] : [`to keep it: ${words} ${now} --config`]),
      ...(before === '' ? [] : [`to undo it: ${words} ${before} --live`]),
    ].join('; ') + (ids.length > 1 ? '; likewise for the others' : '')
  )
}

function unreadFiles(files: readonly string[]): string {
  const named = `${files.slice(0, 3).join(', ')}${files.length > 3 ? ', ...' : ''}`
  return `cannot read ${plural(files.length, 'status file')} of running guests: ${named}`
}
