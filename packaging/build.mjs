// Builds dist/: the command, the writer of new elements (loaded only when one is needed), and with --tests the tests.

import { readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const common = {
  absWorkingDir: root,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  bundle: true,
  legalComments: 'none',
  logLevel: 'warning',
}

/** Files that are loaded at run time stay outside of the bundle that loads them; all lie in dist/, which is `up` from it. */
const lazy = (up) => ({
  name: 'lazy',
  setup: (esbuild) => esbuild.onResolve({ filter: /^\.\/[a-z-]+\.cjs$/ }, ({ path }) => ({ path: up + path.slice(2), external: true })),
})

/** xmlbuilder2 can print YAML too, and would load a library of 110 KB for it at every start. Only XML is printed here. */
const withoutYaml = {
  name: 'without-yaml',
  setup: (esbuild) => {
    esbuild.onResolve({ filter: /^js-yaml$/ }, () => ({ path: 'js-yaml', namespace: 'absent' }))
    esbuild.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {}' }))
  },
}

/** Our own code keeps its names and lines, for a trace that can be read; what is loaded now and then is made small. */
async function buildProgram() {
  const own = { shim: 'src/entry/shim.ts', 'virt-numa': 'src/entry/cli.ts', start: 'src/entry/start.ts' }
  const loaded = {
    write: 'src/xml/build.ts',
    unified: 'src/entry/unified.ts',
    capabilities: 'src/host/capabilities.ts',
    yaml: 'src/entry/yaml.ts',
    execa: 'src/entry/execa.ts',
  }
  const toDist = { ...common, outdir: 'dist', outExtension: { '.js': '.cjs' } }
  await build({ ...toDist, entryPoints: own, minifySyntax: true, plugins: [lazy('./')] })
  await build({ ...toDist, entryPoints: loaded, minify: true, plugins: [lazy('./'), withoutYaml] })
  await build({
    ...common,
    entryPoints: { qemu: 'hooks/qemu.ts' },
    outdir: 'dist/hooks',
    outExtension: { '.js': '.cjs' },
    minifySyntax: true,
    plugins: [lazy('../')],
  })
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
if (process.argv.includes('--tests')) await buildTests()
if (process.argv.includes('--bench')) await buildApart('dist/bench', 'bench', ['bench.ts'])
// What runs inside of the machine that four-node.test.ts boots.
if (process.argv.includes('--tests')) await buildApart('dist/e2e/four-node', 'test/e2e/four-node', ['job.ts'])
if (process.argv.includes('--fuzz')) await buildApart('dist/fuzz', 'test/fuzz', ['fuzz.ts'])
