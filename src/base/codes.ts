// The table of everything we say: one entry per code, by class. A text takes facts and gives what, why and fix.
// Texts stand together so that they read alike: `what` has the numbers, `why` is one sentence, `fix` can be typed.

import { shellWord, shownName } from './name.ts'

interface Text {
  what: string
  why: string
  fix?: string
}

const text = (what: string, why: string, fix?: string): Text =>
  fix === undefined ? { what, why } : { what, why, fix }
const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`
/** What others wrote, cut; characters that cannot be shown are written out where it is printed (visible.ts). */
const short = (value: string, most = 40): string =>
  `"${(value.length > most ? `${value.slice(0, most - 3)}...` : value).replaceAll('"', '\\"')}"`
const or = (words: readonly string[]): string => words.join(', ').replace(/, ([^,]*)$/, ' or $1')
const meant = (close: string | undefined, otherwise: string): string =>
  close === undefined ? otherwise : `did you mean ${close}?`

const taken = (f: { vcpus: number; pool: number }): string =>
  `${plural(f.vcpus, 'vCPU')}${f.pool === 0 ? '' : ` and ${plural(f.pool, 'I/O thread')}`} ${f.vcpus + f.pool === 1 ? 'takes' : 'take'}`

const cpuWord = (cpus: string): string =>
  cpus === '' ? 'no CPU' : `CPU${/^\d+$/.test(cpus) ? '' : 's'} ${cpus}`
const has = (cells: string): string => `${cells} ${cells.startsWith('cells') ? 'have' : 'has'}`
const nodeWord = (f: { nodes: string; count: number }): string => `node${f.count === 1 ? '' : 's'} ${f.nodes}`
const cellWord = (cells: readonly number[]): string =>
  `cell${cells.length === 1 ? '' : 's'} ${cells.join(' and ')}`

const folderOf = (path: string): string =>
  /^(.*?)\/+[^/]*\/*$/.exec(path)?.[1] || (path.startsWith('/') ? '/' : '.')

/** What can be done when the system refuses to write a file, by the code of its error. */
const fixesOfWriting: Readonly<Record<string, (file: string) => string>> = {
  ENOENT: (file) => `create the folder: mkdir -p ${shellWord(folderOf(file))}`,
  ENOTDIR: (file) => `choose a path below a folder: something in ${folderOf(file)} is a file`,
  EEXIST: (file) => `remove it, rm ${shellWord(file)}, or choose another file`,
  EISDIR: (file) => `this is a folder; name a file in it: ${shellWord(`${file.replace(/\/+$/, '')}/NAME`)}`,
  EACCES: (file) => `run it as a user who may write to ${shellWord(folderOf(file))}, or choose another file`,
  EPERM: (file) => `run it as the owner of ${shellWord(file)} or as root, or choose another file`,
  EROFS: (file) =>
    `choose a file elsewhere: the file system of ${shellWord(folderOf(file))} is mounted read-only`,
  ENOSPC: (file) => `free space on the disk: df -h ${shellWord(folderOf(file))}`,
  EDQUOT: () => 'free space, or have the disk quota raised: quota -s',
  EFBIG: () => 'raise the limit on the size of files: ulimit -f unlimited',
  EBUSY: () => 'run it again once no other program replaces or locks the file',
  ENXIO: () => 'start the program that reads it first, or choose a regular file',
  EPIPE: () => 'see why the program that reads it ended',
  ENAMETOOLONG: () => 'choose a shorter name',
  ELOOP: (file) => `its links lead in a circle; see: namei -l ${shellWord(file)}`,
  EMFILE: () => 'raise the limit on open files: ulimit -n 1024',
  ENFILE: () => 'close programs: the system has too many open files',
  EIO: (file) =>
    `check the disk or the network share that holds ${shellWord(folderOf(file))}; the kernel's log says more: dmesg`,
}

/** stdout and stderr have no folder. */
const fixesOfStream: Readonly<Record<string, string>> = {
  ENOSPC: 'free space on the disk that it is redirected to',
  EDQUOT: 'free space, or have the disk quota raised: quota -s',
  EFBIG: 'raise the limit on the size of files: ulimit -f unlimited',
  EPIPE: 'see why the program that reads it ended',
  ENXIO: 'start the program that reads it first, or choose a regular file',
  EACCES: 'run it as a user who may write to it, or choose a regular file',
}

/** The same for reading. */
const fixesOfReading: Readonly<Record<string, (file: string) => string>> = {
  ENOENT: (file) => `check the path: ls -l ${shellWord(folderOf(file))}`,
  ENOTDIR: (file) => `check the path: something in ${folderOf(file)} is a file, not a folder`,
  EISDIR: (file) => `this is a folder; name a file in it: ls -l ${shellWord(file)}`,
  EACCES: (file) => `run it as root, or as a user who may read it; see: namei -l ${shellWord(file)}`,
  EPERM: (file) => `run it as root, or as a user who may read it; see: namei -l ${shellWord(file)}`,
  ELOOP: (file) => `its links lead in a circle; see: namei -l ${shellWord(file)}`,
  ENXIO: () => 'choose a regular file: this is a socket, or a device that is not there',
  ENAMETOOLONG: () => 'check the path: no file has so long a name',
  EMFILE: () => 'raise the limit on open files: ulimit -n 1024',
  EIO: (file) =>
    `check the disk or the network share that holds ${shellWord(folderOf(file))}; the kernel's log says more: dmesg`,
}

const fixOfReading = (file: string, errno: string | undefined): string =>
  fixesOfReading[errno ?? '']?.(file) ?? 'check the path and its permissions'

function definitionOf(f: { name: string; backup: string | undefined }): string {
  const shows = `virsh dumpxml --inactive ${shellWord(f.name)} shows it`
  return f.backup === undefined
    ? shows
    : `${shows}; virsh define ${shellWord(f.backup)} brings the former definition back`
}
/** `pinned`: all CPUs of the threads' pins; `bounds`: those that they leave. */
interface PinFacts {
  readonly source: string
  readonly threads: string
  readonly pinned: string
  readonly bounds: readonly string[]
}

const within = (bounds: readonly string[]): string =>
  `a guest's own request stays within ${bounds.join(' and ')}`

const invalid = {
  // Values
  'set-malformed': (f: { source: string; text: string; item: string; by?: 'libvirt' }) =>
    text(
      `${f.source}: ${short(f.text)} is no set of ids${f.item === f.text.trim() ? '' : `, because of ${short(f.item)}`}`,
      f.by === 'libvirt'
        ? 'libvirt takes single ids, ascending ranges and ^ before a single id, separated by commas'
        : 'a set is written as the kernel does: single ids and ascending ranges, separated by commas',
      f.by === 'libvirt' ? 'write it like 0-3,8 or 0-7,^2' : 'write it like 0-3,8 (or 0-7,^2, or 0-31:2/4)',
    ),
  'set-too-large': (f: { source: string; text: string; max: number }) =>
    text(
      `${f.source}: ${short(f.text)} names an id above ${f.max}`,
      'no Linux host has so many CPUs or nodes',
      'check the last number',
    ),
  'size-malformed': (f: { source: string; text: string }) =>
    text(
      `${f.source}: ${short(f.text)} is no size`,
      'a size is a whole number and a unit',
      'write it like 64 MiB, 2M or 1G',
    ),
  'size-too-large': (f: { source: string; text: string }) =>
    text(
      `${f.source}: ${short(f.text)} is more memory than can be counted exactly`,
      'sizes are held as whole KiB up to 2^53',
      'check the unit',
    ),

  // The request
  'unknown-key': (f: { source: string; key: string; known: readonly string[]; close?: string | undefined }) =>
    text(
      `${f.source}: ${short(f.key)} is no key`,
      `the keys are ${f.known.join(', ')}`,
      meant(f.close, 'delete it or write one of these'),
    ),
  'unknown-value': (f: {
    source: string
    key: string
    value: string
    known: readonly string[]
    close?: string | undefined
    example?: string | undefined
  }) =>
    text(
      `${f.source}: ${short(f.value)} is no value of ${f.key}`,
      `${f.key} is ${or(f.known)}`,
      meant(f.close, `write it like ${f.example ?? f.known[0]}`),
    ),
  'tenant-key-refused': (f: { source: string; key: string; config: string; allowed: readonly string[] }) =>
    text(
      `${f.source}: ${f.key} is not a guest's to set`,
      `tenant_keys in ${f.config} allows ${f.allowed.length === 0 ? 'none' : `only ${f.allowed.join(', ')}`}`,
      `delete ${f.key} there, or have "${f.key}" added to tenant_keys`,
    ),
  'cpuset-unavailable': (f: {
    source: string
    key: string
    wanted: string
    allowed: string
    bounds: readonly string[]
  }) =>
    text(
      `${f.source}: ${f.key} ${f.wanted} has none of the allowed CPUs ${f.allowed || '(none)'}`,
      within(f.bounds),
      `choose from these CPUs, or delete ${f.key}`,
    ),

  // The config file
  'config-syntax': (f: { source: string; found: string | undefined; expected: string; fix: string }) =>
    text(
      `${f.source}: ${f.found === undefined ? 'something else' : f.found === '' ? 'the line ends' : short(f.found)} where ${f.expected} is expected`,
      'the file is read like qemu.conf',
      f.fix,
    ),
  'config-repeated': (f: { source: string; key: string; first: number }) =>
    text(
      `${f.source}: ${f.key} is already set on line ${f.first}`,
      "libvirt's reader takes the first one without a word, others the last",
      'delete one of the two lines',
    ),

  // Files and documents
  /** `errno`: what the system answered, such as ENOENT. */
  unreadable: (f: {
    file: string
    reason: string
    errno?: string
    guest?: string | undefined
    fix?: string
  }) =>
    text(
      `cannot read ${f.file}: ${f.reason}`,
      'it is needed to decide',
      f.fix ??
        (f.guest === undefined || (f.errno !== undefined && f.errno !== 'ENOENT')
          ? fixOfReading(f.file, f.errno)
          : `check the path; of a guest of libvirt: virsh dumpxml --inactive ${f.guest} > ${f.guest}.xml`),
    ),
  /** `isStream`: a pipe, a device, or stdout, where what is written stays written. `kept`: a copy of the former content. */
  unwritable: (f: { file: string; reason: string; errno?: string; isStream?: boolean; kept?: string }) => {
    const what = `cannot write ${f.file}: ${f.reason}`
    if (f.kept !== undefined)
      return text(
        what,
        `the file may be incomplete; ${f.kept} holds what was in it before`,
        `see which of the two is whole; to go back: cat ${shellWord(f.kept)} > ${shellWord(f.file)}; then: rm ${shellWord(f.kept)}`,
      )
    const fix = f.isStream ? fixesOfStream[f.errno ?? ''] : fixesOfWriting[f.errno ?? '']?.(f.file)
    return text(
      what,
      f.isStream
        ? 'what was written is incomplete'
        : 'the result was not stored; the file is as it was before',
      fix ?? 'choose another file',
    )
  },
  'output-taken': (f: { output: string; file?: string; other: string; isInput: boolean }) =>
    text(
      `${f.output}${f.file === undefined ? '' : ` ${f.file}`} is the same file as ${f.other}`,
      f.isInput
        ? 'the output would replace what was read; nothing was written'
        : 'one would overwrite the other; nothing was written',
      `choose another file for ${f.output}`,
    ),
  'host-compressed': (f: { file: string }) =>
    text(
      `${f.file} is compressed with bzip2`,
      'only .tar and .tar.gz are read',
      `bunzip2 -k ${f.file}, and give the .tar`,
    ),
  'host-without-cgroups': (f: { file: string; option: string }) =>
    text(
      `${f.option} with ${f.file}, which holds no cgroups`,
      'a snapshot or capabilities document states the host alone',
      'say --cpuset LIST, or give a capture that holds proc/ and sys/',
    ),
  'utf8-invalid': (f: { file: string; offset: number }) =>
    text(
      `${f.file}: byte ${f.offset} is no UTF-8`,
      'libvirt reads and writes UTF-8 only',
      'convert it: iconv -t UTF-8',
    ),
  'xml-malformed': (f: { reason: string; empty?: boolean }) =>
    text(
      `not well-formed XML: ${f.reason}`,
      f.empty ? 'a command that fails before a pipe prints nothing' : 'libvirt refuses such a document too',
      f.empty
        ? 'run what stands before the pipe by itself'
        : 'mend the line shown; xmllint --noout shows it too',
    ),
  'xml-doctype': (_: object) =>
    text(
      'a DOCTYPE is not read',
      'a domain needs none, and entities could blow up or reach out',
      'delete the DOCTYPE line',
    ),
  'xml-prefix-undeclared': (f: { prefix: string; name: string; uri: string }) =>
    text(
      `<${f.name}> uses the prefix "${f.prefix}" that nothing declares`,
      'libvirt drops such an element without a word',
      `write <${f.name} xmlns:${f.prefix}='${f.uri}' ...>`,
    ),
  'xml-too-large': (f: { length: number; max: number }) =>
    text(
      `the document has ${f.length} bytes, more than ${f.max}`,
      'a domain has some 10 KB',
      'check that this is a domain',
    ),
  'xml-too-deep': (f: { max: number }) =>
    text(
      `elements are nested deeper than ${f.max}`,
      'a domain has some ten levels',
      'check that this is a domain',
    ),

  // Too much of anything, so that a hostile input costs neither time nor memory
  'too-large': (f: { file: string; max: string; kind: string; usual: string }) =>
    text(`${f.file} has more than ${f.max}`, `${f.kind} has some ${f.usual}`, `check that this is ${f.kind}`),
  'xml-too-many': (f: { max: number }) =>
    text(
      `there are more than ${f.max} elements and attributes`,
      'a large domain has some thousand',
      'check that this is the right document',
    ),
  'set-too-long': (f: { source: string; max: number }) =>
    text(
      `${f.source}: the sets name more than ${f.max} ids, repeats counted`,
      'no host and no guest has so many',
      'write each id once, and narrow the sets',
    ),

  // What a domain says
  'not-domain': (f: { name: string }) =>
    text(
      `the document is <${f.name}>, not <domain>`,
      'only a domain has a placement',
      'give the output of virsh dumpxml --inactive NAME',
    ),
  'not-qemu': (f: { type: string }) =>
    text(
      `the domain has type ${short(f.type)}`,
      'cells, memnodes and hugepages are fitted for guests that QEMU runs',
      "use type='kvm' or type='qemu'",
    ),
  'domain-incomplete': (f: { element: string }) =>
    text(`the domain has no <${f.element}>`, 'libvirt needs it too', `write <${f.element}>`),
  'domain-value': (f: { element: string; value: string; min: number; max: number }) =>
    text(
      `<${f.element}> has ${short(f.value)} where a number from ${f.min} to ${f.max} belongs`,
      'libvirt refuses it too',
      'correct the value',
    ),
  'element-twice': (f: { element: string; parent: string }) =>
    text(
      `<${f.parent}> has a second <${f.element}>`,
      "libvirt's schema allows one; without --validate it takes the first of some and merges others",
      `merge the two <${f.element}> into one`,
    ),
  'entry-twice': (f: { element: string; of: string }) =>
    text(`two <${f.element}> are for ${f.of}`, 'libvirt refuses it too', 'delete one of the two'),
  'part-missing': (f: { element: string; part: string }) =>
    text(
      `<${f.element}> has no ${f.part}`,
      'libvirt refuses it too',
      `write ${f.part}, or delete the <${f.element}>`,
    ),
  'value-unknown': (f: { element: string; attribute: string; value: string; known: readonly string[] }) =>
    text(
      `<${f.element} ${f.attribute}> has ${short(f.value)}`,
      'libvirt refuses it too',
      `write ${or(f.known)}`,
    ),
  'vcpu-not-pluggable': (f: { vcpu: number }) =>
    text(
      `vCPU ${f.vcpu} is offline and not hotpluggable`,
      'libvirt refuses it too',
      "write hotpluggable='yes' or enabled='yes'",
    ),
  'cell-vcpus-missing': (f: { cell: number; vcpus: string; count: number }) =>
    text(
      `cell ${f.cell} names vCPU ${f.vcpus}, the guest has ${plural(f.count, 'vCPU')}, counted from 0`,
      'libvirt refuses it too',
      'correct cpus of the cell, or the number in <vcpu>',
    ),
  'distance-invalid': (f: { cell: number; sibling: number; value: number }) =>
    text(
      `the distance from cell ${f.cell} to cell ${f.sibling} is ${f.value}`,
      'libvirt takes 10 for a cell to itself, and 11 to 255 for others',
      'correct the value',
    ),
  'distance-without-cell': (f: { cell: number; sibling: number; cells: number }) =>
    text(
      `cell ${f.cell} has a distance to cell ${f.sibling}, the guest has the cells 0-${f.cells - 1}`,
      'libvirt refuses it too',
      'delete the <sibling>',
    ),
  'iothread-without-thread': (f: { iothread: number; has: string }) =>
    text(
      `an <iothreadpin> is for I/O thread ${f.iothread}, the guest has ${f.has === '' ? 'none' : `the I/O threads ${f.has}`}`,
      'libvirt refuses it too',
      'delete the pin, or raise the number in <iothreads>',
    ),
  'memnodes-with-auto': (_: object) =>
    text(
      'there are memnodes, and the placement of memory is auto',
      'libvirt refuses a binding of cells beside the one that numad makes',
      "write placement='static' in <vcpu>, and <memory mode='strict' nodeset='...'/> in <numatune>",
    ),
  'max-memory-low': (f: { max: string; memory: string }) =>
    text(
      `maxMemory is ${f.max}, the guest has ${f.memory}`,
      'libvirt refuses it too',
      `raise maxMemory to ${f.memory} or more`,
    ),
  'devices-hold-all': (f: { devices: string; memory: string }) =>
    text(
      `the memory devices hold ${f.devices}, <memory> says ${f.memory}`,
      '<memory> counts them, and something must be left for the guest to start with',
      'raise <memory>',
    ),
  'tune-mode': (f: { element: string; value: string; known: string }) =>
    text(`<${f.element} mode=${short(f.value)}> is no mode`, 'libvirt refuses it too', `one of ${f.known}`),
  'cell-ids': (f: { ids: string; last: number }) =>
    text(
      `the cells have the ids ${f.ids}`,
      `libvirt wants every id from 0 to ${f.last} once`,
      'number the cells from 0',
    ),
  'cells-beyond': (f: { cells: number; max: number }) =>
    text(
      `the guest has ${f.cells} cells`,
      `QEMU takes at most ${f.max}`,
      `give the guest ${f.max} cells or less`,
    ),
  'cells-overlap': (f: { vcpu: number; cells: readonly number[] }) =>
    text(
      `vCPU ${f.vcpu} is in cell ${f.cells[0]} and in cell ${f.cells[1]}`,
      'a vCPU lives in one cell',
      'take it out of one of them',
    ),
  'pagesize-invalid': (f: { text: string; path?: string }) =>
    text(
      `${f.path === undefined ? '' : `${f.path}: `}${short(f.text)} is no page size`,
      'huge pages have a whole number of KiB',
      `write it like ${f.path === undefined ? '2M or 1G' : '2Mi or 1Gi'}`,
    ),
  'metadata-twice': (f: { name: string }) =>
    text(
      `<${f.name}> is the second element of our namespace`,
      'libvirt keeps only the first of a namespace',
      'write all keys into one element',
    ),
  'metadata-element': (f: { name: string; known: string }) =>
    text(`<${f.name}> is not known`, 'the namespace urn:virt-numa:1 has one element', `write <${f.known}>`),

  // What a placed domain says, against itself
  'memnode-without-cell': (f: { cell: number; cells: number }) =>
    text(
      `a memnode binds cell ${f.cell}, the guest has ${f.cells === 0 ? 'no cells' : `the cells 0-${f.cells - 1}`}`,
      'libvirt refuses a memnode without its cell',
      f.cells === 0
        ? 'delete the memnode, or run virt-numa transform --existing replace'
        : 'run virt-numa transform --rebind',
    ),
  'page-without-cell': (f: { cell: number; cells: number }) =>
    text(
      `a <page> names cell ${f.cell}, the guest has ${f.cells === 0 ? 'no cells' : `the cells 0-${f.cells - 1}`}`,
      'nodeset counts guest cells there, and libvirt refuses one that does not exist',
      'mend nodeset, or run virt-numa transform --existing replace',
    ),
  'cell-not-page-multiple': (f: {
    cell: number
    memory: string
    page: string
    lower: string
    upper: string
  }) =>
    text(
      `cell ${f.cell} has ${f.memory}, no whole number of ${f.page} pages`,
      'QEMU refuses memory that does not fill its pages',
      `give the cell ${f.lower === '0 KiB' ? '' : `${f.lower} or `}${f.upper}`,
    ),
  'restrictive-mixed': (f: { memory: string; cells: readonly number[]; memnode: string }) =>
    text(
      `<memory> has mode ${f.memory}, the memnodes of ${cellWord(f.cells)} have mode ${f.memnode}`,
      'libvirt wants restrictive for both or for neither',
      'write the same mode in both, or run virt-numa transform --rebind',
    ),
  'memory-nodes-narrow': (f: { memory: string; missing: string }) =>
    text(
      `<memory nodeset='${f.memory}'> is strict and lacks node ${f.missing}, which a memnode binds`,
      'it confines the whole process, so QEMU cannot get memory there',
      'run virt-numa transform --rebind',
    ),
  'expander-cell-missing': (f: { model: string; cell: number; cells: number }) =>
    text(
      `a ${f.model} sits in cell ${f.cell}, the guest has ${f.cells === 0 ? 'no cells' : `the cells 0-${f.cells - 1}`}`,
      'QEMU refuses a bus in a cell that does not exist',
      `write <target><node>0</node></target>, or give the guest ${f.cell + 1} cells`,
    ),
  'expander-machine': (f: { model: string; machine: string; wants: string }) =>
    text(
      `a ${f.model} on the machine ${f.machine}`,
      `libvirt takes it on ${f.wants} only`,
      `use machine='${f.wants}'`,
    ),

  // What a placed domain says, against the host
  'node-missing': (f: { element: string; nodes: string; has: string }) =>
    text(
      `${f.element} names ${f.nodes}, this host has the nodes ${f.has}`,
      `QEMU would end with "NUMA node ${f.nodes.replace(/\D.*$/, '')} is unavailable"`,
      'run virt-numa transform --rebind',
    ),
  'node-outside': (f: { element: string; nodes: string; allowed: string }) =>
    text(
      `${f.element} names ${f.nodes}, the guest may use the nodes ${f.allowed}`,
      'a node outside of cpuset.mems gives no memory',
      'run virt-numa transform --rebind, or allow the node',
    ),
  'node-memoryless': (f: { element: string; nodes: string }) =>
    text(
      `${f.element} names ${f.nodes}, without memory`,
      'nothing can be bound to a node that has no memory',
      'run virt-numa transform --rebind',
    ),
  'cpus-outside': (f: { element: string; cpus: string; allowed: string }) =>
    text(
      `${f.element} names ${f.cpus}, the guest may use the CPUs ${f.allowed}`,
      'libvirt then fails with "Setting CPU affinity failed: Invalid argument" or "Invalid argument" from the cpuset cgroup',
      'run virt-numa transform --rebind',
    ),
  'set-empty': (f: { element: string }) =>
    text(`${f.element} names no node`, 'libvirt refuses a set of which nothing is left', 'name one'),
  'pins-empty': (f: { element: string }) =>
    text(`${f.element} names no CPU`, 'libvirt refuses an empty cpuset', 'name a CPU, or delete the pin'),

  // What the host offers
  'cpus-offline': (f: { cpus: string; count: number; online: string }) =>
    text(
      `the cpuset names ${f.count === 1 ? 'CPU' : 'CPUs'} ${f.cpus}, not online here`,
      `the host has the CPUs ${f.online || '(none)'}`,
      `leave ${f.cpus} out of the cpuset, or bring ${f.count === 1 ? 'it' : 'them'} online`,
    ),
  'no-cpus': (f: { allowed: string; isolated: string; online: string }) =>
    text(
      'no CPU is left for the guest',
      f.online === ''
        ? 'the host names no CPU on any of its nodes'
        : `allowed are ${f.allowed || 'none'}${f.isolated === '' ? '' : `, isolated are ${f.isolated}`}`,
      f.online === ''
        ? 'give --host a capture that holds node*/cpulist, or a snapshot'
        : 'name the CPUs: --cpuset LIST',
    ),
  'no-memory-node': (f: { allowed: string }) =>
    text(
      `none of the allowed nodes ${f.allowed || '(none)'} has memory`,
      'each cell is bound to a node with memory',
      'give the pod nodes with memory (cpuset.mems)',
    ),

  // Where vCPUs sit
  'not-enough-threads': (f: { vcpus: number; cpus: number; cpuset: string }) =>
    text(
      `the guest has ${plural(f.vcpus, 'vCPU')} and ${plural(f.cpus, 'CPU')} to run on: ${f.cpuset}`,
      'with pin=cpu every vCPU has a CPU of its own',
      `give the guest ${f.vcpus} CPUs, or say --pin cell`,
    ),
  'cell-crossing': (f: { cores: number; threads: number; fit: number; cpuset: string }) =>
    text(
      `only ${f.fit} of ${plural(f.cores, 'guest core')} with ${plural(f.threads, 'thread')} fit into single nodes of the CPUs ${f.cpuset}`,
      'the threads of one guest core belong into one cell',
      `give the guest whole cores, or say <topology threads='1'>`,
    ),
  'cells-too-many': (f: { cells: number; cores: number; threads: number }) =>
    text(
      `cells=${f.cells}, but the guest has ${plural(f.cores, 'core')} with ${plural(f.threads, 'thread')}`,
      'every cell has at least one guest core',
      `say --cells ${f.cores} or less`,
    ),
  'cells-too-few': (f: { cells: number; count: number; nodes: string }) =>
    text(
      `cells=${f.cells}, but the vCPUs are pinned to the nodes ${f.nodes}`,
      'with cpus=as-pinned every node in use makes a cell',
      `say --cells ${f.count}, or leave the choice of CPUs to --cpus pack`,
    ),
  'nodes-too-small': (f: { cells: number; cores: number; threads: number; room: number; nodes: string }) =>
    text(
      `cells=${f.cells}: ${f.cells === 1 ? 'the roomiest node' : 'the roomiest nodes'} (${f.nodes}) ${f.cells === 1 ? 'has' : 'have'} room for ${f.room} of ${plural(f.cores, 'guest core')} with ${plural(f.threads, 'thread')}`,
      'exactly so many nodes are used',
      'say a higher number, or cells=per-node',
    ),
  'pin-missing': (f: { vcpu: number }) =>
    text(
      `vCPU ${f.vcpu} has no pin`,
      'cpus=as-pinned keeps the pins of the domain',
      `write <vcpupin vcpu='${f.vcpu}' cpuset='...'/>, or say --cpus pack`,
    ),
  /** With `bounds` cpus=as-pinned is a tenant's request. */
  'pin-outside': (f: { vcpu: number; cpus: string; cpuset: string; bounds?: readonly string[] }) =>
    text(
      `vCPU ${f.vcpu} is pinned to ${f.cpus}, outside the CPUs ${f.cpuset || '(none)'}`,
      f.bounds === undefined
        ? 'libvirt then fails with "Setting CPU affinity failed: Invalid argument"'
        : within(f.bounds),
      'mend the pin, or say --cpus pack',
    ),
  'pin-spans-nodes': (f: { vcpu: number; cpus: string; nodes: string }) =>
    text(
      `vCPU ${f.vcpu} is pinned to ${f.cpus}, on the nodes ${f.nodes || '(none)'}`,
      'its cell is bound to one node',
      'narrow the pin to one node, or say --cpus pack',
    ),
  'guest-core-torn': (f: { vcpus: string; cpus: string }) =>
    text(
      `vCPUs ${f.vcpus} are threads of one guest core and pinned to ${f.cpus}, on several nodes`,
      'the threads of one guest core belong into one cell',
      'pin them to one node, or say --cpus pack',
    ),

  // KubeVirt
  'vmi-malformed': (f: { source: string; path: string; what: string; why: string; fix: string }) =>
    text(`${f.source}: ${f.path === '' ? 'the document' : f.path} ${f.what}`, f.why, f.fix),
  'yaml-malformed': (f: { source: string; line: number; column: number; reason: string }) =>
    text(`${f.source}: line ${f.line}, column ${f.column}: ${f.reason}`, 'it is no YAML', 'mend that line'),
  'dedicated-cpus-required': (f: { source: string }) =>
    text(
      `${f.source}: spec.domain.cpu.numa.guestMappingPassthrough is there, but no dedicated CPUs`,
      'the guest can be told of the CPUs of its pod only when they are its own',
      'write spec.domain.cpu.dedicatedCpuPlacement: true',
    ),
  'emulator-no-cpu': (f: { vcpus: number; pool: number; cpuset: string }) =>
    text(
      `isolateEmulatorThread wants a CPU of its own, but ${taken(f)} all of the CPUs ${f.cpuset}`,
      'the emulator thread then would disturb a vCPU',
      `give the pod ${f.vcpus + f.pool + 1} CPUs, or say --emulator shared`,
    ),
  'emulator-no-second-cpu': (f: { vcpus: number; pool: number; cpuset: string }) =>
    text(
      `EmulatorThreadCompleteToEvenParity wants a second CPU for the emulator, but only one of the CPUs ${f.cpuset} is left`,
      `${plural(f.vcpus, 'vCPU')}${f.pool === 0 ? '' : ` and ${plural(f.pool, 'I/O thread')}`} and one emulator CPU make an odd number`,
      `give the pod ${f.vcpus + f.pool + 2} CPUs, or delete the annotation alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity`,
    ),
  'iothread-no-cpu': (f: { vcpus: number; pool: number; got: number; cpuset: string }) =>
    text(
      `supplementalPoolThreadCount ${f.pool} wants as many CPUs beside those of ${plural(f.vcpus, 'vCPU')}, the CPUs ${f.cpuset} leave ${f.got}`,
      'each I/O thread of the supplemental pool has a CPU of its own',
      `give the pod ${f.vcpus + f.pool} CPUs, or say --emulator shared`,
    ),
  'iothreads-missing': (_: object) =>
    text(
      'the VMI wants I/O threads, the domain has none',
      'KubeVirt makes I/O threads for disks, and refuses a policy without them',
      'delete spec.domain.ioThreadsPolicy, or give the VMI a disk',
    ),

  // What the guest gets
  'memory-too-small': (f: { memory: string; cells: number; unit: string; need: string }) =>
    text(
      `${f.memory} for ${plural(f.cells, 'cell')} of at least ${f.unit} each`,
      'every cell has memory, in whole units',
      `give the guest ${f.need}, or ask for fewer cells`,
    ),
  'memory-not-page-multiple': (f: { memory: string; page: string; lower: string; upper: string }) =>
    text(
      `${f.memory} are no whole number of ${f.page} pages`,
      'QEMU refuses memory that does not fill its pages',
      `give the guest ${f.lower === '0 KiB' ? '' : `${f.lower} or `}${f.upper}`,
    ),
  'hugepages-required': (f: { inVmi?: boolean }) =>
    text(
      f.inVmi ? 'the VMI requests no hugepages' : 'the guest has no hugepages',
      'like=kubevirt does what KubeVirt does, and guestMappingPassthrough wants hugepages',
      f.inVmi
        ? 'write spec.domain.memory.hugepages.pageSize: 2Mi'
        : 'write <memoryBacking><hugepages/></memoryBacking>, or say --pagesize 2M',
    ),
  'default-pagesize-unknown': (_: object) =>
    text(
      '<hugepages/> names no page size, and the default size of this host is not known',
      'a bare element means the default size of the kernel',
      'say --pagesize 2M, or put defaultPagesizeKiB into the host file',
    ),
  'pagesizes-mixed': (f: { sizes: string; first: string }) =>
    text(
      `<hugepages> mixes the page sizes ${f.sizes}`,
      'new cells all have the same',
      `say which: --pagesize ${f.first}`,
    ),
  'restrictive-with-pages': (f: { what: string }) =>
    text(
      `mode=restrictive with ${f.what}`,
      'QEMU gets no binding then, and takes the memory where it runs while it starts',
      'say --mode strict or --mode preferred',
    ),
  'pages-short-in-all': (f: { need: number; page: string; nodes: string; room: number; kept: number }) =>
    text(
      `the guest needs ${plural(f.need, 'page')} of ${f.page}, the nodes ${f.nodes} can give ${f.room} together`,
      f.kept === 0
        ? 'free pages and what overcommit allows are counted'
        : `the config's reserve keeps ${f.kept} on every node`,
      'free pages, add some to nr_hugepages, or give the guest CPUs on more nodes',
    ),
  'node-without-pages': (f: { cell: number; node: number; page: string; cells: number }) =>
    text(
      `node ${f.node} has no free ${f.page} page for cell ${f.cell}`,
      'a cell needs memory on its own node',
      f.cells > 1
        ? `say --cells ${f.cells - 1}, or free pages on node ${f.node}`
        : `free pages on node ${f.node}`,
    ),
  'cells-hold-more': (f: { elements: string }) =>
    text(
      `the cells hold ${f.elements}, which new cells would lose`,
      'existing=replace builds the cells anew',
      'take them out first, or keep the cells: existing=keep',
    ),
  'cells-uneven': (f: { attribute: string }) =>
    text(
      `the cells differ in ${f.attribute}`,
      'existing=replace carries over what all cells have alike',
      `give all cells the same ${f.attribute}, or keep the cells: existing=keep`,
    ),
  'device-cell-missing': (f: { model: string; cell: number; cells: number }) =>
    text(
      `a ${f.model} device sits in cell ${f.cell}, the guest gets ${plural(f.cells, 'cell')}`,
      'libvirt refuses a memory device whose cell does not exist',
      `say --cells ${f.cell + 1}, or move the device to a lower cell`,
    ),

  // The host
  'host-unreadable': (f: { reason: string }) =>
    text(
      `there is no host to read: ${f.reason}`,
      'without its nodes and CPUs nothing can be placed',
      'give --host a snapshot, a folder or tar that holds sys/ and proc/, or the output of virsh capabilities',
    ),
  'host-malformed': (f: { source: string; path: string; what: string; why: string; fix: string }) =>
    text(`${f.source}: ${f.path === '' ? 'the document' : f.path} ${f.what}`, f.why, f.fix),
  'json-malformed': (f: { source: string; line: number; column: number; reason: string }) =>
    text(
      `${f.source}: line ${f.line}, column ${f.column}: ${f.reason}`,
      'it is no JSON',
      'mend that line; python3 -m json.tool shows it too',
    ),
  'capabilities-malformed': (f: { source: string; what: string; why: string }) =>
    text(`${f.source}: ${f.what}`, f.why, 'give the output of virsh capabilities, unchanged'),
  'tar-malformed': (f: { what: string; why: string; fix: string }) => text(f.what, f.why, f.fix),
  'cgroup-missing': (f: { path: string; mounts: readonly string[] }) =>
    text(
      `there is no cgroup ${short(f.path, 200)}`,
      f.mounts.length === 0
        ? 'no cgroup hierarchy is mounted here'
        : `cgroups are looked for under ${f.mounts.join(', ')}`,
      'give a folder there, or a path as /proc/PID/cgroup shows it',
    ),
  'process-missing': (f: { pid: number }) =>
    text(
      `there is no process ${f.pid}`,
      `/proc/${f.pid} cannot be read`,
      'pgrep -a qemu shows the running guests',
    ),

  // Install and doctor
  'hook-foreign': (f: { path: string; version: string | undefined; folder: string }) =>
    text(
      `${f.path} is not ours, and ${f.version === undefined ? 'the version of libvirt is not known' : `libvirt ${f.version} reads no further hooks`}`,
      'a second hook goes to qemu.d, which libvirt reads from 6.5 on',
      `virt-numa install --hooks-dir ${f.folder}, and let ${f.path} run: ${f.folder}/qemu "$@"`,
    ),
  'hook-place-taken': (f: { path: string; what: string; fix: string }) =>
    text(`${f.path} is ${f.what}`, 'what is not ours stays as it is', f.fix),
  'hook-trial-failed': (f: { operation: string; guest: string; what: string; command: string }) =>
    text(
      `at ${short(f.operation)}, for a guest that ${f.guest}, the hook ${f.what}`,
      'a hook that does not answer stops guests from starting, and kills running ones when the daemon restarts: nothing was installed',
      `look at what it says: ${f.command}`,
    ),
  'hook-program-exposed': (f: { path: string; who: string }) =>
    text(
      `${f.path} can be changed by ${f.who}`,
      'libvirt runs the hook as root, so they could run anything as root',
      'install virt-numa where only root writes: npm pack, then npm install -g virt-numa-*.tgz as root',
    ),
  'install-unwritable': (f: { file: string; reason: string; errno: string; isRoot: boolean }) => {
    const isDenied = f.errno === 'EACCES' || f.errno === 'EPERM'
    const fix = isDenied && !f.isRoot ? 'run it as root' : fixesOfWriting[f.errno]?.(f.file)
    return text(
      `cannot write ${f.file}: ${f.reason}`,
      'hook and configuration are replaced atomically; both are as they were before',
      `${fix ?? `make ${shellWord(folderOf(f.file))} writable`}${isDenied && !f.isRoot ? '' : ', or choose another folder for hooks: --hooks-dir DIR'}`,
    )
  },
  'daemon-reload-failed': (f: { daemon: string; command: string; reason: string }) =>
    text(
      `${f.daemon} was not told to reload: ${f.reason}`,
      'until it reloads it does not see the first hook of a host',
      f.command,
    ),
  'hook-policy-denies': (f: { daemon: string; hook: string; path: string }) =>
    text(
      `SELinux denies ${f.daemon} to run ${f.path}, which is ${f.hook}`,
      "libvirt cannot run such a hook: no guest starts, and running ones are killed when the daemon restarts; Fedora's boolean virt_hooks_unconfined is for virtnetworkd only",
      "semodule -i packaging/selinux/virt-numa.cil (in virt-numa's folder), or run libvirtd in place of virtqemud",
    ),
  'libvirt-missing': (_: object) =>
    text(
      'no libvirt daemon is installed here',
      'libvirtd or virtqemud runs the guests',
      'install libvirt-daemon-system or libvirt-daemon-driver-qemu',
    ),
  'libvirt-old': (f: { version: string; oldest: string }) =>
    text(`libvirt is ${f.version}`, `virt-numa is for libvirt ${f.oldest} and newer`, 'upgrade libvirt'),
  'hook-absent': (f: { path: string }) =>
    text(
      `there is no hook of ours at ${f.path}`,
      'guests are neither rebound when they move nor checked when they start',
      'virt-numa install',
    ),
  'hook-broken': (f: { path: string; what: string; why: string; fix: string }) =>
    text(`${f.path} ${f.what}`, f.why, f.fix),
  'apparmor-denies': (f: { daemon: string; node: string; profile: string }) =>
    text(
      `${f.daemon} is confined by AppArmor and may not run ${f.node}`,
      'its profile lets a hook start programs of /usr/bin, /usr/sbin, /bin and /sbin only; migrate and restore are then cancelled',
      `echo '${f.node} PUx,' >> /etc/apparmor.d/local/${f.profile}; apparmor_parser -r /etc/apparmor.d/${f.profile}`,
    ),
  'hugetlbfs-unseen': (f: { daemon: string; point: string; restart: string }) =>
    text(
      `${f.daemon} has not seen the hugetlbfs at ${f.point}`,
      'it looks for mounts when it starts, and makes libvirt/qemu there; later mounts do not exist for it',
      f.restart,
    ),
  'guests-outside-pod': (f: { daemon: string; own: string; partition: string; theirs: string }) =>
    text(
      `${f.daemon} may use the CPUs ${f.own}, guests in ${f.partition} the CPUs ${f.theirs}`,
      "libvirt puts guests into a partition at the root of the cgroups, outside of the daemon's own cgroup",
      `give it a cgroup namespace (unshare --cgroup, docker --cgroupns private), or say cgroup_controllers = [ ] in qemu.conf: guests then stay in its cgroup`,
    ),
  'cgroup-root-busy': (f: { daemon: string; point: string }) =>
    text(
      `${f.daemon} runs in the root of its cgroup namespace`,
      'a cgroup v2 that holds processes can have no controllers below it, and guests fail with "unable to open .../machine/..."',
      `mkdir -p ${f.point}/init && for p in $(cat ${f.point}/cgroup.procs); do echo $p > ${f.point}/init/cgroup.procs; done, or say cgroup_controllers = [ ] in qemu.conf`,
    ),
  'mbind-filtered': (f: { daemon: string }) =>
    text(
      `${f.daemon} runs under a seccomp filter and without CAP_SYS_NICE`,
      "the usual filters of containers allow mbind and set_mempolicy with CAP_SYS_NICE only, and QEMU then cannot bind a cell's memory",
      'give the container CAP_SYS_NICE: capabilities.add: ["SYS_NICE"] in a pod, --cap-add SYS_NICE for docker and podman',
    ),
  'kvm-missing': (_: object) =>
    text(
      'there is no /dev/kvm',
      'guests of type kvm cannot start, others are emulated and slow',
      'modprobe kvm_intel or kvm_amd; if that fails, turn virtualization on in the firmware or in the host of this machine',
    ),
  'kvm-denied': (f: { owner: string; mode: string; user: string; source: string }) =>
    text(
      `/dev/kvm is ${f.owner} ${f.mode}, and QEMU runs as ${f.user} (${f.source})`,
      'guests of type kvm cannot start, and libvirt probes QEMU anew at every definition, which can take 40 s',
      'chgrp kvm /dev/kvm && chmod 0660 /dev/kvm, with that user in the group kvm; or mend user and group in /etc/libvirt/qemu.conf',
    ),

  // Definitions in libvirt
  'virsh-missing': (_: object) =>
    text(
      'there is no virsh on this machine',
      'libvirt is reached through it',
      'apt install libvirt-clients, or dnf install libvirt-client',
    ),
  'libvirt-unreachable': (f: { reason: string }) =>
    text(
      `virsh cannot connect to libvirt: ${f.reason}`,
      'definitions are read and written through its daemon',
      'systemctl start virtqemud (or libvirtd), or name the daemon: --connect qemu:///system; virsh uri tries it',
    ),
  'libvirt-elsewhere': (f: { uri: string; machine: string }) =>
    text(
      `the guests of ${f.uri} run on ${f.machine}, not on this machine`,
      'a guest is fitted to the host that it runs on',
      `virsh --connect '${f.uri}' capabilities > ${f.machine}.xml, then add --host ${f.machine}.xml`,
    ),
  'virsh-failed': (f: { words: string; reason: string; known: 'refused' | 'unchanged' | 'unknown' }) =>
    text(
      `virsh ${f.words} failed: ${f.reason}`,
      f.known === 'refused'
        ? 'libvirt refused it; nothing was changed'
        : f.known === 'unchanged'
          ? 'it gave no answer to go by; nothing was changed'
          : 'it did not end by itself: whether it was done is not known',
      f.known === 'refused'
        ? 'correct what libvirt reports'
        : 'virsh list --all shows whether libvirt answers; virsh dumpxml --inactive shows the definition',
    ),
  'virsh-output': (f: { words: string; printed: string; expected: string }) =>
    text(
      `virsh ${f.words.split(' ', 1)[0]} printed ${f.printed === '' ? 'nothing' : short(f.printed)}`,
      `expected is ${f.expected}; nothing was changed`,
      `see what virsh ${f.words} prints, and which program it is: command -v virsh`,
    ),
  'virsh-stopped': (f: { words: string; reason: string }) =>
    text(
      `virsh ${f.words} was not waited for: ${f.reason}`,
      'it was ended before libvirt answered; nothing was defined',
      'run it again',
    ),
  'define-unknown': (f: { name: string; reason: string; backup: string | undefined }) =>
    text(
      `whether ${shownName(f.name)} was defined is not known: ${f.reason}`,
      'libvirt takes a definition as a whole or not at all, and virsh did not live to say which',
      definitionOf(f),
    ),
  'define-unread': (f: { name: string; reason: string; backup: string | undefined }) =>
    text(
      `${shownName(f.name)} is defined, and what libvirt made of it could not be read: ${f.reason}`,
      'libvirt may place a guest otherwise than its definition says',
      definitionOf(f),
    ),
  'guest-missing': (f: { name: string; close?: string | undefined }) =>
    text(
      `libvirt has no guest ${short(f.name)}`,
      'guests are looked for by name and by UUID',
      meant(f.close === undefined ? undefined : short(f.close), 'virsh list --all shows the guests'),
    ),
  'guest-transient': (f: { name: string }) =>
    text(
      `${shownName(f.name)} is transient: it has no definition`,
      'a transient guest is gone when it stops; defining it would make it a persistent one',
      'fit the XML that it is created from: virt-numa transform',
    ),
  'guest-runs': (f: { name: string; has: string; gets: string }) =>
    text(
      `${shownName(f.name)} runs; its definition has ${f.has} and would get ${f.gets}`,
      'until it starts anew the running guest would be another one than its definition says, and changes to both fail halfway',
      `virsh shutdown ${shellWord(f.name)} first, or say --next-start: then the new cells wait for its next start`,
    ),
  'guest-saved': (f: { name: string; has: string; gets: string }) =>
    text(
      `${shownName(f.name)} has a managed save; its definition has ${f.has} and would get ${f.gets}`,
      'the next start restores the saved guest with the cells that it was saved with, whatever its definition says',
      `virsh start ${shellWord(f.name)} and virsh shutdown ${shellWord(f.name)}, then define; virsh managedsave-remove would throw the saved guest away`,
    ),
  'guest-secrets-lost': (f: { name: string; uuid: string; lost: readonly string[] }) =>
    text(
      `the document lacks what ${shownName(f.name)} has: ${f.lost.join(', ')}`,
      'libvirt shows secrets only with --security-info, and forgets what a new definition leaves out',
      `virsh dumpxml --inactive --security-info ${shellWord(f.name)} has them; or say define --guest ${shellWord(f.name)}`,
    ),
  'guest-disks-moved': (f: { name: string; disks: readonly string[]; hanging: readonly string[] }) =>
    text(
      `the document has another image for ${f.disks.join(', ')}; ${shownName(f.name)} has ${plural(f.hanging.length, 'snapshot or checkpoint')}: ${f.hanging.join(', ')}`,
      'an external snapshot made the present image; a guest that starts on the one below it spoils the chain',
      `take the disks from virsh dumpxml --inactive ${shellWord(f.name)}, or say define --guest ${shellWord(f.name)}`,
    ),
  'guest-uuid': (f: { name: string; uuid: string; written: string }) =>
    text(
      `${shownName(f.name)} is there with the UUID ${f.uuid}, the document has ${f.written === '' ? 'none' : f.written}`,
      'libvirt takes it for another guest of the same name',
      `write <uuid>${f.uuid}</uuid> to change that guest, or virsh undefine ${shellWord(f.name)} before`,
    ),
  'guest-renamed': (f: { name: string; uuid: string; written: string }) =>
    text(
      `the UUID ${f.uuid} is that of ${shownName(f.name)}, the document names ${short(f.written)}`,
      'a definition cannot rename a guest',
      `virsh domrename, or leave out <uuid> for a new guest`,
    ),
  'guest-changed': (f: { name: string }) =>
    text(
      `the definition of ${shownName(f.name)} changed while it was fitted`,
      'what another one wrote meanwhile would be lost; nothing was defined',
      'run it again',
    ),
  'guest-placed-otherwise': (f: { name: string; differs: readonly string[]; backup: string | undefined }) =>
    text(
      `${shownName(f.name)} is defined, but not as planned: ${f.differs.join('; ')}`,
      'this is what libvirt has made of it',
      f.backup === undefined
        ? 'virsh undefine takes it back'
        : `virsh define ${shellWord(f.backup)} brings the former definition back`,
    ),

  // A running guest
  'guest-not-running': (f: { guest: string; why: string }) =>
    text(
      `the guest ${short(f.guest)} is not running here`,
      f.why,
      `virsh list --all shows the guests, virsh start starts one; or give the process: --pid PID`,
    ),
  'guest-gone': (f: { pid: number }) =>
    text(
      `process ${f.pid} ended while it was being read`,
      'half of an answer is none',
      'run it again once the guest is up',
    ),
  'not-qemu-process': (f: { pid: number; name: string }) =>
    text(
      `process ${f.pid} is ${short(f.name)}, no QEMU`,
      'only a guest has cells and vCPU threads',
      'pgrep -a qemu shows the running guests',
    ),
  'status-malformed': (f: { file: string }) =>
    text(
      `${f.file} is no status file of a running guest`,
      'libvirt writes <domstatus pid=...> with the live domain in it',
      'say virt-numa verify --pid PID DOMAIN.XML',
    ),
  'guest-memory-unreadable': (f: { pid: number }) =>
    text(
      `/proc/${f.pid}/numa_maps cannot be read`,
      "the kernel shows the memory of another user's process only to who may trace it",
      'run it as root, or with CAP_SYS_PTRACE',
    ),
  'host-without-processes': (f: { file: string }) =>
    text(
      `--host ${f.file} holds no processes`,
      'a running guest is read from /proc and /run',
      'give a folder or tar that holds proc/ and run/, or no --host on the host itself',
    ),
} as const

/** Where a running guest is not what its XML says. */
const misplaced = {
  'threads-wider': (f: { threads: string; cpus: string; wanted: string; fix: string }) =>
    text(
      `${f.threads} may run on ${cpuWord(f.cpus)}, wanted ${f.wanted}`,
      'the scheduler may take it away from its memory, or onto a CPU of another guest',
      f.fix,
    ),
  'threads-elsewhere': (f: { threads: string; cpus: string; wanted: string; fix: string }) =>
    text(
      `${f.threads} may run on ${cpuWord(f.cpus)}, wanted ${f.wanted}`,
      'something changed it after libvirt had pinned it: taskset, cgset, a cpuset that shrank',
      f.fix,
    ),
  'guest-memory-elsewhere': (f: {
    cells: string
    elsewhere: string
    allocated: string
    where: string
    nodes: string
    mode: string
    fix: string
  }) =>
    text(
      `${has(f.cells)} ${f.elsewhere} of ${f.allocated} on other nodes than ${f.nodes}: ${f.where}`,
      f.mode === 'preferred'
        ? 'mode preferred takes another node when the wanted one is full; every access then goes over to it'
        : 'it was moved (migratepages, a changed cpuset) or allocated before it was bound; every access then goes over to another node',
      f.fix,
    ),
  'guest-memory-unbound': (f: { cells: string; has: string; wanted: string; fix: string }) =>
    text(
      `${has(f.cells)} the memory policy ${f.has}, wanted ${f.wanted}`,
      'pages that are allocated from now on need not come from the wanted nodes',
      f.fix,
    ),
  'guest-pagesize': (f: { cells: string; has: string; wanted: string; fix: string }) =>
    text(
      `${has(f.cells)} pages of ${f.has}, wanted ${f.wanted}`,
      'the guest was started with another backing than the XML says',
      f.fix,
    ),
} as const

const capacity = {
  'pages-short': (f: {
    nodes: string
    count: number
    free: number
    page: string
    cells: readonly number[]
    need: number
    bound: boolean
    fix: string
  }) =>
    text(
      `${nodeWord(f)} ${f.count === 1 ? 'has' : 'have'} ${plural(f.free, `free ${f.page} page`)}, ${cellWord(f.cells)} ${f.cells.length === 1 ? 'needs' : 'need'} ${f.need}`,
      f.bound
        ? `memnode mode strict forbids taking ${f.need - f.free === 1 ? 'the missing one' : `the missing ${f.need - f.free}`} from another node`
        : 'no other node belongs to the guest',
      f.fix,
    ),
  'pool-missing': (f: { page: string; size: string; need: number; has: string }) =>
    text(
      `this host has no pool of ${f.page} pages, the guest needs ${f.need}`,
      f.has === '' ? 'it has no pool of huge pages at all' : `it has pools of ${f.has}`,
      `boot it with hugepagesz=${f.size} hugepages=${f.need}, or say --pagesize ${f.has.split(', ')[0] || 'none'}`,
    ),
  'pages-limit': (f: { page: string; limit: number; need: number; size: string }) =>
    text(
      `the cgroup allows ${plural(f.limit, 'page')} of ${f.page}, the guest needs ${f.need}`,
      `QEMU is killed by SIGBUS at the first page above hugetlb.${f.size}.max`,
      'raise the limit (in a pod: resources.limits hugepages-...), or give the guest less memory',
    ),
  'pages-promised': (f: { page: string; free: number; promised: number; need: number; kib: number }) =>
    text(
      `the host has ${plural(f.free, 'free page')} of ${f.page}, ${f.promised} of them promised to others, the guest needs ${f.need}`,
      'the kernel refuses a mapping that would take promised pages',
      `cat /sys/kernel/mm/hugepages/hugepages-${f.kib}kB/resv_hugepages; add pages to nr_hugepages`,
    ),
  'hugetlbfs-missing': (f: { page: string; size: string }) =>
    text(
      `no hugetlbfs of ${f.page} pages is mounted`,
      'libvirt looks for the mounts when it starts, and refuses the guest',
      `mkdir -p /dev/hugepages${f.size} && mount -t hugetlbfs -o pagesize=${f.size} none /dev/hugepages${f.size}, then restart libvirtd`,
    ),
  'memory-short': (f: {
    nodes: string
    count: number
    has: string
    cells: readonly number[]
    need: string
    /** Who has enough for the whole guest: its own nodes together, the host, or nobody. */
    enough: 'own nodes' | 'host' | 'nowhere'
  }) =>
    text(
      `${nodeWord(f)} ${f.count === 1 ? 'has' : 'have'} ${f.has} of memory, ${cellWord(f.cells)} ${f.cells.length === 1 ? 'needs' : 'need'} ${f.need}`,
      f.enough === 'nowhere'
        ? 'the host has not so much memory in all'
        : 'memory that is bound to a node cannot come from another',
      {
        'own nodes': 'say --mode preferred, or give the guest less memory',
        host: 'give the guest CPUs and cells on more nodes (--cells NUMBER), or less memory',
        nowhere: 'give the guest less memory',
      }[f.enough],
    ),
} as const

/** The command line was typed wrong. */
const usage = {
  'usage-command': (f: { given: string | undefined; known: readonly string[]; close?: string | undefined }) =>
    text(
      f.given === undefined ? 'no command is given' : `${short(f.given)} is no command`,
      `the commands are ${f.known.join(', ')}`,
      meant(f.close, 'virt-numa --help'),
    ),
  'usage-option': (f: {
    command: string
    option: string
    known: readonly string[]
    close?: string | undefined
  }) =>
    text(
      `${f.command} has no option ${short(f.option)}`,
      `its options are ${f.known.join(', ')}`,
      meant(f.close, `virt-numa ${f.command} --help`),
    ),
  'usage-option-value': (f: { option: string; given: string | undefined; takes: string | undefined }) =>
    f.takes === undefined
      ? text(`${f.option} takes no value, got ${short(f.given ?? '')}`, 'it is a switch', `write ${f.option}`)
      : text(
          f.given === undefined
            ? `${f.option} has no value`
            : `${f.option}: ${short(f.given)} is no ${f.takes}`,
          `it takes ${f.takes}; one that begins with - is written behind =`,
          `write ${f.option}${f.option.startsWith('--') ? '=' : ' '}${f.takes}`,
        ),
  /** A request key's value, in the words of the refusal that the same value gets in the config file. */
  'usage-value': (f: { what: string; why: string; fix?: string | undefined }) => text(f.what, f.why, f.fix),
  'usage-missing': (f: { command: string; option: string; takes: string }) =>
    text(`${f.command} has no ${f.option}`, `${f.command} works on it`, `add ${f.option} ${f.takes}`),
  'usage-pid': (f: { option: string; given: string }) =>
    text(
      `${f.option}: ${short(f.given)} is no process id`,
      'a process id is a whole number from 1 up',
      `write it like ${f.option} 4242`,
    ),
  'usage-repeated': (f: { option: string }) =>
    text(`${f.option} is given more than once`, 'which one counts would be a guess', `keep one ${f.option}`),
  'usage-inputs': (f: { command: string; inputs: readonly string[]; max: number }) =>
    text(
      `${f.command} takes ${f.max === 0 ? 'no file' : `at most ${plural(f.max, 'file')}`}, got ${f.inputs.map((input) => short(input)).join(', ')}`,
      f.max === 0 ? 'it reads no domain' : 'one run fits one domain',
      f.max === 0 ? `virt-numa ${f.command}` : `virt-numa ${f.command} FILE`,
    ),
  'usage-conflict': (f: { one: string; other: string; why: string; fix: string }) =>
    text(`${f.one} does not go with ${f.other}`, f.why, f.fix),
} as const

const note = {
  'guest-needs-start': (f: { name: string }) =>
    text(
      `${shownName(f.name)} runs on as it is: the new definition counts from its next start`,
      'libvirt changes nothing of a running guest here, and a reboot inside the guest is no start',
      `virsh shutdown ${shellWord(f.name)}, then virsh start ${shellWord(f.name)}`,
    ),
  'guest-saved-stays': (f: { name: string }) =>
    text(
      `${shownName(f.name)} has a managed save, which keeps the placement that it was saved with`,
      'a restore takes the saved XML, not the definition',
      'the hook rebinds it at restore: virt-numa install',
    ),
  'more-found': (f: { count: number; codes: string }) =>
    text(
      `${plural(f.count, 'more finding')}: ${f.codes}`,
      'only the first are told one by one',
      'mend those, and run it again',
    ),
  'vmi-without-dedicated-cpus': (f: { source: string }) =>
    text(
      `${f.source} has no dedicated CPUs: the domain stays as it is`,
      'its vCPUs share CPUs with other pods, so there is nothing to pin to',
      'write spec.domain.cpu.dedicatedCpuPlacement: true',
    ),
  'vmi-cpu-count': (f: { source: string; path: string; given: string }) =>
    text(
      `${f.source}: ${f.path} is ${f.given}, no whole number of CPUs`,
      'Kubernetes gives dedicated CPUs to whole numbers only, and KubeVirt does not admit such a VMI',
      `write ${f.path} as a whole number`,
    ),
  'vmi-cpu-limit': (f: { source: string; requests: string; limits: string }) =>
    text(
      `${f.source}: spec.domain.resources has requests.cpu ${f.requests} and limits.cpu ${f.limits}`,
      'dedicated CPUs need a pod of the class Guaranteed, whose requests and limits are equal',
      'write the same number in both, or count CPUs in spec.domain.cpu alone',
    ),
  'vmi-differs': (f: { source: string; what: string; vmi: string; domain: string }) =>
    text(
      `${f.source} has ${f.what} ${f.vmi}, the domain ${f.domain}`,
      'the domain decides; its cells must make up its own memory and vCPUs',
      'give the VMI that this domain was made from',
    ),
  'emulator-unpinned': (f: { threads: string }) =>
    text(
      `${f.threads} not pinned`,
      'the guest takes every CPU it was given, so none is spare',
      'give the guest one CPU more, or say --emulator shared',
    ),
  'emulator-among-vcpus': (f: { cpus: string }) =>
    text(
      `the emulator may also run on ${cpuWord(f.cpus)}, where vCPUs are`,
      "QEMU allocates a node's huge pages from a thread of the emulator on that node, and no CPU is spare there",
      'give the guest one CPU more on that node',
    ),
  'guest-live': (f: { name: string; id: string }) =>
    text(
      `the document is that of a guest that runs (id ${f.id})`,
      'what it holds itself is not free, so that it is counted twice',
      `virt-numa verify ${shellWord(f.name)}, or virsh dumpxml --inactive ${shellWord(f.name)}`,
    ),
  'emulator-apart': (f: { nodes: string; count: number; element: string; reaching: string }) =>
    text(
      `${f.element} has no CPU of ${nodeWord(f)}, whose huge pages back cells`,
      'QEMU 7.2 under libvirt 9.0 allocates them from a thread of the emulator there, and ends with "Setting CPU affinity failed"',
      `let the emulator run there too: <emulatorpin cpuset='${f.reaching}'/>`,
    ),
  'cells-kept': (f: { keys: string }) =>
    text(
      `not applied: ${f.keys}`,
      'cells and page sizes of a guest that has cells stay as they are',
      'say --existing replace to build the cells anew',
    ),
  'cells-impossible': (f: { arch: string }) =>
    text(
      'not applied: existing=replace',
      `QEMU gives guests of ${f.arch} no cells, so that none could be built anew`,
    ),
  'cell-spans-nodes': (f: { cell: number; nodes: string }) =>
    text(
      `cell ${f.cell} lies on the nodes ${f.nodes} together`,
      'no single node here has CPUs for all of its vCPUs beside the other cells',
      'give the guest more CPUs on one node',
    ),
  'memory-sum': (f: { memory: string; sum: string }) =>
    text(
      `<memory> is ${f.memory}, cells and memory devices make ${f.sum}`,
      'libvirt resizes the guest to the sum without a word',
      'write the sum into <memory>',
    ),
  'balloon-without-effect': (f: { current: string; memory: string }) =>
    text(
      `<currentMemory> is ${f.current} of ${f.memory}, in hugepages`,
      'all of the memory is taken from the host: a balloon gives no huge page back',
      'write <currentMemory> as large as <memory>',
    ),
  'pin-remote': (f: { vcpus: string; cell: number; pinned: string; nodes: string }) =>
    text(
      `cell ${f.cell} has vCPUs pinned to node ${f.pinned} (${f.vcpus}), and its memory on node ${f.nodes}`,
      'every access then goes over to another node',
      'run virt-numa transform --rebind',
    ),
  'memory-elsewhere': (f: { cell: number; node: number; backing: number }) =>
    text(
      `cell ${f.cell} runs on node ${f.node}, its memory is on node ${f.backing}`,
      `node ${f.node} has no memory, or the guest may not use it (cpuset.mems)`,
      `allow node ${f.node} where it has memory`,
    ),
  'socket-spans-cells': (f: { sockets: readonly number[]; cells: number; vcpus: number; threads: number }) =>
    text(
      `guest ${f.sockets.length === 1 ? 'socket' : 'sockets'} ${f.sockets.join(', ')} ${f.sockets.length === 1 ? 'spans' : 'span'} several cells`,
      'Linux in the guest takes a socket for one last-level cache and then drops its cache domains',
      f.vcpus % (f.cells * f.threads) === 0
        ? `write <topology sockets='${f.cells}' cores='${f.vcpus / f.cells / f.threads}' threads='${f.threads}'/>`
        : 'give every cell whole sockets',
    ),
  'cpuset-cut': (f: {
    source: string
    key: string
    wanted: string
    left: string
    bounds: readonly string[]
  }) =>
    text(
      `${f.source}: ${f.key} ${f.wanted} is cut to ${f.left}`,
      within(f.bounds),
      `write ${f.key} ${f.left}`,
    ),
  'isolated-avoided': (f: { source: string; config: string }) =>
    text(
      `${f.source}: isolated=use is not applied`,
      `isolated=avoid in ${f.config} is the administrator's, and a guest's own request does not lift it`,
      `delete isolated there, or allow the CPUs by cpuset in ${f.config}`,
    ),
  'pins-cut': (f: PinFacts & { left: string }) =>
    text(
      `${f.source}: cpus=as-pinned: the pins of ${f.threads} (${f.pinned}) are cut to ${f.left || 'nothing'}`,
      within(f.bounds),
      'pin them to allowed CPUs, or delete cpus there',
    ),
  'pins-moved': (f: PinFacts & { allowed: string }) =>
    text(
      `${f.source}: cpus=as-pinned is not applied: the pins of ${f.threads} (${f.pinned}) leave the CPUs ${f.allowed || '(none)'}`,
      `${within(f.bounds)}, so the guest is pinned as it is without that key`,
      'pin them to allowed CPUs, or delete cpus there',
    ),
  'pins-beyond': (f: Omit<PinFacts, 'source'>) =>
    text(
      `the pins of ${f.threads} (${f.pinned}) leave ${f.bounds.join(' and ')}`,
      'the guest starts all the same: the kernel enforces what the guest was given, and no cpuset of the configuration',
      'run virt-numa transform --rebind',
    ),

  // Install and doctor
  'hook-program-private': (f: { path: string; where: string }) =>
    text(
      `${f.path} lies in ${f.where}`,
      'the hook needs it as long as it is installed, at every boot and for a daemon that may not look there',
      'install Node and virt-numa for the whole system, below /usr, /usr/local or /opt',
    ),
  'daemon-reload-needed': (f: { daemon: string; command: string }) =>
    text(
      `${f.daemon} must reload once`,
      'where no hook was when it started, it looks for one only when it reloads; guests run on',
      `${f.command}, or virt-numa install --reload`,
    ),
  'hook-policy-unknown': (f: { path: string }) =>
    text(
      `SELinux is enforcing; whether it lets the daemon run ${f.path} is not known`,
      "libvirtd is unconfined, but virtqemud needs a policy of its own: Fedora's boolean virt_hooks_unconfined is for virtnetworkd only",
      "ausearch -m avc -c rpc-virtqemud; where it is denied: semodule -i packaging/selinux/virt-numa.cil (in virt-numa's folder)",
    ),
  'hook-unseen': (f: { daemon: string; path: string; reload: string }) =>
    text(
      `${f.daemon} was started before ${f.path} was written; whether it has reloaded since is not known`,
      'where no hook was when it started, it looks for one only when it reloads',
      `${f.reload}, unless that was done since`,
    ),
  'hook-label-late': (f: { path: string; reason: string }) =>
    text(
      `${f.path} was not labelled: ${f.reason}`,
      'SELinux is on, and its policy goes by the label of the file',
      `restorecon -v ${f.path}`,
    ),
  'pools-empty': (f: { sizes: string; fix: string }) =>
    text(
      f.sizes === '' ? 'this host has no huge pages' : `no huge pages are set aside (${f.sizes})`,
      'guests with <hugepages> cannot start; others need none',
      f.fix,
    ),
  'pool-uneven': (f: { nodes: string; count: number; page: string; others: string; fix: string }) =>
    text(
      `${nodeWord(f)} ${f.count === 1 ? 'has' : 'have'} no ${f.page} pages, others (${f.others}) have`,
      'a cell there cannot have such pages, unless memory=by-free-pages gives it another share',
      f.fix,
    ),
  'cpuset-controller-off': (f: { where: string }) =>
    text(
      `the cpuset controller is off ${f.where}`,
      'mode=restrictive has no effect then, nor has virsh numatune on a running guest; strict and preferred are not touched',
      'echo +cpuset > /sys/fs/cgroup/cgroup.subtree_control, and "cpuset" in cgroup_controllers of qemu.conf',
    ),

  // A running guest
  'vcpus-far': (f: { vcpus: string; cell: number; cpus: string; memory: string }) =>
    text(
      `${f.vcpus} of cell ${f.cell} may run on ${f.cpus}, the memory of the cell is on ${f.memory}`,
      'every access goes over to another node',
      'run virt-numa transform --rebind, and restart or migrate the guest',
    ),
  'guest-memory-unknown': (f: { cells: string; size: string; why: string }) =>
    text(`where ${f.size} of ${f.cells} is cannot be told`, f.why),
  'guest-memory-alike': (f: { cells: string; size: string }) =>
    text(
      `which mapping of ${f.size} is whose of ${f.cells} cannot be told`,
      'their memory has one size, one kind and one policy, and no name; it is told for both together',
    ),
  'threads-unknown': (f: { threads: string; why: string }) =>
    text(`${f.threads}: no thread of its own is found`, f.why),
  'wanted-unknown': (f: { pid: number; guest: string }) =>
    text(
      `of process ${f.pid} only what QEMU was told is known`,
      `there is no status file of ${f.guest === '' ? 'its guest' : `the guest ${short(f.guest)}`} here, so no pins; memory is compared with its command line`,
      `virsh dumpxml ${f.guest || 'NAME'} | virt-numa verify --pid ${f.pid} -`,
    ),
} as const

export const table = { invalid, misplaced, capacity, usage, note } as const

type Table = typeof invalid & typeof misplaced & typeof capacity & typeof usage & typeof note

/** Every code; what it means never changes. */
export type Code = keyof Table
export type FactsOf<C extends Code> = Parameters<Table[C]>[0]
