// Bad input and outputs that cannot be written, through the built command: the diagnostic, the exit status,
// and every file unchanged.

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { runApart } from '../apart.ts'
import { COMMAND, isNative, runCommand } from '../command.ts'
import { long, sampled } from '../long.ts'
import { canMount, codesOf, type Ended, folder, HOST, isRoot, SEED, seed, shell } from '../seed.ts'

const NOBODY = 65_534

const hostJson = readFileSync(HOST, 'utf8')

function run(words: readonly string[], input = '', cwd = process.cwd()): Ended {
  const { status, stdout, stderr } = runCommand(words, { input, cwd })
  return { status, stdout, stderr }
}

// ---- Domains ----

const domain = (inside: string, attributes = "type='kvm'"): string =>
  `<domain ${attributes}>${inside}</domain>`
const plain = '<memory>65536</memory><vcpu>4</vcpu>'
const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(domain(plain), 'utf16le')])
const ours = (keys: string): string =>
  domain(`<metadata><n:guestMappingPassthrough xmlns:n='urn:virt-numa:1' ${keys}/></metadata>${plain}`)

const domains: Record<string, readonly [text: string | Buffer, code: string]> = {
  'an empty document': ['', 'xml-malformed'],
  'no XML': ['guest: db1\n', 'xml-malformed'],
  'cut off in a tag': [seed.slice(0, 200), 'xml-malformed'],
  'cut off between tags': [seed.slice(0, seed.indexOf('<devices>')), 'xml-malformed'],
  'cut off in its last tag': [seed.trimEnd().slice(0, -1), 'xml-malformed'],
  'two roots': [`${seed}${seed}`, 'xml-malformed'],
  'text behind the root': [`${seed}and more`, 'xml-malformed'],
  'a tag that another closes': [domain('<memory>65536</vcpu>'), 'xml-malformed'],
  'an attribute twice': [domain("<vcpu current='1' current='2'>4</vcpu>"), 'xml-malformed'],
  'an undeclared entity': [domain('<name>&bomb;</name>'), 'xml-malformed'],
  'a DOCTYPE': [`<!DOCTYPE domain [<!ENTITY a "b">]>${seed}`, 'xml-doctype'],
  'a NUL byte': [seed.replace('seed', 'se\0ed'), 'xml-malformed'],
  'a NUL byte at the end': [`${seed}\0`, 'xml-malformed'],
  'bytes that are not UTF-8': [
    Buffer.concat([Buffer.from('<domain><name>'), Buffer.from([0xc3, 0x28])]),
    'utf8-invalid',
  ],
  'half a character at the end': [Buffer.from([...Buffer.from(seed), 0xe2, 0x82]), 'utf8-invalid'],
  'UTF-16': [utf16, 'utf8-invalid'],
  'a prefix that nothing declares': [
    domain(`<metadata><numa:guestMappingPassthrough/></metadata>${plain}`),
    'xml-prefix-undeclared',
  ],
  'nesting without end': [domain('<a>'.repeat(1500) + '</a>'.repeat(1500)), 'xml-too-deep'],
  'no domain': ['<network><name>default</name></network>', 'not-domain'],
  'a domain of another namespace': [domain(plain, "xmlns='urn:other'"), 'not-domain'],
  'a container': [domain(plain, "type='lxc'"), 'not-qemu'],
  'no memory': [domain('<vcpu>4</vcpu>'), 'domain-incomplete'],
  'negative memory': [domain('<memory>-65536</memory>'), 'size-malformed'],
  'memory in no unit': [domain("<memory unit='furlong'>4</memory>"), 'size-malformed'],
  'half a page': [domain('<memory>1.5</memory>'), 'size-malformed'],
  'memory of many digits': [domain(`<memory>${'9'.repeat(20)}</memory>`), 'size-too-large'],
  'memory of more digits': [domain(`<memory>${'9'.repeat(2000)}</memory>`), 'size-malformed'],
  exbibytes: [domain("<memory unit='EiB'>99999</memory>"), 'size-too-large'],
  'no memory for anyone': [domain('<memory>0</memory><vcpu>1</vcpu>'), 'memory-too-small'],
  'no vCPUs': [domain('<memory>65536</memory><vcpu>0</vcpu>'), 'domain-value'],
  'negative vCPUs': [domain('<memory>65536</memory><vcpu>-4</vcpu>'), 'domain-value'],
  'vCPUs in words': [domain('<memory>65536</memory><vcpu>four</vcpu>'), 'domain-value'],
  'more vCPUs than there are': [domain('<memory>65536</memory><vcpu>4294967296</vcpu>'), 'domain-value'],
  'more vCPUs than CPUs': [domain('<memory>65536</memory><vcpu>16384</vcpu>'), 'not-enough-threads'],
  'more vCPUs online than possible': [
    domain("<memory>65536</memory><vcpu current='5'>4</vcpu>"),
    'domain-value',
  ],
  'a pin for no vCPU': [domain(`${plain}<cputune><vcpupin cpuset='1'/></cputune>`), 'domain-value'],
  'two pins of one vCPU': [
    domain(`${plain}<cputune><vcpupin vcpu='0' cpuset='1'/><vcpupin vcpu='0' cpuset='1'/></cputune>`),
    'entry-twice',
  ],
  'two lists of pins': [
    domain(
      `${plain}<cputune><vcpupin vcpu='0' cpuset='1'/></cputune><cputune><vcpupin vcpu='1' ` +
        `cpuset='1'/></cputune>`,
    ),
    'element-twice',
  ],
  'a range that is excluded': [
    domain(`${plain}<cputune><vcpupin vcpu='0' cpuset='0-5,^2-5'/></cputune>`),
    'set-malformed',
  ],
  'a set that descends': [
    domain(`${plain}<cputune><vcpupin vcpu='0' cpuset='3-1'/></cputune>`),
    'set-malformed',
  ],
  'a set without end': [
    domain(`${plain}<cputune><vcpupin vcpu='0' cpuset='0-4294967295'/></cputune>`),
    'set-too-large',
  ],
  'a page of no size': [
    domain(`${plain}<memoryBacking><hugepages><page size='0'/></hugepages></memoryBacking>`),
    'pagesize-invalid',
  ],
  'cells that overlap': [
    domain(
      `${plain}<cpu><numa><cell cpus='0-2' memory='1024'/><cell cpus='2-3' memory='1024'/></numa></cpu>`,
    ),
    'cells-overlap',
  ],
  'cells that are numbered from 1': [
    domain(`${plain}<cpu><numa><cell id='1' cpus='0-3' memory='65536'/></numa></cpu>`),
    'cell-ids',
  ],
  'an unknown key': [ours("memroy='even'"), 'unknown-key'],
  'a key that every object has': [ours("__proto__='even'"), 'unknown-key'],
  'another key that every object has': [ours("constructor='even'"), 'unknown-key'],
  'an unknown value': [ours("memory='odd'"), 'unknown-value'],
  'CPUs that the guest does not have': [ours("cpuset='40-41'"), 'cpuset-unavailable'],
  'another element of ours': [
    domain(`<metadata><n:wish xmlns:n='urn:virt-numa:1'/></metadata>${plain}`),
    'metadata-element',
  ],
}

t.test('a bad domain is refused, and -i does not change it', (t) => {
  const place = folder(t)
  const file = join(place, 'domain.xml')
  for (const [name, [text, code]] of sampled(Object.entries(domains), 8)) {
    writeFileSync(file, text)
    const ended = run(['transform', '-i', '--host', HOST, file])
    t.same([ended.status, codesOf(ended.stderr)[0], ended.stdout], [1, code, ''], name)
    t.ok(Buffer.compare(readFileSync(file), Buffer.from(text)) === 0, `${name}: the file stays as it was`)
    t.match(ended.stderr, / why: \S/, `${name}: has a reason`)
  }
  t.same(readdirSync(place), ['domain.xml'], 'nothing is left behind')
  t.end()
})

long('common mistakes on the command line', (t) => {
  const place = folder(t)
  const live = join(place, 'live.xml')
  writeFileSync(live, seed.replace("<domain type='kvm'", "<domain type='kvm' id='3'"))
  const cases: [words: string[], status: number, expected: RegExp][] = [
    [
      ['plan', '--host', HOST],
      1,
      /the document is empty\n.*why: the file is empty, or the command before a pipe printed nothing/,
    ],
    [
      ['plan', '--host', HOST, 'db1'],
      1,
      /cannot read db1: no such file or directory[\s\S]*virsh dumpxml --inactive db1 > db1\.xml/,
    ],
    [['plan', '--host', HOST, '--memory', 'by-free', live], 2, /did you mean by-free-pages\?/],
    [['plan', '--host', HOST, '--cpus', 'as-pinned', live], 1, /error\[pin-missing\]: vCPU 0 has no pin/],
    [
      ['check', '--host', HOST, live],
      0,
      /note\[guest-live\]: this is the XML of a running guest \(id 3\)[\s\S]*virt-numa verify seed/,
    ],
  ]
  for (const [words, status, expected] of cases) {
    const ended = run(words, '', place)
    t.equal(ended.status, status, words.join(' '))
    t.match(ended.stderr, expected)
  }
  const crossed = join(place, 'crossed.xml')
  writeFileSync(crossed, seed.replace('</vcpu>', '</vcpus>'))
  t.match(run(['plan', '--host', HOST, crossed]).stderr, /unexpected close tag <\/vcpus>/)
  t.end()
})

long('check counts the CPUs of --cpuset even while they are offline', (t) => {
  const pinned = domain(
    "<memory>65536</memory><vcpu>1</vcpu><cputune><vcpupin vcpu='0' cpuset='900'/></cputune>",
  )
  t.equal(run(['check', '--host', HOST], pinned).status, 1)
  t.equal(run(['check', '--host', HOST, '--cpuset', '900'], pinned).status, 0)
  t.equal(run(['check', '--host', HOST, '--cpuset', '0,901'], pinned).status, 1)
  t.end()
})

long('names of JavaScript’s own properties are ordinary names', (t) => {
  const text = domain(
    `<metadata><__proto__ constructor='1'><toString/></__proto__></metadata>${plain}<devices>` +
      `<valueOf/></devices>`,
  )
  const { status, stdout, stderr } = run(['transform', '--host', HOST], text)
  t.equal(status, 0, stderr)
  t.match(stdout, "<__proto__ constructor='1'><toString/></__proto__>")
  t.match(stdout, "<cell id='1'")
  t.end()
})

// ---- Command lines, configurations and hosts ----

t.test('a wrong command line is reported, with status 2', (t) => {
  const lines: Record<string, readonly [words: readonly string[], code: string]> = {
    'no command': [[], 'usage-command'],
    'an unknown command': [['transfrom'], 'usage-command'],
    'an unknown option': [['transform', '--hots', HOST], 'usage-option'],
    'an unknown value': [['transform', '--memory', 'odd'], 'usage-value'],
    'an empty cpuset': [['transform', '--cpuset', ''], 'usage-value'],
    'a cpuset that descends': [['transform', '--cpuset', '3-1'], 'usage-value'],
    'a cpuset without end': [['transform', '--cpuset', '0-99999999'], 'usage-value'],
    'a negative number of cells': [['transform', '--cells=-1'], 'usage-value'],
    'pages of no size': [['transform', '--pagesize', '3M'], 'usage-value'],
    'an option without its value': [['transform', '--host'], 'usage-option-value'],
    'two files': [['transform', 'a.xml', 'b.xml'], 'usage-inputs'],
    '-i and -o': [['transform', '-i', '-o', 'b.xml', 'a.xml'], 'usage-conflict'],
    '-i on stdin': [['transform', '-i'], 'usage-conflict'],
    'a process that can be none': [['transform', '--pid', '0'], 'usage-pid'],
  }
  for (const [name, [words, code]] of sampled(Object.entries(lines), 4)) {
    const { status, stdout, stderr } = run(words, seed)
    t.same([status, codesOf(stderr)[0], stdout], [2, code, ''], name)
  }
  t.end()
})

t.test('a malformed host or configuration is refused', (t) => {
  const place = folder(t)
  mkdirSync(join(place, 'empty'))
  const files: Record<string, string | Buffer> = {
    'empty.json': '',
    'cut.json': hostJson.slice(0, 100),
    'list.json': '[]',
    'null.json': 'null',
    'object.json': '{}',
    'nodes.json': '{"nodes": {"0": {}}}',
    'no-nodes.json': '{"nodes": []}',
    'number.json': '{"nodes": [{"id": 0, "cpus": 3}]}',
    'negative.json': '{"nodes": [{"id": 0, "cpus": "0-3", "memoryKiB": -1}]}',
    'twice.json': '{"nodes": [{"id": 0, "cpus": "0-3"}, {"id": 0, "cpus": "4-7"}]}',
    'shared.json': '{"nodes": [{"id": 0, "cpus": "0-3"}, {"id": 1, "cpus": "3-7"}]}',
    'proto.json': '{"__proto__": {"nodes": []}, "nodes": [{"id": 0, "cpus": "0-3"}]}',
    'no-cpus.json': '{"nodes": [{"id": 0, "cpus": ""}]}',
    'binary.json': Buffer.from([0, 1, 2, 255]),
    'domain.xml': seed,
    'proto.xml': '<capabilities><__proto__/></capabilities>',
    'host.tar.bz2': Buffer.from('BZh91AY&SY'),
    'cut.tar.gz': gzipSync(Buffer.alloc(100_000, 'sys/')).subarray(0, 60),
    'no-tar.gz': gzipSync('nothing of the kind'),
    'broken.conf': 'memory = even\n',
    'key.conf': 'memroy = "even"\n',
    'twice.conf': 'memory = "even"\nmemory = "by-vcpu"\n',
    'value.conf': 'timeout_s = "soon"\n',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text)
  const at = (name: string): string => join(place, name)
  const hosts: Record<string, string> = {
    'empty.json': 'json-malformed',
    'cut.json': 'json-malformed',
    'list.json': 'host-malformed',
    'null.json': 'host-malformed',
    'object.json': 'host-malformed',
    'nodes.json': 'host-malformed',
    'no-nodes.json': 'host-malformed',
    'number.json': 'host-malformed',
    'negative.json': 'host-malformed',
    'twice.json': 'host-malformed',
    'shared.json': 'host-malformed',
    'proto.json': 'host-malformed',
    'no-cpus.json': 'no-cpus',
    'binary.json': 'utf8-invalid',
    'domain.xml': 'capabilities-malformed',
    'proto.xml': 'xml-malformed',
    'host.tar.bz2': 'host-compressed',
    'cut.tar.gz': 'unreadable',
    'no-tar.gz': 'tar-malformed',
    'missing.json': 'unreadable',
    empty: 'host-unreadable',
  }
  const lines: Record<string, readonly [words: readonly string[], code: string]> = {
    ...Object.fromEntries(Object.entries(hosts).map(([name, code]) => [name, [['--host', at(name)], code]])),
    'a configuration without quotes': [['--config', at('broken.conf'), '--host', HOST], 'config-syntax'],
    'a configuration with an unknown key': [['--config', at('key.conf'), '--host', HOST], 'unknown-key'],
    'a configuration that sets a key twice': [
      ['--config', at('twice.conf'), '--host', HOST],
      'config-repeated',
    ],
    'a configuration with an unknown value': [
      ['--config', at('value.conf'), '--host', HOST],
      'unknown-value',
    ],
    'a configuration that is not there': [['--config', at('missing.conf'), '--host', HOST], 'unreadable'],
    'a domain that is not there': [['--host', HOST, at('missing.xml')], 'unreadable'],
    'a folder for a domain': [['--host', HOST, place], 'unreadable'],
    'CPUs that the host does not have': [['--host', HOST, '--cpuset', '2-3,40'], 'cpus-offline'],
    'a cgroup of a snapshot': [['--host', HOST, '--cgroup', '/pod'], 'host-without-cgroups'],
    'a process that is not there': [['--pid', '4194999'], 'process-missing'],
    'a cgroup that is not there': [['--cgroup', '/no/such/group'], 'cgroup-missing'],
  }
  const before = readdirSync(place)
  for (const [name, [words, code]] of sampled(Object.entries(lines), 6)) {
    const { status, stdout, stderr } = run(['transform', ...words], seed)
    t.same([status, codesOf(stderr)[0], stdout], [1, code, ''], name)
  }
  t.same(readdirSync(place), before, 'nothing is left behind')
  t.end()
})

// ---- Outputs ----

/** A domain that is larger than the limits below. */
const large = seed.replace('<devices>', `<!--${'x'.repeat(20_000)}-->\n  <devices>`)

t.test('a write that fails leaves the file unchanged, and nothing behind', (t) => {
  const place = folder(t)
  const file = join(place, 'domain.xml')
  writeFileSync(file, large)
  const limited = shell('ulimit -f 8; $N transform -i --host $HOST domain.xml', place)
  t.same([limited.status, codesOf(limited.stderr)], [1, ['unwritable']], 'above the file size limit')
  const full = shell('$N transform -o /dev/full --host $HOST domain.xml', place)
  t.same([full.status, codesOf(full.stderr)], [1, ['unwritable']], 'a full device')
  const stdout = shell('$N transform --host $HOST domain.xml > /dev/full', place)
  t.same([stdout.status, codesOf(stdout.stderr)], [1, ['unwritable']], 'stdout on a full device')
  const missing = shell('$N transform -o missing/out.xml --host $HOST domain.xml', place)
  t.same([missing.status, codesOf(missing.stderr)], [1, ['unwritable']], 'a missing folder')
  const onFolder = shell(
    'mkdir made; $N transform -o made --host $HOST domain.xml; status=$?; rmdir made; exit $status',
    place,
  )
  t.same(
    [onFolder.status, codesOf(onFolder.stderr)],
    [1, ['unwritable']],
    'a folder in the place of the file',
  )
  t.equal(readFileSync(file, 'utf8'), large, 'the file is as it was')
  t.same(readdirSync(place), ['domain.xml'], 'nothing is left behind')
  t.end()
})

if (canMount) {
  t.test('a full disk under -i', (t) => {
    const disk = folder(t)
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk], { encoding: 'utf8' })
    t.equal(mounted.status, 0, mounted.stderr)
    t.teardown(() => spawnSync('umount', [disk]))
    writeFileSync(join(disk, 'domain.xml'), large)
    writeFileSync(join(disk, 'filler'), Buffer.alloc(36_000))
    const ended = run(['transform', '-i', '--host', HOST, join(disk, 'domain.xml')])
    t.same([ended.status, codesOf(ended.stderr)], [1, ['unwritable']])
    t.match(ended.stderr, /no space left on device/)
    t.equal(readFileSync(join(disk, 'domain.xml'), 'utf8'), large, 'the file is as it was')
    t.same(readdirSync(disk), ['domain.xml', 'filler'], 'nothing is left behind')
    const read = spawnSync('mount', ['-o', 'remount,ro', disk])
    t.equal(read.status, 0)
    const readOnly = run(['transform', '-i', '--host', HOST, join(disk, 'domain.xml')])
    t.same([readOnly.status, codesOf(readOnly.stderr)], [1, ['unwritable']], 'a read-only disk')
    t.equal(readFileSync(join(disk, 'domain.xml'), 'utf8'), large)
    t.end()
  })
}

t.test("a read-only folder, and another user's file", (t) => {
  const place = folder(t)
  const program = COMMAND.at(-1) as string
  const loaded = isNative ? [] : ['write.cjs', 'host-file.cjs'].map((name) => join(dirname(program), name))
  for (const file of [program, ...loaded]) copyFileSync(file, join(place, basename(file)))
  const [command = '', ...first] = [...COMMAND.slice(0, -1), join(place, basename(program))]
  copyFileSync(HOST, join(place, 'host.json'))
  const closed = join(place, 'closed')
  const theirs = join(place, 'theirs')
  for (const each of [closed, theirs]) {
    mkdirSync(each)
    writeFileSync(join(each, 'domain.xml'), seed)
  }
  chmodSync(closed, 0o555)
  t.teardown(() => chmodSync(closed, 0o755))
  if (isRoot) chownSync(theirs, NOBODY, NOBODY)
  const runIn = (file: string): Ended => {
    const words = [...first, 'transform', '-i', '--host', join(place, 'host.json'), file]
    const { status, stdout, stderr } = runApart(command, words, {
      ...(isRoot && { uid: NOBODY, gid: NOBODY }),
    })
    return { status, stdout, stderr }
  }
  const readOnly = runIn(join(closed, 'domain.xml'))
  t.same([readOnly.status, codesOf(readOnly.stderr)], [1, ['unwritable']], readOnly.stderr)
  const other = runIn(join(theirs, 'domain.xml'))
  // Only root can give a file to another user; anyone else's own file is simply replaced.
  t.same([other.status, codesOf(other.stderr)], isRoot ? [1, ['unwritable']] : [0, []], other.stderr)
  t.equal(readFileSync(join(closed, 'domain.xml'), 'utf8'), seed, 'the file is as it was')
  t.equal(readFileSync(join(theirs, 'domain.xml'), 'utf8') === seed, isRoot, 'so is the other one')
  t.same(
    [readdirSync(closed), readdirSync(theirs)],
    [['domain.xml'], ['domain.xml']],
    'nothing is left behind',
  )
  t.end()
})

t.test('-i follows a link, and keeps link, mode and owner', (t) => {
  const place = folder(t)
  mkdirSync(join(place, 'real'))
  const file = join(place, 'real', 'domain.xml')
  const link = join(place, 'link.xml')
  writeFileSync(file, seed)
  chmodSync(file, 0o440)
  if (isRoot) chownSync(file, NOBODY, 107)
  symlinkSync('real/domain.xml', link)
  const before = statSync(file)
  const ended = run(['transform', '-i', '--host', HOST, link])
  t.equal(ended.status, 0, ended.stderr)
  t.ok(lstatSync(link).isSymbolicLink(), 'the link stays')
  t.match(readFileSync(file, 'utf8'), "<cell id='1'", 'its target is fitted')
  const after = statSync(file)
  t.same([after.mode, after.uid, after.gid], [before.mode, before.uid, before.gid], 'mode and owner stay')
  t.same(
    [readdirSync(place), readdirSync(join(place, 'real'))],
    [['link.xml', 'real'], ['domain.xml']],
    'nothing is left behind',
  )
  const { ino, mtimeMs } = statSync(file)
  t.equal(run(['transform', '-i', '--host', HOST, link]).status, 0)
  t.same(
    [statSync(file).ino, statSync(file).mtimeMs],
    [ino, mtimeMs],
    'where nothing changes, nothing is written',
  )
  t.end()
})

long('pipes and devices are written to, not replaced', (t) => {
  const place = folder(t)
  writeFileSync(join(place, 'domain.xml'), seed)
  const fitted = run(['transform', '--host', HOST], seed).stdout
  const fifo = shell(
    'mkfifo pipe; cat pipe > out & $N transform -o pipe --host $HOST domain.xml; status=$?; ' +
      'wait; test -p pipe && exit $status',
    place,
  )
  t.equal(fifo.status, 0, fifo.stderr)
  t.equal(readFileSync(join(place, 'out'), 'utf8'), fitted, 'a named pipe')
  const stdout = shell('$N transform -o /dev/stdout --host $HOST domain.xml | cat', place)
  t.same([stdout.status, stdout.stdout, codesOf(stdout.stderr)], [0, fitted, []], '/dev/stdout on a pipe')
  const device = shell(
    '$N transform -o /dev/null --host $HOST domain.xml; status=$?; test -c /dev/null && exit $status',
    place,
  )
  t.same([device.status, device.stdout], [0, ''], '/dev/null stays a device')
  t.same(readdirSync(place), ['domain.xml', 'out', 'pipe'], 'nothing is left behind')
  t.end()
})

t.test('a reader that goes away, and closed descriptors', (t) => {
  const place = folder(t)
  writeFileSync(join(place, 'domain.xml'), large.repeat(1))
  const gone = shell('{ $N transform --host $HOST domain.xml; echo $? > status; } | true', place)
  t.equal(gone.status, 0)
  t.equal(readFileSync(join(place, 'status'), 'utf8'), '0\n', 'a reader that went away is not an error')
  t.equal(shell('$N transform --host $HOST domain.xml >&-', place).status, 0, 'stdout closed')
  t.equal(shell('$N transform --host $HOST missing.xml 2>&-', place).status, 1, 'stderr closed')
  const noInput = shell('$N transform --host $HOST <&-', place)
  t.same([noInput.status, codesOf(noInput.stderr)], [1, ['xml-malformed']], 'stdin closed')
  t.end()
})

t.test('the working folder was removed', (t) => {
  const place = folder(t)
  const gone = 'mkdir gone; cd gone; rmdir ../gone;'
  const hooks = `mkdir hooks; ${gone} $N install --hooks-dir ${place}/hooks --dry-run`
  for (const line of [`${gone} $N snapshot`, `${gone} $N doctor --json`, isNative ? ':' : hooks]) {
    const { status, stderr } = shell(line, place)
    t.ok(status === 0 || (status === 1 && line.includes('doctor')), `${line}: ${status} ${stderr}`)
    t.notMatch(stderr, 'error[bug]')
  }
  const written = shell(`${gone} $N transform --host $HOST -o out.xml ${SEED}/domain.xml`, place)
  t.same([written.status, codesOf(written.stderr)], [1, ['unwritable']])
  t.match(written.stderr, 'fix: this folder was removed: change to another one')
  t.end()
})
