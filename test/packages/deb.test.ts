// The Debian packages: what is in them, what lintian says, and that they can be installed, used, upgraded and
// removed on a machine without Node, whose guests never meet a hook that cannot run. As root on Debian.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { lives } from './lifecycle.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string }
const NEXT = `${version}+1`
const folder = mkdtempSync(join(tmpdir(), 'virt-numa-deb-test-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
t.setTimeout(280_000)

const built = (architecture: string): string => `dist/deb/virt-numa_${version}_${architecture}.deb`
const nextOf = (architecture: string): string => join(folder, `virt-numa_${NEXT}_${architecture}.deb`)

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
  const succeeded = lives(t, folder, {
    files: { first: built('amd64'), next: nextOf('amd64') },
    install: 'dpkg -i',
    upgrade: 'dpkg -i',
    remove: 'dpkg -r virt-numa',
    show: 'dpkg-query -s virt-numa',
    next: /^Version: .*\+1$/m,
  })
  succeeded('purge', 'dpkg -P virt-numa && ! test -e /etc/libvirt/virt-numa.conf')
  t.end()
})
