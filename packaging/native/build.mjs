// Builds dist/native/: the hook and the command, each as one static program that needs no Node; for x86-64,
// and in dist/native/aarch64/ for that. The same TypeScript as for Node, except for the files that touch the
// system (instead.json), is bundled by esbuild, compiled to bytecode by QuickJS's qjsc, and linked with the
// engine and hook.c or command.c. Two builds of the same sources have the same bytes. The licences of what is
// in the programs are written beside them.
//
//   node packaging/native/build.mjs [--faults] [--out FOLDER]
//
// --faults also builds, for its test, a hook that breaks in the way VIRT_NUMA_FAULT names.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { importSources } from '../import-sources.mjs'
import { noticesOf, RULE } from '../notices.mjs'
import { installPrograms, quickjsSource } from './source.mjs'

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
const SAME_EVERYWHERE = (source) => [`-ffile-prefix-map=${source}=quickjs`, '-Wl,--build-id=none']
const ENGINE = ['quickjs', 'dtoa', 'libregexp', 'libunicode', 'cutils']

const insteadOfNode = {
  name: 'instead-of-node',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, importer, kind }) => {
      const native = INSTEAD[relative(root, resolve(dirname(importer), path))]
      // A native file takes only types from the file that it stands in for, and those are gone by now.
      return native === undefined || kind === 'entry-point' ? undefined : { path: join(root, native) }
    })
    // Of Node's modules, what the program uses of them.
    esbuild.onResolve({ filter: /^node:/ }, ({ path }) => ({
      path: join(root, NODE, `${path.slice('node:'.length).replace('/', '-')}.ts`),
    }))
    // What the Node programs load at run time is part of the bundle, and runs when it is first needed.
    esbuild.onResolve({ filter: /^\.\/[a-z-]+\.cjs$/ }, ({ path }) => ({
      path: join(root, INSTEAD[LOADED[path]] ?? LOADED[path]),
    }))
  },
}

/** The native forms of Node's modules, and of its globals. */
const NODE = 'src/machine/native/node'
const LOADED = {
  './capabilities.cjs': 'src/host/capabilities.ts',
  './execa.cjs': 'src/machine/programs/execa.ts',
  './explanation.cjs': 'src/explain/code/explanation.ts',
  './unified.cjs': 'src/cli/unified-diff.ts',
  './yaml.cjs': 'src/machine/yaml.ts',
}

/** @returns what esbuild put into the bundle, under the name of the program */
async function bundle({ entry, globals }, outfile, name) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
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
    plugins: [insteadOfNode],
  })
  return { ...metafile, outputs: { [name]: Object.values(metafile.outputs)[0] } }
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

/** The compiled engine, kept by compiler and flags. */
function engine(source, { cc }) {
  const flags = [...CFLAGS, ...versionOf(source), ...SAME_EVERYWHERE(source)]
  const compiler = run(cc, ['--version'])
  const key = createHash('sha256')
    .update(JSON.stringify([cc, compiler, flags]))
    .digest('hex')
    .slice(0, 16)
  const folder = join(dirname(source), key)
  mkdirSync(folder, { recursive: true })
  return ENGINE.map((name) => {
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

/** Each program: the file that its bundle starts with, the C around it, and whether it has Node's globals. */
const PROGRAMS = {
  'qemu-hook': { entry: 'hooks/native/qemu.ts', main: 'hook.c' },
  'virt-numa': { entry: 'src/cli/native.ts', main: 'command.c', globals: true },
}
const FAULTY = { 'test/faulty-hook': { entry: 'test/native/faulty-hook.ts', main: 'hook.c' } }

/** @param out the program. @returns what is in its bundle */
async function buildProgram(parts, out, target) {
  installPrograms(target.needs)
  const source = quickjsSource()
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-native-'))
  try {
    const script = join(folder, 'bundle.js')
    const metafile = await bundle(parts, script, basename(out))
    await operationsHeader(folder)
    const bytecode = join(folder, 'bundle.c')
    // The name of the script, as given here, is in the bytecode.
    run(qjsc(source), ['-c', '-m', '-N', 'bundle', '-o', bytecode, basename(script)], folder)
    const program = join(folder, 'program')
    run(target.cc, [
      ...[
        '-O2',
        '-fwrapv',
        '-Wall',
        '-Wextra',
        '-Wno-sign-compare',
        '-Wno-unused-parameter',
        '-Wno-cast-function-type',
      ],
      ...['-ffunction-sections', `-I${source}`, `-I${folder}`, `-ffile-prefix-map=${folder}=build`],
      ...[join(here, parts.main), bytecode, ...engine(source, target)],
      ...['-static', '-Wl,--gc-sections', '-Wl,--build-id=none', '-lm', '-o', program],
    ])
    run(target.strip, [program])
    mkdirSync(dirname(out), { recursive: true })
    replaceWith(out, (file) => run('cp', [program, file]))
    return metafile
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Of the packages in the bundles, of the engine, and of the C library, which is linked in. */
function notices(metafiles, { libc }) {
  const parts = [
    ['QuickJS', join(quickjsSource(), 'LICENSE')],
    [libc, `/usr/share/doc/${libc}/copyright`],
  ].map(
    ([name, file]) =>
      `${name}\nIn: ${Object.keys(PROGRAMS).join(', ')}\n\n${readFileSync(file, 'utf8').trim()}\n`,
  )
  return [noticesOf(root, metafiles), ...parts].join(`\n${RULE}\n\n`)
}

const outAt = process.argv.indexOf('--out')
const out = outAt < 0 ? join(root, 'dist/native') : resolve(process.argv[outAt + 1])
const programs = { ...PROGRAMS, ...(process.argv.includes('--faults') && FAULTY) }
for (const target of TARGETS) {
  const metafiles = []
  for (const [name, parts] of Object.entries(programs))
    metafiles.push(await buildProgram(parts, join(out, target.folder, name), target))
  const own = metafiles.filter(({ outputs }) => Object.keys(outputs).every((name) => name in PROGRAMS))
  writeFileSync(join(out, target.folder, 'THIRD-PARTY-NOTICES.txt'), notices(own, target))
}
