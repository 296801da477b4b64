// The files that the Debian and RPM packages share: the native programs (packaging/native), manual pages,
// completions, the unit of `watch` and documents. Same sources and date, same bytes.

import { execFileSync } from 'node:child_process'
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
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { importSources } from './import-sources.mjs'
import { buildManual } from './manual.mjs'

/** The repository. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** The folders of this package on a host. */
export const PROGRAMS = 'usr/libexec/virt-numa'
export const DOC = 'usr/share/doc/virt-numa'

/** In seconds since 1970: SOURCE_DATE_EPOCH, else that of the last commit. */
export const epoch = Number(
  process.env.SOURCE_DATE_EPOCH ??
    execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }),
)

/**
 * Reads `--version VERSION`, which a test builds an upgrade with, and `--out FOLDER`.
 * @param folder where packages go if nothing else is said, below dist/
 */
export function readWords(folder) {
  const { values } = parseArgs({ options: { version: { type: 'string' }, out: { type: 'string' } } })
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version
  return { version: values.version ?? own, out: values.out ?? join(root, 'dist', folder) }
}

/** The shell functions that the scripts of both packages use. */
export const hooksScript = readFileSync(join(root, 'packaging/hooks.sh'), 'utf8').trimEnd()

/**
 * Path in the package -> what is there, for either architecture.
 * @param zsh where zsh looks for completions
 */
export async function sharedFiles(zsh) {
  const { unit, config } = await generated()
  await buildManual()
  const text = (path) => readFileSync(join(root, path))
  const files = {
    'usr/lib/systemd/system/virt-numa-watch.service': unit,
    'usr/share/bash-completion/completions/virt-numa': text('dist/completions/virt-numa.bash'),
    [`${zsh}/_virt-numa`]: text('dist/completions/_virt-numa'),
    'usr/share/fish/vendor_completions.d/virt-numa.fish': text('dist/completions/virt-numa.fish'),
    [`${DOC}/examples/virt-numa.conf`]: config,
    [`${DOC}/NEWS.md.gz`]: gzip(text('CHANGELOG.md')),
    [`${DOC}/README.md.gz`]: gzip(text('README.md')),
    [`${DOC}/SECURITY.md.gz`]: gzip(text('SECURITY.md')),
  }
  for (const page of readdirSync(join(root, 'dist/man')))
    files[`usr/share/man/man${page.at(-1)}/${page}.gz`] = gzip(text(`dist/man/${page}`))
  return files
}

/** What the package has of the TypeScript: the unit of watch, and a configuration with the defaults. */
async function generated() {
  const files = ['src/hook-setup/watch-unit.ts', 'src/request/config-text.ts']
  const { unitText, configText } = await importSources(...files)
  return { unit: unitText([`/${PROGRAMS}/virt-numa`]), config: configText() }
}

/** Without a date in it. */
export const gzip = (content) => gzipSync(content, { level: 9 })

/** Does the work in a temporary folder. */
export function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-package-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Writes the files, and the programs of one architecture from their folder in dist/, below a folder. */
export function putFiles(folder, files, programs) {
  for (const [path, content] of Object.entries(files)) put(folder, path, content)
  for (const name of ['virt-numa', 'qemu-hook'])
    put(folder, `${PROGRAMS}/${name}`, readFileSync(join(root, programs, name)), 0o755)
  const notices = readFileSync(join(root, programs, 'THIRD-PARTY-NOTICES.txt'))
  put(folder, `${DOC}/THIRD-PARTY-NOTICES.txt.gz`, gzip(notices))
  mkdirSync(join(folder, 'usr/bin'))
  symlinkSync('../libexec/virt-numa/virt-numa', join(folder, 'usr/bin/virt-numa'))
}

/** Writes a file, and the folders above it. */
export function put(folder, path, content, mode = 0o644) {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  chmodSync(file, mode)
}

/** Sets the modes of all folders, and the date of everything. */
export function settle(folder) {
  for (const path of ['.', ...readdirSync(folder, { recursive: true })]) {
    const file = join(folder, path)
    const status = statSync(file, { throwIfNoEntry: false })
    if (status?.isDirectory()) chmodSync(file, 0o755)
    if (status !== undefined) utimesSync(file, epoch, epoch)
  }
}
