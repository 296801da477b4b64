// Descriptions of a host that cannot be read: the text of each code.

import { inOneUnit } from '../../base/memory.ts'
import { shellWord } from '../../base/visible.ts'
import type {
  CapabilitiesProblem,
  HostFacts,
  ShapeProblem,
  SnapshotProblem,
  UnreadableHost,
} from '../../codes/host.ts'
import { meant, plural, short, type Text, type Texts, text, unexpectedText } from './words.ts'

/** What, why and fix of each code. */
export const hostTexts: Texts<HostFacts> = {
  'host-unreadable': (f) =>
    text(
      `the host cannot be read: ${unreadableWords(f.because)}`,
      'a placement needs the nodes and CPUs of a host',
      'use --host with a snapshot, a folder or tar with sys/ and proc/, the output of virsh capabilities, ' +
        'or a shape in words such as 2n16c2t,64G',
    ),
  'host-malformed': (f) => snapshotText(`${f.source}: ${f.path || 'the document'}`, f.problem),
  'capabilities-malformed': (f) => {
    const [what, why] = capabilitiesWords(f.problem)
    return text(`${f.source}: ${what}`, why, 'give the output of virsh capabilities, unchanged')
  },
  'host-shape': (f) =>
    text(
      `${short(f.text)} does not describe a host: ${shapeWords(f.problem)}`,
      'a shape has nodes, cores of each node and threads of each core, then memory and huge pages of ' +
        'each node',
      'write it like 2n16c2t,64G,1G:32',
    ),
  'host-several': (f) =>
    text(
      `${f.file} states ${f.count === 0 ? 'no host' : plural(f.count, 'host')}`,
      'a placement is for one host',
      f.count === 0
        ? 'check the command that wrote it'
        : `virt-numa fleet DOMAIN.XML ${shellWord(f.file)} tries the guest on each of them`,
    ),
  'cpus-counted': (f) =>
    text(
      `${f.host}: a NodeResourceTopology states how many CPUs a node has, not which`,
      'CPUs are numbered here node by node, and each counts as a core; caches and devices are unknown',
      'for the placement itself, plan on a snapshot of that host: virt-numa snapshot',
    ),
  'fleet-empty': (f) =>
    text(
      `${f.folder} contains no host`,
      'snapshots and lists (.json), capabilities (.xml), captures (.tar, .tar.gz, .tgz) and ' +
        'folders with sys/ are read',
      'name another folder, or the files themselves',
    ),
  'fleet-unread': (f) =>
    text(
      `${f.count} of ${plural(f.hosts, 'host')} could not be read: ` +
        `${f.names.map((name) => short(name)).join(', ')}${f.count > f.names.length ? ', ...' : ''}`,
      'the answer for the others stands; the rows have the reasons',
      'take these snapshots again, or leave these files out',
    ),
  'fleet-nowhere': (f) =>
    text(
      `${f.guest === '' ? 'the guest' : short(f.guest)} starts on none of ${plural(f.hosts, 'host')}`,
      'the rows have the reasons',
      'virt-numa plan --host HOST DOMAIN.XML lists each with its fix',
    ),
  'cgroup-missing': (f) =>
    text(
      `there is no cgroup ${short(f.path, 200)}`,
      f.mounts.length === 0
        ? 'no cgroup hierarchy is mounted here'
        : `cgroup hierarchies are mounted at ${f.mounts.join(', ')}`,
      'use the path of a folder there, or a path as in /proc/PID/cgroup',
    ),
  'process-missing': (f) =>
    text(
      `there is no process ${f.pid}`,
      `/proc/${f.pid} cannot be read`,
      'pgrep -a qemu shows the running guests',
    ),
}

function shapeWords(problem: ShapeProblem): string {
  switch (problem.is) {
    case 'not-counts':
      return `it starts with ${short(problem.part)}`
    case 'not-an-item':
      return `${short(problem.part)} is neither a size nor a page size with a number of pages`
    case 'not-a-pagesize':
      return `${short(problem.part)} has a page size that is not a power of two`
    case 'twice':
      return `${short(problem.part)} states a second time what each node has`
    case 'too-many':
      return `it has ${problem.count} ${problem.of}, and at most ${problem.max} can be described`
    case 'no-memory':
      return 'it has huge pages, but no memory'
    case 'pages-above-memory': {
      const [pages, memory] = inOneUnit(problem.pagesKiB, problem.memoryKiB)
      return `each node has ${pages} in huge pages, but only ${memory} of memory`
    }
  }
}

function unreadableWords(because: UnreadableHost): string {
  return because.is === 'no-online-cpu'
    ? `${because.folders.join(' and ')} list no online CPU`
    : `${because.folder} lists ${because.count} nodes, and Linux supports at most ${because.max}`
}

function snapshotText(place: string, problem: SnapshotProblem): Text {
  switch (problem.is) {
    case 'unexpected':
      return unexpectedText(place, problem)
    case 'missing':
      return text(`${place} is missing`, 'every description of a host has it', `add "${problem.key}"`)
    case 'unknown-key':
      return text(
        `${place} is an unknown key`,
        `the keys here are ${problem.known.join(', ')}`,
        meant(problem.close, 'delete it or write one of these'),
      )
    case 'not-a-pagesize':
      return text(
        `${place} is ${problem.pagesizeKiB}`,
        'a page size is a power of two',
        'write it in KiB: 2048 for 2M, 1048576 for 1G',
      )
    case 'not-an-address':
      return text(
        `${place} is ${short(problem.address)}`,
        'it is not the address of a PCI device',
        'write it as sysfs names it: 0000:3b:00.0',
      )
    case 'no-nodes':
      return text(
        `${place} is empty`,
        'every host has a node, even without NUMA',
        'write one node 0 with all CPUs',
      )
    case 'empty':
      return text(`${place} is empty`, `every ${problem.of} has a CPU`, 'delete it')
    case 'too-many-nodes':
      return text(
        `${place} has ${problem.count} members`,
        `Linux supports at most ${problem.max} nodes`,
        `describe at most ${problem.max} nodes`,
      )
    case 'node-twice':
      return text(
        `${place} is ${problem.node}, the same as ${problem.first}`,
        'each node has its own id',
        'number the nodes as the kernel does',
      )
    case 'cpu-twice':
      return text(
        `${place} has CPU ${problem.cpu}, which ${problem.first} has too`,
        `a CPU belongs to one ${problem.of}`,
        'delete it from one of the two',
      )
    case 'pagesize-twice':
      return text(
        `${place} has pages of ${problem.pagesizeKiB} KiB, the same as ${problem.first}`,
        'each page size is listed once',
        'delete one of the two',
      )
    case 'free-pages-above-total':
      return text(
        `${place} is ${problem.free}, more than the total of ${problem.total}`,
        'free pages are part of the total',
        'correct one of the two',
      )
    case 'free-memory-above-total':
      return text(
        `${place} is ${problem.freeKiB}, more than memoryKiB ${problem.memoryKiB}`,
        'free memory is part of the memory',
        'correct one of the two',
      )
    case 'available-memory-above-total':
      return text(
        `${place} is ${problem.availableKiB}, more than memoryKiB ${problem.memoryKiB}`,
        'available memory is part of the memory',
        'correct one of the two',
      )
    case 'distance-count':
      return text(
        `${place} has ${plural(problem.count, 'number')} for ${plural(problem.nodes, 'node')}`,
        'a node has a distance to each node, in the order of nodes',
        `write ${plural(problem.nodes, 'number')}`,
      )
    case 'distance-invalid':
      return text(`${place} is ${problem.distance}`, 'distances are from 10 to 255', 'see numactl --hardware')
  }
}

function capabilitiesWords(problem: CapabilitiesProblem): readonly [what: string, why: string] {
  switch (problem.is) {
    case 'other-root':
      return [
        `the document is <${problem.name}>, not <capabilities>`,
        'only <capabilities> lists the nodes of the host',
      ]
    case 'no-cells':
      return ['there is no <cell> in <host><topology>', 'this libvirt driver does not report nodes']
    case 'too-many-cells':
      return [`there are ${problem.count} cells`, `Linux supports at most ${problem.max} nodes`]
    case 'cell-twice':
      return [`<cell id='${problem.cell}'> occurs twice`, 'each node has one cell']
    case 'cpu-twice': {
      const [one, other] = problem.cells
      return [
        `CPU ${problem.cpu} is in <cell id='${one}'> and in <cell id='${other}'>`,
        'a CPU belongs to one node',
      ]
    }
    case 'not-a-count':
      return [
        `<${problem.element}> has ${short(problem.text)}`,
        `expected a whole number from 0 to ${problem.max}`,
      ]
  }
}
