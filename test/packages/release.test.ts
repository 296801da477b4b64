// The release folder: its files and their sums, the list of components against what the files hold, and that
// two builds have the same bytes.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import t from 'tap'
import { runApart } from '../apart.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string }
const folder = mkdtempSync(join(tmpdir(), 'virt-numa-release-test-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
t.setTimeout(120_000)

const SBOM = `virt-numa-${version}.cdx.json`
const NPM = `virt-numa-${version}.tgz`
const POLICY = `virt-numa-selinux-${version}-1.noarch.rpm`
/** Of each architecture: its files, the number in the header of its programs, and its C library. */
const NATIVE = [
  {
    tar: `virt-numa-${version}-linux-x86_64`,
    packages: [`virt-numa_${version}_amd64.deb`, `virt-numa-${version}-1.x86_64.rpm`],
    machine: 62,
    libc: 'musl',
  },
  {
    tar: `virt-numa-${version}-linux-aarch64`,
    packages: [`virt-numa_${version}_arm64.deb`, `virt-numa-${version}-1.aarch64.rpm`],
    machine: 183,
    libc: 'glibc',
  },
]
const FILES = [
  ...NATIVE.flatMap(({ tar, packages }) => [`${tar}.tar.gz`, ...packages]),
  POLICY,
  NPM,
  SBOM,
].sort()

/** Assembles the release from what test:packages has built. */
function assemble(out: string, env: NodeJS.ProcessEnv, umask: string): string {
  const words = ['-c', 'umask "$1" && exec "$2" packaging/release/build.mjs --out "$3"', 'sh', umask]
  const { status, stderr } = runApart('/bin/sh', [...words, process.execPath, out], {
    env: { ...process.env, ...env, SOURCE_DATE_EPOCH: '1700000000' },
  })
  if (status !== 0) throw new Error(stderr)
  return out
}

const release = assemble(join(folder, 'release'), {}, '022')
const bytesOf = (name: string): Buffer => readFileSync(join(release, name))
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

t.test('it holds both architectures, and the sums of all files', (t) => {
  t.same(readdirSync(release).sort(), [...FILES, 'SHA256SUMS'].sort())
  const check = (where: string) => runApart('sha256sum', ['-c', '--strict', 'SHA256SUMS'], { cwd: where })
  const { status, stdout } = check(release)
  t.equal(status, 0)
  t.same(
    stdout.trimEnd().split('\n'),
    FILES.map((name) => `${name}: OK`),
  )
  const changed = join(folder, 'changed')
  cpSync(release, changed, { recursive: true })
  appendFileSync(join(changed, NPM), 'x')
  t.match(check(changed), { status: 1, stdout: `${NPM}: FAILED\n` })
  t.end()
})

t.test('another build, with another umask, time zone and locale, has the same bytes', (t) => {
  const other = assemble(join(folder, 'other'), { TZ: 'Asia/Tokyo', LC_ALL: 'C', LANG: 'C' }, '077')
  for (const name of [...FILES, 'SHA256SUMS'])
    t.ok(bytesOf(name).equals(readFileSync(join(other, name))), name)
  t.end()
})

// ---- What is in the files ----

const unpacked = join(folder, 'unpacked')
execFileSync('mkdir', [unpacked])
for (const { tar } of NATIVE) execFileSync('tar', ['-xzf', join(release, `${tar}.tar.gz`), '-C', unpacked])
execFileSync('tar', ['-xzf', join(release, NPM), '-C', unpacked])

const inDeb = (name: string, path: string): Buffer => {
  const tar = execFileSync('dpkg-deb', ['--fsys-tarfile', join(release, name)], { maxBuffer: 2 ** 28 })
  return execFileSync('tar', ['-xOf', '-', `./${path}`], { input: tar, maxBuffer: 2 ** 28 })
}

t.test('the programs are those of the packages, for the right machine, and run without Node', (t) => {
  for (const { tar, packages, machine } of NATIVE)
    for (const name of ['virt-numa', 'qemu-hook']) {
      const program = readFileSync(join(unpacked, tar, name))
      t.equal(program.readUInt16LE(18), machine, `${tar}/${name}`)
      t.ok(program.equals(inDeb(packages[0] as string, `usr/libexec/virt-numa/${name}`)), `${name} of ${tar}`)
    }
  const seed = resolve('golden/2n4c2t-seed')
  const command = join(unpacked, NATIVE[0]?.tar as string, 'virt-numa')
  const words = ['transform', '--host', `${seed}/host.json`, `${seed}/domain.xml`]
  const { status, stdout } = runApart(command, words, { env: { PATH: '/nonexistent' } })
  t.same([status, stdout], [0, readFileSync(`${seed}/expected.xml`, 'utf8')])
  t.end()
})

// ---- The list of components ----

interface Component {
  readonly 'bom-ref': string
  readonly type: string
  readonly name: string
  readonly version?: string
  readonly purl?: string
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[]
  readonly licenses?: readonly [{ readonly license?: { readonly id: string }; readonly expression?: string }]
}

const sbom = bytesOf(SBOM).toString()
const { components, dependencies, metadata } = JSON.parse(sbom) as {
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[]
  readonly metadata: { readonly timestamp: string }
}

t.test("the list of components follows CycloneDX's schema", async (t) => {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6)
  t.equal(await validator.validate(sbom), null)
  t.not(await validator.validate(sbom.replace('"type": "library"', '"type": "libary"')), null, 'as a test')
  t.equal(metadata.timestamp, '2023-11-14T22:13:20Z', 'it has the date of the sources')
})

/** "NAME VERSION" and licence of every component of others in a file of the release. */
function listed(file: string): ReadonlyMap<string, string> {
  const refs = dependencies.find(({ ref }) => ref === file)?.dependsOn ?? []
  return new Map(
    refs.map((ref) => {
      const found = components.find((each) => each['bom-ref'] === ref)
      const { license, expression } = found?.licenses?.[0] ?? {}
      return [`${found?.name} ${found?.version}`, license?.id ?? expression ?? '']
    }),
  )
}

/** The same by the notices that accompany the programs. */
function noticed(notices: string): ReadonlyMap<string, string> {
  const sections = notices.matchAll(/^-{80}\n\n(\S+ \S+)\nLicence: (.+)\n/gm)
  return new Map([...sections].map(([, id = '', licence = '']) => [id, licence]))
}

const namesOf = (ids: Iterable<string>): string[] => [...ids].map((id) => id.replace(/ .*/, ''))

t.test('it lists each file with its sum, and what the notices in that file name', (t) => {
  const files = components.filter(({ type }) => type === 'file')
  t.same(
    files.map(({ name }) => name).sort(),
    FILES.filter((name) => name !== SBOM),
  )
  for (const { name, hashes } of files)
    t.same(hashes, [{ alg: 'SHA-256', content: sha256(bytesOf(name)) }], name)

  const notices = (path: string): string =>
    readFileSync(join(unpacked, path, 'THIRD-PARTY-NOTICES.txt'), 'utf8')
  t.same(listed(NPM), noticed(notices('package/dist')))
  t.ok(listed(NPM).size > 15, `${listed(NPM).size} packages of npm`)
  t.same(listed(POLICY), new Map())
  for (const { tar, packages, libc } of NATIVE) {
    const all = listed(`${tar}.tar.gz`)
    const fromNpm = noticed(notices(tar))
    const others = new Map([...all].filter(([id]) => !fromNpm.has(id)))
    t.same(new Map([...all].filter(([id]) => fromNpm.has(id))), fromNpm, tar)
    t.same(namesOf(others.keys()).sort(), [libc, 'libgcc', 'quickjs', 'zlib'].sort(), tar)
    for (const file of packages) t.same(listed(file), all, file)
    const inPackage = gunzipSync(
      inDeb(packages[0] as string, 'usr/share/doc/virt-numa/THIRD-PARTY-NOTICES.txt.gz'),
    )
    t.same(noticed(inPackage.toString()), fromNpm, `${tar}: the package`)
  }
  t.end()
})

t.test('every component has a version, a licence, a package URL, and the sum of what was downloaded', (t) => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages
  const libraries = components.filter(({ type }) => type === 'library')
  for (const { name, version, purl, licenses, hashes } of libraries) {
    t.ok(version !== undefined && licenses !== undefined, name)
    if (purl?.startsWith('pkg:npm/')) {
      t.equal(purl, `pkg:npm/${name.replace('@', '%40')}@${version}`)
      const hex = hashes?.find(({ alg }) => alg === 'SHA-512')?.content ?? ''
      const integrity = `sha512-${Buffer.from(hex, 'hex').toString('base64')}`
      const locked = Object.keys(lock).filter((path) => path.endsWith(`node_modules/${name}`))
      t.ok(
        locked.some((path) => lock[path].integrity === integrity && lock[path].version === version),
        `${name} is in package-lock.json`,
      )
    } else t.match(purl, /^pkg:deb\/debian\/[\w.+-]+@[\w.%+~-]+\?arch=\w+$/)
  }
  const sources = readFileSync('packaging/native/source.mjs', 'utf8')
  for (const wanted of ['quickjs', 'zlib']) {
    const { purl, hashes = [] } = libraries.find(({ name }) => name === wanted) ?? {}
    t.match(purl, new RegExp(`^pkg:deb/debian/${wanted}@.*\\?arch=source$`))
    t.same(
      hashes.map(({ alg }) => alg),
      ['SHA-256'],
    )
    t.ok(sources.includes(`'${hashes[0]?.content}'`), `${wanted} is pinned`)
  }
  t.end()
})
