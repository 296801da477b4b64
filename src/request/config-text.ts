// The keys of the configuration -> the file that install writes: each key with its default, commented out.

import { defaultConfig, type Name } from './config.ts'
import { type Key, keyNames, keys, valuesOf } from './keys.ts'

const list = (words: readonly string[]): string => words.join(', ')

/** `shown`: the default as it is written in the file, or an example if there is none. */
interface Setting {
  readonly about: string
  readonly shown: string
}

/** A key of the configuration. */
export interface ConfigKey extends Setting {
  readonly name: string
}

const { guests, timeoutS, onError, logFile } = defaultConfig

const own: { readonly [name in Name]: Setting } = {
  guests: {
    about:
      'guests that the hook acts on, besides those that opt in: "opted-in" (none), "bound" (those whose ' +
      'cells have memnodes), "all" or a list of names',
    shown: `"${guests}"`,
  },
  tenant_keys: {
    about: 'which of the keys above metadata and annotations may set; default all',
    shown: `[ ${list(keyNames.map((key) => `"${key}"`))} ]`,
  },
  reserve: {
    about:
      'what the host keeps of every node: memory, e.g. "2GiB"; or a list of memory and huge pages, ' +
      'e.g. [ "memory=2GiB", "2M=1GiB" ], pages that by-free-pages leaves alone',
    shown: '[ ]',
  },
  timeout_s: { about: 'how long the hook may take, in seconds', shown: `${timeoutS}` },
  memory_limit_mib: { about: 'how much memory the hook may use, in MiB', shown: '512' },
  on_error: {
    about: 'what a failure of virt-numa does at migrate and restore: "refuse" or "keep" the XML as it is',
    shown: `"${onError}"`,
  },
  log_file: { about: 'one line for every guest that the hook acts on', shown: `"${logFile}"` },
  root: {
    about: "the folder that holds the host's sys/ and proc/, if they are mounted elsewhere",
    shown: '"/host"',
  },
}

/** The keys that are also those of a request. */
export const requestSettings: readonly ConfigKey[] = keyNames.map((key) => ({
  name: key.replaceAll('-', '_'),
  ...ofRequest(key),
}))

/** The keys that a guest cannot set. */
export const hostSettings: readonly ConfigKey[] = (Object.keys(own) as Name[]).map((name) => ({
  name,
  ...own[name],
}))

/** The file, with every key once. Reading it gives the defaults. */
export function configText(): string {
  return `# The configuration of virt-numa for this host. Syntax: key = "value"; a list is [ "a", "b" ].
# Each key is listed with its default, or with an example if it has none. A guest's own metadata takes
# precedence over this file, but cannot use CPUs outside cpuset, or override isolated = "avoid".

${requestSettings.map(entry).join('\n')}
# A guest cannot set the following keys.

${hostSettings.map(entry).join('\n')}`
}

const entry = ({ name, about, shown }: ConfigKey): string => `# ${about}\n#${name} = ${shown}\n`

function ofRequest(key: Key): Setting {
  const { words, open, unstated, about } = keys[key]
  const says = valuesOf(key).map((value) => (words.includes(value) ? `"${value}"` : value))
  return {
    about: `${about}: ${list(says)}${unstated === undefined ? '' : `; default ${unstated}`}`,
    shown: `"${unstated === undefined ? words[0] : (open?.example ?? words[0])}"`,
  }
}
