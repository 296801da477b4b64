// What node:os says of the machine and its user, in the native command.

import { calls } from '../calls.ts'
import { more } from './calls.ts'
import { readFileSync } from './fs.ts'

/** The name of this machine. */
export const hostname = (): string => more.about()[2]

/** The folder for temporary files. */
export function tmpdir(): string {
  const named = ['TMPDIR', 'TMP', 'TEMP'].map((name) => calls.environment(name)).find(Boolean) ?? '/tmp'
  return named.length > 1 && named.endsWith('/') ? named.slice(0, -1) : named
}

/** The user's home folder. */
export const homedir = (): string => calls.environment('HOME') ?? homeInPasswd(String(more.about()[1])) ?? '/'

/** @see passwd(5) */
function homeInPasswd(user: string): string | undefined {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  return lines.map((line) => line.split(':')).find((fields) => fields[2] === user)?.[5]
}
