// Builds dist/deb/virt-numa_VERSION_ARCHITECTURE.deb, for amd64 and arm64 (packaging/tree.mjs).
//
//   node packaging/deb/build.mjs [--version VERSION] [--out FOLDER]
//
// DEBFULLNAME and DEBEMAIL name the maintainer.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import {
  DOC,
  epoch,
  gzip,
  hooksScript,
  inFolder,
  put,
  putFiles,
  readWords,
  root,
  settle,
  sharedFiles,
} from '../tree.mjs'

const here = join(root, 'packaging/deb')
const { version, out } = readWords('deb')

/** Debian's name of an architecture -> the folder of its programs. */
const ARCHITECTURES = { amd64: 'dist/native', arm64: 'dist/native/aarch64' }

const { DEBFULLNAME = 'virt-numa', DEBEMAIL = 'virt-numa@example.org' } = process.env
const maintainer = `${DEBFULLNAME} <${DEBEMAIL}>`

async function filesOfDebian() {
  return {
    ...(await sharedFiles('usr/share/zsh/vendor-completions')),
    [`${DOC}/copyright`]: readFileSync(join(here, 'copyright')),
    [`${DOC}/changelog.gz`]: gzip(changelog()),
    'usr/share/lintian/overrides/virt-numa': readFileSync(join(here, 'lintian-overrides')),
  }
}

function changelog() {
  const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000')
  return `virt-numa (${version}) unstable; urgency=medium

  * What has changed is in NEWS.md.gz.

 -- ${maintainer}  ${date}
`
}

/** @returns the file */
function buildPackage(architecture, programs, files) {
  return inFolder((folder) => {
    putFiles(folder, files, programs)
    putControl(folder, architecture)
    settle(folder)
    const file = join(out, `virt-numa_${version}_${architecture}.deb`)
    mkdirSync(out, { recursive: true })
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', folder, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return file
  })
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
  for (const script of ['postinst', 'prerm', 'postrm']) {
    const text = readFileSync(join(here, script), 'utf8').replace('#HOOKS#', () => hooksScript)
    put(folder, `DEBIAN/${script}`, text, 0o755)
  }
}

const md5 = (content) => createHash('md5').update(content).digest('hex')

const files = await filesOfDebian()
for (const [architecture, programs] of Object.entries(ARCHITECTURES))
  console.log(relative(process.cwd(), buildPackage(architecture, programs, files)))
