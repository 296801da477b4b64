// The administrator's configuration file, where it is and what its text is.

import { statSync } from 'node:fs'
import { refuse } from '../base/diagnostic.ts'
import type { Source } from '../explain/diagnostics.ts'
import { hiddenInConfig } from '../request/config-shown.ts'
import { type Kind, readText } from './read-text.ts'
import { systemError } from './system-error.ts'

export const CONFIG = '/etc/libvirt/virt-numa.conf'

export const SETTINGS: Kind = { kind: 'a configuration', usual: '1 KiB', mostKiB: 256 }

/** The text of the configuration; the default file may be missing, one that was named may not. */
export function readConfigText(path: string | undefined, fallback = CONFIG): Source | undefined {
  if (path === undefined && !isThere(fallback)) return undefined
  const name = path ?? fallback
  return { name, text: readText(name, SETTINGS), hidden: hiddenInConfig }
}

function isThere(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    throw systemError(error, (fault) => refuse('unreadable', { file, ...fault }))
  }
}
