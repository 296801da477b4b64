// Hostile inputs for every command and hook operation: the arguments, files and stdin of one run, and the
// expected exit status and first code. An empty `code` means no error.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { range } from '../../src/base/idset.ts'
import { type Entry, tarOf } from '../core/tar-bytes.ts'

/** A hostile input at one of the commands or hook operations, and the expected exit status and code. */
export interface Door {
  readonly door: string
  readonly name: string
  readonly status: number
  readonly code: string
  /** Writes the files of the case into its folder. */
  readonly lay?: (place: string) => void
  readonly words: (place: string) => readonly string[]
  readonly program?: 'command' | 'hook'
  /** A function returns the path of the file to use as stdin. */
  readonly input?: string | Buffer | ((place: string) => string)
  readonly config?: string
}

const GOLDEN = `${process.cwd()}/golden`
const SEED = `${GOLDEN}/2n4c2t-seed`
const HOST = `${SEED}/host.json`
const MB = 1_000_000

const seed = readFileSync(`${SEED}/domain.xml`, 'utf8')
const vmiYaml = readFileSync('packaging/kubevirt/vmi.yaml', 'utf8')
const plain = '<memory>65536</memory><vcpu>4</vcpu>'
const domain = (inside: string, attributes = ''): string =>
  `<domain type='kvm'${attributes}>${inside}</domain>`
const asks = "<metadata><n:guestMappingPassthrough xmlns:n='urn:virt-numa:1'/></metadata>"
const many = (count: number, each: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => each(index)).join('')
/** Each entity is ten times the one before. */
const entity = (index: number): string => {
  const before = index === 0 ? 'a' : 'b'.repeat(index)
  return `<!ENTITY ${'b'.repeat(index + 1)} "${`&${before};`.repeat(10)}">`
}
const bomb = `<!DOCTYPE domain [<!ENTITY a "ha">${many(9, entity)}]>`

const DIMM = "<memory model='dimm'><target><size>1</size><node>0</node></target></memory>"

// ---- Domains ----

type Expected = readonly [status: number, code: string]
const bad = (code: string): Expected => [1, code]
const fine: Expected = [0, '']

const domains: Record<string, readonly [text: string | Buffer, expected: Expected]> = {
  '100 MB of blanks': [Buffer.alloc(100 * MB, ' '), bad('too-large')],
  '100 MB of NULs': [Buffer.alloc(100 * MB), bad('too-large')],
  'a comment of 15 MB': [seed.replace('<devices>', `<!--${'x'.repeat(15 * MB)}--><devices>`), fine],
  'blanks of 3 MB before what is written': [domain(`${plain}${' '.repeat(3 * MB)}<!-- --><devices/>`), fine],
  'lines without end': [domain(`${plain}${'\n'.repeat(3 * MB)}<!-- --><devices/>`), fine],
  '100,000 levels': ['<domain>'.repeat(100_000), bad('xml-too-deep')],
  '100,000 levels that end': [domain('<a>'.repeat(100_000) + '</a>'.repeat(100_000)), bad('xml-too-deep')],
  '999 levels': [domain(`${plain}<metadata>${'<a>'.repeat(990)}${'</a>'.repeat(990)}</metadata>`), fine],
  'a million attributes': [
    domain(
      plain,
      many(MB, (index) => ` a${index}=''`),
    ),
    bad('xml-too-many'),
  ],
  '200,000 attributes': [
    domain(
      plain,
      many(200_000, (index) => ` a${index}=''`),
    ),
    bad('xml-too-many'),
  ],
  '800,000 elements': [domain(plain + '<a/>'.repeat(800_000)), bad('xml-too-many')],
  '90,000 elements': [domain(plain + '<a/>'.repeat(90_000)), fine],
  '200,000 pieces of text': [domain(`${plain}<a>${'<![CDATA[x]]>y'.repeat(200_000)}</a>`), fine],
  '400,000 comments': [domain(plain + '<!---->'.repeat(400_000)), fine],
  'an entity bomb': [`${bomb}<domain>&bbbbbbbbb;</domain>`, bad('xml-doctype')],
  'an entity that reaches out': [
    `<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain><name>&x;</name></domain>`,
    bad('xml-doctype'),
  ],
  'undeclared entities': [domain('&lol;'.repeat(100_000)), bad('xml-malformed')],
  'a NUL': [seed.replace('seed', 's\0d'), bad('xml-malformed')],
  'invalid UTF-8': [Buffer.concat([Buffer.from(seed), Buffer.from([0xc0, 0x80])]), bad('utf8-invalid')],
  'a name of 15 MB': [`<${'n'.repeat(15 * MB)}`, bad('xml-malformed')],
  'a name of 3 MB that another ends': [`<${'n'.repeat(3 * MB)}></b>`, bad('xml-malformed')],
  'a prefix of 1 MB': [`<domain><${'p'.repeat(MB)}:a/></domain>`, bad('xml-prefix-undeclared')],
  'a value of 15 MB': [
    domain(`${plain}<cputune><vcpupin vcpu='0' cpuset='${'x'.repeat(15 * MB)}'/></cputune>`),
    bad('set-too-long'),
  ],
  'a cpuset of 10^9': [
    domain(`${plain}<cputune><vcpupin vcpu='0' cpuset='0-1000000000'/></cputune>`),
    bad('set-too-large'),
  ],
  'a cpuset that repeats': [
    domain(`${plain}<cputune><vcpupin vcpu='0' cpuset='${'0-65535,'.repeat(400_000)}'/></cputune>`),
    bad('set-too-long'),
  ],
  '16,384 wide pins': [
    domain(
      `<memory>65536</memory><vcpu>16384</vcpu><cputune>${range(16_384)
        .map((id) => `<vcpupin vcpu='${id}' cpuset='0-16383'/>`)
        .join('')}</cputune>`,
    ),
    bad('set-too-long'),
  ],
  '30,000 pins of one vCPU': [
    domain(`${plain}<cputune>${"<vcpupin vcpu='1' cpuset='0-16383'/>".repeat(30_000)}</cputune>`),
    bad('entry-twice'),
  ],
  'elements twice': [
    domain(`${plain}<cputune><vcpupin vcpu='0' cpuset='0'/></cputune><cputune/>`),
    bad('element-twice'),
  ],
  'negative memory': [domain('<memory>-1</memory>'), bad('size-malformed')],
  'memory that is NaN': [domain('<memory>NaN</memory>'), bad('size-malformed')],
  'memory that is Infinity': [domain('<memory>Infinity</memory>'), bad('size-malformed')],
  'memory of 2^64 KiB': [domain('<memory>18446744073709551616</memory>'), bad('size-too-large')],
  'memory of 2^53 KiB': [domain('<memory>9007199254740991</memory>'), fine],
  'cells that overflow together': [
    domain(`<vcpu>4</vcpu><cpu><numa>${many(3, () => "<cell memory='9007199254740991'/>")}</numa></cpu>`),
    bad('size-too-large'),
  ],
  '16,384 cells': [
    domain(
      `${plain}<cpu><numa>${many(16_384, (index) => `<cell id='${index}' memory='1024'/>`)}</numa></cpu>`,
    ),
    bad('cells-beyond'),
  ],
  '16,384 vCPUs, all of them listed': [
    domain(
      `<memory>65536</memory><vcpu>16384</vcpu><vcpus>` +
        `${many(16_384, (id) => `<vcpu id='${id}' enabled='${id === 0 ? 'yes' : 'no'}'/>`)}</vcpus>`,
    ),
    fine,
  ],
  '16,384 I/O threads': [domain(`${plain}<iothreads>16384</iothreads>`), fine],
  '15,000 memory devices': [
    domain(
      `${plain}<maxMemory slots='15000' unit='TiB'>1</maxMemory><devices>${DIMM.repeat(15_000)}</devices>`,
    ),
    fine,
  ],
  '45,000 things wrong': [
    domain(`${plain}<cputune>${"<vcpupin vcpu='x'/>".repeat(45_000)}</cputune>`),
    bad('domain-value'),
  ],
  '90,000 unknown keys': [
    domain(
      `<metadata><n:guestMappingPassthrough ` +
        `xmlns:n='urn:virt-numa:1'${many(90_000, (index) => ` k${index}=''`)}/></metadata>${plain}`,
    ),
    bad('unknown-key'),
  ],
  'metadata twice': [
    domain(`<metadata>${asks.slice(10, -11).repeat(2)}</metadata>${plain}`),
    bad('metadata-twice'),
  ],
  'metadata 45,000 times': [
    domain(`<metadata>${asks.slice(10, -11).repeat(45_000)}</metadata>${plain}`),
    bad('metadata-twice'),
  ],
  'metadata with an undeclared prefix': [
    domain(`<metadata><numa:guestMappingPassthrough/></metadata>${plain}`),
    bad('xml-prefix-undeclared'),
  ],
}

/** Each hostile domain at one of the commands in turn, and a few at every command. */
const COMMANDS = ['transform', 'plan', 'check'] as const
const AT_ALL = ['100 MB of NULs', 'an entity bomb', 'invalid UTF-8', '100,000 levels', 'a cpuset of 10^9']

function atCommands(): Door[] {
  return Object.entries(domains).flatMap(([name, [input, [status, code]]], index) => {
    const commands = AT_ALL.includes(name)
      ? COMMANDS
      : status === 0
        ? [COMMANDS[index % 2] as string]
        : [COMMANDS[index % 3] as string]
    return commands.map((command) => ({
      door: command,
      name,
      status,
      code,
      input,
      words: () => [command, '--host', HOST],
    }))
  })
}

/** For stdin that is a file, not a pipe. */
const asFile: Door = {
  door: 'transform -i',
  name: 'a file of 100 MB',
  status: 1,
  code: 'too-large',
  lay: (place) => sparse(join(place, 'domain.xml'), 100 * MB),
  words: (place) => ['transform', '-i', '--host', HOST, join(place, 'domain.xml')],
}

function sparse(file: string, bytes: number): void {
  writeFileSync(file, '')
  truncateSync(file, bytes)
}

// ---- Hosts ----

const one = '{"id": 0, "cpus": "0-3"}'
const nodes = (...each: readonly string[]): string => `{"nodes": [${each.join(', ')}]}`
const matrix = (count: number): string =>
  nodes(
    ...Array.from({ length: count }, (_, id) => {
      const row = Array.from({ length: count }, (_, other) =>
        other === id ? 10 : 11 + ((id * 7 + other) % 200),
      )
      return `{"id": ${id}, "cpus": "${id * 8}-${id * 8 + 7}", "memoryKiB": 67108864, "distances": [${row}]}`
    }),
  )
const caps = (cells: string, attributes = ''): string =>
  `<capabilities${attributes}><host><topology><cells>${cells}</cells></topology></host></capabilities>`
const cell = (id: number, inside = "<memory unit='KiB'>1048576</memory><cpus><cpu id='0'/></cpus>"): string =>
  `<cell id='${id}'>${inside}</cell>`

const documents: Record<string, readonly [text: string | Buffer, expected: Expected]> = {
  'JSON of 20 MB': [`[${' '.repeat(20 * MB)}]`, bad('too-large')],
  '100,000 levels of JSON': [`{"nodes": ${'['.repeat(100_000)}`, bad('json-malformed')],
  'a million lists': [`{"nodes": [${'[],'.repeat(MB)}[]]}`, bad('json-malformed')],
  '90,000 nodes that say nothing': [
    nodes(...Array.from({ length: 90_000 }, () => '{}')),
    bad('host-malformed'),
  ],
  '500,000 keys': [`{${many(500_000, (index) => `"k${index}":0,`)}"nodes": [${one}]}`, bad('json-malformed')],
  '90,000 unknown keys': [
    `{${many(90_000, (index) => `"k${index}":0,`)}"nodes": [${one}]}`,
    bad('host-malformed'),
  ],
  'two million distances': [
    nodes(`{"id": 0, "cpus": "0", "distances": [${'10,'.repeat(2 * MB)}10]}`),
    bad('host-malformed'),
  ],
  'a key of 7 MB': [`{"${'k'.repeat(7 * MB)}": 1, "nodes": [${one}]}`, bad('host-malformed')],
  'a text of 7 MB': [nodes(`{"id": 0, "cpus": "${'9'.repeat(7 * MB)}"}`), bad('set-too-long')],
  NaN: [nodes('{"id": 0, "cpus": "0-3", "memoryKiB": NaN}'), bad('json-malformed')],
  'a number that overflows': [nodes('{"id": 0, "cpus": "0-3", "memoryKiB": 1e999}'), bad('host-malformed')],
  'a negative size': [nodes('{"id": 0, "cpus": "0-3", "freeKiB": -1}'), bad('host-malformed')],
  'half a page': [
    nodes('{"id": 0, "cpus": "0-3", "pages": [{"pagesizeKiB": 2048, "total": 1.5}]}'),
    bad('host-malformed'),
  ],
  'CPUs to 10^9': [nodes('{"id": 0, "cpus": "0-1000000000"}'), bad('set-too-large')],
  '100,000 CPUs': [nodes('{"id": 0, "cpus": "0-99999"}'), bad('set-too-large')],
  '65,536 CPUs': [nodes('{"id": 0, "cpus": "0-65535", "memoryKiB": 1048576}'), fine],
  '15,000 CPUs, each on a separate node': [
    nodes(...Array.from({ length: 15_000 }, (_, id) => `{"id": ${id}, "cpus": "${id}"}`)),
    bad('host-malformed'),
  ],
  '65,536 CPUs, all of them twice': [
    nodes('{"id": 0, "cpus": "0-65535"}', '{"id": 1, "cpus": "0-65535"}'),
    bad('host-malformed'),
  ],
  '60,000 CPUs, the siblings far apart': [
    JSON.stringify({
      nodes: [{ id: 0, cpus: '0-59999', memoryKiB: 1_073_741_824 }],
      siblings: Array.from({ length: 30_000 }, (_, core) => `${core},${core + 30_000}`),
    }),
    fine,
  ],
  '1,024 nodes with all their distances': [matrix(1024), fine],
  'distances that differ by direction': [
    nodes(
      '{"id": 0, "cpus": "0-1", "distances": [10, 21]}',
      '{"id": 1, "cpus": "2-3", "distances": [31, 10]}',
    ),
    fine,
  ],
  'distances in a circle': [
    nodes(
      '{"id": 0, "cpus": "0-1", "distances": [10, 11, 255]}',
      '{"id": 1, "cpus": "2", "distances": [255, 10, 11]}',
      '{"id": 2, "cpus": "3", "distances": [11, 255, 10]}',
    ),
    fine,
  ],
  'a node that is nearer than itself': [
    nodes('{"id": 0, "cpus": "0-3", "distances": [9]}'),
    bad('host-malformed'),
  ],
  'no id': [nodes('{"cpus": "0-3"}'), bad('host-malformed')],
  'an id twice': [nodes(one, '{"id": 0, "cpus": "4-7"}'), bad('host-malformed')],
  'a NUL': [nodes(one).replace('0-3', '0-\0'), bad('json-malformed')],
  'invalid UTF-8': [
    Buffer.concat([Buffer.from('{"nodes": "'), Buffer.from([0xff]), Buffer.from('"}')]),
    bad('utf8-invalid'),
  ],
  'capabilities of 17 MB': [caps(`<!--${' '.repeat(17 * MB)}-->`), bad('too-large')],
  '40,000 levels of capabilities': [caps('<a>'.repeat(40_000) + '</a>'.repeat(40_000)), bad('xml-malformed')],
  'capabilities with 200,000 attributes': [
    caps(
      cell(0),
      many(200_000, (index) => ` a${index}='1'`),
    ),
    bad('xml-too-many'),
  ],
  'capabilities with 80,000 attributes': [
    caps(
      cell(0),
      many(80_000, (index) => ` a${index}='1'`),
    ),
    fine,
  ],
  'capabilities with 500,000 elements': [caps('<cell/>'.repeat(500_000)), bad('xml-too-many')],
  'capabilities with 20,000 cells of one id': [
    caps(cell(0, '').repeat(20_000)),
    bad('capabilities-malformed'),
  ],
  'capabilities with an entity bomb': [bomb + caps('&bbbbbbbbb;'), bad('xml-doctype')],
  'capabilities with undeclared entities': [
    caps(cell(0, "<memory unit='KiB'>&lol;</memory>")),
    bad('size-malformed'),
  ],
  'capabilities with a NUL': [caps(cell(0)).replace('1048576', '\0'), bad('size-malformed')],
  'capabilities with negative memory': [
    caps(cell(0, "<memory unit='KiB'>-1</memory>")),
    bad('size-malformed'),
  ],
  'capabilities with CPU 10^9': [
    caps(cell(0, "<cpus><cpu id='1000000000'/></cpus>")),
    bad('capabilities-malformed'),
  ],
}

/** A plan with a picture that replaces an existing one. */
function atHosts(): Door[] {
  return Object.entries(documents).map(([name, [text, [status, code]]], index) => {
    const commands =
      status === 0 ? ['plan --svg', 'transform', 'snapshot'] : ['snapshot', 'transform', 'plan', 'check']
    const command = commands[index % commands.length] as string
    const words = (place: string): string[] => [
      ...(command === 'plan --svg' ? ['plan', '--svg', join(place, 'picture')] : [command]),
      ...(command === 'snapshot' ? [] : [`${SEED}/domain.xml`]),
      '--host',
      join(place, 'host'),
    ]
    const lay = (place: string): void => {
      writeFileSync(join(place, 'host'), text)
      writeFileSync(join(place, 'picture'), '')
    }
    return { door: `${command} --host FILE`, name, status, code, lay, words }
  })
}

// ---- Captures: tars ----

const file = (name: string, content: string): Entry => ({ name, type: '0', content: Buffer.from(content) })
const link = (name: string, target: string, type = '2'): Entry => ({ name, type, target })
const CPUS = '/sys/devices/system/cpu'
const machine: readonly Entry[] = [
  file('sys/devices/system/cpu/online', '0-7\n'),
  file('sys/devices/system/node/online', '0\n'),
  file('sys/devices/system/node/node0/cpulist', '0-7\n'),
]
const pax = (text: string): Entry => ({ name: 'pax', type: 'x', content: Buffer.from(text) })
const record = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`
  const length = rest.length + String(rest.length + String(rest.length).length).length
  return `${length}${rest}`
}

const tars: Record<string, readonly [bytes: () => Buffer, expected: Expected]> = {
  'names with ../': [
    () => tarOf([...machine, file('../../../etc/passwd', 'x'), file('sys/../../x/../../y', 'x')]),
    fine,
  ],
  'links that lead out': [
    () =>
      tarOf([
        ...machine.slice(1),
        link('sys/devices/system/cpu/online', '/etc/passwd'),
        link('sys/x', '../../../../../../etc'),
      ]),
    fine,
  ],
  'links in a circle': [() => tarOf([link('sys', 'proc'), link('proc', 'sys'), ...machine.slice(2)]), fine],
  'a hard link to itself': [() => tarOf([...machine, link('sys/self', 'sys/self', '1')]), fine],
  'a file where a folder was': [() => tarOf([...machine, file('sys', 'x')]), bad('tar-malformed')],
  'a sparse file': [
    () => tarOf([...machine, { name: 'sys/sparse', type: 'S', content: Buffer.alloc(512) }]),
    bad('tar-malformed'),
  ],
  'a size of 8 GiB': [() => tarOf([{ ...file('sys/huge', ''), size: '77777777777' }]), bad('tar-malformed')],
  'a size of 2^88': [
    () => tarOf([{ ...file('sys/huge', ''), size: `\xbf${'\xff'.repeat(11)}` }]),
    bad('tar-malformed'),
  ],
  'a size below 0': [
    () => tarOf([{ ...file('sys/huge', ''), size: '\xff'.repeat(12) }]),
    bad('tar-malformed'),
  ],
  'a size in words': [() => tarOf([{ ...file('sys/huge', ''), size: 'enormous' }]), bad('tar-malformed')],
  'a pax size below 0': [() => tarOf([pax(record('size', '-512')), ...machine]), bad('tar-malformed')],
  'a pax size that is not a number': [
    () => tarOf([pax(record('size', 'NaN')), ...machine]),
    bad('tar-malformed'),
  ],
  'a pax size with a fraction': [() => tarOf([pax(record('size', '0.5')), ...machine]), bad('tar-malformed')],
  'a path of a million folders': [
    () => tarOf([...machine, pax(record('path', 'a/'.repeat(MB))), file('x', 'x')]),
    fine,
  ],
  '100,000 entries': [
    () => tarOf([...machine, ...Array.from({ length: 100_000 }, (_, id) => file(`sys/f${id}`, ''))]),
    fine,
  ],
  'paths of 2,000 folders, 200 times': [
    () =>
      tarOf([
        ...machine,
        ...Array.from({ length: 200 }, (_, id) => [
          pax(record('path', `p${id}/${'a/'.repeat(2000)}`)),
          file('x', 'x'),
        ]).flat(),
      ]),
    bad('tar-malformed'),
  ],
  'two machines': [() => tarOf([file('a/sys/x', ''), file('b/sys/x', '')]), bad('tar-malformed')],
  'a zip bomb': [() => gzipSync(Buffer.alloc(500 * MB), { level: 1 }), bad('too-large')],
  'zeros of 60 MB': [() => gzipSync(Buffer.alloc(60 * MB), { level: 1 }), bad('tar-malformed')],
  'gzip in gzip': [() => gzipSync(gzipSync(tarOf(machine))), bad('tar-malformed')],
  'gzip that is cut': [() => gzipSync(Buffer.from('x'.repeat(10_000))).subarray(0, 30), bad('unreadable')],
  'gzip that lies of its length': [
    () => Buffer.concat([gzipSync(tarOf(machine)).subarray(0, -4), Buffer.from([255, 255, 255, 255])]),
    bad('unreadable'),
  ],
  'a tar of 100 MB': [() => Buffer.alloc(100 * MB), bad('too-large')],
  '60,000 CPUs': [
    () =>
      tarOf([
        ...Array.from({ length: 60_000 }, (_, id) => file(`sys/devices/system/cpu/cpu${id}/online`, '1')),
        file('sys/devices/system/node/node0/x', ''),
      ]),
    fine,
  ],
  'CPUs of any number': [
    () =>
      tarOf(
        [1, 65_536, 4_294_967_296, 99_999_999_999].map((id) =>
          file(`sys/devices/system/cpu/cpu${id}/online`, '1'),
        ),
      ),
    fine,
  ],
  'nodes of any number': [
    () =>
      tarOf([
        ...machine,
        ...[70_000, 4_294_967_296].map((id) => file(`sys/devices/system/node/node${id}/cpulist`, '0-7')),
      ]),
    fine,
  ],
  'pages of any size': [
    () =>
      tarOf([
        ...machine,
        ...['0', '3', '9007199254740993', '99999999999999'].flatMap((kb) =>
          ['nr', 'free'].map((what) =>
            file(
              `sys/devices/system/node/node0/hugepages/hugepages-${kb}kB/${what}_hugepages`,
              '99999999999999999',
            ),
          ),
        ),
      ]),
    fine,
  ],
  'memory of any size': [
    () =>
      tarOf([
        ...machine,
        file(
          'sys/devices/system/node/node0/meminfo',
          `Node 0 MemTotal: ${'9'.repeat(400)} kB\nNode 0 MemFree: -1 kB\n`,
        ),
      ]),
    fine,
  ],
  'distances of any kind': [
    () => tarOf([...machine, file('sys/devices/system/node/node0/distance', '-1 NaN 1e9')]),
    fine,
  ],
}

function atTars(): Door[] {
  return Object.entries(tars).map(([name, [bytes, [status, code]]]) => ({
    door: 'snapshot --host TAR',
    name,
    status,
    code,
    lay: (place) => writeFileSync(join(place, 'host.tar'), bytes()),
    words: (place) => ['snapshot', '--host', join(place, 'host.tar')],
  }))
}

// ---- Captures: folders, and the cgroups in them ----

/** The seed's machine with one defect. */
function captured(place: string, spoil: (at: (path: string) => string) => void): void {
  const root = join(place, 'root')
  mkdirSync(root)
  execFileSync('tar', ['-xzf', `${SEED}/sys.tar.gz`, '-C', root])
  spoil((path) => join(root, path))
}

const garbage = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 131) % 256))

const folders: Record<string, readonly [spoil: (at: (path: string) => string) => void, expected: Expected]> =
  {
    'a pipe in the place of a file': [
      (at) => remake(at(`${CPUS}/online`), (path) => execFileSync('mkfifo', [path])),
      fine,
    ],
    'a folder in the place of a file': [
      (at) => remake(at(`${CPUS}/online`), (path) => mkdirSync(path)),
      fine,
    ],
    'a file of 100 MB': [(at) => sparse(at('/sys/devices/system/node/node0/meminfo'), 100 * MB), fine],
    'a file of 5 MB of CPUs': [(at) => writeFileSync(at(`${CPUS}/online`), '0-65535,'.repeat(600_000)), fine],
    'garbage in every file': [
      (at) => {
        const found = execFileSync('find', [at('/sys'), at('/proc'), '-type', 'f'], { encoding: 'utf8' })
          .trim()
          .split('\n')
        for (const path of found) writeFileSync(path, garbage)
      },
      fine,
    ],
    'a link to this machine': [
      (at) => remake(at(`${CPUS}/online`), (path) => symlinkSync('/sys/devices/system/cpu/online', path)),
      fine,
    ],
    'links out of the tree': [
      (at) => {
        remake(at('/sys/devices/system/node/node0/meminfo'), (path) =>
          symlinkSync('../../../../../../../../../../proc/meminfo', path),
        )
        remake(at('/proc'), (path) => symlinkSync('/proc', path))
      },
      fine,
    ],
    'links in a circle': [
      (at) =>
        remake(at(CPUS), (path) => {
          symlinkSync('cpu2', path)
          symlinkSync('cpu', `${path}2`)
        }),
      fine,
    ],
    'nothing of it': [(at) => remake(at('/sys'), () => {}), bad('host-unreadable')],
  }

function remake(path: string, make: (path: string) => void): void {
  rmSync(path, { recursive: true, force: true })
  make(path)
}

function atFolders(): Door[] {
  return Object.entries(folders).map(([name, [spoil, [status, code]]]) => ({
    door: 'snapshot --host DIR',
    name,
    status,
    code,
    lay: (place) => captured(place, spoil),
    words: (place) => ['snapshot', '--host', join(place, 'root')],
  }))
}

const v2 = (at: (path: string) => string, files: Readonly<Record<string, string>>): void => {
  mkdirSync(at('/proc/self'), { recursive: true })
  writeFileSync(at('/proc/self/mountinfo'), '30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n')
  mkdirSync(at('/sys/fs/cgroup/pod'), { recursive: true })
  for (const [name, text] of Object.entries({ 'cgroup.controllers': 'cpuset hugetlb', ...files }))
    writeFileSync(at(`/sys/fs/cgroup/pod/${name}`), text)
}

const cgroups: Record<
  string,
  readonly [spoil: (at: (path: string) => string) => void, group: string, expected: Expected]
> = {
  'a group that is not there': [(at) => v2(at, {}), '/nowhere', bad('cgroup-missing')],
  'a group above all': [(at) => v2(at, {}), '/../../../etc', bad('cgroup-missing')],
  'a name of 100 KB': [(at) => v2(at, {}), `/${'p'.repeat(100_000)}`, bad('cgroup-missing')],
  '50,000 levels': [(at) => v2(at, {}), '/p'.repeat(50_000), bad('cgroup-missing')],
  'CPUs to 10^9': [(at) => v2(at, { 'cpuset.cpus.effective': '0-1000000000' }), '/pod', fine],
  'garbage for CPUs': [(at) => v2(at, { 'cpuset.cpus.effective': garbage.toString('latin1') }), '/pod', fine],
  'CPUs that the host has not': [(at) => v2(at, { 'cpuset.cpus.effective': '4000-4007' }), '/pod', fine],
  'nodes that the host has not': [(at) => v2(at, { 'cpuset.mems.effective': '77' }), '/pod', fine],
  'limits of any size': [
    (at) =>
      v2(at, {
        'hugetlb.2MB.max': '-1',
        'hugetlb.1GB.max': '9'.repeat(300),
        'hugetlb.0KB.max': '1',
        'hugetlb.99999999999999999GB.max': '1',
      }),
    '/pod',
    fine,
  ],
  'mounts of 6 MB': [
    (at) => {
      v2(at, {})
      writeFileSync(
        at('/proc/self/mountinfo'),
        '30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n'.repeat(100_000),
      )
    },
    '/pod',
    fine,
  ],
  'mounts of garbage': [
    (at) => {
      v2(at, {})
      writeFileSync(at('/proc/self/mountinfo'), garbage)
    },
    '/pod',
    bad('cgroup-missing'),
  ],
}

function atCgroups(): Door[] {
  return Object.entries(cgroups).map(([name, [spoil, group, [status, code]]]) => ({
    door: 'snapshot --cgroup',
    name,
    status,
    code,
    lay: (place) => captured(place, spoil),
    words: (place) => ['snapshot', '--host', join(place, 'root'), '--cgroup', group],
  }))
}

// ---- Configurations and VMIs ----

const configs: Record<string, readonly [text: string | Buffer, expected: Expected]> = {
  'an unknown key': ['memroy = "even"\n', bad('unknown-key')],
  'a file of 100 MB': [Buffer.alloc(100 * MB, '\n'), bad('too-large')],
  '200,000 blank lines': ['\n'.repeat(200_000), fine],
  '100,000 comments': ['#\n'.repeat(100_000), fine],
  'a comment of 250 KB': [`# ${'x'.repeat(250_000)}`, fine],
  '25,000 unknown keys': [many(25_000, (index) => `k${index}=1\n`), bad('unknown-key')],
  'a key 25,000 times': ['pin="cpu"\n'.repeat(25_000), bad('config-repeated')],
  'a list of 60,000 that ends': [`guests = [${'"a",'.repeat(60_000)}]\n`, fine],
  'a list that does not end': [`guests = [${'"a",'.repeat(60_000)}`, bad('config-syntax')],
  '20,000 lists that do not end': ['guests = [\n'.repeat(20_000), bad('config-syntax')],
  'a text that does not end': [`guests = "${'a'.repeat(250_000)}`, bad('config-syntax')],
  '60,000 tenant keys': [`tenant_keys = [${'"x",'.repeat(60_000)}]\n`, bad('unknown-key')],
  'a reserve of 10^9 TB': ['reserve = [ "2M=1000000000T" ]\n', bad('size-too-large')],
  'a timeout below 0': ['timeout_s = -1\n', bad('unknown-value')],
  'a NUL': ['pin = "c\0pu"\n', bad('unknown-value')],
  'invalid UTF-8': [Buffer.from([0x70, 0x69, 0xfe]), bad('utf8-invalid')],
  'a host that is not there': ['root = "/nowhere/at/all"\n', bad('unreadable')],
}

function atConfigs(): Door[] {
  return Object.entries(configs).map(([name, [text, [status, code]]]) => ({
    door: 'transform --config',
    name,
    status,
    code,
    lay: (place) => writeFileSync(join(place, 'numa.conf'), text),
    words: (place) => [
      'transform',
      '--config',
      join(place, 'numa.conf'),
      ...(name === 'a host that is not there' ? [] : ['--host', HOST]),
      `${SEED}/domain.xml`,
    ],
  }))
}

const vmi = (inside: string): string =>
  `{"kind": "VirtualMachineInstance", "spec": {"domain": {"cpu": {"dedicatedCpuPlacement": true}${inside}}}}`
const merged = (index: number): string => `a${index + 1}: &a${index + 1} {<<: [${`*a${index},`.repeat(9)}]}\n`
const laughs =
  `a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n` +
  `${many(9, (index) => `a${index + 1}: &a${index + 1} [${`*a${index},`.repeat(9)}]\n`)}`

const vmis: Record<
  string,
  readonly [name: 'vmi.json' | 'vmi.yaml', text: string | Buffer, expected: Expected]
> = {
  'JSON of 100 MB': ['vmi.json', Buffer.alloc(100 * MB, ' '), bad('too-large')],
  'YAML of 100 MB': ['vmi.yaml', Buffer.alloc(100 * MB, '\n'), bad('too-large')],
  '100,000 levels of JSON': ['vmi.json', `{"a":${'['.repeat(100_000)}`, bad('json-malformed')],
  '40,000 levels of YAML': ['vmi.yaml', '['.repeat(40_000), bad('yaml-malformed')],
  '300,000 levels of YAML': ['vmi.yaml', '['.repeat(300_000), bad('yaml-malformed')],
  '400 levels of indentation': [
    'vmi.yaml',
    many(400, (index) => `${' '.repeat(index)}a:\n`),
    bad('yaml-malformed'),
  ],
  'an alias bomb': ['vmi.yaml', laughs, bad('yaml-malformed')],
  'a merge bomb': ['vmi.yaml', `a0: &a0 {x: 1}\n${many(30, merged)}`, bad('yaml-malformed')],
  'an anchor that holds itself': ['vmi.yaml', 'spec: &a [*a]\n', bad('yaml-malformed')],
  'an alias of nothing': ['vmi.yaml', 'spec: *nothing\n', bad('yaml-malformed')],
  '5,000 keys in YAML': ['vmi.yaml', many(5_000, (index) => `k${index}: 1\n`), bad('vmi-malformed')],
  '100,000 keys in YAML': ['vmi.yaml', many(90_000, (index) => `k${index}: 1\n`), bad('yaml-malformed')],
  '90,000 keys in JSON': [
    'vmi.json',
    `{${many(90_000, (index) => `"k${index}":1,`)}"z":1}`,
    bad('vmi-malformed'),
  ],
  '30,000 annotations that are none': [
    'vmi.json',
    `{"metadata": {"annotations": {${many(30_000, (index) => `"virt-numa.io/${index}":1,`)}"z":"1` +
      `"}}, "spec": {"domain": {}}}`,
    bad('vmi-malformed'),
  ],
  'a tag of code': ['vmi.yaml', "spec: !!js/function 'function () {}'\n", bad('vmi-malformed')],
  'a second document': ['vmi.yaml', `${vmiYaml}\n---\na: 1\n`, bad('yaml-malformed')],
  'a NUL in JSON': ['vmi.json', vmi(', "memory": {"guest": "6\0Mi"}'), bad('json-malformed')],
  'a NUL in YAML': ['vmi.yaml', 'spec: "a\0b"\n', bad('vmi-malformed')],
  'invalid UTF-8': [
    'vmi.yaml',
    Buffer.concat([Buffer.from(vmiYaml), Buffer.from([0xf8])]),
    bad('utf8-invalid'),
  ],
  'negative memory': ['vmi.json', vmi(', "memory": {"guest": "-64Mi"}'), bad('size-malformed')],
  'memory of 10^99': ['vmi.json', vmi(', "memory": {"guest": "1e99"}'), bad('size-too-large')],
  'memory that is NaN': ['vmi.yaml', `${vmiYaml.replace(/guest: .*/, 'guest: .nan')}`, bad('size-malformed')],
  'cores below 0': [
    'vmi.json',
    vmi(', "ioThreads": {"supplementalPoolThreadCount": -1}, "cpu2": 1').replace(
      'true}',
      'true, "cores": -1}',
    ),
    bad('vmi-malformed'),
  ],
  'an int of 400 digits': [
    'vmi.yaml',
    `spec: {domain: {cpu: {cores: ${'9'.repeat(400)}}}}\n`,
    bad('vmi-malformed'),
  ],
}

function atVmis(): Door[] {
  return Object.entries(vmis).map(([name, [file, text, [status, code]]]) => ({
    door: 'plan --vmi',
    name,
    status,
    code,
    lay: (place) => writeFileSync(join(place, file), text),
    words: (place) => ['plan', '--host', HOST, '--vmi', join(place, file), `${SEED}/domain.xml`],
  }))
}

// ---- onDefineDomain: both documents are arguments, of at most 128 KiB each ----

const asksVmi = vmi(', "memory": {"hugepages": {"pageSize": "2Mi"}}').replace(
  'true}',
  'true, "numa": {"guestMappingPassthrough": {}}}',
)

const arguments_: Record<string, readonly [vmi: string, domain: string, expected: Expected]> = {
  'no VMI': ['', seed, [2, 'usage-option-value']],
  '60,000 levels of VMI': ['['.repeat(120_000), seed, bad('json-malformed')],
  'a VMI that is a number': ['1', seed, bad('vmi-malformed')],
  'no domain': [asksVmi, '', [2, 'usage-option-value']],
  '30,000 levels of domain': [asksVmi, '<domain>'.repeat(15_000), bad('xml-too-deep')],
  'a domain with an entity bomb': [asksVmi, `${bomb}${seed}`, bad('xml-doctype')],
  'a cpuset of 10^9': [
    asksVmi,
    domain(`${plain}<cputune><vcpupin vcpu='0' cpuset='0-1000000000'/></cputune>`),
    bad('set-too-large'),
  ],
  '10,000 attributes': [
    asksVmi,
    domain(
      plain,
      many(10_000, (index) => ` a${index}=''`),
    ),
    bad('no-cpus'),
  ],
  'half a character': [asksVmi, `${domain(plain)}\ufffd`, bad('xml-malformed')],
}

function atOnDefineDomain(): Door[] {
  return Object.entries(arguments_).map(([name, [vmi, xml, [status, code]]]) => ({
    door: 'onDefineDomain',
    name,
    status,
    code,
    words: () => ['onDefineDomain', '--host', HOST, '--vmi', vmi, '--domain', xml],
  }))
}

// ---- The hook: refuses at migrate and restore, is silent at prepare, reads nothing at others ----

const OPERATIONS: readonly (readonly [operation: string, refuses: boolean])[] = [
  ['migrate begin', true],
  ['restore begin', true],
  ['prepare begin', false],
  ['start begin', false],
  ['started begin', false],
  ['stopped end', false],
  ['release end', false],
  ['reconnect begin', false],
  ['attach begin', false],
  ['unheard of', false],
]
const AT_HOOK = [
  ...AT_ALL,
  '90,000 elements',
  '16,384 wide pins',
  '16,384 cells',
  '45,000 things wrong',
  'metadata twice',
  'elements twice',
]
const HOOK_CONFIG = 'guests = "all"\n'

/** A hostile domain or configuration at an operation of the hook, and what it answers. */
interface HookCase {
  readonly operation: string
  readonly name: string
  readonly input: string | Buffer
  readonly expected: Expected
  readonly config?: string
}

function hookDoor({
  operation,
  name,
  input,
  expected: [status, code],
  config = HOOK_CONFIG,
}: HookCase): Door {
  return {
    door: `hook ${operation}`,
    name,
    status,
    code,
    program: 'hook',
    input,
    config,
    lay: (place) => captured(place, () => {}),
    words: () => ['db1', ...operation.split(' '), '-'],
  }
}

function atHook(): Door[] {
  const rebinds = AT_HOOK.map((name) => {
    const [input, expected] = domains[name] as readonly [string | Buffer, Expected]
    return hookDoor({ operation: 'migrate begin', name, input, expected })
  })
  const others = OPERATIONS.flatMap(([operation, refuses]) =>
    [refuses || operation.startsWith('re') ? '100 MB of NULs' : 'invalid UTF-8'].map((name) => {
      const [input, expected] = domains[name] as readonly [string | Buffer, Expected]
      return hookDoor({ operation, name, input, expected: refuses ? expected : fine })
    }),
  )
  const prepares = AT_HOOK.slice(5).map((name) => {
    const [input] = domains[name] as readonly [string | Buffer, Expected]
    return hookDoor({ operation: 'prepare begin', name, input, expected: fine })
  })
  const settings = Object.entries(configs)
    .filter(([, [, [status]]], index) => status === 1 && index % 3 === 0)
    .flatMap(([name, [text, expected]]) => {
      const given = { name: `a configuration: ${name}`, input: seed, config: text.toString('latin1') }
      const prepare = hookDoor({ operation: 'prepare begin', ...given, expected: fine })
      if (name === 'a host that is not there') return [prepare]
      return [hookDoor({ operation: 'migrate begin', ...given, expected }), prepare]
    })
  return [...rebinds, ...others, ...prepares, ...settings.filter(({ name }) => !name.includes('UTF-8'))]
}

/** Arguments that are wrong in themselves. */
const words: readonly Door[] = [
  ['a cpuset of 10^9', ['--cpuset', '0-1000000000']],
  ['a cpuset that repeats', ['--cpuset', '0-65535,'.repeat(15_000)]],
  ['a cpuset of garbage', ['--cpuset', '\u0001\u001b[2J']],
  ['an option of 100 KB', [`--${'x'.repeat(100_000)}`]],
  ['cells without end', ['--cells', '99999999999999999999']],
  ['a page size of NaN', ['--pagesize', 'NaN']],
  ['a page size below 0', ['--pagesize=-2M']],
  ['5,000 files', Array.from({ length: 5000 }, () => 'a.xml')],
].map(([name, given]) => ({
  door: 'transform OPTIONS',
  name: name as string,
  status: 2,
  code: '*',
  words: () => ['transform', ...(given as string[])],
}))

/** Every hostile input at every command and hook operation that reads it. */
export const doors: readonly Door[] = [
  ...atCommands(),
  asFile,
  ...atHosts(),
  ...atTars(),
  ...atFolders(),
  ...atCgroups(),
  ...atConfigs(),
  ...atVmis(),
  ...atOnDefineDomain(),
  ...atHook(),
  ...words,
]
