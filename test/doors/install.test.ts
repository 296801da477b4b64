// install and uninstall in a separate root folder: what exists there decides where the hook goes, and nothing
// else changes.

import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'
import { whoElse } from '../../src/hook-setup/exposure.ts'
import { hasSeenHooks, hooksIn, isSince } from '../../src/hook-setup/locate.ts'
import { PROGRAM_OPERATIONS, ruleOf } from '../../src/hook-setup/operations.ts'
import { reload } from '../../src/hook-setup/reload.ts'
import { type Ask, checkLabel, type Execution, labelHook, policyOn } from '../../src/hook-setup/selinux.ts'
import { readShim, sealed, shimText, unsealed } from '../../src/hook-setup/shim.ts'
import { OPERATIONS, tryHook } from '../../src/hook-setup/trial.ts'
import { versionIn } from '../../src/machine/programs/programs.ts'
import { defaultConfig, parseConfig } from '../../src/request/config.ts'
import { configText } from '../../src/request/config-text.ts'
import { keyNames, keys } from '../../src/request/keys.ts'
import { runApart, startApart } from '../apart.ts'
import { firstWorded, worded } from '../core/worded.ts'
import { long } from '../long.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'virt-numa-install-')))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const NODE = realpathSync(process.execPath)
// When run alone, tap would end it after 30 s.
t.setTimeout(300_000)

function write(path: string, text: string, mode = 0o644): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

/** An installation of virt-numa, whose hook is `program`. */
function makeApp(name: string, program?: string): string {
  const app = join(folder, name)
  mkdirSync(join(app, 'dist/hooks'), { recursive: true })
  for (const name of ['virt-numa.cjs', 'execa.cjs', 'write.cjs'])
    copyFileSync(`dist/${name}`, join(app, 'dist', name))
  if (program !== undefined) writeFileSync(join(app, 'dist/hooks/qemu.cjs'), program)
  return app
}

const WORKING = readFileSync('dist/hooks/qemu.cjs', 'utf8')
const app = makeApp('app', WORKING)
const SHIM = shimText(NODE, join(app, 'dist/hooks/qemu.cjs'))

let roots = 0
/** A root folder with an empty hooks folder, and a libvirtd that prints this version. */
function makeRoot(version?: string): string {
  roots += 1
  const root = join(folder, `root-${roots}`)
  mkdirSync(join(root, 'etc/libvirt/hooks'), { recursive: true })
  if (version !== undefined)
    write(join(root, 'usr/sbin/libvirtd'), `#!/bin/sh\necho 'libvirtd (libvirt) ${version}'\n`, 0o755)
  return root
}

interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(command: string, root: string, args: readonly string[] = [], from = app): Outcome {
  const words = [join(from, 'dist/virt-numa.cjs'), command, '--root', root, ...args]
  return runApart(process.execPath, words, { cwd: '/', timeout: 120_000 })
}

const hookOf = (root: string): string => join(root, 'etc/libvirt/hooks/qemu')
const furtherOf = (root: string): string => join(root, 'etc/libvirt/hooks/qemu.d/50-virt-numa')
const configOf = (root: string): string => join(root, 'etc/libvirt/virt-numa.conf')

/** Every file, folder and link with mode and content. */
function treeOf(path: string): string[] {
  return readdirSync(path)
    .sort()
    .flatMap((name) => {
      const whole = join(path, name)
      const status = lstatSync(whole)
      const head = `${whole} ${status.mode.toString(8)}`
      if (status.isSymbolicLink()) return [`${head} -> ${readlinkSync(whole)}`]
      return status.isDirectory() ? [head, ...treeOf(whole)] : [`${head} ${readFileSync(whole, 'utf8')}`]
    })
}

const FOREIGN = '#!/bin/sh\necho mine >> /dev/null\n'

// ---- Where the hook goes ----

t.test('on a host without hooks', (t) => {
  const root = makeRoot()
  const before = treeOf(root)
  const dry = run('install', root, ['--dry-run'])
  t.equal(dry.status, 0, dry.stderr)
  t.match(dry.stdout, `hook would be written: ${hookOf(root)}`)
  t.match(dry.stdout, `configuration would be written: ${configOf(root)}`)
  t.same(treeOf(root), before, 'a dry run writes nothing')

  const first = run('install', root)
  t.equal(first.status, 0, first.stderr)
  t.match(first.stdout, `hook written: ${hookOf(root)}`)
  t.match(first.stdout, 'no libvirt daemon is running')
  t.equal(readFileSync(hookOf(root), 'utf8'), SHIM)
  const status = lstatSync(hookOf(root))
  t.ok(status.isFile(), 'a real file')
  t.equal(status.mode & 0o7777, 0o755)
  t.equal(status.uid, process.getuid?.())
  t.equal(readFileSync(configOf(root), 'utf8'), configText())
  t.equal(statSync(configOf(root)).mode & 0o7777, 0o644)
  t.same(readdirSync(join(root, 'etc/libvirt/hooks')), ['qemu'], 'nothing else is left')

  utimesSync(hookOf(root), 1_000_000, 1_000_000)
  const after = treeOf(root)
  const again = run('install', root)
  t.equal(again.status, 0)
  t.match(again.stdout, `hook unchanged: ${hookOf(root)}`)
  t.match(again.stdout, `configuration unchanged: ${configOf(root)}`)
  t.same(treeOf(root), after, 'a second run changes nothing')
  t.equal(statSync(hookOf(root)).mtimeMs, 1_000_000_000, 'and does not rewrite the file')

  chmodSync(hookOf(root), 0o644)
  t.equal(run('install', root).status, 0)
  t.equal(statSync(hookOf(root)).mode & 0o7777, 0o755, 'a mode that libvirt would ignore is corrected')

  const wouldGo = run('uninstall', root, ['--dry-run'])
  const removal = (removed: string): string =>
    `${removed}: ${hookOf(root)}\n${removed}: ${configOf(root)} (unchanged since install)\n` +
    'no reload needed: libvirt checks for the hook every time\n'
  t.equal(wouldGo.stdout, removal('would be removed'))
  t.same(treeOf(root), after, 'a dry run removes nothing')
  const gone = run('uninstall', root)
  t.equal(gone.status, 0)
  t.equal(gone.stdout, removal('removed'))
  t.same(treeOf(root), before, 'uninstall restores the tree')
  const nothing = run('uninstall', root)
  t.equal(nothing.status, 0)
  t.equal(nothing.stdout, `nothing to remove: no virt-numa hook in ${root}/etc/libvirt/hooks\n`)
  writeFileSync(configOf(root), configText())
  t.equal(
    run('uninstall', root).stdout,
    `no virt-numa hook in ${root}/etc/libvirt/hooks\nremoved: ${configOf(root)} (unchanged since install)\n`,
    'what is removed is not called nothing',
  )
  t.end()
})

long('an older hook of ours is replaced in place', (t) => {
  const older = shimText('/opt/node-18/bin/node', "/opt/it's old/dist/hooks/qemu.cjs")
  const root = makeRoot()
  write(hookOf(root), older, 0o755)
  t.equal(run('install', root).status, 0)
  t.equal(readFileSync(hookOf(root), 'utf8'), SHIM)

  const beside = makeRoot()
  write(furtherOf(beside), older, 0o755)
  t.equal(run('install', beside).status, 0)
  t.equal(readFileSync(furtherOf(beside), 'utf8'), SHIM, 'in qemu.d too, whatever the version')
  t.notOk(existsSync(hookOf(beside)), 'and no second hook is added')

  write(hookOf(beside), older, 0o755)
  t.match(run('install', beside).stdout, `removed: ${furtherOf(beside)}, a duplicate hook`)
  t.equal(readFileSync(hookOf(beside), 'utf8'), SHIM)
  t.end()
})

long('next to a hook of another program', (t) => {
  for (const [name, make] of [
    ['a hook', (path: string) => write(path, FOREIGN, 0o755)],
    ['one that is not executable', (path: string) => write(path, FOREIGN, 0o644)],
    ['ours, but for one byte', (path: string) => write(path, `${SHIM} `, 0o755)],
    ['a link', (path: string) => symlinkSync(write(`${path}.real`, FOREIGN, 0o755), path)],
    ['a link to nowhere', (path: string) => symlinkSync('/no/such/hook', path)],
    ['a folder', (path: string) => mkdirSync(path)],
  ] as const) {
    const root = makeRoot('6.5.0')
    make(hookOf(root))
    write(join(dirname(furtherOf(root)), '10-mine'), FOREIGN, 0o755)
    const before = treeOf(root)
    const { status, stdout, stderr } = run('install', root)
    t.equal(status, 0, `${name}: ${stderr}`)
    t.match(stdout, `hook written: ${furtherOf(root)}`, name)
    t.equal(readFileSync(furtherOf(root), 'utf8'), SHIM, name)
    const kept = treeOf(root).filter(
      (line) => !line.startsWith(furtherOf(root)) && !line.startsWith(configOf(root)),
    )
    t.same(kept, before, `${name}: nothing else changes`)
    t.match(run('uninstall', root).stdout, `kept: ${hookOf(root)}`, name)
    t.same(treeOf(root), before, `${name}: uninstall restores the tree`)
  }
  const root = makeRoot()
  write(join(dirname(furtherOf(root)), '10-mine'), FOREIGN, 0o755)
  t.equal(run('install', root).status, 0)
  t.ok(existsSync(hookOf(root)), 'where only qemu.d has a hook, ours becomes hooks/qemu')
  t.end()
})

long('where the hook cannot be installed', (t) => {
  const refused = (name: string, root: string, code: string, fix: string): void => {
    const before = treeOf(root)
    const { status, stdout, stderr } = run('install', root)
    t.same([status, stdout], [1, ''], name)
    t.match(stderr, `error[${code}]`, name)
    t.match(stderr, fix, `${name}: ${stderr}`)
    t.same(treeOf(root), before, `${name}: nothing has changed`)
  }
  for (const version of [undefined, '6.4.0', '1.2.17']) {
    const root = makeRoot(version)
    write(hookOf(root), FOREIGN, 0o755)
    refused(`libvirt ${version}`, root, 'hook-foreign', 'virt-numa install --hooks-dir')
  }
  const link = makeRoot('9.0.0')
  symlinkSync(write(join(link, 'ours'), SHIM, 0o755), hookOf(link))
  refused('a link to ours', link, 'hook-place-taken', `rm ${hookOf(link)}`)
  const taken = makeRoot('9.0.0')
  write(hookOf(taken), FOREIGN, 0o755)
  write(furtherOf(taken), FOREIGN, 0o755)
  refused('our name in qemu.d', taken, 'hook-place-taken', 'fix: mv ')
  const file = makeRoot('9.0.0')
  write(hookOf(file), FOREIGN, 0o755)
  write(dirname(furtherOf(file)), '')
  refused('qemu.d is a file', file, 'hook-place-taken', 'fix: mv ')
  t.end()
})

long('folders', (t) => {
  const none = makeRoot()
  rmSync(join(none, 'etc'), { recursive: true })
  t.equal(run('install', none).status, 0)
  t.ok(existsSync(hookOf(none)), 'a missing folder is created')

  const own = makeRoot()
  t.equal(run('install', own, ['--hooks-dir', '/srv/hooks']).status, 0)
  t.equal(readFileSync(join(own, 'srv/hooks/qemu'), 'utf8'), SHIM, 'another folder by --hooks-dir')
  t.equal(run('uninstall', own, ['--hooks-dir', '/srv/hooks']).status, 0)
  t.notOk(existsSync(join(own, 'srv/hooks/qemu')))

  const odd = makeApp(`it's a "földer" $(touch x)\`y\``, WORKING)
  const root = makeRoot()
  const { status, stderr } = run('install', root, [], odd)
  t.equal(status, 0, stderr)
  t.same(readShim(readFileSync(hookOf(root), 'utf8')), {
    node: NODE,
    program: join(odd, 'dist/hooks/qemu.cjs'),
  })

  const image = makeRoot()
  const inside = makeApp(`root-${roots}/opt/virt-numa`, WORKING)
  t.equal(run('install', image, [], inside).status, 0)
  t.equal(
    readShim(readFileSync(hookOf(image), 'utf8'))?.program,
    '/opt/virt-numa/dist/hooks/qemu.cjs',
    'the path inside the image',
  )

  const sealed = makeRoot()
  const before = treeOf(sealed)
  const mount = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
  const words = [process.execPath, join(app, 'dist/virt-numa.cjs'), 'install', '--root', sealed]
  const refused = runApart('unshare', ['--mount', 'sh', '-c', mount, 'sh', sealed, ...words], {
    timeout: 60_000,
  })
  t.equal(refused.status, 1)
  t.match(refused.stderr, /error\[install-unwritable\]: cannot write \S+: read-only file system/)
  t.same(treeOf(sealed), before)
  t.end()
})

long('the unit of watch', (t) => {
  const root = makeRoot()
  const before = treeOf(root)
  const unit = join(root, 'etc/systemd/system/virt-numa-watch.service')
  t.equal(run('install', root).status, 0)
  t.notOk(existsSync(unit), 'only written when requested')
  t.match(run('install', root, ['--watch', '--dry-run']).stdout, `unit would be written: ${unit}`)
  t.notOk(existsSync(unit))
  const first = run('install', root, ['--watch'])
  t.match(first.stdout, `unit written: ${unit}`)
  t.match(first.stdout, 'systemctl daemon-reload && systemctl enable --now virt-numa-watch.service')
  const text = readFileSync(unit, 'utf8')
  const command = `ExecStart="${NODE}" "${join(app, 'dist/virt-numa.cjs')}" watch --connect qemu:///system`
  t.ok(text.split('\n').includes(command), 'with the paths of this installation')
  t.equal(statSync(unit).mode & 0o7777, 0o644)
  t.match(run('install', root, ['--watch']).stdout, `unit unchanged: ${unit}`)

  const older = sealed(unsealed(text)?.replace(NODE, '/opt/old/node') ?? '')
  writeFileSync(unit, older)
  t.match(run('install', root, ['--watch']).stdout, `unit written: ${unit}`)
  t.equal(readFileSync(unit, 'utf8'), text, 'one of another installation is replaced')

  const edited = `${text}# mine\n`
  writeFileSync(unit, edited)
  t.match(run('install', root, ['--watch']).stdout, `unit left alone: ${unit}`)
  t.match(run('uninstall', root, ['--dry-run']).stdout, `kept: ${unit} (not written by virt-numa install`)
  t.equal(readFileSync(unit, 'utf8'), edited)

  writeFileSync(unit, text)
  const link = join(root, 'etc/systemd/system/libvirtd.service.wants/virt-numa-watch.service')
  mkdirSync(dirname(link))
  symlinkSync('../virt-numa-watch.service', link)
  const gone = run('uninstall', root)
  t.ok(gone.stdout.endsWith(`removed: ${unit}\nremoved: ${link}\n`), gone.stdout)
  for (const folder of ['system/libvirtd.service.wants', 'system', '.'])
    rmdirSync(join(root, 'etc/systemd', folder))
  t.same(treeOf(root), before, 'nothing of it is left')
  t.end()
})

long('a missing root folder', (t) => {
  const file = write(join(folder, 'a file'), '')
  const missing = join(folder, 'no such root')
  for (const command of ['install', 'uninstall']) {
    const none = run(command, missing)
    t.equal(none.status, 1, command)
    t.match(
      none.stderr,
      `error[unreadable]: cannot read ${missing}: no such file or directory`,
      `${command}: ${none.stderr}`,
    )
    t.match(none.stderr, '--root', 'and the option')
    t.notMatch(none.stderr, 'qemu.cjs', 'the program is not blamed')
    const notFolder = run(command, file)
    t.equal(notFolder.status, 1)
    t.match(notFolder.stderr, `cannot read ${file}: it is not a folder`)
  }
  t.notOk(existsSync(missing))
  t.end()
})

long('with another hooks folder the configuration is not changed', (t) => {
  const root = makeRoot()
  const away = ['--hooks-dir', '/srv/hooks']
  const first = run('install', root, away)
  t.equal(first.status, 0, first.stderr)
  t.match(first.stdout, `left alone: ${configOf(root)}`)
  t.notOk(existsSync(configOf(root)), 'none is created')
  t.same(JSON.parse(run('install', root, [...away, '--json']).stdout).config, {
    path: configOf(root),
    is: 'left alone',
  })
  t.match(run('install', root, [...away, '--dry-run']).stdout, `left alone: ${configOf(root)}`)

  t.equal(run('install', root, ['--hooks-dir', '/etc/libvirt/hooks/']).status, 0)
  t.equal(readFileSync(configOf(root), 'utf8'), configText(), 'the default folder by its name')
  const gone = run('uninstall', root, away)
  t.match(gone.stdout, `kept: ${configOf(root)}`)
  t.ok(existsSync(configOf(root)), 'none is removed')
  symlinkSync('etc/libvirt/hooks', join(root, 'link'))
  t.match(
    run('uninstall', root, ['--hooks-dir', '/link']).stdout,
    `removed: ${configOf(root)}`,
    'the default folder through a link',
  )
  t.end()
})

long('under a file size limit nothing is installed partly', (t) => {
  for (const name of ['the hook', 'the configuration']) {
    const root = makeRoot()
    // The hook is longer than the configuration, so the configuration fails only where the hook is installed
    // already.
    if (name === 'the hook') rmSync(join(root, 'etc'), { recursive: true })
    else write(hookOf(root), SHIM, 0o755)
    const before = treeOf(root)
    const words = [process.execPath, join(app, 'dist/virt-numa.cjs'), 'install', '--root', root]
    const { status, stdout, stderr } = runApart('prlimit', ['--fsize=100', ...words], { timeout: 120_000 })
    t.same([status, stdout], [1, ''], name)
    t.match(stderr, /error\[install-unwritable\]: cannot write \S+: file too large/, `${name}: ${stderr}`)
    t.match(stderr, 'fix: raise the limit on the size of files: ulimit -f unlimited', name)
    t.same(treeOf(root), before, `${name}: no hook, no configuration, no folder`)
  }
  const root = makeRoot()
  const older = write(hookOf(root), shimText('/opt/node-18/bin/node', '/opt/old/dist/hooks/qemu.cjs'), 0o755)
  const before = readFileSync(older, 'utf8')
  const words = [process.execPath, join(app, 'dist/virt-numa.cjs'), 'install', '--root', root]
  t.equal(runApart('prlimit', ['--fsize=100', ...words], { timeout: 120_000 }).status, 1)
  t.equal(readFileSync(older, 'utf8'), before, 'an older hook is kept')
  t.same(readdirSync(dirname(older)), ['qemu'], 'and nothing else is left')
  t.end()
})

long('at the same time', async (t) => {
  const root = makeRoot()
  const before = treeOf(root)
  const all = async (
    command: string,
  ): Promise<readonly { status: number | null; stdout: string; stderr: string }[]> =>
    Promise.all(
      Array.from({ length: 4 }, () => {
        const child = startApart(
          process.execPath,
          [join(app, 'dist/virt-numa.cjs'), command, '--root', root],
          { cwd: '/' },
        )
        const said = { stdout: '', stderr: '' }
        child.stdout.on('data', (data) => {
          said.stdout += data
        })
        child.stderr.on('data', (data) => {
          said.stderr += data
        })
        return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) =>
          child.on('close', (status) => resolve({ status, ...said })),
        )
      }),
    )
  for (const { status, stderr } of await all('install')) t.equal(status, 0, stderr)
  t.equal(readFileSync(hookOf(root), 'utf8'), SHIM)
  t.equal(readFileSync(configOf(root), 'utf8'), configText())
  t.same(readdirSync(dirname(hookOf(root))), ['qemu'])
  for (let round = 0; round < 4; round++) {
    write(hookOf(root), SHIM, 0o755)
    write(configOf(root), configText())
    const gone = await all('uninstall')
    for (const { status, stderr } of gone) t.equal(status, 0, stderr)
    const removers = gone.filter(({ stdout }) => stdout.includes(`removed: ${hookOf(root)}\n`))
    t.equal(removers.length, 1, 'exactly one reports that it removed the hook')
    t.same(treeOf(root), before)
  }
})

// ---- The trial ----

long('a program that does not answer is not installed', (t) => {
  const silent = "only the program's own verdict counts"
  for (const [name, program, what] of [
    [
      'fails',
      "process.stderr.write('broken here\\n'); process.exit(1)",
      'at "migrate begin".*ended with status 1: broken here',
    ],
    ['crashes', 'null.x', 'at "migrate begin".*ended with status 1'],
    [
      'prints something else',
      "process.stdout.write('hello'); process.exit(83)",
      'at "migrate begin".*other than a domain: hello',
    ],
    ['cannot be parsed', '}{', 'at "migrate begin".*ended with status 1'],
    [
      'kills itself',
      "process.kill(process.pid, 'SIGKILL')",
      'at "migrate begin".*ended with status 137 instead of a verdict',
    ],
    ['is empty', '', 'at "migrate begin".*ended with status 0 instead of a verdict'],
    ['is half of it', WORKING.slice(0, WORKING.length / 2), 'at "migrate begin".*ended with status 1'],
    ['goes on whatever is asked', 'process.exit(83)', 'at "migrate begin".*did not rebind the guest'],
    ['cancels whatever is asked', 'process.exit(84)', 'at "migrate begin".*ended with status 1'],
  ] as const) {
    const root = makeRoot()
    rmSync(join(root, 'etc'), { recursive: true })
    const broken = makeApp(`app that ${name}`, program)
    const { status, stdout, stderr } = run('install', root, [], broken)
    t.same([status, stdout], [1, ''], `${name}: ${silent}`)
    t.match(
      stderr,
      new RegExp(`error\\[hook-trial-failed\\]: the hook's test failed ${what}`),
      `${name}: ${stderr}`,
    )
    t.same(treeOf(root), [], `${name}: no hook, no folder, no configuration`)
  }
  const lacking = makeApp('app that lacks the writer of elements', WORKING)
  rmSync(join(lacking, 'dist/write.cjs'))
  t.match(
    run('install', makeRoot(), [], lacking).stderr,
    /error\[hook-trial-failed\]: the hook's test failed at "migrate begin".*Cannot find module/,
  )
  const root = makeRoot()
  const missing = run('install', root, [], makeApp('app without a program'))
  t.equal(missing.status, 1)
  t.match(
    missing.stderr,
    /error\[unreadable\]: cannot read \S+ without a program\/dist\/hooks\/qemu.cjs|error\[unreadable\]/,
  )
  t.same(readdirSync(join(root, 'etc/libvirt/hooks')), [])

  write(hookOf(root), SHIM.replaceAll('/app/', '/gone/'), 0o755)
  const kept = readFileSync(hookOf(root), 'utf8')
  t.equal(run('install', root, [], makeApp('app that breaks later', 'process.exit(3)')).status, 1)
  t.equal(readFileSync(hookOf(root), 'utf8'), kept, 'an older one stays when the new one does not answer')
  t.end()
})

long('the trial calls the hook as libvirt does', (t) => {
  const report = join(folder, 'report')
  const reporting = `const { appendFileSync, readFileSync } = require('node:fs')
const { argv, env } = process
const call = { env, cwd: process.cwd(), words: argv.slice(2), input: readFileSync(0, 'utf8') }
appendFileSync(${JSON.stringify(report)}, JSON.stringify(call) + '\\n')`
  t.equal(
    run('install', makeRoot(), [], makeApp('app that reports', reporting)).status,
    1,
    'a report is not an answer',
  )
  const calls = readFileSync(report, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.same(
    calls.map(({ words }) => words.join(' ')),
    [...PROGRAM_OPERATIONS, ...PROGRAM_OPERATIONS].map((operation) => `virt-numa-trial ${operation} -`),
  )
  for (const [at, { env, cwd, input }] of calls.entries()) {
    const { VIRT_NUMA_CONFIG: config, OLDPWD, PWD, SHLVL, _, ...others } = env
    const names = ['HOME', 'LC_ALL', 'OPENSSL_CONF', 'PATH', 'VIRT_NUMA_SHIM']
    t.same([cwd, Object.keys(others).sort()], ['/', names], 'without our own environment')
    t.equal(input.includes('urn:virt-numa:1'), at >= 3, 'first for a guest that did not opt in')
    t.equal(/^\/etc\/|empty/.test(config), at < 3, 'with the configuration of the host')
  }
  const answering = write(join(folder, 'answering'), `#!/bin/sh\necho "$2 $3" >> ${report}.all\n`, 0o755)
  t.same(
    tryHook([answering])
      .found.map(worded)
      .map(
        ({ what }) => /^the hook's test failed at "([a-z ]*)", for a guest that has opted in/.exec(what)?.[1],
      ),
    PROGRAM_OPERATIONS,
    'exit status 0 alone is not an answer for a guest that opted in',
  )
  t.same(readFileSync(`${report}.all`, 'utf8').trim().split('\n'), [...OPERATIONS, ...PROGRAM_OPERATIONS])

  const began = Date.now()
  const { found } = tryHook([write(join(folder, 'hanging'), "#!/bin/sh\ntrap '' TERM\nsleep 60\n", 0o755)], 1)
  t.same(
    found.map(({ code }) => code),
    ['hook-trial-failed'],
    'a hook that hangs is not called again',
  )
  t.match(firstWorded(found).what, 'did not answer in time')
  t.ok(Date.now() - began < 20_000)
  t.match(firstWorded(tryHook([join(folder, 'no such hook')]).found).what, /could not be run.*ENOENT/)
  t.match(
    firstWorded(tryHook([write(join(folder, 'interpreter'), '#!/no/such/sh\n', 0o755)]).found).what,
    'could not be run',
  )
  t.match(
    firstWorded(tryHook([write(join(folder, 'plain'), SHIM, 0o644)]).found).what,
    /could not be run.*EACCES/,
  )
  t.end()
})

t.test('the trial calls every operation that the hook knows', (t) => {
  for (const each of OPERATIONS) {
    const [operation = '', suboperation = ''] = each.split(' ')
    const { does } = ruleOf({ guest: 'db1', operation, suboperation })
    t.equal(does !== 'nothing', PROGRAM_OPERATIONS.includes(each), each)
  }
  const known = readFileSync('src/hook-setup/operations.ts', 'utf8').matchAll(/\['(\w+ \w+)', /g)
  for (const [, each = ''] of known) t.ok(OPERATIONS.includes(each), `${each} is tried`)
  t.end()
})

long('the program of this repository', (t) => {
  const root = makeRoot()
  const { status, stdout, stderr } = run('install', root, ['--json'], resolve('.'))
  t.equal(status, 0, stderr)
  const printed = JSON.parse(stdout)
  t.same(
    [printed.hook, printed.config],
    [
      { path: hookOf(root), is: 'written' },
      { path: configOf(root), is: 'written' },
    ],
  )
  const gone = JSON.parse(run('uninstall', root, ['--json']).stdout)
  t.same(gone, { removed: [hookOf(root), configOf(root)], left: [] })
  t.end()
})

// ---- Who may change the program ----

long('a program that others can change is not installed', (t) => {
  const at = (name: string, change: (program: string, own: string) => void): Outcome => {
    const own = makeApp(name, WORKING)
    change(join(own, 'dist/hooks/qemu.cjs'), own)
    return run('install', makeRoot(), [], own)
  }
  const everybody = at('open', (program) => chmodSync(program, 0o666))
  t.equal(everybody.status, 1)
  t.match(
    everybody.stderr,
    /error\[hook-program-exposed\]: \S+\/open\/dist\/hooks\/qemu.cjs can be changed by everybody/,
  )
  const group = at('group', (program) => {
    chownSync(program, 0, 12_345)
    chmodSync(program, 0o664)
  })
  t.match(group.stderr, 'can be changed by the group 12345')
  const above = at('above', (_, own) => chownSync(own, 4242, 0))
  t.match(above.stderr, /\/above can be changed by the user 4242, who owns it/)
  t.equal(above.status, 1)
  const loaded = at('loaded', (_, own) => chmodSync(join(own, 'dist/execa.cjs'), 0o646))
  t.match(loaded.stderr, /\/loaded\/dist\/execa.cjs can be changed/, 'files that it loads count')
  const tidy = at('tidy', () => {})
  t.equal(tidy.status, 0)
  t.match(tidy.stderr, /note\[hook-program-private\]: \S+ is in a folder for temporary files/)

  const FILE = 0o100000
  const DIRECTORY = 0o040000
  t.equal(whoElse({ uid: 0, gid: 0, mode: FILE | 0o775 }, [0]), undefined, "root's own group")
  t.equal(whoElse({ uid: 0, gid: 5, mode: DIRECTORY | 0o1777 }, [0]), undefined, 'a sticky folder')
  t.equal(whoElse({ uid: 0, gid: 5, mode: DIRECTORY | 0o777 }, [0])?.is, 'everybody')
  t.equal(whoElse({ uid: 0, gid: 5, mode: 0o120777 }, [0]), undefined, 'a link')
  t.equal(
    whoElse({ uid: 107, gid: 107, mode: FILE | 0o755 }, [0, 107]),
    undefined,
    'the current user, in a pod',
  )
  t.end()
})

// ---- The configuration ----

long('an existing configuration is kept', (t) => {
  const root = makeRoot()
  write(configOf(root), 'memory = "even"\n', 0o600)
  t.equal(run('install', root).status, 0)
  t.equal(readFileSync(configOf(root), 'utf8'), 'memory = "even"\n')
  t.match(run('uninstall', root).stdout, `kept: ${configOf(root)} (it has your settings)\n`)
  t.equal(readFileSync(configOf(root), 'utf8'), 'memory = "even"\n', 'uninstall keeps it too')

  t.notOk(
    tryHook([write(join(folder, 'covering'), '#!/bin/sh\necho "<domain/>"\n', 0o755)])
      .found.map(worded)
      .some(({ what }) => /has not opted in/.test(what)),
    'guests = "all" covers the guest of the trial',
  )

  const wrong = makeRoot()
  write(configOf(wrong), 'memory = "evn"\n')
  const { status, stderr } = run('install', wrong)
  t.equal(status, 1)
  t.match(stderr, 'error[unknown-value]')
  t.match(stderr, `${configOf(wrong)}:1:10`)
  t.notOk(existsSync(hookOf(wrong)), 'a hook that would refuse every migration is not installed')
  t.end()
})

t.test('the configuration that install writes', (t) => {
  const text = configText()
  t.same(parseConfig(text, 'it'), defaultConfig, 'as written, it sets nothing')
  const stated = text.replace(/^#(\w+ = )/gm, '$1')
  const { requested, root, memoryLimitMiB, ...others } = parseConfig(stated, 'it')
  t.same(
    { ...others, requested: {} },
    defaultConfig,
    'uncommented, it sets the defaults, except examples of keys without one',
  )
  for (const key of keyNames) {
    const { words, unstated } = keys[key]
    t.ok(key in requested || text.includes(`#${key.replaceAll('-', '_')} = `), `${key} is there`)
    if (unstated === undefined)
      t.match(
        stated,
        new RegExp(`^${key.replaceAll('-', '_')} = "${words[0]}"$`, 'm'),
        `${key} has its default`,
      )
  }
  t.match(readFileSync('hooks/qemu.ts', 'utf8'), `MEMORY_LIMIT_MIB = ${memoryLimitMiB}\n`)
  t.end()
})

// ---- The daemon ----

long('a running daemon is reloaded where it must be', async (t) => {
  const root = makeRoot()
  const program = join(folder, 'libvirtd')
  copyFileSync('/bin/sleep', program)
  chmodSync(program, 0o755)
  const daemon = spawn(program, ['120'], { stdio: 'ignore' })
  t.teardown(() => daemon.kill('SIGKILL'))
  const ended = new Promise<string | null>((resolve) => daemon.on('exit', (_, signal) => resolve(signal)))
  write(join(root, 'run/libvirtd.pid'), `${daemon.pid}\n`)

  const first = run('install', root)
  t.equal(first.status, 0)
  t.match(first.stderr, `note[daemon-reload-needed]: libvirtd (process ${daemon.pid}) has to be reloaded`)
  t.match(first.stderr, `fix: kill -HUP ${daemon.pid}, or virt-numa install --reload`)
  t.match(
    run('install', root, ['--reload', '--dry-run']).stderr,
    'daemon-reload-needed',
    'a dry run reports it',
  )
  t.equal(daemon.exitCode, null)
  const printed = run('install', root, ['--reload'])
  t.match(printed.stdout, 'was asked to reload')
  t.notMatch(printed.stderr, 'daemon-reload-needed')
  t.equal(await ended, 'SIGHUP')
  t.match(run('install', root).stdout, 'no libvirt daemon is running', 'its pid file is stale')
  write(join(root, 'run/libvirtd.pid'), `${process.pid}\n`)
  t.match(
    run('install', root, ['--reload']).stdout,
    'no libvirt daemon is running',
    'another process has its pid: this one',
  )
})

t.test('a reload that fails is reported', (t) => {
  const gone = reload({ name: 'libvirtd', pid: 4_000_000 })
  t.same(
    gone.map(({ code }) => code),
    ['daemon-reload-failed'],
  )
  t.match(firstWorded(gone).what, 'libvirtd (process 4000000) was not reloaded: kill ESRCH')
  t.equal(firstWorded(gone).fix, 'kill -HUP 4000000')
  t.end()
})

t.test('a daemon that has found a hook finds later ones too', (t) => {
  const root = makeRoot('9.0.0')
  const hooks = (): ReturnType<typeof hooksIn> => hooksIn(join(root, 'etc/libvirt/hooks'))
  const now = Date.now() / 1000
  t.notOk(hasSeenHooks(hooks(), { startedS: now + 60 }), 'no hook at its start')
  write(join(dirname(furtherOf(root)), '10-mine'), FOREIGN, 0o644)
  t.notOk(hasSeenHooks(hooks(), { startedS: now + 60 }), 'one that is not executable')
  chmodSync(join(dirname(furtherOf(root)), '10-mine'), 0o755)
  t.ok(hasSeenHooks(hooks(), { startedS: now + 60 }), 'one in qemu.d')
  t.notOk(hasSeenHooks(hooks(), { startedS: now - 60 }), 'one that came later')
  t.notOk(hasSeenHooks(hooks(), {}), 'a start that is not known')
  t.end()
})

// ---- SELinux ----

t.test('SELinux', (t) => {
  const asked: string[] = []
  const ask =
    (answers: Readonly<Record<string, { status?: number; stdout?: string; stderr?: string }>>): Ask =>
    (command, words) => {
      asked.push([command, ...words].join(' '))
      return { stdout: '', stderr: '', ...answers[command] }
    }
  const label = { status: 0, stdout: 'system_u:object_r:virt_hook_t:s0\n' }
  const daemon = { name: 'virtqemud', pid: 7, confinement: 'system_u:system_r:virtqemud_t:s0' } as const
  const codes = (answers: Parameters<typeof ask>[0], of: Execution['daemon'] = daemon): string[] =>
    policyOn({ mode: 'enforcing', daemon: of, path: '/hooks/.new', shown: '/hooks/qemu' }, ask(answers)).map(
      ({ code }) => code,
    )

  t.same(codes({ stat: label, selinux_check_access: { status: 0 } }), [], 'the policy allows it')
  t.equal(
    asked.at(-1),
    'selinux_check_access system_u:system_r:virtqemud_t:s0 system_u:object_r:virt_hook_t:s0 file execute',
  )
  const denied = {
    stat: label,
    selinux_check_access: { status: 1, stderr: 'selinux_check_access: Permission denied\n' },
  }
  t.same(codes(denied), ['hook-policy-denies'])
  t.same(codes(denied, undefined), ['hook-policy-denies'], 'virtqemud, where none is running')
  t.match(asked.at(-1), 'virtqemud_t')
  t.same(
    codes({ stat: label, selinux_check_access: {} }),
    ['hook-policy-unknown'],
    'there is no such program',
  )
  t.same(codes({ stat: label, selinux_check_access: { status: 1, stderr: 'Invalid argument' } }), [
    'hook-policy-unknown',
  ])
  t.same(
    codes({ stat: { status: 0, stdout: '?\n' } }),
    ['hook-policy-unknown'],
    'a file system without labels',
  )
  t.same(
    policyOn({ mode: 'permissive', daemon, path: '/a', shown: '/a' }, ask(denied)),
    [],
    'nothing is forbidden',
  )

  t.same(labelHook('off', '/a', ask({ restorecon: {} })), [])
  t.same(labelHook('enforcing', '/a', ask({ restorecon: { status: 0 } })), [])
  t.equal(asked.at(-1), 'restorecon -F /a')
  t.same(
    labelHook('enforcing', '/a', ask({ restorecon: { status: 255, stderr: 'no\n' } })).map(
      (each) => worded(each).what,
    ),
    ['/a could not be labelled: no'],
  )
  t.same(checkLabel('enforcing', '/a', ask({ restorecon: { status: 0, stdout: '' } })), [])
  t.same(
    checkLabel('permissive', '/a', ask({ restorecon: { status: 0, stdout: 'Would relabel /a\n' } })).map(
      ({ code }) => code,
    ),
    ['hook-label-late'],
  )
  t.end()
})

t.test('versions and shims', (t) => {
  for (const [version, is] of [
    ['6.5.0', true],
    ['6.10.0', true],
    ['10.0.0', true],
    ['6.4.9', false],
    ['5.9', false],
    ['', false],
    ['x', false],
  ] as const) {
    t.equal(isSince(version, [6, 5]), is, version)
  }
  t.equal(versionIn('QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg)'), '7.2.22')
  t.equal(versionIn('libvirtd: no such option'), undefined)
  for (const text of ['', '#!/bin/sh\n', SHIM.slice(1), SHIM.slice(0, -1), SHIM.replace('exit 1', 'exit 0')])
    t.equal(readShim(text), undefined)
  const other = sealed("#!/bin/sh\nnode='/opt/node'\nprogram='/opt/qemu.cjs'\nexit 0\n")
  t.same(
    readShim(other),
    { node: '/opt/node', program: '/opt/qemu.cjs' },
    'a shim of another version is ours',
  )
  t.equal(readShim(other.replace('exit 0', 'exit 1')), undefined, 'until it is edited')
  t.equal(readShim(sealed(FOREIGN)), undefined, 'a valid checksum alone does not make a hook ours')
  t.end()
})
