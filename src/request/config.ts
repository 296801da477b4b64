// The administrator's file, /etc/libvirt/virt-numa.conf, to its settings.

import { collectRefusals } from '../base/collect.ts'
import { type Diagnostic, inSource, type Span } from '../base/diagnostic.ts'
import { formatPagesize, parseSize } from '../base/memory.ts'
import { nearest } from '../base/nearest.ts'
import { diagnostic, refuse, refuseAll } from '../codes/codes.ts'
import type { Request } from '../model.ts'
import { asKey, type Key, keyNames, keys } from './keys.ts'
import { readSettings, type Setting, type Value } from './qemu-conf.ts'
import { type RequestedKeys, readKeys } from './request.ts'

/** The settings of the file, defaults filled in. */
export interface Config {
  /** The administrator's own request: stronger than the defaults, weaker than a guest's. */
  readonly requested: RequestedKeys
  /** Whom the hook, `watch` and `serve` act on besides the guests that ask for it. */
  readonly guests: 'opted-in' | 'all' | readonly string[]
  /** What metadata and annotations may set. */
  readonly tenantKeys: readonly Key[]
  /** Ascending by page size. */
  readonly reserve: Request['reserve']
  readonly timeoutS: number
  readonly memoryLimitMiB?: number
  /** What a crash of ours at migrate and restore does: cancel the operation, or keep the XML. */
  readonly onError: 'refuse' | 'keep'
  readonly logFile: string
  /** The folder that holds the host's /sys and /proc. */
  readonly root?: string
}

/** What holds without a file. */
export const defaultConfig: Config = {
  requested: {},
  guests: 'opted-in',
  tenantKeys: keyNames,
  reserve: [],
  timeoutS: 10,
  onError: 'refuse',
  logFile: '/var/log/libvirt/virt-numa.log',
}

/**
 * The log file that a malformed configuration names, so that its problems are logged where they are expected.
 */
export function logFileIn(text: string): Partial<Config> {
  const logFile = /^[ \t]*log_file[ \t]*=[ \t]*"(\/[^"\n]*)"/m.exec(text)?.[1]
  return logFile === undefined ? {} : { logFile }
}

/** A setting of the file that is not also a key of a request. */
export type Name =
  | 'guests'
  | 'tenant_keys'
  | 'reserve'
  | 'timeout_s'
  | 'memory_limit_mib'
  | 'on_error'
  | 'log_file'
  | 'root'

/** The file while it is read; `found` collects the problems. */
interface Reading {
  readonly text: string
  readonly source: string
  readonly found: Diagnostic[]
}

/** `setting` reads what is there; only a list gathers, so that each item has its own place. */
type Read = (setting: Setting, reading: Reading) => Partial<Config>

const names: { readonly [name in Name]: Read } = {
  guests: readGuests,
  tenant_keys: readTenantKeys,
  reserve: readReserve,
  timeout_s: (setting, { source }) => ({ timeoutS: wholeNumber(setting, source, 3600) }),
  memory_limit_mib: (setting, { source }) => ({ memoryLimitMiB: wholeNumber(setting, source, 1_048_576) }),
  on_error: (setting, { source }) => ({ onError: word(setting, source, ['refuse', 'keep']) }),
  log_file: (setting, { source }) => ({ logFile: logPath(setting, source) }),
  root: (setting, { source }) => ({ root: path(setting, source) }),
}

const ownNames = Object.keys(names) as readonly Name[]
const allNames: readonly string[] = [...keyNames.map((key) => key.replace(/-/g, '_')), ...ownNames]

/** Whether the configuration has this key, one of a request or of its own. */
export function isConfigKey(name: string): boolean {
  return asKey(name) !== undefined || ownNames.some((own) => own === name)
}

/**
 * Reads `key = "value"` lines (qemu-conf.ts); `source` is the file's name. What is not stated has its
 * default.
 * @throws Refusal with every problem, in the file's order, each `at` its place in `text`: `config-syntax`,
 * `config-repeated`, `unknown-key`, `unknown-value` and those of sets and sizes
 */
export function parseConfig(text: string, source: string): Config {
  return inSource(source, () => configOf(text, source))
}

function configOf(text: string, source: string): Config {
  const reading: Reading = { text, source, found: [] }
  const config: { -readonly [K in keyof Config]: Config[K] } = { ...defaultConfig }
  const first = new Map<string, number>()
  const line = lineCounter(text)
  for (const setting of readSettings(text, source, reading.found, isConfigKey)) {
    const { key, value } = setting
    const before = first.get(key.text)
    if (before === undefined) first.set(key.text, line(key.start))
    else
      reading.found.push(diagnostic('config-repeated', { source, key: key.text, first: before }, spanOf(key)))
    const name = ownNames.find((own) => own === key.text)
    if (name === undefined) config.requested = { ...config.requested, ...readKey(setting, reading) }
    else
      Object.assign(
        config,
        collectRefusals(reading.found, () => names[name](setting, reading), spanOf(value)) ?? {},
      )
  }
  refuseAll(reading.found.sort((a, b) => (a.at?.start ?? 0) - (b.at?.start ?? 0)))
  return config
}

function readKey({ key, value }: Setting, { source, found }: Reading): RequestedKeys {
  const name = asKey(key.text)
  if (name === undefined) {
    const facts = { source, key: key.text, known: allNames, close: nearest(key.text, allNames, found.length) }
    found.push(diagnostic('unknown-key', facts, spanOf(key)))
    return {}
  }
  // A list is no value of any key: the key's own reader says so, with the list as written.
  return collectRefusals(found, () => readKeys([[name, value.text]], source), spanOf(value)) ?? {}
}

function readGuests(setting: Setting, { source }: Reading): Partial<Config> {
  const { items, text } = setting.value
  if (items !== undefined) return { guests: items.map((item) => item.text) }
  const words = ['opted-in', 'all'] as const
  const guests = words.find((each) => each === text)
  if (guests !== undefined) return { guests }
  noValue(setting, source, [...words, 'a list of names'], `[ "${text}" ]`, nearest(text, words))
}

function readTenantKeys(setting: Setting, { source, found }: Reading): Partial<Config> {
  const tenantKeys: Key[] = []
  for (const item of itemsOf(setting, source, 'a list of keys', '[ "memory", "cpus" ]')) {
    const { text } = item
    const key = asKey(text)
    if (key !== undefined) tenantKeys.push(key)
    else
      found.push(
        diagnostic(
          'unknown-key',
          { source, key: text, known: keyNames, close: nearest(text, keyNames, found.length) },
          spanOf(item),
        ),
      )
  }
  return { tenantKeys: keyNames.filter((key) => tenantKeys.includes(key)) }
}

function readReserve(setting: Setting, { text, source, found }: Reading): Partial<Config> {
  const lines = new Map<number, number>()
  const line = lineCounter(text)
  const reserve: { pagesizeKiB: number; kib: number }[] = []
  for (const item of itemsOf(setting, source, 'a list of page sizes with their KiB', '[ "2M=1048576" ]')) {
    const one = collectRefusals(found, () => readReserved(item.text, source), spanOf(item))
    if (one === undefined) continue
    const first = lines.get(one.pagesizeKiB)
    if (first === undefined) lines.set(one.pagesizeKiB, line(item.start))
    else
      found.push(
        diagnostic(
          'config-repeated',
          { source, key: `reserve ${formatPagesize(one.pagesizeKiB)}`, first },
          spanOf(item),
        ),
      )
    reserve.push(one)
  }
  return { reserve: reserve.sort((a, b) => a.pagesizeKiB - b.pagesizeKiB) }
}

/** "2M=1048576" (KiB) or "2M=1G". */
function readReserved(text: string, source: string): Config['reserve'][number] {
  const [pagesize, size, ...more] = text.split('=')
  const pagesizeKiB =
    size === undefined || more.length > 0 ? 'none' : keys.pagesize.read(pagesize?.trim() ?? '', source)
  if (size !== undefined && pagesizeKiB !== 'none') return { pagesizeKiB, kib: parseSize(size, source).kib }
  refuse('unknown-value', {
    source,
    key: 'reserve',
    value: text,
    known: ['a page size, = and KiB'],
    example: '"2M=1048576"',
  })
}

function itemsOf(setting: Setting, source: string, says: string, example: string): readonly Value[] {
  return setting.value.items ?? noValue(setting, source, [says], example)
}

function word<Word extends string>(setting: Setting, source: string, words: readonly Word[]): Word {
  const { text } = setting.value
  return (
    words.find((each) => each === text) ?? noValue(setting, source, words, undefined, nearest(text, words))
  )
}

function wholeNumber(setting: Setting, source: string, max: number): number {
  const number = /^\d{1,9}$/.test(setting.value.text) ? Number(setting.value.text) : 0
  return number >= 1 && number <= max
    ? number
    : noValue(setting, source, [`a whole number from 1 to ${max}`], '10')
}

function path(setting: Setting, source: string): string {
  const { items, text } = setting.value
  return items === undefined && text.trim() !== ''
    ? text
    : noValue(setting, source, ['a path'], '"/path/to/it"')
}

/** A line of the log on stdout would become a part of the guest's XML. */
function logPath(setting: Setting, source: string): string {
  const file = path(setting, source)
  const isStream = /^\/dev\/(std(in|out|err)$|fd\/)|^\/proc\/[^/]+\/fd\//.test(file)
  return isStream
    ? noValue(setting, source, ['the path of a file, not of a stream'], `"${defaultConfig.logFile}"`)
    : file
}

function noValue(
  { key, value }: Setting,
  source: string,
  known: readonly string[],
  example?: string,
  close?: string,
): never {
  refuse('unknown-value', { source, key: key.text, value: value.text, known, close, example })
}

const spanOf = ({ start, end }: Span): Span => ({ start, end })

/** Asked in the order of the file, so that the file is walked once. */
function lineCounter(text: string): (at: number) => number {
  let line = 1
  let next = text.indexOf('\n')
  return (at) => {
    for (; next >= 0 && next < at; next = text.indexOf('\n', next + 1)) line += 1
    return line
  }
}
