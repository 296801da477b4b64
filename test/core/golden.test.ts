// Every golden folder: the answer byte for byte, and what must hold for every answer. `--rewrite` rewrites
// the expected files.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import t, { type Test } from 'tap'
import { type CpuSet, formatSet, setOf } from '../../src/base/idset.ts'
import { preflight } from '../../src/check.ts'
import { classOf } from '../../src/codes/codes.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import { readCapabilities } from '../../src/host/capabilities.ts'
import { filesOfTar } from '../../src/host/capture/tar.ts'
import { readHost } from '../../src/host/sysfs.ts'
import type { Host } from '../../src/model/host.ts'
import { type Placed, place } from '../../src/place.ts'
import { writeElement } from '../../src/xml/build.ts'
import { applyEdits } from '../../src/xml/edit.ts'
import { type Answer, answer, type GoldenCase, readCases, ways } from './golden-case.ts'

const FILES = ['expected.xml', 'refusal.txt', 'explain.txt', 'plan.svg'] as const

function written({ folder }: GoldenCase, file: string): string | undefined {
  return existsSync(`${folder}/${file}`) ? readFileSync(`${folder}/${file}`, 'utf8') : undefined
}

function rewrite(each: GoldenCase, given: Answer): void {
  for (const file of FILES) {
    const text = given[file]
    if (text === undefined) rmSync(`${each.folder}/${file}`, { force: true })
    else writeFileSync(`${each.folder}/${file}`, text)
  }
}

function test(each: GoldenCase): void {
  t.test(`${each.name}: ${each.about}`, (t) => {
    const given = answer(each)
    t.ok(each.about.length > 10, 'has a description')
    for (const file of FILES) t.equal(given.answer[file], written(each, file), file)
    if (given.placed !== undefined) holds(t, each, given.placed)
    if (given.answer['plan.svg'] !== undefined)
      t.equal(XMLValidator.validate(given.answer['plan.svg']), true, 'the picture is well-formed XML')
    t.end()
  })
}

function holds(t: Test, each: GoldenCase, placed: Placed): void {
  const move = each.run === 'rebind' ? 'if-better' : undefined
  const again = (text: string, flags = each.surroundings.flags ?? {}): Placed =>
    place(readDocument(text), { ...each.surroundings, flags }, writeElement, move)
  t.same(again(placed.text).edits, [], 'its own output needs no edit')
  // For a VMI that gets only pins, existing=replace is itself a request for cells.
  const isReplaceable = placed.view.cells.length === 0 || placed.request.existing === 'replace'
  if (move === undefined && isReplaceable && placed.request.pinsOnly !== true) {
    t.same(
      again(placed.text, { ...each.surroundings.flags, existing: 'replace' }).edits,
      [],
      'nor when its cells are replaced',
    )
  }
  t.equal(applyEdits(placed.text, inverse(placed)), each.domain, 'every byte outside the edits is kept')
  sameWhenReadAgain(t, placed)
  const { request, resources } = placed
  // The emulator may use CPUs that were requested for it although no vCPU may.
  const named = typeof request.emulator === 'object' ? request.emulator : []
  const allowed = { ...resources.allowed, cpus: setOf<CpuSet>([...resources.allowed.cpus, ...named]) }
  const invalid = preflight(readDomain(readDocument(placed.text)), { ...resources, allowed }).filter(
    ({ code }) => classOf(code) === 'invalid',
  )
  t.same(invalid, [], 'no finding of class invalid')
  for (const [way, write] of Object.entries(ways))
    t.equal(again(write(each.domain)).text, write(placed.text), `${way} stay`)
}

/** Edits that undo the fit. */
function inverse({ edits, document }: Placed): { start: number; end: number; text: string }[] {
  let moved = 0
  return edits.map(({ start, end, text }) => {
    const at = start + moved
    moved += text.length - (end - start)
    return { start: at, end: at + text.length, text: document.text.slice(start, end) }
  })
}

/** With our own reader, and with one that shares no code with it. */
function sameWhenReadAgain(t: Test, { text, placement }: Placed): void {
  const view = readDomain(readDocument(text))
  const { cells, binding } = placement
  if (cells.length > 0) {
    t.same(
      view.cells.map(({ id, vcpus, memoryKiB }) => [id, formatSet(vcpus), memoryKiB]),
      cells.map(({ id, vcpus, memoryKiB }) => [id, formatSet(vcpus), memoryKiB]),
      'cells',
    )
    t.same(
      view.tune.memnodes.map(({ cell, nodes, mode }) => [cell, formatSet(nodes), mode]),
      binding.memnodes.map(({ nodes, mode }, cell) => [cell, formatSet(nodes), mode]),
      'memnodes',
    )
  }
  const pins = binding.vcpupin.flatMap((cpus, vcpu) => (cpus.length === 0 ? [] : [[vcpu, formatSet(cpus)]]))
  t.same(
    [...view.vcpupin]
      .map(([vcpu, cpus]) => [vcpu, formatSet(cpus)])
      .sort((a, b) => Number(a[0]) - Number(b[0])),
    pins,
    'pins',
  )
  t.equal(XMLValidator.validate(text), true, 'another parser accepts it')
  const other = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    isArray: (name) => ['cell', 'vcpupin', 'memnode'].includes(name),
  }).parse(text)
  const read = (other.domain.cputune?.vcpupin ?? []) as { vcpu: string; cpuset: string }[]
  t.equal(read.length, pins.length, 'and sees as many pins')
  t.equal((other.domain.cpu?.numa?.cell ?? []).length, view.cells.length, 'and as many cells')
}

// ---- The same host from several sources ----

/** The facts that a host states, by name. */
function factsOf(host: Host): Map<string, unknown> {
  const facts = new Map<string, unknown>([['nodes', host.nodes.map(({ id }) => id)]])
  for (const { id, cpus, memoryKiB, freeKiB, availableKiB, pages, distances } of host.nodes) {
    facts.set(`node ${id} cpus`, cpus)
    if (memoryKiB !== undefined) facts.set(`node ${id} memory`, memoryKiB)
    if (freeKiB !== undefined) facts.set(`node ${id} free`, freeKiB)
    if (availableKiB !== undefined) facts.set(`node ${id} available`, availableKiB)
    if (distances !== undefined) facts.set(`node ${id} distances`, distances)
    for (const { pagesizeKiB, total, free } of pages) {
      facts.set(`node ${id} pages of ${pagesizeKiB}`, total)
      if (free !== undefined) facts.set(`node ${id} free pages of ${pagesizeKiB}`, free)
    }
  }
  facts.set(
    'cores',
    host.siblings.filter((core) => core.length > 1),
  )
  for (const key of ['isolated', 'caches', 'sockets', 'dies', 'clusters'] as const)
    if (host[key] !== undefined) facts.set(key, host[key])
  for (const { pagesizeKiB, reserved, overcommit, surplus } of host.pools ?? []) {
    for (const [name, value] of Object.entries({ reserved, overcommit, surplus })) {
      if (value !== undefined) facts.set(`${name} pages of ${pagesizeKiB}`, value)
    }
  }
  return facts
}

function agrees(t: Test, one: Host, other: Host, least: number): void {
  const stated = factsOf(other)
  const shared = [...factsOf(one)].filter(([name]) => stated.has(name))
  t.ok(shared.length >= least, `${shared.length} facts are stated by both`)
  for (const [name, value] of shared) t.same(stated.get(name), value, name)
}

function testSources({ name, folder, surroundings }: GoldenCase): void {
  t.test(`${name}: sys.tar.gz and capabilities.xml state the same host`, (t) => {
    const files = filesOfTar(gunzipSync(readFileSync(`${folder}/sys.tar.gz`)))
    agrees(t, surroundings.host, readHost(files), 10)
    const capabilities = `${folder}/capabilities.xml`
    if (existsSync(capabilities))
      agrees(t, surroundings.host, readCapabilities(readFileSync(capabilities, 'utf8'), capabilities), 8)
    t.end()
  })
}

const cases = readCases()
if (process.argv.includes('--rewrite')) for (const each of cases) rewrite(each, answer(each).answer)
else
  for (const each of cases) {
    test(each)
    if (existsSync(`${each.folder}/sys.tar.gz`)) testSources(each)
  }
