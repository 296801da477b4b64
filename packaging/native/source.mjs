// QuickJS and zlib as pinned Debian source packages -> their unpacked folders, and the compilers that build
// them.
//
// The mirror is the one that this machine's own apt uses, with the suite that has the package. The signature
// of the archive, the version and the checksum are checked. All lies in a cache outside of the checkout.

import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const SUITE = 'trixie'
/** The engine. `file`: of the source; it shows that the source is complete. */
export const QUICKJS = {
  name: 'quickjs',
  version: '2025.04.26-1',
  licence: 'MIT',
  sha256: 'ec81da5b3249ed648dbc7df4a1654988910e66a118d9b71cb63534216efcfbbe',
  file: 'quickjs.c',
}
/** What unpacks gzip files. */
export const ZLIB = {
  name: 'zlib',
  version: '1:1.3.dfsg+really1.3.1-1',
  licence: 'Zlib',
  sha256: '60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb',
  file: 'inflate.c',
}

/** A source package as a component of the programs. @see debian/copyright of the source package */
export const componentOf = ({ name, version, licence, sha256 }) => ({
  name,
  version,
  licence,
  purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=source`,
  sha256,
})

/** Where downloads and compiled objects are kept. */
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'virt-numa', 'native')

/** Installs what of these programs is missing. @param {Record<string, string>} needed program -> package */
export function installPrograms(needed) {
  const missing = Object.entries(needed).filter(([program]) => !isInstalled(program))
  if (missing.length === 0) return
  const packages = [...new Set(missing.flatMap(([, names]) => names.split(' ')))]
  const install = () =>
    spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], {
      stdio: ['ignore', 'ignore', 'inherit'],
    }).status
  if (install() === 0) return
  execFileSync('apt-get', ['update', '-q'], { stdio: ['ignore', 'ignore', 'inherit'] })
  if (install() !== 0) throw new Error(`cannot install ${packages.join(', ')}`)
}

const isInstalled = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0

/** @returns the folder of the unpacked, verified source */
export const quickjsSource = () => sourceOf(QUICKJS)

/** @returns the folder of the unpacked, verified source */
export const zlibSource = () => sourceOf(ZLIB)

function sourceOf({ name, version, sha256, file }) {
  const folder = join(CACHE, sha256.slice(0, 16))
  const source = join(folder, 'source')
  if (existsSync(join(source, file))) return source
  mkdirSync(folder, { recursive: true })
  const tarball = tarballIn(folder) ?? download(folder, `${name}=${version}`)
  const found = createHash('sha256').update(readFileSync(tarball)).digest('hex')
  if (found !== sha256) {
    rmSync(tarball)
    throw new Error(`${name} ${version} has the SHA-256 ${found} instead of ${sha256}`)
  }
  // Another build may unpack at the same time: the folder appears when it is complete.
  const unpacked = join(folder, `source.${process.pid}`)
  mkdirSync(unpacked)
  execFileSync('tar', ['-xf', tarball, '-C', unpacked, '--strip-components=1', '--no-same-owner'])
  if (existsSync(source)) rmSync(unpacked, { recursive: true })
  else renameSync(unpacked, source)
  return source
}

function tarballIn(folder) {
  const name = readdirSync(folder).find((each) => /\.orig\.tar\.\w+$/.test(each))
  return name && join(folder, name)
}

/** @param wanted the package with its version */
function download(folder, wanted) {
  const state = join(folder, 'apt')
  for (const each of ['lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(state, each), { recursive: true })
  }
  const { uri, signedBy } = mirror()
  const options = signedBy === undefined ? '' : `[signed-by=${signedBy}] `
  writeFileSync(join(state, 'sources.list'), `deb-src ${options}${uri} ${SUITE} main\n`)
  writeFileSync(
    join(state, 'apt.conf'),
    [
      `Dir::Etc::sourcelist "${state}/sources.list";`,
      'Dir::Etc::sourceparts "/dev/null";',
      `Dir::State::lists "${state}/lists";`,
      `Dir::Cache "${state}/cache";`,
      'APT::Sandbox::User "root";',
      'Acquire::Languages "none";',
    ].join('\n'),
  )
  const apt = (...words) =>
    execFileSync('apt-get', ['-q', ...words], {
      cwd: folder,
      env: { ...process.env, APT_CONFIG: join(state, 'apt.conf') },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  apt('update')
  apt('source', '--download-only', '--tar-only', wanted)
  rmSync(state, { recursive: true })
  return tarballIn(folder)
}

/** The first archive with Debian's main section in this machine's apt sources, but not that of security. */
function mirror() {
  const found = aptSources().find(
    ({ suites, components }) => suites.some((suite) => /^[a-z]+$/.test(suite)) && components.includes('main'),
  )
  if (found === undefined) throw new Error('apt has no archive with a "main" section in its sources')
  return found
}

function aptSources() {
  const parts = '/etc/apt/sources.list.d'
  const inParts = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []
  const files = ['/etc/apt/sources.list', ...inParts.sort()].filter(existsSync)
  return files.flatMap((file) => {
    const text = readFileSync(file, 'utf8').replace(/^#.*\n/gm, '')
    if (file.endsWith('.list')) return text.split('\n').flatMap(fromLine)
    return file.endsWith('.sources') ? text.split(/\n{2,}/).flatMap(fromStanza) : []
  })
}

function fromLine(line) {
  const [, options = '', uri, suite, components] =
    /^deb(?:-src)?\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line) ?? []
  if (uri === undefined) return []
  const [, signedBy] = /signed-by=(\S+)/i.exec(options) ?? []
  return [{ uri, suites: [suite], components: components.split(/\s+/), signedBy }]
}

function fromStanza(stanza) {
  const words = (key) => new RegExp(`^${key}:[ \t]*(.*)$`, 'im').exec(stanza)?.[1].trim().split(/\s+/) ?? []
  return words('URIs').map((uri) => {
    const [signedBy] = words('Signed-By')
    return { uri, suites: words('Suites'), components: words('Components'), signedBy }
  })
}
