// Builds dist/: the command, the hook, what both load only when needed, the library with its types, the
// notices of what is bundled (contents.json: as data), the manual pages, and with --tests the tests.

import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { buildManual } from './manual.mjs'
import { bundledPackages, noticesOf } from './notices.mjs'
import { rolledUpTypes } from './types.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
const common = {
  absWorkingDir: root,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  bundle: true,
  // A node_modules that is a link must not put its target's path into the bundles.
  preserveSymlinks: true,
  legalComments: 'none',
  loader: { '.service': 'text', '.sh': 'text', '.txt': 'text', '.yaml': 'text' },
  define: { VERSION: JSON.stringify(version) },
  logLevel: 'warning',
}

/**
 * Files that are loaded at run time stay outside of the bundle that loads them; all lie in dist/, which is
 * `up` from it.
 */
const lazy = (up) => ({
  name: 'lazy',
  setup: (esbuild) =>
    esbuild.onResolve({ filter: /^\.\/[a-z-]+\.cjs$/ }, ({ path }) => ({
      path: up + path.slice(2),
      external: true,
    })),
})

/**
 * xmlbuilder2 reads and prints YAML and JSON too, parses and has callbacks; half of it would be loaded for
 * nothing. gRPC reads .proto files only for statistics that the server does not keep.
 */
const ABSENT = new RegExp(
  [
    '^js-yaml$|^@oozcitak/url$|^@grpc/proto-loader$',
    '/(?:JSON|YAML|XML|Object)Reader$|/(?:Map|Object|JSON|YAML)Writer$',
    '/(?:BuilderFunctionsCB|XMLBuilderCBImpl|DOMParserImpl|XMLSerializerImpl)$',
  ].join('|'),
)

const onlyUsed = {
  name: 'only-used',
  setup: (esbuild) => {
    esbuild.onResolve({ filter: ABSENT }, ({ path }) => ({ path, namespace: 'absent' }))
    esbuild.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {}' }))
  },
}

/**
 * Our own code keeps its names and lines, so that stack traces are readable; what is loaded only when needed
 * is minified.
 * @returns what esbuild put into each bundle
 */
async function buildProgram() {
  const own = { 'virt-numa': 'src/cli/cli.ts', start: 'src/cli/start.ts' }
  const loaded = {
    write: 'src/xml/build.ts',
    unified: 'src/cli/unified-diff.ts',
    'host-file': 'src/machine/host-file.ts',
    capabilities: 'src/host/capabilities.ts',
    yaml: 'src/machine/yaml.ts',
    execa: 'src/machine/programs/execa.ts',
    explanation: 'src/explain/code/explanation.ts',
    grpc: 'src/serve/grpc.ts',
  }
  const shared = { ...common, metafile: true, outExtension: { '.js': '.cjs' } }
  const toDist = { ...shared, outdir: 'dist' }
  const results = [
    await build({ ...toDist, entryPoints: own, minifySyntax: true, plugins: [lazy('./')] }),
    await build({ ...toDist, entryPoints: loaded, minify: true, plugins: [lazy('./'), onlyUsed] }),
    await build({
      ...shared,
      entryPoints: { qemu: 'hooks/qemu.ts' },
      outdir: 'dist/hooks',
      minifySyntax: true,
      plugins: [lazy('../')],
    }),
  ]
  chmodSync(`${root}/dist/virt-numa.cjs`, 0o755)
  return results.map(({ metafile }) => metafile)
}

/**
 * The library, for `import` and for `require`. It is written for no platform: it runs wherever the language
 * does.
 * @returns what esbuild put into each bundle
 */
async function buildLibrary() {
  const forEach = { esm: '.mjs', cjs: '.cjs' }
  const builds = Object.entries(forEach).map(([format, extension]) =>
    build({
      ...common,
      platform: 'neutral',
      mainFields: ['module', 'main'],
      format,
      metafile: true,
      entryPoints: { library: 'src/library.ts' },
      outdir: 'dist',
      outExtension: { '.js': extension },
      minifySyntax: true,
    }),
  )
  const types = rolledUpTypes(root, 'src/library.ts')
  for (const extension of ['.d.mts', '.d.cts']) writeFileSync(`${root}/dist/library${extension}`, types)
  return (await Promise.all(builds)).map(({ metafile }) => metafile)
}

/** What an earlier version of this script left in dist/ must not be packed. */
function removeStale(bundles) {
  rmSync(`${root}/dist/code`, { recursive: true, force: true })
  for (const folder of ['dist', 'dist/hooks'])
    for (const name of readdirSync(`${root}/${folder}`)) {
      const path = `${folder}/${name}`
      if (/\.[cm]js$/.test(name) && !bundles.includes(path)) rmSync(`${root}/${path}`)
    }
}

/**
 * The folders of test/ that go to each folder of dist/: those that read ../shared, or that need a libvirt,
 * lie apart.
 */
const TESTS = {
  'dist/test': ['test/core', 'test/plan', 'test/doors', 'test/serve', 'test/what-if', 'test/house'],
  'dist/corpora': ['test/corpora'],
  'dist/e2e': ['test/e2e'],
  'dist/faults': ['test/faults'],
  'dist/native-tests': ['test/native'],
  'dist/package-tests': ['test/packages'],
}

/** What tests start: in the machine that four-node.test.ts boots, and in place of a libvirt daemon. */
const STARTED = {
  'dist/e2e/four-node': ['test/e2e/four-node/job.ts'],
  'dist/faults': ['test/faults/dead-server.ts'],
}

async function buildTests() {
  for (const [outdir, folders] of Object.entries(TESTS)) {
    rmSync(`${root}/${outdir}`, { recursive: true, force: true })
    await buildApart(outdir, folders.flatMap(testsIn))
  }
  for (const [outdir, paths] of Object.entries(STARTED)) await buildApart(outdir, paths)
}

const testsIn = (folder) =>
  readdirSync(`${root}/${folder}`)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`)

/**
 * Builds the test files of this name, and what tests start.
 * @param name without .test.ts, with its folder where two have it: `golden`, `e2e/define`
 * @returns the built files
 */
export async function buildTest(name) {
  const found = Object.entries(TESTS).flatMap(([outdir, folders]) =>
    folders
      .flatMap(testsIn)
      .filter((path) => path.endsWith(`/${name}.test.ts`))
      .map((path) => ({ outdir, path })),
  )
  for (const { outdir, path } of found) await buildApart(outdir, [path])
  for (const [outdir, paths] of Object.entries(STARTED)) await buildApart(outdir, paths)
  return found.map(({ outdir, path }) => `${outdir}/${basename(path, '.ts')}.cjs`)
}

async function buildApart(outdir, paths) {
  const entryPoints = Object.fromEntries(paths.map((path) => [basename(path, '.ts'), path]))
  await build({
    ...common,
    entryPoints,
    outdir,
    outExtension: { '.js': '.cjs' },
    packages: 'external',
    sourcemap: 'inline',
    plugins: [lazy('../')],
  })
}

const metafiles = [...(await buildProgram()), ...(await buildLibrary())]
removeStale(metafiles.flatMap(({ outputs }) => Object.keys(outputs)))
writeFileSync(`${root}/dist/THIRD-PARTY-NOTICES.txt`, noticesOf(root, metafiles))
const contents = { packages: bundledPackages(root, metafiles), others: [] }
writeFileSync(`${root}/dist/contents.json`, `${JSON.stringify(contents, null, 2)}\n`)
await buildManual()
if (process.argv.includes('--tests')) await buildTests()
if (process.argv.includes('--bench')) await buildApart('dist/bench', ['bench/bench.ts', 'bench/soak.ts'])
if (process.argv.includes('--fuzz')) await buildApart('dist/fuzz', ['test/fuzz/fuzz.ts'])
