// The keys of the configuration to the file that an administrator finds: each with its default, commented
// out.

import { defaultConfig, type Name } from './config.ts'
import { type Key, keyNames, keys, valuesOf } from './keys.ts'

const list = (words: readonly string[]): string => words.join(', ')

/** `shown`: the default, or where there is none an example. */
interface Setting {
  readonly about: string
  readonly shown: string
}

const { guests, timeoutS, onError, logFile } = defaultConfig

const own: { readonly [name in Name]: Setting } = {
  guests: {
    about:
      'whom the hook acts on besides the guests that ask for it in their metadata: "opted-in", "all" or a list of names',
    shown: `"${guests}"`,
  },
  tenant_keys: {
    about: 'which of the keys above metadata and annotations may set; default all',
    shown: `[ ${list(keyNames.map((key) => `"${key}"`))} ]`,
  },
  reserve: {
    about: 'KiB per node and page size that by-free-pages leaves alone, e.g. [ "2M=1048576" ]',
    shown: '[ ]',
  },
  timeout_s: { about: 'how long the hook may take', shown: `${timeoutS}` },
  memory_limit_mib: { about: 'how much memory its work may take', shown: '512' },
  on_error: {
    about: 'what a failure of virt-numa does at migrate and restore: "refuse" or "keep" the XML as it is',
    shown: `"${onError}"`,
  },
  log_file: { about: 'one line for every guest that the hook acts on', shown: `"${logFile}"` },
  root: {
    about: "the folder that holds the host's sys/ and proc/, where the host is mounted elsewhere",
    shown: '"/host"',
  },
}

/** Every key stands in it once. Reading it gives the defaults. */
export function configText(): string {
  const requested = keyNames.map((key) => entry(key.replaceAll('-', '_'), entryValue(key)))
  const others = (Object.keys(own) as Name[]).map((name) => entry(name, own[name]))
  return `# virt-numa, for all guests of this host: key = "value", a list is [ "a", "b" ].
# Each key stands here with its default, or an example where it has none. A guest's own metadata wins over this file, but it
# never leaves the CPUs of cpuset, nor uses isolated ones against isolated = "avoid".

${requested.join('\n')}
# What follows is no guest's to set.

${others.join('\n')}`
}

function entry(name: string, { about, shown }: Setting): string {
  return `# ${about}\n#${name} = ${shown}\n`
}

function entryValue(key: Key): Setting {
  const { words, open, unstated, about } = keys[key]
  const says = valuesOf(key).map((value) => (words.includes(value) ? `"${value}"` : value))
  return {
    about: `${about}: ${list(says)}${unstated === undefined ? '' : `; default ${unstated}`}`,
    shown: `"${unstated === undefined ? words[0] : (open?.example ?? '')}"`,
  }
}
