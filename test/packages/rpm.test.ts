// The RPM packages, as deb.test.ts tests those for Debian, with the rpm of this machine. As root on Debian.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { lives } from './lifecycle.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string }
const NEXT = `${version}+1`
const folder = mkdtempSync(join(tmpdir(), 'virt-numa-rpm-test-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
t.setTimeout(280_000)

const NAMES = [
  `virt-numa-${version}-1.x86_64`,
  `virt-numa-${version}-1.aarch64`,
  `virt-numa-selinux-${version}-1.noarch`,
]
const build = (words: readonly string[], env = process.env): string =>
  execFileSync(process.execPath, ['packaging/rpm/build.mjs', ...words], { env, encoding: 'utf8' })

t.test('both architectures have the same files, and the policy is apart', (t) => {
  const [x86, arm, policy] = NAMES.map((name) =>
    execFileSync(
      'rpm',
      ['-qp', '--qf', '[%{FILEMODES:perms} %{FILEUSERNAME} %{FILENAMES}\n]', `dist/rpm/${name}.rpm`],
      {
        encoding: 'utf8',
      },
    ),
  )
  t.equal(x86, arm)
  for (const line of [
    '-rwxr-xr-x root /usr/libexec/virt-numa/virt-numa',
    '-rwxr-xr-x root /usr/libexec/virt-numa/qemu-hook',
    'lrwxrwxrwx root /usr/bin/virt-numa',
    '-rw-r--r-- root /usr/share/man/man8/virt-numa-hook.8.gz',
    '-rw-r--r-- root /usr/share/zsh/site-functions/_virt-numa',
    '-rw-r--r-- root /usr/share/licenses/virt-numa/LICENSE',
  ])
    t.match(x86, `${line}\n`)
  t.equal(policy, '-rw-r--r-- root /usr/share/selinux/packages/virt-numa.cil\n')
  const needed = execFileSync('rpm', ['-qp', '--requires', `dist/rpm/${NAMES[0]}.rpm`], { encoding: 'utf8' })
  t.notMatch(needed, /^(?!\/bin\/sh$|rpmlib\()./m, 'it needs nothing but sh')
  t.end()
})

t.test('two builds of a package have the same bytes', (t) => {
  const env = { ...process.env, SOURCE_DATE_EPOCH: '1700000000' }
  const outs = ['a', 'b'].map((name) => join(folder, name))
  for (const out of outs) build(['--out', out], env)
  for (const name of NAMES) {
    const [a, b] = outs.map((out) => readFileSync(join(out, `${name}.rpm`)))
    t.ok(a !== undefined && b !== undefined && a.equals(b), name)
  }
  t.end()
})

t.test('installed, used, upgraded and removed without Node', (t) => {
  build(['--version', NEXT, '--out', folder])
  lives(t, folder, {
    files: { first: `dist/rpm/${NAMES[0]}.rpm`, next: join(folder, `virt-numa-${NEXT}-1.x86_64.rpm`) },
    // This machine has no packages of RPM that those which are recommended could be among.
    install: 'rpm -i --nodeps',
    upgrade: 'rpm -U --nodeps',
    remove: 'rpm -e virt-numa',
    show: 'rpm -q virt-numa',
    next: /0\+1-1/,
  })
  t.end()
})
