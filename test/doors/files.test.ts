// Files that commands write: atomically, with mode, owner and attributes kept, and never over an input.

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { diagnostic } from '../../src/codes/codes.ts'
import { messageOf } from '../../src/explain/message.ts'
import { keepCopy } from '../../src/libvirt/backup.ts'
import { copyAttributes, saveFile } from '../../src/machine/write/save.ts'
import { createFile, replaceFile } from '../../src/machine/write/temporary-file.ts'
import { runCommand } from '../command.ts'
import { refusedBy } from '../core/worded.ts'
import { long, sampled } from '../long.ts'
import { canMount, codesOf, type Ended, folder, HOST, seed, shell } from '../seed.ts'

const hasPython = spawnSync('python3', ['-c', '']).status === 0

// When run alone, tap would end it after 30 s.
t.setTimeout(300_000)

const large = seed.replace('<devices>', `<!--${'x'.repeat(20_000)}-->\n  <devices>`)

function refused({ status, stderr }: Ended, code: string): [number | null, string[]] {
  return [status, codesOf(stderr).filter((each) => each === code)]
}

const contentsOf = (place: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(place).map((name) => [
      name,
      lstatSync(join(place, name)).isFile() ? readFileSync(join(place, name), 'utf8') : '',
    ]),
  )

const fitted = ((): string => {
  const { stdout } = runCommand(['transform', '--host', HOST], { input: seed })
  return stdout
})()

// ---- Short writes ----

t.test('a file above the size limit is not written', (t) => {
  const place = folder(t)
  writeFileSync(join(place, 'db1.xml'), large)
  writeFileSync(join(place, 'out.xml'), '<domain/>\n')
  writeFileSync(join(place, 'out.svg'), '<svg/>\n')
  writeFileSync(join(place, 'out.prom'), '# HELP virt_numa_\n')
  const before = contentsOf(place)
  const writers = [
    ['-i', '$N transform -i --host $HOST db1.xml'],
    ['-o, a new file', '$N transform -o new.xml --host $HOST db1.xml'],
    ['-o, over a file', '$N transform -o out.xml --host $HOST db1.xml'],
    ['--svg', '$N plan --svg out.svg --host $HOST db1.xml'],
    ['--svg, a new file', '$N plan --svg new.svg --host $HOST db1.xml'],
    ['--metrics', '$N verify no-such-guest --metrics out.prom'],
  ] as const
  for (const [name, line] of sampled(writers, 2)) {
    const ended = shell(`prlimit --fsize=100 ${line}`, place)
    t.same(refused(ended, 'unwritable'), [1, ['unwritable']], `${name}: ${ended.stderr}`)
    t.match(ended.stderr, /fix: raise the limit on the size of files: ulimit -f unlimited/, name)
    t.same(contentsOf(place), before, `${name}: no file has changed, and there is no new one`)
  }
  const printers = [
    'transform db1.xml',
    'plan db1.xml',
    'plan --svg - db1.xml',
    'transform --json db1.xml',
    'check db1.xml',
    'snapshot',
  ]
  for (const line of sampled(printers, 4)) {
    const ended = shell(
      `prlimit --fsize=10 $N ${line} --host $HOST > printed; status=$?; rm printed; exit $status`,
      place,
    )
    t.same(refused(ended, 'unwritable'), [1, ['unwritable']], `stdout of ${line}`)
    const full = shell(`$N ${line} --host $HOST > /dev/full`, place)
    t.same(refused(full, 'unwritable'), [1, ['unwritable']], `stdout of ${line} on a full device`)
    t.match(full.stderr, 'fix: free space on the disk that it is redirected to', line)
  }
  for (const line of ['--help', '--version', 'plan --help'])
    t.equal(shell(`$N ${line} > /dev/full`, place).status, 1, `stdout of ${line} on a full device`)
  t.end()
})

/** As much of virsh as reads the definition of one guest. `define` leaves a file. */
const VIRSH = `#!/bin/sh
case "$2" in
  uri) echo qemu:///system;;
  list) echo '11111111-2222-3333-4444-555555555555 db1';;
  dumpxml) cat domain.xml;;
  dominfo) printf 'Id:             -\\nPersistent:     yes\\nManaged save:   no\\n';;
  define) touch defined;;
esac
`

long('a definition is not changed without a complete backup', (t) => {
  const place = folder(t)
  writeFileSync(join(place, 'virsh'), VIRSH, { mode: 0o755 })
  writeFileSync(join(place, 'domain.xml'), seed.replace('<name>seed</name>', '<name>db1</name>'))
  const env = { PATH: `${place}:${process.env.PATH}` }
  const line = '$N define --guest db1 --backup copies --host $HOST'
  const limited = shell(`prlimit --fsize=100 ${line}`, place, env)
  t.same([limited.status, codesOf(limited.stderr)], [1, ['unwritable']], limited.stderr)
  t.match(limited.stderr, /cannot write copies\/db1\.\S+\.xml: file too large/)
  t.same(readdirSync(join(place, 'copies')), [], 'no partial backup is left')
  t.notOk(existsSync(join(place, 'defined')))
  // This fake defines nothing: the definition that is read back is still the former one.
  shell(line, place, env)
  t.ok(existsSync(join(place, 'defined')))
  const [copy = ''] = readdirSync(join(place, 'copies'))
  t.equal(readFileSync(join(place, 'copies', copy), 'utf8'), readFileSync(join(place, 'domain.xml'), 'utf8'))
  t.equal(statSync(join(place, 'copies', copy)).mode & 0o777, 0o600)
  const temporary = shell(`rm -r copies; ${line}`, place, { ...env, TMPDIR: '/no/such/folder' })
  t.same(
    [temporary.status, codesOf(temporary.stderr)],
    [1, ['unwritable']],
    'a missing folder for temporary files is reported as an error of the system',
  )
  const long = keepCopy(place, 'x'.repeat(300), 'long', new Date(1e12))
  t.equal(readFileSync(long, 'utf8'), 'long', 'a long name')
  t.end()
})

if (canMount) {
  t.test('full disks', (t) => {
    const disk = folder(t)
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk], { encoding: 'utf8' })
    t.equal(mounted.status, 0, mounted.stderr)
    t.teardown(() => spawnSync('umount', [disk]))
    const place = folder(t)
    writeFileSync(join(place, 'db1.xml'), large)
    writeFileSync(join(disk, 'linked.xml'), large)
    linkSync(join(disk, 'linked.xml'), join(disk, 'other.xml'))
    writeFileSync(join(disk, 'filler'), Buffer.alloc(28_000))
    const before = contentsOf(disk)
    const lines: Readonly<Record<string, string>> = {
      '-o': '$N transform -o $DISK/new.xml --host $HOST db1.xml',
      stdout: '$N transform --host $HOST db1.xml > $DISK/printed; status=$?; rm $DISK/printed; exit $status',
      '-i in place': '$N transform -i --host $HOST $DISK/linked.xml',
    }
    for (const [name, line] of Object.entries(lines)) {
      const ended = shell(line, place, { DISK: disk })
      t.same([ended.status, codesOf(ended.stderr)], [1, ['unwritable']], `${name}: ${ended.stderr}`)
      t.match(ended.stderr, /no space left on device[\s\S]*fix: free space on the disk/, name)
      t.same(contentsOf(disk), before, `${name}: no file has changed, and there is no new one`)
    }
    t.match(
      refusedBy(() => keepCopy(disk, 'db1', large, new Date(0))),
      /^unwritable: .*no space left/,
    )
    t.same(contentsOf(disk), before, 'no copy')
    t.end()
  })
}

// ---- Temporary files ----

t.test('a temporary file that was left behind', (t) => {
  for (const [name, plant] of [
    ['a file', (stale: string) => writeFileSync(stale, 'half')],
    ['a link', (stale: string, victim: string) => symlinkSync(victim, stale)],
    ['a link to nowhere', (stale: string) => symlinkSync('/no/such/file', stale)],
    ['another name of a file', (stale: string, victim: string) => linkSync(victim, stale)],
    ['a folder that is not empty', (stale: string) => mkdirSync(join(stale, 'inside'), { recursive: true })],
  ] as const) {
    for (const [way, write] of [
      ['saved', (path: string) => saveFile(path, 'new')],
      ['replaced', (path: string) => replaceFile(path, { bytes: Buffer.from('new'), mode: 0o600 })],
      ['made', (path: string) => createFile(path, { bytes: Buffer.from('new'), mode: 0o600 })],
    ] as const) {
      const place = folder(t)
      const file = join(place, 'db1.xml')
      const victim = join(place, 'victim')
      const stale = join(place, `.db1.xml.virt-numa-${process.pid}`)
      writeFileSync(victim, 'theirs')
      if (way !== 'made') writeFileSync(file, 'former')
      plant(stale, victim)
      write(file)
      t.equal(readFileSync(file, 'utf8'), 'new', `${name}: it is ${way}`)
      t.notOk(lstatSync(file).isSymbolicLink())
      t.equal(readFileSync(victim, 'utf8'), 'theirs', `${name}: the target of the link is not touched`)
      const left = name.startsWith('a folder') ? [stale.slice(place.length + 1)] : []
      t.same(readdirSync(place), [...left, 'db1.xml', 'victim'], `${name}: there is no new file`)
    }
  }
  const place = folder(t)
  const there = join(place, 'there')
  writeFileSync(there, 'former')
  t.throws(
    () => createFile(there, { bytes: Buffer.from('x'), mode: 0o600 }),
    { code: 'EEXIST' },
    'an existing file is not replaced',
  )
  t.same(contentsOf(place), { there: 'former' })
  const long = join(place, 'ü'.repeat(127))
  saveFile(long, 'text')
  t.equal(readFileSync(long, 'utf8'), 'text', 'a name of the maximum length')
  t.end()
})

if (canMount) {
  long('process 1 of a container, again', (t) => {
    const place = folder(t)
    writeFileSync(join(place, 'db1.xml'), seed)
    writeFileSync(join(place, 'victim'), 'theirs')
    symlinkSync('victim', join(place, '.db1.xml.virt-numa-1'))
    const ended = shell('exec unshare --pid --fork --mount-proc $N transform -i --host $HOST db1.xml', place)
    t.equal(ended.status, 0, ended.stderr)
    t.same(contentsOf(place), { 'db1.xml': fitted, victim: 'theirs' })
    t.end()
  })
}

t.test('a temporary file that another process removes as stale', (t) => {
  const place = folder(t)
  const file = join(place, 'db1.xml')
  const beside = join(place, `.db1.xml.virt-numa-${process.pid}`)
  let times = 0
  // A process with the same pid in another container removes the file and uses its name.
  replaceFile(file, {
    bytes: Buffer.from('ours'),
    mode: 0o600,
    finish: () => {
      times += 1
      if (times > 1) return
      rmSync(beside)
      writeFileSync(beside, 'half')
    },
  })
  t.equal(readFileSync(file, 'utf8'), 'ours', 'the file of this process is renamed, not the other one')
  t.equal(readFileSync(beside, 'utf8'), 'half', "the other's stays")
  t.end()
})

// ---- Links, modes and attributes ----

long('a file with two hard links keeps both', (t) => {
  for (const [name, line] of [
    ['-i', '$N transform -i --host $HOST db1.xml'],
    ['-o', '$N transform -o db1.xml --host $HOST other.xml'],
  ] as const) {
    const place = folder(t)
    writeFileSync(join(place, 'db1.xml'), seed)
    chmodSync(join(place, 'db1.xml'), 0o640)
    linkSync(join(place, 'db1.xml'), join(place, 'second'))
    writeFileSync(join(place, 'other.xml'), seed)
    const { ino, mode } = statSync(join(place, 'db1.xml'))
    const ended = shell(line, place)
    t.equal(ended.status, 0, ended.stderr)
    t.same(contentsOf(place), { 'db1.xml': fitted, 'other.xml': seed, second: fitted }, name)
    const after = statSync(join(place, 'second'))
    t.same([after.ino, after.mode, after.nlink], [ino, mode, 2], `${name}: it is the same file`)
  }
  t.end()
})

t.test('a failed write in place is undone', (t) => {
  const place = folder(t)
  const file = join(place, 'db1.xml')
  writeFileSync(file, seed)
  linkSync(file, join(place, 'second'))
  t.ok(fitted.length > seed.length + 200)
  const ended = shell(`prlimit --fsize=${seed.length + 100} $N transform -i --host $HOST db1.xml`, place)
  t.same([ended.status, codesOf(ended.stderr)], [1, ['unwritable']], ended.stderr)
  t.same(contentsOf(place), { 'db1.xml': seed, second: seed }, 'the former content, and no backup')
  for (const text of ['short', large, '']) {
    saveFile(file, text)
    t.same(contentsOf(place), { 'db1.xml': text, second: text }, `${text.length} bytes`)
  }
  t.end()
})

long('the backup that an interrupted write in place left', (t) => {
  const place = folder(t)
  const file = join(place, 'db1.xml')
  const copy = join(place, '.db1.xml.virt-numa-former')
  writeFileSync(file, seed)
  linkSync(file, join(place, 'second'))
  writeFileSync(copy, 'what was there before')
  const ended = shell('$N transform -i --host $HOST db1.xml', place)
  t.same([ended.status, codesOf(ended.stderr)], [1, ['unwritable']])
  t.match(ended.stderr, copy, 'it is named')
  t.match(ended.stderr, `rm ${copy}`, 'and how to remove it')
  t.equal(readFileSync(copy, 'utf8'), 'what was there before', 'it may be the only good one')
  t.equal(readFileSync(file, 'utf8'), seed)
  writeFileSync(copy, seed)
  const again = shell('$N transform -i --host $HOST db1.xml', place)
  t.equal(again.status, 0, again.stderr)
  t.same(contentsOf(place), { 'db1.xml': fitted, second: fitted }, 'a backup equal to the file is removed')
  t.end()
})

/** An access control list: user 1234 may write, the owning group may do nothing. */
const ACL = '0200000001000600ffffffff02000600d204000004000000ffffffff10000600ffffffff20000000ffffffff'

function attributesOf(file: string): string {
  const script =
    `import os,sys\nfor n in sorted(os.listxattr(sys.argv[1])): print(n, ` +
    `os.getxattr(sys.argv[1], n).hex())`
  return spawnSync('python3', ['-c', script, file], { encoding: 'utf8' }).stdout
}

function giveAttributes(file: string): boolean {
  const script = `import os,sys
os.setxattr(sys.argv[1], 'user.note', b'kept')
os.setxattr(sys.argv[1], 'system.posix_acl_access', bytes.fromhex('${ACL}'))`
  return spawnSync('python3', ['-c', script, file]).status === 0
}

if (hasPython) {
  long('access control lists and extended attributes stay', (t) => {
    for (const [name, line, env] of [
      ['-i', '$N transform -i --host $HOST db1.xml', {}],
      ['-o', '$N transform -o db1.xml --host $HOST other.xml', {}],
      ['-i without cp', '$N transform -i --host $HOST db1.xml', { PATH: '/no/such/folder' }],
    ] as const) {
      const place = folder(t)
      const file = join(place, 'db1.xml')
      writeFileSync(file, seed)
      writeFileSync(join(place, 'other.xml'), seed)
      t.ok(giveAttributes(file), 'the file system supports attributes')
      const before = [attributesOf(file), statSync(file).mode]
      const ended = shell(line, place, env)
      t.equal(ended.status, 0, ended.stderr)
      t.equal(readFileSync(file, 'utf8'), fitted, name)
      t.same([attributesOf(file), statSync(file).mode], before, `${name}: ${before[0]}`)
      t.same(readdirSync(place), ['db1.xml', 'other.xml'], `${name}: nothing is left behind`)
    }
    t.end()
  })
}

long('where attributes cannot be copied, the file is written in place', (t) => {
  const place = folder(t)
  const file = join(place, 'db1.xml')
  writeFileSync(file, 'former')
  const before = statSync(file)
  const other = openSync(join(place, 'other'), 'w')
  t.teardown(() => closeSync(other))
  const asked: string[] = []
  const answer = (status: number | undefined) =>
    copyAttributes(file, before, other, (command, words) => {
      asked.push([command, ...words].join(' '))
      return { stdout: '', stderr: '', ...(status !== undefined && { status }) }
    })
  t.same([answer(0), answer(1), answer(undefined)], [true, false, false])
  t.equal(
    asked[0],
    `cp --attributes-only --preserve=all,xattr --no-preserve=ownership,timestamps,links -- ` +
      `${file} /proc/self/fd/0`,
  )

  writeFileSync(join(place, 'seed.xml'), seed)
  const { ino } = statSync(join(place, 'seed.xml'))
  const line = '$N transform -i --host $HOST seed.xml'
  t.equal(shell(line, place, { PATH: '/no/such/folder' }).status, 0)
  t.equal(statSync(join(place, 'seed.xml')).ino, ino, 'without cp it is the same file')
  t.equal(readFileSync(join(place, 'seed.xml'), 'utf8'), fitted)
  writeFileSync(join(place, 'seed.xml'), seed)
  t.equal(shell(line, place).status, 0)
  t.not(statSync(join(place, 'seed.xml')).ino, ino, 'with cp it is replaced atomically')
  t.same(readdirSync(place), ['db1.xml', 'other', 'seed.xml'], 'nothing is left behind')
  t.end()
})

if (canMount) {
  long('a bind-mounted file', (t) => {
    const place = folder(t)
    mkdirSync(join(place, 'pod'))
    writeFileSync(join(place, 'db1.xml'), seed)
    writeFileSync(join(place, 'pod/db1.xml'), '')
    const mount = 'mount --bind db1.xml pod/db1.xml && $N transform -i --host $HOST pod/db1.xml'
    const ended = shell(`unshare -m sh -c '${mount}'`, place)
    t.equal(ended.status, 0, ended.stderr)
    t.equal(readFileSync(join(place, 'db1.xml'), 'utf8'), fitted, 'it is written in place')
    t.same(readdirSync(join(place, 'pod')), ['db1.xml'], 'nothing is left behind')
    writeFileSync(join(place, 'db1.xml'), seed)
    const other = shell(
      `unshare -m sh -c 'mount --bind db1.xml pod/db1.xml && prlimit --fsize=100 $N transform -i ` +
        `--host $HOST pod/db1.xml'`,
      place,
    )
    t.same(refused(other, 'unwritable'), [1, ['unwritable']])
    t.equal(readFileSync(join(place, 'db1.xml'), 'utf8'), seed)
    t.end()
  })
}

// ---- Outputs and inputs ----

t.test('an output never replaces an input of another kind', (t) => {
  const place = folder(t)
  const vmi = JSON.stringify({ kind: 'VirtualMachineInstance', spec: { domain: { cpu: { cores: 4 } } } })
  writeFileSync(join(place, 'db1.xml'), seed)
  writeFileSync(join(place, 'host.json'), readFileSync(HOST))
  writeFileSync(join(place, 'numa.conf'), 'memory = "even"\n')
  writeFileSync(join(place, 'rooted.conf'), `root = "${join(place, 'host.json')}"\n`)
  writeFileSync(join(place, 'vmi.json'), vmi)
  mkdirSync(join(place, 'captured/sys'), { recursive: true })
  writeFileSync(join(place, 'captured/sys/online'), '0-1')
  symlinkSync('db1.xml', join(place, 'link.xml'))
  symlinkSync('host.json', join(place, 'link.json'))
  linkSync(join(place, 'host.json'), join(place, 'second.json'))
  mkdirSync(join(place, 'captured/proc'))
  mkdirSync(join(place, 'deep'))
  const before = contentsOf(place)
  const overInputs = [
    'plan --svg db1.xml db1.xml --host host.json',
    'plan --svg db1.xml --host host.json - < db1.xml',
    'plan --svg link.xml db1.xml --host host.json',
    'plan --svg db1.xml link.xml --host host.json',
    'plan --svg deep/../db1.xml db1.xml --host host.json',
    'plan --svg host.json db1.xml --host host.json',
    'plan --svg link.json db1.xml --host host.json',
    'plan --svg second.json db1.xml --host host.json',
    'plan --svg numa.conf db1.xml --host host.json --config numa.conf',
    'plan --svg host.json db1.xml --config rooted.conf',
    'transform -o host.json db1.xml --host host.json',
    'transform -o second.json db1.xml --host host.json',
    'transform -o numa.conf db1.xml --host host.json --config numa.conf',
    'transform -o rooted.conf db1.xml --config rooted.conf',
    'transform -o vmi.json db1.xml --host host.json --vmi vmi.json',
    'transform db1.xml --host host.json >> db1.xml',
    'transform db1.xml --host host.json >> host.json',
    'plan db1.xml --host host.json 1<> db1.xml',
    'verify --pid 1 db1.xml --metrics db1.xml',
    'verify --pid 1 db1.xml --metrics link.xml',
    'verify --pid 1 db1.xml --host host.json --metrics host.json',
    'verify --pid 1 --host captured --metrics captured/sys/online',
    'verify --pid 1 --host captured --metrics captured/proc/new',
  ]
  for (const line of sampled(overInputs, 4)) {
    const ended = shell(`$N ${line}`, place)
    t.same([ended.status, codesOf(ended.stderr)], [1, ['output-taken']], `${line}: ${ended.stderr}`)
    t.same(contentsOf(place), before, `${line}: no file has changed`)
  }
  t.equal(readFileSync(join(place, 'captured/sys/online'), 'utf8'), '0-1')
  for (const line of [
    'plan --svg out.svg db1.xml > out.svg',
    'transform --json -o out.svg db1.xml > out.svg',
    'plan --svg out.svg db1.xml 2> out.svg',
  ]) {
    const ended = shell(
      `$N ${line} --host host.json; status=$?; cat out.svg >&2; rm out.svg; exit $status`,
      place,
    )
    t.same(
      [ended.status, codesOf(ended.stderr)],
      [1, ['output-taken']],
      `two outputs in one file: ${line}: ${ended.stderr}`,
    )
  }
  mkfifo(place)
  const piped = shell(
    '$N plan --svg pipe db1.xml --host host.json > pipe & cat pipe >/dev/null; wait $!',
    place,
  )
  t.same([piped.status, codesOf(piped.stderr)], [1, ['output-taken']], 'two outputs in one pipe')
  t.end()
})

function mkfifo(place: string): void {
  spawnSync('mkfifo', [join(place, 'pipe')])
}

long('outputs that are allowed', (t) => {
  const place = folder(t)
  const lay = (): void => writeFileSync(join(place, 'db1.xml'), seed)
  for (const line of ['-o db1.xml db1.xml', '-o db1.xml < db1.xml', '-i db1.xml', '-o ./db1.xml db1.xml']) {
    lay()
    const ended = shell(`$N transform --host $HOST ${line}`, place)
    t.equal(ended.status, 0, ended.stderr)
    t.equal(readFileSync(join(place, 'db1.xml'), 'utf8'), fitted, line)
    const { ino, mtimeMs } = statSync(join(place, 'db1.xml'))
    t.equal(shell(`$N transform --host $HOST ${line}`, place).status, 0)
    t.same(
      [statSync(join(place, 'db1.xml')).ino, statSync(join(place, 'db1.xml')).mtimeMs],
      [ino, mtimeMs],
      `${line}: nothing changes`,
    )
  }
  lay()
  const printed = shell('$N transform -o /dev/stdout --host $HOST db1.xml > printed', place)
  t.same(
    [printed.status, readFileSync(join(place, 'printed'), 'utf8')],
    [0, fitted],
    'stdout by its name, on a file',
  )
  const added = shell(
    'echo before > printed; $N transform -o /dev/stdout --host $HOST db1.xml >> printed',
    place,
  )
  t.same(
    [added.status, readFileSync(join(place, 'printed'), 'utf8')],
    [0, `before\n${fitted}`],
    'an existing file is not replaced',
  )
  const picture = shell('$N plan --svg /dev/stdout --host $HOST db1.xml', place)
  t.match(picture.stdout, /^<svg/, 'the picture alone')
  t.equal(
    shell('$N plan --svg /dev/null --host $HOST db1.xml > /dev/null', place).status,
    0,
    'a device is not an input file',
  )
  mkdirSync(join(place, 'cap/sys'), { recursive: true })
  const beside = shell('$N verify --pid 1 --host cap --metrics cap/x.prom', place)
  t.notMatch(beside.stderr, 'output-taken', 'a new file in a captured host’s folder')
  t.end()
})

long('the mode of a new file', (t) => {
  const place = folder(t)
  for (const [input, umask, output] of [
    [0o600, '022', 0o600],
    [0o640, '022', 0o640],
    [0o666, '027', 0o640],
    [0o644, '077', 0o600],
    [0o755, '022', 0o644],
  ] as const) {
    for (const line of ['-o new.xml db1.xml', '-o new.xml < db1.xml']) {
      writeFileSync(join(place, 'db1.xml'), seed)
      chmodSync(join(place, 'db1.xml'), input)
      const ended = shell(`umask ${umask}; $N transform --host $HOST ${line}`, place)
      t.equal(ended.status, 0, ended.stderr)
      t.equal(
        (statSync(join(place, 'new.xml')).mode & 0o7777).toString(8),
        output.toString(8),
        `${input.toString(8)}, ${line}`,
      )
      rmSync(join(place, 'new.xml'))
    }
  }
  t.end()
})

long('a pipe without a reader', (t) => {
  const place = folder(t)
  mkfifo(place)
  writeFileSync(join(place, 'db1.xml'), seed)
  for (const line of ['transform -o pipe', 'plan --svg pipe']) {
    const began = Date.now()
    const ended = shell(`$N ${line} --host $HOST db1.xml`, place)
    t.same([ended.status, codesOf(ended.stderr)], [1, ['unwritable']], ended.stderr)
    t.match(ended.stderr, /nobody reads this pipe[\s\S]*fix: start the program that reads it first/)
    t.ok(Date.now() - began < 30_000, 'does not wait for a reader')
  }
  const late = shell(
    '(sleep 0.5; cat pipe) & $N transform -o pipe --host $HOST db1.xml; status=$?; wait; exit $status',
    place,
  )
  t.same([late.status, late.stdout], [0, fitted], 'a reader that comes late')
  const big = `${large}<!--${'y'.repeat(300_000)}-->`
  writeFileSync(join(place, 'db1.xml'), big)
  const slow = shell(
    '(sleep 0.3; exec 3< pipe; sleep 0.3; wc -c <&3) & $N transform -o pipe --host $HOST ' +
      'db1.xml; status=$?; wait; exit $status',
    place,
  )
  t.equal(slow.status, 0, slow.stderr)
  t.ok(Number(slow.stdout) > big.length, 'more than a pipe holds, to the last byte')
  t.end()
})

// ---- Errors of the system ----

long('each error of the system has its own fix', (t) => {
  const place = folder(t)
  writeFileSync(join(place, 'db1.xml'), seed)
  mkdirSync(join(place, 'made'))
  symlinkSync('gone/far', join(place, 'dangling'))
  symlinkSync('circle', join(place, 'circle'))
  for (const [line, reason, fix] of [
    [
      'plan --svg missing/x.svg db1.xml',
      'no such file or directory',
      'fix: create the folder: mkdir -p missing',
    ],
    [`plan --svg "a b/x.svg" db1.xml`, 'no such file', "fix: create the folder: mkdir -p 'a b'"],
    ['plan --svg db1.xml/x.svg db1.xml', 'not a directory', 'a part of db1.xml is a file'],
    ['plan --svg made db1.xml', 'illegal operation on a directory', 'name a file in it: made/NAME'],
    ['plan --svg dangling db1.xml', 'it is a link to gone/far, which does not exist', 'rm dangling'],
    ['plan --svg circle db1.xml', 'too many symbolic links', 'namei -l circle'],
    [`plan --svg ${'x'.repeat(300)} db1.xml`, 'name too long', 'choose a shorter name'],
    ['plan missing.xml', 'no such file or directory', 'fix: check the path: ls -l .'],
    ['plan made', 'illegal operation on a directory', 'fix: this is a folder; name a file in it: ls -l made'],
    ['plan db1.xml/x', 'not a directory', 'a part of db1.xml is a file, not a folder'],
    ['plan < made', 'illegal operation on a directory', 'fix: redirect a document to it, or name a file'],
  ] as const) {
    const ended = shell(`$N ${line} --host $HOST`, place)
    t.equal(ended.status, 1, line)
    t.match(ended.stderr, reason, `${line}: ${ended.stderr}`)
    t.match(ended.stderr, fix, `${line}: ${ended.stderr}`)
    t.notMatch(ended.stderr, /free (the )?space/, line)
  }
  t.notOk(existsSync(join(place, 'gone')), 'a dangling link does not create its target')
  const fixes = [
    'ENOENT',
    'ENOTDIR',
    'EACCES',
    'EPERM',
    'EROFS',
    'ENOSPC',
    'EDQUOT',
    'EFBIG',
    'EISDIR',
    'EBUSY',
    'ENXIO',
    'EIO',
  ].map((errno) => {
    const { fix } = messageOf(diagnostic('unwritable', { file: '/srv/x', reason: errno, errno }))
    t.not(fix, 'choose another file', errno)
    return fix
  })
  t.equal(new Set(fixes).size, fixes.length, 'no two errors have the same fix')
  const kept = messageOf(
    diagnostic('unwritable', {
      file: '/srv/a b',
      reason: 'EIO',
      errno: 'EIO',
      kept: '/srv/.a b.virt-numa-former',
    }),
  )
  t.match(kept.why, '/srv/.a b.virt-numa-former holds what was in it before')
  t.match(kept.fix, "cat '/srv/.a b.virt-numa-former' > '/srv/a b'; then: rm '/srv/.a b.virt-numa-former'")
  t.match(
    messageOf(
      diagnostic('install-unwritable', { file: '/etc/x', reason: 'EACCES', errno: 'EACCES', isRoot: false }),
    ).fix,
    'run it as root',
  )
  t.match(
    messageOf(
      diagnostic('install-unwritable', { file: '/etc/x', reason: 'ENOSPC', errno: 'ENOSPC', isRoot: false }),
    ).fix,
    'df -h /etc',
  )
  t.end()
})
