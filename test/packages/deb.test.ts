// The Debian packages: what is in them, what lintian says, and that they can be installed, used, upgraded and
// removed on a machine without Node, whose guests never meet a hook that cannot run. As root on Debian.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { commandNames } from '../../src/cli/commands.ts'
import { sealed, shimText, unsealed } from '../../src/hook-setup/shim.ts'
import { makeRoot } from './root.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string }
const NEXT = `${version}+1`
const folder = mkdtempSync(join(tmpdir(), 'virt-numa-deb-test-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
t.setTimeout(280_000)

const built = (architecture: string): string => `dist/deb/virt-numa_${version}_${architecture}.deb`
const nextOf = (architecture: string): string => join(folder, `virt-numa_${NEXT}_${architecture}.deb`)
const HOOK = '/etc/libvirt/hooks/qemu'
const PROGRAM = '/usr/libexec/virt-numa/qemu-hook'
const older = join(folder, 'older')
writeFileSync(older, sealed(`${unsealed(shimText(PROGRAM, PROGRAM))}# Of an older version.\n`), {
  mode: 0o755,
})

execFileSync(process.execPath, ['packaging/deb/build.mjs', '--version', NEXT, '--out', folder])

t.test('both architectures have the same files, in the right places', (t) => {
  const listed = ['amd64', 'arm64'].map((architecture) => {
    const lines = execFileSync('dpkg-deb', ['-c', built(architecture)], { encoding: 'utf8' })
      .trim()
      .split('\n')
    return lines.map((line) => line.replace(/^(\S+ \S+)\s.*? \.\//, '$1 /'))
  })
  t.same(listed[0], listed[1])
  const files = new Set(listed[0])
  for (const [mode, path] of [
    ['-rwxr-xr-x', '/usr/libexec/virt-numa/virt-numa'],
    ['-rwxr-xr-x', '/usr/libexec/virt-numa/qemu-hook'],
    ['lrwxrwxrwx', '/usr/bin/virt-numa -> ../libexec/virt-numa/virt-numa'],
    ['-rw-r--r--', '/usr/lib/systemd/system/virt-numa-watch.service'],
    ['-rw-r--r--', '/usr/share/man/man1/virt-numa.1.gz'],
    ['-rw-r--r--', '/usr/share/man/man5/virt-numa.conf.5.gz'],
    ['-rw-r--r--', '/usr/share/man/man8/virt-numa-hook.8.gz'],
    ['-rw-r--r--', '/usr/share/bash-completion/completions/virt-numa'],
    ['-rw-r--r--', '/usr/share/zsh/vendor-completions/_virt-numa'],
    ['-rw-r--r--', '/usr/share/fish/vendor_completions.d/virt-numa.fish'],
    ['-rw-r--r--', '/usr/share/doc/virt-numa/THIRD-PARTY-NOTICES.txt.gz'],
  ] as const)
    t.ok(files.has(`${mode} root/root ${path}`), path)
  t.end()
})

t.test('two builds of a package have the same bytes', (t) => {
  const env = { ...process.env, SOURCE_DATE_EPOCH: '1700000000' }
  const outs = ['a', 'b'].map((name) => join(folder, name))
  for (const out of outs) execFileSync(process.execPath, ['packaging/deb/build.mjs', '--out', out], { env })
  for (const architecture of ['amd64', 'arm64']) {
    const [a, b] = outs.map((out) => readFileSync(join(out, `virt-numa_${version}_${architecture}.deb`)))
    t.ok(a !== undefined && b !== undefined && a.equals(b), architecture)
  }
  t.end()
})

t.test('lintian finds nothing', (t) => {
  if (spawnSync('lintian', ['--version']).status !== 0) {
    const install = ['install', '-y', '-q', '--no-install-recommends', 'lintian']
    if (spawnSync('apt-get', install).status !== 0) {
      execFileSync('apt-get', ['update', '-q'])
      execFileSync('apt-get', install)
    }
  }
  for (const architecture of ['amd64', 'arm64']) {
    const words = ['--allow-root', '--fail-on', 'error,warning', built(architecture)]
    const { status, stdout } = spawnSync('lintian', words, { encoding: 'utf8' })
    t.same([status, stdout], [0, ''], architecture)
  }
  t.end()
})

t.test('installed, used, upgraded and removed without Node', (t) => {
  const run = makeRoot(t, [
    built('amd64'),
    nextOf('amd64'),
    older,
    'golden/2n4c2t-seed/host.json',
    'golden/2n4c2t-seed/domain.xml',
  ])
  const first = `/job/virt-numa_${version}_amd64.deb`
  const next = `/job/virt-numa_${NEXT}_amd64.deb`
  const expected = readFileSync('golden/2n4c2t-seed/expected.xml', 'utf8')
  const succeeded = (about: string, script: string): string => {
    const { status, stdout, stderr } = run(script)
    t.equal(status, 0, `${about}: ${stderr}`)
    return stdout
  }
  const hookAnswers = (about: string): void => {
    const call = (operation: string): string => `${HOOK} seed ${operation} begin - </job/domain.xml`
    succeeded(`${about}: a guest starts`, call('prepare'))
    succeeded(`${about}: a daemon reconnects`, call('reconnect'))
    const rebinds =
      run(`echo 'root = "/job/host.json"' >/job/hook.conf; echo 'guests = "all"' >>/job/hook.conf
      VIRT_NUMA_CONFIG=/job/hook.conf ${call('migrate')}`)
    t.equal(rebinds.status, 0, `${about}: a guest arrives: ${rebinds.stderr}`)
  }

  succeeded('install', `dpkg -i ${first}`)
  succeeded('nothing is put in place', `! test -e ${HOOK} && ! test -e /etc/libvirt/virt-numa.conf`)
  t.match(succeeded('version', 'virt-numa --version'), version)
  t.equal(succeeded('transform', 'virt-numa transform --host /job/host.json /job/domain.xml'), expected)
  const help = succeeded('help', 'virt-numa --help')
  for (const name of commandNames) t.match(help, name)
  succeeded('remove and purge without a hook', `dpkg -r virt-numa && dpkg -P virt-numa`)

  succeeded('install again', `dpkg -i ${first} && virt-numa install`)
  hookAnswers('installed')
  const current = succeeded('the hook', `cat ${HOOK}`)
  succeeded('upgrade over a hook of an older version', `cp /job/older ${HOOK} && dpkg -i ${next}`)
  t.equal(succeeded('the hook', `cat ${HOOK}`), current, 'it is written anew')
  hookAnswers('upgraded')
  t.match(succeeded('its version', 'dpkg-query -s virt-numa'), `Version: ${NEXT}\n`)

  succeeded('an edited hook', `echo '# mine' >>${HOOK}`)
  const refused = run('dpkg -r virt-numa')
  t.equal(refused.status, 1, 'an edited hook keeps the package')
  t.match(refused.stderr, 'remove that file, then this package')
  hookAnswers('after a refused removal')
  succeeded('the edit is taken back', `sed -i '$d' ${HOOK}`)

  succeeded('a setting', 'echo \'on_error = "keep"\' >>/etc/libvirt/virt-numa.conf')
  succeeded('remove', 'dpkg -r virt-numa')
  succeeded(
    'no hook and no program is left',
    `! test -e ${HOOK} && ! test -e /usr/libexec/virt-numa && ! test -e /usr/bin/virt-numa`,
  )
  succeeded('the configuration with a setting is left', 'test -e /etc/libvirt/virt-numa.conf')
  succeeded('purge', 'dpkg -P virt-numa && ! test -e /etc/libvirt/virt-numa.conf')
  t.end()
})
