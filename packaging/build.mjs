// Builds dist/: the command, the writer of new elements (loaded only when one is needed), and with --tests the tests.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { sumOf } from './code.cjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const common = {
  absWorkingDir: root,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  bundle: true,
  legalComments: 'none',
  loader: { '.sh': 'text' },
  logLevel: 'warning',
}

/** Files that are loaded at run time stay outside of the bundle that loads them; all lie in dist/, which is `up` from it. */
const lazy = (up) => ({
  name: 'lazy',
  setup: (esbuild) => esbuild.onResolve({ filter: /^\.\/[a-z-]+\.cjs$/ }, ({ path }) => ({ path: up + path.slice(2), external: true })),
})

/** xmlbuilder2 reads and prints YAML and JSON too, parses and has callbacks; half of it would be loaded for nothing. */
const ABSENT =
  /^js-yaml$|^@oozcitak\/url$|\/(?:JSONReader|YAMLReader|XMLReader|ObjectReader|MapWriter|ObjectWriter|JSONWriter|YAMLWriter|BuilderFunctionsCB|XMLBuilderCBImpl|DOMParserImpl|XMLSerializerImpl)$/

const onlyXml = {
  name: 'only-xml',
  setup: (esbuild) => {
    esbuild.onResolve({ filter: ABSENT }, ({ path }) => ({ path, namespace: 'absent' }))
    esbuild.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {}' }))
  },
}

/** Our own code keeps its names and lines, for a trace that can be read; what is loaded now and then is made small. */
async function buildProgram() {
  const own = { 'virt-numa': 'src/entry/cli.ts', start: 'src/entry/start.ts' }
  const loaded = {
    write: 'src/xml/build.ts',
    unified: 'src/entry/unified.ts',
    capabilities: 'src/host/capabilities.ts',
    yaml: 'src/entry/yaml.ts',
    execa: 'src/entry/execa.ts',
  }
  const toDist = { ...common, outdir: 'dist', outExtension: { '.js': '.cjs' } }
  await build({ ...toDist, entryPoints: own, minifySyntax: true, plugins: [lazy('./')] })
  await build({ ...toDist, entryPoints: loaded, minify: true, plugins: [lazy('./'), onlyXml] })
  await build({
    ...common,
    entryPoints: { qemu: 'hooks/qemu.ts' },
    outdir: 'dist/hooks',
    outExtension: { '.js': '.cjs' },
    minifySyntax: true,
    plugins: [lazy('../')],
  })
}

const EXAMPLE = ['golden/2n4c2t-seed/domain.xml', '--host', 'golden/2n4c2t-seed/host.json']

/** Codes of the command, each with the words of a run that uses much of it. */
const CACHED = { 'virt-numa': ['transform', ...EXAMPLE], write: [] }

/** dist/virt-numa.cjs becomes packaging/launcher.cjs, and dist/code holds what that runs. */
async function buildLauncher() {
  const at = (name) => `${root}/dist/${name}`
  rmSync(at('code'), { recursive: true, force: true })
  mkdirSync(at('code'))
  const caches = {}
  for (const [name, words] of Object.entries(CACHED)) {
    // On the first line, so that a trace names the lines of the file.
    const code = `(function (exports, require, module, __filename, __dirname) {${readFileSync(at(`${name}.cjs`), 'utf8').replace(/^#!.*/, '')}\n})\n`
    const file = `${name}-${createHash('sha256').update(code).digest('hex').slice(0, 16)}.cache`
    writeFileSync(at(`code/${name}.js`), code)
    const warm = [`${root}/packaging/warm.cjs`, at(`code/${name}.js`), at(`code/${file}`), ...words]
    execFileSync(process.execPath, warm, { cwd: root, stdio: 'ignore' })
    caches[name] = { file, sum: sumOf(readFileSync(at(`code/${file}`))) }
  }
  const define = { CACHES: JSON.stringify(caches) }
  await build({ ...common, entryPoints: ['packaging/launcher.cjs'], outfile: 'dist/virt-numa.cjs', define })
}

/** Tests that read ../shared lie apart from those that need the repository alone. */
async function buildTests() {
  const names = readdirSync(`${root}/test`).filter((name) => name.endsWith('.test.ts'))
  await buildApart(
    'dist/test',
    'test',
    names.filter((name) => !name.startsWith('corpora-')),
  )
  await buildApart(
    'dist/corpora',
    'test',
    names.filter((name) => name.startsWith('corpora-')),
  )
  await buildApart(
    'dist/e2e',
    'test/e2e',
    readdirSync(`${root}/test/e2e`).filter((name) => name.endsWith('.test.ts')),
  )
}

async function buildApart(outdir, from, names) {
  rmSync(`${root}/${outdir}`, { recursive: true, force: true })
  const entryPoints = Object.fromEntries(names.map((name) => [name.slice(0, -3), `${from}/${name}`]))
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

await buildProgram()
await buildLauncher()
if (process.argv.includes('--tests')) await buildTests()
if (process.argv.includes('--bench')) await buildApart('dist/bench', 'bench', ['bench.ts'])
// What runs inside of the machine that four-node.test.ts boots.
if (process.argv.includes('--tests')) await buildApart('dist/e2e/four-node', 'test/e2e/four-node', ['job.ts'])
if (process.argv.includes('--tests')) await buildApart('dist/faults', 'test/faults', ['faults.test.ts', 'dead-server.ts'])
if (process.argv.includes('--fuzz')) await buildApart('dist/fuzz', 'test/fuzz', ['fuzz.ts'])
