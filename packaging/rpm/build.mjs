// Builds dist/rpm/virt-numa-VERSION-1.ARCHITECTURE.rpm, for x86_64 and aarch64, and virt-numa-selinux
// (packaging/tree.mjs). Installs rpmbuild with apt.
//
//   node packaging/rpm/build.mjs [--version VERSION] [--out FOLDER]

import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { installPrograms } from '../native/source.mjs'
import { epoch, hooksScript, inFolder, putFiles, readWords, root, settle, sharedFiles } from '../tree.mjs'

const { version, out } = readWords('rpm')

/** RPM's name of an architecture -> the folder of its programs. */
const ARCHITECTURES = { x86_64: 'dist/native', aarch64: 'dist/native/aarch64' }
const SELINUX = 'usr/share/selinux/packages/virt-numa.cil'

async function filesOfRpm() {
  return {
    ...(await sharedFiles('usr/share/zsh/site-functions')),
    'usr/share/licenses/virt-numa/LICENSE': readFileSync(join(root, 'LICENSE')),
    [SELINUX]: readFileSync(join(root, 'packaging/selinux/virt-numa.cil')),
  }
}

/** @returns the files */
function buildPackages(architecture, programs, files) {
  return inFolder((folder) => {
    const tree = join(folder, 'tree')
    putFiles(tree, files, programs)
    settle(tree)
    const spec = join(folder, 'virt-numa.spec')
    writeFileSync(spec, specFor(tree))
    const defined = {
      _topdir: join(folder, 'top'),
      _rpmdir: join(folder, 'out'),
      _rpmfilename: '%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm',
    }
    const words = Object.entries(defined).flatMap(([name, value]) => ['--define', `${name} ${value}`])
    execFileSync('rpmbuild', ['-bb', '--quiet', '--target', architecture, ...words, spec], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    mkdirSync(out, { recursive: true })
    return readdirSync(join(folder, 'out')).map((name) => {
      copyFileSync(join(folder, 'out', name), join(out, name))
      return join(out, name)
    })
  })
}

function specFor(tree) {
  const facts = { '@VERSION@': version, '@TREE@': tree, '@FILES@': listed(tree).join('\n') }
  return readFileSync(join(root, 'packaging/rpm/virt-numa.spec'), 'utf8')
    .replace(/@[A-Z]+@/g, (name) => facts[name])
    .replaceAll('#HOOKS#', () => hooksScript)
}

/** The lines of %files: each file, and the folders that no other package has. */
function listed(tree) {
  const files = readdirSync(tree, { recursive: true }).filter((path) => path !== SELINUX)
  return files.sort().flatMap((path) => {
    const isFolder = statSync(join(tree, path), { throwIfNoEntry: false })?.isDirectory()
    if (isFolder) return /\/virt-numa(\/examples)?$/.test(path) ? [`%dir /${path}`] : []
    return [`${kindOf(path)}/${path}`]
  })
}

function kindOf(path) {
  if (path.startsWith('usr/share/licenses/')) return '%license '
  return /^usr\/share\/(doc|man)\//.test(path) ? '%doc ' : ''
}

installPrograms({ rpmbuild: 'rpm' })
const files = await filesOfRpm()
const built = Object.entries(ARCHITECTURES).flatMap(([architecture, programs]) =>
  buildPackages(architecture, programs, files),
)
for (const file of new Set(built.map((each) => basename(each))))
  console.log(relative(process.cwd(), join(out, file)))
