// The library as a program has it that installed the package: what it exports, its types, the examples, and
// that it needs nothing but the language. Its answers are those of the golden cases.

import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import t from 'tap'
import type * as library from '../../src/library.ts'
import type { Key } from '../../src/request/keys.ts'
import { runApart } from '../apart.ts'
import { readCases } from '../core/golden-case.ts'
import { long } from '../long.ts'
import { packAndInstall } from './packed.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'virt-numa-library-')))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
t.setTimeout(120_000)

const { project, installed } = packAndInstall(folder)
const EXPORTED = ['Refusal', 'check', 'describe', 'explain', 'place', 'readDomain', 'readHost', 'readVmi']
const EXAMPLES = 'packaging/examples'
const SEED = 'golden/2n4c2t-seed'

t.test('import and require get the same functions', async (t) => {
  const required = createRequire(join(project, 'index.cjs'))('virt-numa')
  const imported = await import(pathToFileURL(join(installed, 'dist/library.mjs')).href)
  t.same(Object.keys(required).sort(), EXPORTED)
  t.same(Object.keys(imported).sort(), EXPORTED)
})

// ---- Without anything but the language ----

/** The library where there is only what ECMAScript defines: no console, process, Buffer, URL or timers. */
function inBareRealm(): typeof library {
  const context = createContext({ module: { exports: {} } })
  // The engine has one of its own.
  runInContext('delete globalThis.console', context)
  runInContext(readFileSync(join(installed, 'dist/library.cjs'), 'utf8'), context)
  t.equal(runInContext('typeof require + typeof process + typeof console', context), 'undefined'.repeat(3))
  return runInContext('module.exports', context)
}

const bare = inBareRealm()

t.test('every golden case gets its answer, without files, modules or globals of Node', (t) => {
  const isForPrograms = ({ run, config }: ReturnType<typeof readCases>[number]): boolean =>
    config === '' && !run.startsWith('hook ')
  let answered = 0
  for (const { name, folder, run, keys, domain } of readCases().filter(isForPrograms)) {
    const read = (file: string): string => readFileSync(`${folder}/${file}`, 'utf8')
    const found = new Set(readdirSync(folder))
    const shown = { texts: [{ source: 'domain.xml', text: domain }] }
    try {
      const vmi = found.has('vmi.json') ? { vmi: bare.readVmi(read('vmi.json'), 'vmi.json') } : {}
      const [guest, host] = [bare.readDomain(domain, 'domain.xml'), bare.readHost(read('host.json'))]
      if (run === 'check') {
        const text = bare.explain(bare.check(guest, host, { request: keys, ...vmi }), shown)
        t.equal(text, read(found.has('refusal.txt') ? 'refusal.txt' : 'explain.txt'), name)
      } else {
        const placed = bare.place(guest, host, { request: keys, ...vmi, rebind: run === 'rebind' })
        const notes = bare.explain(placed.notes, { ...shown, shortages: 'warnings' })
        t.equal(placed.text, read('expected.xml'), name)
        t.equal(bare.explain(placed) + (notes && `\n${notes}`), read('explain.txt'), name)
      }
    } catch (error) {
      if (!(error instanceof bare.Refusal)) throw error
      t.equal(bare.explain(error, { ...shown, shortages: 'warnings' }), read('refusal.txt'), name)
    }
    answered++
  }
  t.ok(answered > 250, `${answered} cases`)
  t.end()
})

t.test('what the readers take', (t) => {
  const read = (file: string): string => readFileSync(`${SEED}/${file}`, 'utf8')
  const domain = bare.readDomain(read('domain.xml'))
  const limits = { allowed: bare.readHost(read('host.json')).allowed ?? {} }
  const capabilities = bare.readHost(read('capabilities.xml'))
  t.equal(bare.place(domain, { ...capabilities, ...limits }).text, read('expected.xml'), 'capabilities')
  t.equal(capabilities.allowed, undefined)

  const { host } = bare.readHost('2n4c2t,32G,2M:512')
  t.match(host.nodes, [{ pages: [{ pagesizeKiB: 2048, total: 512 }] }, { memoryKiB: 32 * 1024 * 1024 }])
  t.equal(bare.place(domain, { host, ...limits }).text, read('expected.xml'), 'a shape in words')

  const cpu = { cores: 4, dedicatedCpuPlacement: true, numa: { guestMappingPassthrough: {} } }
  const memory = { guest: '64Mi', hugepages: { pageSize: '2Mi' } }
  const vmi = { kind: 'VirtualMachineInstance', spec: { domain: { cpu, memory } } }
  t.same(bare.readVmi(vmi), bare.readVmi(JSON.stringify(vmi)), 'a VMI as object or text')
  t.equal(domain.view.vcpus, 4)
  t.equal(bare.explain([]), '')
  t.end()
})

t.test('refusals carry every reason, with texts', (t) => {
  const domain = bare.readDomain(readFileSync(`${SEED}/domain.xml`, 'utf8'), 'db1.xml')
  const host = bare.readHost(readFileSync(`${SEED}/host.json`, 'utf8'))
  const refused = (run: () => unknown): readonly library.Diagnostic[] => {
    try {
      run()
    } catch (error) {
      if (error instanceof bare.Refusal) return error.diagnostics
      throw error
    }
    throw new Error('nothing was refused')
  }
  // What no compiler has seen, as from JavaScript.
  const request = JSON.parse('{"cells": 0, "memory": "odd", "colour": 1}')
  const found = refused(() => bare.place(domain, host, { request }))
  t.same(
    found.map(({ code }) => code),
    ['unknown-value', 'unknown-value', 'unknown-key'],
  )
  t.match(bare.describe(found[0] as library.Diagnostic), { class: 'invalid', what: /^the request/ })
  t.same(
    refused(() => bare.place(domain, host, { request: { cpuset: '2' } })).map(({ code }) => code),
    ['not-enough-threads'],
  )
  t.match(refused(() => bare.readDomain('<domain>', 'db1.xml'))[0], { code: 'xml-malformed' })
  t.match(refused(() => bare.readHost('{}'))[0], { code: 'host-malformed' })
  t.match(refused(() => bare.readVmi('{'))[0], { code: 'json-malformed' })
  t.end()
})

// ---- Types ----

/** A program of TypeScript that uses every export. */
const CONSUMER = `
import { check, describe, explain, place, readDomain, readHost, readVmi, Refusal } from 'virt-numa'
import type { Diagnostic, KnownHost, Placed, PlaceOptions, WrittenRequest } from 'virt-numa'
// @ts-expect-error: a value that the key does not have
export const wrong: WrittenRequest = { memory: 'odd' }
// @ts-expect-error: a set of vCPUs is not a set of CPUs
export const confused = (placed: Placed): typeof placed.placement.binding.emulatorpin => placed.view.online
const options: PlaceOptions = { request: { cells: 2, cpuset: '2-3,6-7', pagesize: '1G,2M' }, rebind: false }
export function fitted(domain: string, host: string, vmi: object): string {
  try {
    const known: KnownHost = readHost(host, 'host.json')
    const placed = place(readDomain(domain), known, { ...options, vmi: readVmi(vmi) })
    const memoryKiB: number[] = placed.placement.cells.map((cell) => cell.memoryKiB)
    const found: readonly Diagnostic[] = check(readDomain(placed.text), known)
    const fixes: (string | undefined)[] = found.map((each) => describe(each).fix)
    return explain(placed) + explain(placed.notes, { shortages: 'warnings' }) + memoryKiB + fixes
  } catch (error) {
    return error instanceof Refusal ? explain(error) : 'a bug'
  }
}
`

long('the types need nothing else, for import and for require', (t) => {
  for (const name of ['program.mts', 'program.cts']) writeFileSync(join(project, name), CONSUMER)
  const strict = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022']
  const compile = (resolution: string, module: string, ...files: readonly string[]) => {
    const words = [...strict, '--moduleResolution', resolution, '--module', module, ...files]
    const { status, stdout } = runApart(
      process.execPath,
      [resolve('node_modules/typescript/bin/tsc'), ...words],
      {
        cwd: project,
      },
    )
    t.same([status, stdout], [0, ''], resolution)
  }
  compile('nodenext', 'nodenext', 'program.mts', 'program.cts')
  compile('bundler', 'esnext', 'program.mts')
  t.end()
})

t.test('every export has a docstring, and every key of a request a type', (t) => {
  const types = readFileSync(join(installed, 'dist/library.d.mts'), 'utf8')
  const undocumented = [...types.matchAll(/^(.*)\n(export .*)$/gm)].filter(
    ([, before]) => !before?.endsWith('*/'),
  )
  t.same(
    undocumented.map(([, , line]) => line).filter((line) => line !== 'export {}'),
    [],
  )
  for (const name of EXPORTED)
    t.match(types, new RegExp(`^export declare (?:function|class) ${name}\\b`, 'm'))
  t.equal(types, readFileSync(join(installed, 'dist/library.d.cts'), 'utf8'))
  // The compiler refuses this line if a key has no field.
  const all: (key: Key) => keyof library.WrittenRequest = (key) => key
  t.equal(all('cells'), 'cells')
  t.end()
})

// ---- Examples ----

t.test('the examples run from the installed package', (t) => {
  for (const name of readdirSync(EXAMPLES)) cpSync(`${EXAMPLES}/${name}`, join(project, name))
  const run = (name: string, ...words: readonly string[]) => {
    const files = words.map((each) => resolve(each))
    const { status, stdout, stderr } = runApart(process.execPath, [name, ...files], { cwd: project })
    return { status, stdout, stderr: stderr.replaceAll(`${process.cwd()}/`, '') }
  }
  const placed = run('place.mjs', `${SEED}/domain.xml`, `${SEED}/host.json`)
  t.equal(placed.stdout, readFileSync(`${SEED}/expected.xml`, 'utf8'))
  t.match(placed.stderr, 'cell 1  vCPUs 2-3 on CPUs 6-7, 32 MiB (16 pages of 2 MiB) on node 1\n')
  t.match(placed.stderr, 'note[emulator-unpinned]: ')
  t.equal(placed.status, 0)
  const refused = run('place.mjs', 'golden/2n4c2t-seed/domain.xml', 'golden/2n4c2t-no-cpu/host.json')
  t.match(refused, { status: 1, stdout: '', stderr: /^error\[not-enough-threads\]: the guest has 4 vCPUs/ })

  const hosts = ['seed', 'cgroup-pages', 'no-cpu'].map((name) => `golden/2n4c2t-${name}/host.json`)
  const { status, stdout, stderr } = run('which-host.cjs', `${SEED}/domain.xml`, ...hosts)
  t.same([status, stderr], [0, ''])
  t.same(stdout.replaceAll(`${process.cwd()}/`, '').trimEnd().split('\n'), [
    'golden/2n4c2t-seed/host.json: can start',
    'golden/2n4c2t-cgroup-pages/host.json: the cgroup allows only 16 pages of 2 MiB, but the guest needs 32',
    'golden/2n4c2t-no-cpu/host.json: the guest has 4 vCPUs but only 2 CPUs to run on: 2-3',
  ])
  t.end()
})

t.test('the README shows the examples as they are', (t) => {
  const readme = readFileSync('README.md', 'utf8')
  const indented = (text: string): string =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => (line === '' ? '' : `    ${line}`))
      .join('\n')
  for (const name of readdirSync(EXAMPLES)) {
    const code = readFileSync(`${EXAMPLES}/${name}`, 'utf8').replace(/^(?:\/\/.*\n)+\n/, '')
    t.ok(readme.includes(indented(code)), basename(name))
  }
  t.end()
})
