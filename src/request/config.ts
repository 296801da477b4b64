// The administrator's file, /etc/libvirt/virt-numa.conf -> its settings.

import { collectRefusals, inSource } from '../base/diagnostic.ts'
import { nearest } from '../base/nearest.ts'
import { diagnostic, refuseAll } from '../codes/codes.ts'
import type { Request } from '../model/request.ts'
import {
  filePath,
  type GuestsCovered,
  guests,
  keyList,
  lineCounter,
  path,
  type Reading,
  reserved,
  spanOf,
  wholeNumber,
  word,
} from './config-values.ts'
import { asKey, type Key, keyNames } from './keys.ts'
import { readSettings, type Setting } from './qemu-conf.ts'
import { type RequestedKeys, readKeys } from './request.ts'

/** The settings of the file, defaults filled in. */
export interface Config {
  /** The administrator's own request: stronger than the defaults, weaker than a guest's. */
  readonly requested: RequestedKeys
  /** Whom the hook, `watch` and `serve` act on besides the guests that ask for it. */
  readonly guests: GuestsCovered
  /** What metadata and annotations may set. */
  readonly tenantKeys: readonly Key[]
  /** Ascending by page size. */
  readonly reserve: Request['reserve']
  readonly reserveKiB?: number
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

/** Reads one setting. Problems of a list's items are collected, so that each has its own position. */
type Read = (setting: Setting, reading: Reading) => Partial<Config>

const names: { readonly [name in Name]: Read } = {
  guests: (setting, { source }) => ({ guests: guests(setting, source) }),
  tenant_keys: (setting, reading) => ({ tenantKeys: keyList(setting, reading) }),
  reserve: reserved,
  timeout_s: (setting, { source }) => ({ timeoutS: wholeNumber(setting, source, 3600) }),
  memory_limit_mib: (setting, { source }) => ({ memoryLimitMiB: wholeNumber(setting, source, 1_048_576) }),
  on_error: (setting, { source }) => ({ onError: word(setting, source, ['refuse', 'keep']) }),
  log_file: (setting, { source }) => ({ logFile: filePath(setting, source, defaultConfig.logFile) }),
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
  // No key takes a list: the key's own reader refuses it as written.
  return collectRefusals(found, () => readKeys([[name, value.text]], source), spanOf(value)) ?? {}
}
