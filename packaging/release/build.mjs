// Assembles dist/release/ from what has been built: the packages for Debian and RPM, the npm package, the
// native programs of each architecture, the list of all components (CycloneDX), and SHA256SUMS. Same
// sources and date, same bytes.
//
//   npm run build:release                                       # builds everything first
//   node packaging/release/build.mjs [--out FOLDER]

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { epoch, gzip, inFolder, put, readWords, root, settle } from '../tree.mjs'
import { sbomOf } from './sbom.mjs'

const { version, out } = readWords('release')
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages

/** The folder of the native programs of each architecture, and the packages that have them. */
const NATIVE = [
  {
    programs: 'dist/native',
    architecture: 'x86_64',
    packages: [`deb/virt-numa_${version}_amd64.deb`, `rpm/virt-numa-${version}-1.x86_64.rpm`],
  },
  {
    programs: 'dist/native/aarch64',
    architecture: 'aarch64',
    packages: [`deb/virt-numa_${version}_arm64.deb`, `rpm/virt-numa-${version}-1.aarch64.rpm`],
  },
]
const POLICY = `rpm/virt-numa-selinux-${version}-1.noarch.rpm`

/** Puts every file into the folder. @returns their names, and what of others is in each */
function putAll() {
  const native = NATIVE.flatMap(({ programs, architecture, packages }) => {
    const contents = contentsOf(`${programs}/contents.json`)
    const names = [putPrograms(programs, architecture), ...packages.map(putPackage)]
    return names.map((name) => ({ name, contents }))
  })
  const bundled = contentsOf('dist/contents.json').filter(({ bundles }) =>
    bundles.some((bundle) => bundle !== 'dist/start.cjs'),
  )
  return [...native, { name: putPackage(POLICY), contents: [] }, { name: packNpm(), contents: bundled }]
}

/** A tar of the programs, their licences, the manual pages and completions. */
function putPrograms(programs, architecture) {
  const name = `virt-numa-${version}-linux-${architecture}`
  const packed = inFolder((folder) => {
    const tree = join(folder, name)
    for (const file of ['virt-numa', 'qemu-hook'])
      put(tree, file, readFileSync(join(root, programs, file)), 0o755)
    put(tree, 'THIRD-PARTY-NOTICES.txt', readFileSync(join(root, programs, 'THIRD-PARTY-NOTICES.txt')))
    for (const file of ['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md'])
      put(tree, file, readFileSync(join(root, file)))
    for (const part of ['man', 'completions'])
      for (const file of readdirSync(join(root, 'dist', part)))
        put(tree, `${part}/${file}`, readFileSync(join(root, 'dist', part, file)))
    settle(tree)
    const same = ['--sort=name', '--format=ustar', '--owner=0', '--group=0', '--numeric-owner']
    return execFileSync('tar', [...same, '-C', folder, '-cf', '-', name], { maxBuffer: 2 ** 30 })
  })
  writeFileSync(join(out, `${name}.tar.gz`), gzip(packed))
  return `${name}.tar.gz`
}

function putPackage(path) {
  const name = path.slice(path.indexOf('/') + 1)
  copyFileSync(join(root, 'dist', path), join(out, name))
  return name
}

/** npm gives every file one date and one owner. */
function packNpm() {
  const words = ['pack', '--ignore-scripts', '--json', '--pack-destination', out]
  const [{ filename }] = JSON.parse(execFileSync('npm', words, { cwd: root, encoding: 'utf8' }))
  return filename
}

/** The components of a contents.json. */
function contentsOf(path) {
  const { packages, others } = JSON.parse(readFileSync(join(root, path), 'utf8'))
  const fromNpm = packages.map(({ name, version: installed, folder, ...rest }) => ({
    ...rest,
    name,
    version: installed,
    purl: `pkg:npm/${name.replace('@', '%40')}@${installed}`,
    sha512: sha512In(lock[folder]?.integrity ?? ''),
  }))
  return [...fromNpm, ...others]
}

/** Of what npm downloaded, as hexadecimal digits. */
function sha512In(integrity) {
  const [, base64] = /^sha512-(\S+)$/.exec(integrity) ?? []
  return base64 && Buffer.from(base64, 'base64').toString('hex')
}

const sha256Of = (name) =>
  createHash('sha256')
    .update(readFileSync(join(out, name)))
    .digest('hex')

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const date = new Date(epoch * 1000).toISOString().replace('.000Z', 'Z')
const files = putAll().map((each) => ({ ...each, sha256: sha256Of(each.name) }))
const sbom = `virt-numa-${version}.cdx.json`
writeFileSync(join(out, sbom), sbomOf({ version, date, files }))
const names = [...files.map(({ name }) => name), sbom].sort()
writeFileSync(join(out, 'SHA256SUMS'), names.map((name) => `${sha256Of(name)}  ${name}\n`).join(''))
for (const name of [...names, 'SHA256SUMS']) console.log(join(out, name))
