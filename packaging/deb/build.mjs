// Builds dist/deb/virt-numa_VERSION_ARCHITECTURE.deb, for amd64 and arm64, from the native programs
// (packaging/native). Same sources and date, same bytes.
//
//   node packaging/deb/build.mjs [--version VERSION] [--out FOLDER]
//
// DEBFULLNAME and DEBEMAIL name the maintainer; SOURCE_DATE_EPOCH is the date, else that of the last commit.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { buildManual } from '../manual.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const here = join(root, 'packaging/deb')
const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version
const { values } = parseArgs({ options: { version: { type: 'string' }, out: { type: 'string' } } })
const version = values.version ?? own
const out = values.out ?? join(root, 'dist/deb')

/** Debian's name of an architecture -> the folder of its programs. */
const ARCHITECTURES = { amd64: 'dist/native', arm64: 'dist/native/aarch64' }
const PROGRAMS = 'usr/libexec/virt-numa'
const DOC = 'usr/share/doc/virt-numa'

const { DEBFULLNAME = 'virt-numa', DEBEMAIL = 'virt-numa@example.org' } = process.env
const maintainer = `${DEBFULLNAME} <${DEBEMAIL}>`
const epoch = Number(
  process.env.SOURCE_DATE_EPOCH ??
    execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }),
)

/** What the package has of the TypeScript: the unit of watch, and a configuration with the defaults. */
async function generated() {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-deb-'))
  try {
    const outfile = join(folder, 'generated.mjs')
    const contents = `export { unitText } from './src/hook-setup/watch-unit.ts'
      export { configText } from './src/request/config-text.ts'`
    await build({
      stdin: { contents, resolveDir: root },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      loader: { '.service': 'text', '.sh': 'text' },
    })
    const { unitText, configText } = await import(outfile)
    return { unit: unitText([`/${PROGRAMS}/virt-numa`]), config: configText() }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Path in the package -> what is there, for either architecture. */
async function sharedFiles() {
  const { unit, config } = await generated()
  await buildManual()
  const files = {
    'usr/lib/systemd/system/virt-numa-watch.service': unit,
    [`${DOC}/examples/virt-numa.conf`]: config,
    [`${DOC}/copyright`]: readFileSync(join(here, 'copyright')),
    'usr/share/lintian/overrides/virt-numa': readFileSync(join(here, 'lintian-overrides')),
    [`${DOC}/changelog.gz`]: gzip(changelog()),
    [`${DOC}/NEWS.md.gz`]: gzip(readFileSync(join(root, 'CHANGELOG.md'))),
    [`${DOC}/README.md.gz`]: gzip(readFileSync(join(root, 'README.md'))),
    [`${DOC}/SECURITY.md.gz`]: gzip(readFileSync(join(root, 'SECURITY.md'))),
  }
  for (const [name, path] of Object.entries(COMPLETIONS))
    files[path] = readFileSync(join(root, 'dist/completions', name))
  for (const page of readdirSync(join(root, 'dist/man')))
    files[`usr/share/man/man${page.at(-1)}/${page}.gz`] = gzip(readFileSync(join(root, 'dist/man', page)))
  return files
}

/** File in dist/completions -> where its shell looks for it. */
const COMPLETIONS = {
  'virt-numa.bash': 'usr/share/bash-completion/completions/virt-numa',
  '_virt-numa': 'usr/share/zsh/vendor-completions/_virt-numa',
  'virt-numa.fish': 'usr/share/fish/vendor_completions.d/virt-numa.fish',
}

/** Without a date in it. */
const gzip = (content) => gzipSync(content, { level: 9 })

function changelog() {
  const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000')
  return `virt-numa (${version}) unstable; urgency=medium

  * What has changed is in NEWS.md.gz.

 -- ${maintainer}  ${date}
`
}

/** @param shared the files of either architecture */
function buildPackage(architecture, programs, shared) {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-deb-'))
  try {
    for (const [path, content] of Object.entries(shared)) put(folder, path, content)
    for (const name of ['virt-numa', 'qemu-hook'])
      put(folder, `${PROGRAMS}/${name}`, readFileSync(join(root, programs, name)), 0o755)
    const notices = readFileSync(join(root, programs, 'THIRD-PARTY-NOTICES.txt'))
    put(folder, `${DOC}/THIRD-PARTY-NOTICES.txt.gz`, gzip(notices))
    mkdirSync(join(folder, 'usr/bin'))
    symlinkSync('../libexec/virt-numa/virt-numa', join(folder, 'usr/bin/virt-numa'))
    putControl(folder, architecture)
    for (const path of ['.', ...readdirSync(folder, { recursive: true })]) settle(join(folder, path))
    const file = join(out, `virt-numa_${version}_${architecture}.deb`)
    mkdirSync(out, { recursive: true })
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', folder, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return file
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function put(folder, path, content, mode = 0o644) {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  chmodSync(file, mode)
}

function putControl(folder, architecture) {
  const files = readdirSync(folder, { recursive: true }).sort()
  const regular = files.filter(
    (path) => statSync(join(folder, path)).isFile() && path !== 'usr/bin/virt-numa',
  )
  const sums = regular.map((path) => `${md5(readFileSync(join(folder, path)))}  ${path}\n`)
  const bytes = regular.reduce((sum, path) => sum + statSync(join(folder, path)).size, 0)
  const facts = {
    '@VERSION@': version,
    '@ARCHITECTURE@': architecture,
    '@MAINTAINER@': maintainer,
    '@SIZE@': String(Math.ceil(bytes / 1024)),
  }
  const control = readFileSync(join(here, 'control'), 'utf8')
  put(
    folder,
    'DEBIAN/control',
    control.replace(/@[A-Z]+@/g, (name) => facts[name]),
  )
  put(folder, 'DEBIAN/md5sums', sums.join(''))
  const hooks = readFileSync(join(here, 'hooks.sh'), 'utf8').trimEnd()
  for (const script of ['postinst', 'prerm', 'postrm']) {
    const text = readFileSync(join(here, script), 'utf8').replace('#HOOKS#', () => hooks)
    put(folder, `DEBIAN/${script}`, text, 0o755)
  }
}

const md5 = (content) => createHash('md5').update(content).digest('hex')

/** Sets the mode of a folder, and the date of what is no link. */
function settle(path) {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status?.isDirectory()) chmodSync(path, 0o755)
  if (status !== undefined) utimesSync(path, epoch, epoch)
}

const shared = await sharedFiles()
for (const [architecture, programs] of Object.entries(ARCHITECTURES))
  console.log(relative(process.cwd(), buildPackage(architecture, programs, shared)))
