// Files that cannot be read or written, or are too large: the facts and the class of each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'

/** What a file should hold. */
export type DocumentKind = 'domain' | 'vmi' | 'configuration' | 'snapshot' | 'capture'

/** What a command writes to a file. */
export type OutputKind = 'domain' | 'svg' | 'metrics' | 'html'

/** The facts of each code. */
export interface FilesFacts {
  /** `errno`: what the system answered, such as ENOENT. */
  readonly unreadable: {
    file: string
    reason: string
    errno?: string
    guest?: string | undefined
    /** The option that names the file where another option should be tried. */
    option?: '--root'
    /** A captured host, which doctor reads only as a folder. */
    expected?: 'host-folder'
    /** A document was expected on stdin. */
    isStdin?: boolean
  }
  /**
   * `isStream`: a pipe, a device, or stdout, where what is written stays written. `kept`: a copy of the
   * former content.
   */
  readonly unwritable: { file: string; reason: string; errno?: string; isStream?: boolean; kept?: string }

  readonly 'output-taken': { output: string; file?: string; other: string; isInput: boolean }

  /** The file is there, and holds something else than what would be written. */
  readonly 'output-kind': {
    output: string
    file: string
    writes: OutputKind
    holds: OutputKind | 'other'
  }

  readonly 'too-large': { file: string; kind: DocumentKind; maxKiB: number; isUnpacked?: boolean }

  readonly 'host-compressed': { file: string }

  readonly 'host-without-cgroups': { file: string; option: string }

  readonly 'utf8-invalid': { file: string; offset: number }
}

/** The class of each code. */
export const filesClasses: Readonly<Record<keyof FilesFacts, DiagnosticClass>> = {
  unreadable: 'invalid',
  unwritable: 'invalid',
  'output-taken': 'invalid',
  'output-kind': 'invalid',
  'too-large': 'invalid',
  'host-compressed': 'invalid',
  'host-without-cgroups': 'invalid',
  'utf8-invalid': 'invalid',
}
