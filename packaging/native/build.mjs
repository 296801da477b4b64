// Builds dist/native/: the hook and the command, each as one static program that needs no Node; for x86-64,
// and in dist/native/aarch64/ for that. The same TypeScript as for Node, except for the files that touch the
// system (instead.json), is bundled by esbuild, compiled to bytecode by QuickJS's qjsc, and linked with the
// engine, zlib's inflate, and hook.c or command.c. Two builds of the same sources have the same bytes. The
// licences of what is in the programs are written beside them, and as data what it is (contents.json).
//
//   node packaging/native/build.mjs [--faults] [--out FOLDER]
//
// --faults also builds, for its test, a hook that breaks in the way VIRT_NUMA_FAULT names.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { importSources } from '../import-sources.mjs'
import { bundledPackages, noticesOf, RULE } from '../notices.mjs'
import { linkedPackages } from './linked.mjs'
import { componentOf, installPrograms, QUICKJS, quickjsSource, ZLIB, zlibSource } from './source.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const here = join(root, 'packaging/native')
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))

/** File of the Node programs -> what takes its place. Both have the same exports. */
const INSTEAD = JSON.parse(readFileSync(join(here, 'instead.json'), 'utf8'))

/**
 * Each architecture: its folder, its C compiler and strip, the package of its C library, and the packages of
 * all that. There is no compiler with musl for aarch64: the program is half a megabyte larger.
 */
const TARGETS = [
  {
    folder: '.',
    cc: 'musl-gcc',
    strip: 'strip',
    libc: 'musl',
    needs: { gcc: 'gcc libc6-dev', 'musl-gcc': 'musl-tools', strip: 'binutils' },
  },
  {
    folder: 'aarch64',
    cc: 'aarch64-linux-gnu-gcc',
    strip: 'aarch64-linux-gnu-strip',
    libc: 'libc6-dev-arm64-cross',
    needs: { gcc: 'gcc libc6-dev', 'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross' },
  },
]

const CFLAGS = ['-O3', '-fwrapv', '-D_GNU_SOURCE', '-ffunction-sections', '-fdata-sections', '-w']
/** Paths of this machine must not be in the program. */
const SAME_EVERYWHERE = (source) => [`-ffile-prefix-map=${source}=source`, '-Wl,--build-id=none']
const ENGINE = ['quickjs', 'dtoa', 'libregexp', 'libunicode', 'cutils']
/** What unpacks of zlib. */
const INFLATE = ['inflate', 'inftrees', 'inffast', 'crc32', 'adler32', 'zutil']

/** @param lazy file -> its functions that other files call; it is loaded by the first of these calls */
const insteadOfNode = (lazy) => ({
  name: 'instead-of-node',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, importer, kind }) => {
      if (kind === 'entry-point') return undefined
      const file = relative(root, resolve(dirname(importer), path))
      if (file in lazy) return { path: file, namespace: 'lazy' }
      // A native file takes only types from the file that it stands in for, and those are gone by now.
      return file in INSTEAD ? { path: join(root, INSTEAD[file]) } : undefined
    })
    esbuild.onLoad({ filter: /./, namespace: 'lazy' }, ({ path }) => ({ contents: stub(path, lazy[path]) }))
    // Of Node's modules, what the program uses of them.
    esbuild.onResolve({ filter: /^node:/ }, ({ path }) => ({
      path: join(root, NODE, `${path.slice('node:'.length).replace('/', '-')}.ts`),
    }))
    // What the Node programs load at run time is part of the bundle, and runs when it is first needed.
    esbuild.onResolve({ filter: /^\.\/[a-z-]+\.cjs$/ }, ({ path }) => ({
      path: join(root, INSTEAD[LOADED[path]] ?? LOADED[path]),
    }))
  },
})

/** In place of a file that is loaded late: its functions, which load it. */
function stub(file, names) {
  const calls = names.map((name) => `export const ${name} = (...words) => loaded().${name}(...words)\n`)
  const load = `let found\nconst loaded = () => (found ??= system.load('${moduleOf(file)}'))\n`
  return load + calls.join('')
}

/** The module that a file becomes: what it shares with others is in modules of its own. */
const moduleOf = (file) => `${file.replace(/\.ts$/, '').replaceAll('/', '-')}.js`

/** The native forms of Node's modules, and of its globals. */
const NODE = 'src/machine/native/node'
const LOADED = {
  './capabilities.cjs': 'src/host/capabilities.ts',
  './execa.cjs': 'src/machine/programs/execa.ts',
  './explanation.cjs': 'src/explain/code/explanation.ts',
  './unified.cjs': 'src/cli/unified-diff.ts',
  './yaml.cjs': 'src/machine/yaml.ts',
}

/** @returns what esbuild put into the modules of a program, under its name */
async function bundle({ entry, globals, lazy = {} }, outdir, name) {
  const files = [entry, ...Object.keys(lazy)]
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: files.map((file) => ({ in: file, out: moduleOf(file).replace(/\.js$/, '') })),
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'shared-[hash]',
    metafile: true,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    // A single closure around everything would make every access to a variable of a file a search.
    format: 'esm',
    target: 'es2022',
    minifySyntax: true,
    legalComments: 'none',
    loader: { '.service': 'text', '.sh': 'text', '.txt': 'text', '.yaml': 'text' },
    define: { VERSION: JSON.stringify(version) },
    inject: globals ? [join(root, NODE, 'globals.ts')] : [],
    logLevel: 'warning',
    plugins: [insteadOfNode(lazy)],
  })
  const inputs = Object.assign({}, ...Object.values(metafile.outputs).map((each) => each.inputs))
  return { ...metafile, outputs: { [name]: { inputs } } }
}

/** The table by which a program finds the bytecode of its modules. */
function modulesHeader(folder, { entry }) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.js'))
  const symbol = (name) => `qjsc_${name.slice(0, -'.js'.length).replaceAll(/\W/g, '_')}`
  const each = (line) =>
    names
      .sort()
      .map((name) => line(name, symbol(name)))
      .join('')
  const code = readFileSync(join(folder, 'bundle.c'), 'utf8')
  writeFileSync(
    join(folder, 'modules.h'),
    `${each((_, at) => `extern const uint8_t ${at}[];\n`)}
static const struct { const char *name; const uint8_t *bytes; uint32_t size; } modules[] = {
${each((name, at) => `    {"${name}", ${at}, ${new RegExp(`${at}_size = (\\d+);`).exec(code)[1]}},\n`)}};
#define FIRST_MODULE "${moduleOf(entry)}"
`,
  )
}

/** The compiler of bytecode runs here, whatever the target. */
function qjsc(source) {
  const program = join(dirname(source), 'qjsc')
  if (existsSync(program)) return program
  const parts = ['qjsc', 'quickjs-libc', ...ENGINE].map((name) => join(source, `${name}.c`))
  replaceWith(program, (file) =>
    run('gcc', [
      '-O2',
      '-fwrapv',
      ...versionOf(source),
      '-D_GNU_SOURCE',
      '-w',
      ...parts,
      '-o',
      file,
      '-lm',
      '-ldl',
      '-lpthread',
    ]),
  )
  return program
}

const versionOf = (source) => [`-DCONFIG_VERSION="${readFileSync(join(source, 'VERSION'), 'utf8').trim()}"`]

/** The compiled parts of a source, kept by compiler and flags. */
function objects(source, names, { cc }, own = []) {
  const flags = [...CFLAGS, ...own, ...SAME_EVERYWHERE(source)]
  const compiler = run(cc, ['--version'])
  const key = createHash('sha256')
    .update(JSON.stringify([cc, compiler, flags]))
    .digest('hex')
    .slice(0, 16)
  const folder = join(dirname(source), key)
  mkdirSync(folder, { recursive: true })
  return names.map((name) => {
    const object = join(folder, `${name}.o`)
    if (!existsSync(object))
      replaceWith(object, (file) => run(cc, [...flags, '-c', join(source, `${name}.c`), '-o', file]))
    return object
  })
}

/** Another build may make the same file: it appears when it is complete. */
function replaceWith(path, make) {
  const file = `${path}.${process.pid}`
  make(file)
  renameSync(file, path)
}

/** The operations that need the bundle, from the table that the Node hook uses. */
async function operationsHeader(folder) {
  const files = ['src/hook-setup/operations.ts', 'src/host/ledger/promise.ts']
  const { PROGRAM_OPERATIONS, DROPS, LEDGER, SUFFIX, ruleOf } = await importSources(...files)
  const rows = PROGRAM_OPERATIONS.map((words) => {
    const [operation, suboperation] = words.split(' ')
    const { ourFailure } = ruleOf({ guest: '', operation, suboperation })
    return `    {"${operation}", "${suboperation}", ${ourFailure === 'as-configured' ? 1 : 0}},\n`
  })
  const drops = DROPS.map((words) => `{"${words.replace(' ', '", "')}"}`)
  writeFileSync(
    join(folder, 'operations.h'),
    `struct rule { const char *operation, *suboperation; int failure; };
static const struct rule rules[] = {\n${rows.join('')}};
static const struct rule *rule_of(const char *operation, const char *suboperation) {
  for (size_t at = 0; at < sizeof rules / sizeof *rules; at++)
    if (strcmp(rules[at].operation, operation) == 0 && strcmp(rules[at].suboperation, suboperation) == 0)
      return &rules[at];
  return NULL;
}
#define LEDGER ${JSON.stringify(LEDGER)}
#define PROMISE_SUFFIX ${JSON.stringify(SUFFIX)}
static int drops_promise(const char *operation, const char *suboperation) {
  static const char *const drops[][2] = {${drops.join(', ')}};
  for (size_t at = 0; at < sizeof drops / sizeof *drops; at++)
    if (strcmp(drops[at][0], operation) == 0 && strcmp(drops[at][1], suboperation) == 0) return 1;
  return 0;
}
`,
  )
}

function run(program, words, cwd = root) {
  return execFileSync(program, words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

/** What the hook loads late: most calls need none of it. */
const LAZY = JSON.parse(readFileSync(join(here, 'lazy.json'), 'utf8'))
/**
 * Each program: the file that it starts with, the C around it, whether it has Node's globals, and the files
 * that it loads late.
 */
const PROGRAMS = {
  'qemu-hook': { entry: 'hooks/native/qemu.ts', main: 'hook.c', lazy: LAZY },
  'virt-numa': { entry: 'src/cli/native.ts', main: 'command.c', globals: true },
}
const { 'hooks/native/work.ts': _, ...others } = LAZY
const FAULTY = { 'test/faulty-hook': { entry: 'test/native/faulty-hook.ts', main: 'hook.c', lazy: others } }

/** @param out the program. @returns what is in its bundle, and what the linker added */
async function buildProgram(parts, out, target) {
  installPrograms(target.needs)
  const [source, zlib] = [quickjsSource(), zlibSource()]
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-native-'))
  try {
    const metafile = await bundle(parts, folder, basename(out))
    await operationsHeader(folder)
    const bytecode = join(folder, 'bundle.c')
    // The names of the modules, as given here, are in the bytecode. What they import is found by these.
    const files = [parts.entry, ...Object.keys(parts.lazy ?? {})].map(moduleOf)
    run(qjsc(source), ['-c', '-m', '-o', bytecode, ...files], folder)
    modulesHeader(folder, parts)
    const program = join(folder, 'program')
    const trace = run(target.cc, [
      ...[
        '-O2',
        '-fwrapv',
        '-Wall',
        '-Wextra',
        '-Wno-sign-compare',
        '-Wno-unused-parameter',
        '-Wno-cast-function-type',
      ],
      ...[
        '-ffunction-sections',
        `-I${source}`,
        `-I${zlib}`,
        `-I${folder}`,
        `-ffile-prefix-map=${folder}=build`,
      ],
      ...[join(here, parts.main), bytecode],
      ...objects(source, ENGINE, target, versionOf(source)),
      ...objects(zlib, INFLATE, target),
      ...['-static', '-Wl,--gc-sections', '-Wl,--build-id=none', '-Wl,--trace', '-lm', '-o', program],
    ])
    run(target.strip, [program])
    mkdirSync(dirname(out), { recursive: true })
    replaceWith(out, (file) => run('cp', [program, file]))
    return { metafile, linked: linkedPackages(trace, [dirname(source), dirname(zlib)]) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Of the packages in the bundles, of the engine and zlib, and of the C library, which is linked in. */
function notices(metafiles, { libc }) {
  const parts = [
    ['QuickJS', join(quickjsSource(), 'LICENSE')],
    ['zlib', join(zlibSource(), 'LICENSE')],
    [libc, `/usr/share/doc/${libc}/copyright`],
  ].map(
    ([name, file]) =>
      `${name}\nIn: ${Object.keys(PROGRAMS).join(', ')}\n\n${readFileSync(file, 'utf8').trim()}\n`,
  )
  return [noticesOf(root, metafiles), ...parts].join(`\n${RULE}\n\n`)
}

/** The same as data, for the list of components of a release. */
function contents(built) {
  const linked = new Map(built.flatMap((each) => each.linked).map((each) => [each.purl, each]))
  const packages = bundledPackages(
    root,
    built.map(({ metafile }) => metafile),
  )
  const others = [...[QUICKJS, ZLIB].map(componentOf), ...linked.values()]
  return `${JSON.stringify({ packages, others }, null, 2)}\n`
}

const outAt = process.argv.indexOf('--out')
const out = outAt < 0 ? join(root, 'dist/native') : resolve(process.argv[outAt + 1])
const programs = { ...PROGRAMS, ...(process.argv.includes('--faults') && FAULTY) }
for (const target of TARGETS) {
  const built = []
  for (const [name, parts] of Object.entries(programs)) {
    const program = await buildProgram(parts, join(out, target.folder, name), target)
    if (name in PROGRAMS) built.push(program)
  }
  const metafiles = built.map(({ metafile }) => metafile)
  writeFileSync(join(out, target.folder, 'THIRD-PARTY-NOTICES.txt'), notices(metafiles, target))
  writeFileSync(join(out, target.folder, 'contents.json'), contents(built))
}
