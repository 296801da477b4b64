// The npm package as its user gets it: it names what it bundles, needs no other package, and has the same
// bytes whatever folder it is built in.

import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, posix, resolve } from 'node:path'
import t from 'tap'
import { runApart } from '../apart.ts'
import { long, sampled } from '../long.ts'
import { packAndInstall } from './packed.ts'

const NOTICES = 'dist/THIRD-PARTY-NOTICES.txt'
const BUNDLES = [
  'dist/capabilities.cjs',
  'dist/execa.cjs',
  'dist/explanation.cjs',
  'dist/grpc.cjs',
  'dist/hooks/qemu.cjs',
  'dist/host-file.cjs',
  'dist/library.cjs',
  'dist/library.mjs',
  'dist/unified.cjs',
  'dist/virt-numa.cjs',
  'dist/write.cjs',
  'dist/yaml.cjs',
]
/** What `npm start` runs in a checkout, and no package has. */
const START = 'dist/start.cjs'
const TYPES = ['dist/library.d.cts', 'dist/library.d.mts']
const MANUAL = [
  'dist/completions/_virt-numa',
  'dist/completions/virt-numa.bash',
  'dist/completions/virt-numa.fish',
  'dist/man/virt-numa-hook.8',
  'dist/man/virt-numa.1',
  'dist/man/virt-numa.conf.5',
]
const DOCUMENTS = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md']
/** `install` names it where the policy of SELinux lacks it. */
const POLICY = 'packaging/selinux/virt-numa.cil'
const SEED = resolve('golden/2n4c2t-seed')

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'virt-numa-package-')))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
// When run alone, tap would end it after 30 s.
t.setTimeout(300_000)

// ---- What is packed ----

const { files, project, installed } = packAndInstall(folder)

t.test('the package holds the programs, the library, their notices and manual, and no build path', (t) => {
  const paths = files.map(({ path }) => path).sort()
  const written = [...DOCUMENTS, 'package.json', POLICY]
  t.same(paths, [NOTICES, ...TYPES, ...MANUAL, ...BUNDLES, ...written].sort())
  const places = [process.cwd(), realpathSync('node_modules')]
  for (const path of paths) {
    const bytes = readFileSync(join(installed, path))
    for (const place of places) t.notOk(bytes.includes(place), `${path} does not name ${place}`)
  }
  t.end()
})

t.test('the command can be run directly', (t) => {
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8'))
  t.same(bin, { 'virt-numa': 'dist/virt-numa.cjs' })
  t.equal(statSync('dist/virt-numa.cjs').mode & 0o777, 0o755)
  t.equal(files.find(({ path }) => path === 'dist/virt-numa.cjs')?.mode, 0o755)
  t.ok(readFileSync('dist/virt-numa.cjs', 'utf8').startsWith('#!/usr/bin/env node\n'))
  const { status, stdout } = runApart(join(project, 'node_modules/.bin/virt-numa'), ['--version'])
  t.same([status, stdout], [0, `virt-numa ${JSON.parse(readFileSync('package.json', 'utf8')).version}\n`])
  t.end()
})

// ---- What is bundled, by the lock file and by strings in the bundles; the notices come from metafiles ----

interface Locked {
  readonly version: string
  readonly license: string
  readonly dependencies?: { readonly [name: string]: string }
}

const lockFile = readFileSync('package-lock.json', 'utf8')
const lock: { readonly [path: string]: Locked } = JSON.parse(lockFile).packages

/** As Node resolves it: the nearest node_modules above. */
function lockedPath(from: string, name: string): string {
  const path = posix.join(from, 'node_modules', name)
  if (lock[path] !== undefined) return path
  if (from === '') throw new Error(`${name} is not in package-lock.json`)
  return lockedPath(from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))), name)
}

/** The paths of everything that these packages can load. */
function reachable(paths: readonly string[], known = new Set<string>()): string[] {
  for (const path of paths) {
    if (known.has(path)) continue
    known.add(path)
    const below = Object.keys(lock[path]?.dependencies ?? {})
    reachable(
      below.map((name) => lockedPath(path, name)),
      known,
    )
  }
  return [...known].sort()
}

/** Packages that the program imports directly. */
function importedBy(folders: readonly string[]): string[] {
  const sources = folders.flatMap(filesIn).filter((path) => path.endsWith('.ts'))
  const names = sources.flatMap((path) => groupsOf(/\bfrom '((?:@[^/']+\/)?[^./'][^/']*)[^']*'/g, path))
  return [...new Set(names)].filter((name) => !isBuiltin(name)).sort()
}

/** The first group of every match in a file. */
function groupsOf(pattern: RegExp, path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(pattern)].map((match) => match[1] as string)
}

function filesIn(path: string): string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const whole = `${path}/${entry.name}`
    return entry.isDirectory() ? (entry.name === 'node_modules' ? [] : filesIn(whole)) : [whole]
  })
}

/** Long strings in a package's code, which a minifier keeps. */
function stringsOf(path: string): Set<string> {
  const code = filesIn(path).filter((file) => /\.[cm]?js$/.test(file))
  return new Set(code.flatMap((file) => groupsOf(/['"]([\w :.,/-]{16,60})['"]/g, file)))
}

const names = importedBy(['src', 'hooks'])
const bundled = reachable(names.map((name) => lockedPath('', name)))
const notices = readFileSync(NOTICES, 'utf8')
const SECTION = /^-{80}\n\n(\S+) (\S+)\nLicence: (.+)\nIn: (.+)\n\n/gm
const named = [...notices.matchAll(SECTION)].map(([, name, version, licence, bundles]) => ({
  id: `${name} ${version}`,
  licence,
  bundles: (bundles as string).split(', ').map((bundle) => `dist/${bundle}`),
}))

const nameOf = (path: string): string => path.replace(/^.*node_modules\//, '')
const idOf = (path: string): string => `${nameOf(path)} ${lock[path]?.version}`

/** esbuild drops these, or packaging/build.mjs leaves them out. */
const LEFT_OUT = [
  'argparse',
  'fast-xml-builder',
  'js-yaml',
  ...reachable([lockedPath('', '@grpc/proto-loader')]).map((path) => nameOf(path)),
]

t.test('every package in a bundle is named, with its version and licence', (t) => {
  t.same(names, ['@grpc/grpc-js', 'diff', 'execa', 'fast-xml-parser', 'saxes', 'xmlbuilder2', 'yaml'])
  const expected = bundled.filter((path) => !LEFT_OUT.includes(nameOf(path)))
  t.same(named.map(({ id }) => id).sort(), expected.map(idOf).sort())
  t.same(
    named.map(({ id }) => id),
    named.map(({ id }) => id).sort(),
    'in a fixed order',
  )
  for (const path of expected) {
    const { license } = JSON.parse(readFileSync(`${path}/package.json`, 'utf8'))
    t.equal(named.find(({ id }) => id === idOf(path))?.licence, license, path)
  }
  t.end()
})

t.test('a package is listed with exactly the bundles that contain its strings', (t) => {
  const strings = new Map(bundled.map((path) => [path, stringsOf(path)]))
  const sources = new Map(BUNDLES.map((bundle) => [bundle, readFileSync(bundle, 'utf8')]))
  const own = filesIn('src')
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
  const found = new Set<string>()
  for (const [path, all] of strings) {
    const others = [...strings].filter(([other]) => other !== path).map(([, each]) => each)
    const unique = [...all].filter((text) => !own.includes(text) && !others.some((each) => each.has(text)))
    for (const [bundle, source] of sources) {
      if (!unique.some((text) => source.includes(`"${text}"`) || source.includes(`'${text}'`))) continue
      found.add(nameOf(path))
      t.ok(named.find(({ id }) => id === idOf(path))?.bundles.includes(bundle), `${idOf(path)} in ${bundle}`)
    }
  }
  for (const name of names) t.ok(found.has(name), `${name} is found`)
  t.end()
})

t.test('each has the full text of its licence', (t) => {
  const tidy = (text: string): string =>
    text
      .replace(/\r\n?/g, '\n')
      .replace(/[ \t]+$/gm, '')
      .trim()
  const sections = notices.split(/^-{80}\n\n/m)
  const without: string[] = []
  for (const path of bundled) {
    const section = sections.find((each) => each.startsWith(`${idOf(path)}\n`))
    if (section === undefined) continue
    const texts = readdirSync(path).filter((name) => /^(?:licen[sc]e|copying|notice)/i.test(name))
    for (const name of texts) {
      const text = tidy(readFileSync(`${path}/${name}`, 'utf8'))
      t.ok(section.includes(text), `${path}/${name}`)
    }
    if (texts.length === 0) without.push(section)
  }
  t.same(
    without.map((section) => section.split(' ')[0]),
    ['@nodable/entities', 'saxes'],
    'packages without a licence file: packaging/notices.mjs states the copyright',
  )
  for (const section of without) {
    t.match(section, /^Copyright \(c\) \S.*\n(?:Copyright .*\n)*\nPermission [\s\S]*"AS IS"/m)
    t.notMatch(section, /Eemeli|Natural Intelligence/, 'and not that of the package with the same terms')
  }
  t.end()
})

// ---- The build, in another folder ----

const BUILT = [NOTICES, 'dist/contents.json', ...TYPES, ...MANUAL, ...BUNDLES, START]

/** A copy of the repository with as much of node_modules as the build needs. */
function copyTo(name: string): string {
  const copy = join(folder, name)
  const compilers = reachable(['esbuild', 'typescript'].map((name) => lockedPath('', name)))
  const platform = readdirSync('node_modules/@esbuild').map((each) => `node_modules/@esbuild/${each}`)
  const own = ['package.json', 'tsconfig.json', 'packaging', 'src', 'hooks']
  for (const path of [...own, ...bundled, ...compilers, ...platform]) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    cpSync(path, join(copy, path), { recursive: true })
  }
  return copy
}

const runIn = (cwd: string, words: readonly string[]) => runApart(process.execPath, words, { cwd })
const buildIn = (copy: string) => runIn('/', [join(copy, 'packaging/build.mjs')])

long('another folder builds the same bytes, and removes stale files', (t) => {
  const copy = copyTo('another')
  mkdirSync(join(copy, 'dist/code'), { recursive: true })
  mkdirSync(join(copy, 'dist/hooks'))
  const stale = ['dist/code/virt-numa.js', 'dist/former.cjs', 'dist/hooks/former.cjs']
  for (const path of stale) writeFileSync(join(copy, path), '')
  writeFileSync(join(copy, 'dist/virt-numa.cjs'), '')
  chmodSync(join(copy, 'dist/virt-numa.cjs'), 0o644)
  const { status, stderr } = buildIn(copy)
  t.same([status, stderr], [0, ''])
  t.same(filesIn(join(copy, 'dist')).sort(), BUILT.map((path) => join(copy, path)).sort())
  for (const path of BUILT) {
    t.ok(readFileSync(join(copy, path)).equals(readFileSync(path)), path)
    t.equal(lstatSync(join(copy, path)).mode & 0o111, path === 'dist/virt-numa.cjs' ? 0o111 : 0, path)
  }
  // As where several checkouts share one.
  const shared = join(folder, 'shared/node_modules')
  mkdirSync(dirname(shared))
  renameSync(join(copy, 'node_modules'), shared)
  symlinkSync(shared, join(copy, 'node_modules'))
  t.equal(buildIn(copy).status, 0)
  for (const path of BUILT)
    t.ok(readFileSync(join(copy, path)).equals(readFileSync(path)), `${path}, node_modules is a link`)
  t.end()
})

long('the build fails for a package without a licence text', (t) => {
  const copy = copyTo('unlicensed')
  const change = (path: string, from: string, to: string): void => {
    const text = readFileSync(join(copy, path), 'utf8')
    t.ok(text.includes(from), path)
    writeFileSync(join(copy, path), text.replace(from, to))
  }
  rmSync(join(copy, 'node_modules/diff/LICENSE'))
  writeFileSync(join(copy, 'node_modules/execa/license'), '\n')
  change('node_modules/saxes/package.json', '"version": "6.0.0"', '"version": "6.0.1"')
  change('node_modules/xmlchars/package.json', '"license": "MIT"', '"licence": "MIT"')
  // @nodable/entities uses strnum's licence text, which requires that both have the same licence.
  change('node_modules/strnum/package.json', '"license": "MIT"', '"license": "ISC"')
  const { status, stderr } = buildIn(copy)
  const unchanged = ['@nodable/entities', 'diff', 'execa', 'xmlchars']
  const ids = unchanged.map((name) => `${name}@${lock[`node_modules/${name}`]?.version}`)
  const lacking = [...ids, 'saxes@6.0.1']
  t.equal(status, 1)
  for (const id of lacking) t.match(stderr, id)
  t.notMatch(stderr, 'yaml@')
  t.notOk(existsSync(join(copy, NOTICES)))
  t.end()
})

// ---- Nothing else is needed ----

/** A guest that arrives at a captured machine, and the hook's configuration there. */
function arriving(name: string): { readonly golden: string; readonly config: string } {
  const [machine, config] = [join(folder, name, 'machine'), join(folder, name, 'hook.conf')]
  const golden = resolve('golden/2n4c2t-hook-migrate')
  mkdirSync(machine, { recursive: true })
  runApart('tar', ['-xzf', join(golden, 'sys.tar.gz'), '-C', machine])
  writeFileSync(config, `root = "${machine}"\nlog_file = "${join(folder, name, 'hook.log')}"\n`)
  return { golden, config }
}

t.test('the hook of the installed package answers', (t) => {
  const { golden, config } = arriving('program')
  const words = [join(installed, 'dist/hooks/qemu.cjs'), 'db1', 'migrate', 'begin', '-']
  const { status, stdout, stderr } = runApart(process.execPath, words, {
    input: readFileSync(join(golden, 'domain.xml')),
    cwd: '/',
    env: { HOME: '/root', LC_ALL: 'C', PATH: '/usr/bin:/bin', VIRT_NUMA_CONFIG: config },
  })
  t.same([status, stderr, stdout], [0, '', readFileSync(join(golden, 'expected.xml'), 'utf8')])
  t.end()
})

t.test('the bundles load only modules of Node and each other', (t) => {
  const fields = Object.keys(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')))
  const installing = fields.filter((field) => /dependencies$/i.test(field) && field !== 'devDependencies')
  t.same(installing, [], 'it installs no dependencies')
  const all = BUNDLES.flatMap((bundle) => {
    // The library keeps the comments of packages, with examples in them.
    const code = readFileSync(bundle, 'utf8').replace(/^\s*(?:\*|\/\/).*$/gm, '')
    const loads = code.matchAll(/\b(?:require|import)\(\s*(['"`])([^'"`]*)\1/g)
    return [...loads].map((match) => ({ bundle, id: match[2] as string }))
  })
  for (const { bundle, id } of all) {
    const path = posix.join(dirname(bundle), id)
    t.ok(isBuiltin(id) || (/^\.\.?\//.test(id) && BUNDLES.includes(path)), `${bundle} loads ${id}`)
  }
  const loaded = all.map(({ bundle, id }) => `${bundle} ${id}`)
  const sure = ['virt-numa.cjs ./write.cjs', 'hooks/qemu.cjs ../write.cjs', 'execa.cjs node:child_process']
  for (const known of sure) t.ok(loaded.includes(`dist/${known}`), `the pattern finds ${known}`)
  t.end()
})

t.test('the installed package gives the same answers', (t) => {
  const modules = (path: string): string[] =>
    [join(path, 'node_modules'), ...(path === dirname(path) ? [] : modules(dirname(path)))].filter(existsSync)
  t.same(modules(installed), [join(project, 'node_modules')], 'no other node_modules above it')
  const others = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))
  t.same(others, ['virt-numa'], 'no other package is installed')
  const [domain, host, capabilities] = [`${SEED}/domain.xml`, `${SEED}/host.json`, `${SEED}/capabilities.xml`]
  const vmi = resolve('packaging/kubevirt/vmi.yaml')
  const lines = [
    ['transform', domain, '--host', host],
    ['transform', '--diff', domain, '--host', host],
    ['plan', domain, '--host', host],
    ['plan', '--vmi', vmi, domain, '--host', host],
    ['transform', domain, '--host', capabilities],
  ]
  for (const words of sampled(lines, 3)) {
    const [there, here] = [installed, process.cwd()].map((from) => {
      const { status, stdout, stderr } = runIn(folder, [join(from, 'dist/virt-numa.cjs'), ...words])
      return { status, stdout, stderr }
    })
    t.same(there, here, words.join(' '))
    t.equal(there?.status, 0, words.join(' '))
    t.not(there?.stdout, '', words.join(' '))
  }
  t.end()
})

long('the installed package installs a hook that rebinds', (t) => {
  const root = join(folder, 'root')
  mkdirSync(join(root, 'etc'), { recursive: true })
  const command = runIn(folder, [join(installed, 'dist/virt-numa.cjs'), 'install', '--root', root])
  t.equal(command.status, 0, command.stderr)

  const { golden, config } = arriving('installed')
  const hook = join(root, 'etc/libvirt/hooks/qemu')
  t.match(readFileSync(hook, 'utf8'), join(installed, 'dist/hooks/qemu.cjs'))
  const { status, stdout, stderr } = runApart(hook, ['db1', 'migrate', 'begin', '-'], {
    input: readFileSync(join(golden, 'domain.xml')),
    cwd: '/',
    env: { HOME: '/root', LC_ALL: 'C', PATH: '/usr/bin:/bin', VIRT_NUMA_CONFIG: config },
  })
  t.same([status, stderr, stdout], [0, '', readFileSync(join(golden, 'expected.xml'), 'utf8')])
  t.end()
})
