// What starts the command -> the systemd unit that runs `virt-numa watch`.

import { join } from 'node:path'
import { WANTED_BY, WATCH_UNIT } from '../doctor/watch.ts'
import { sealed, unsealed } from './shim.ts'
import script from './virt-numa-watch.service'

const FOLDER = '/etc/systemd/system'

/** The path of the unit, and those of the links that enable it. */
export function unitPaths(root: string): { readonly unit: string; readonly links: readonly string[] } {
  const folder = join(root, FOLDER)
  return { unit: join(folder, WATCH_UNIT), links: WANTED_BY.map((name) => join(folder, name, WATCH_UNIT)) }
}

/** @param command the words that start the command, each an absolute path, as systemd requires */
export function unitText(command: readonly string[]): string {
  return sealed(script.replace('@COMMAND@', () => command.map(quoted).join(' ')))
}

/** Whether some version of virt-numa wrote this text, and nobody has edited it. */
export const isOurUnit = (text: string): boolean =>
  text.includes('virt-numa install --watch') && unsealed(text) !== undefined

/** A word of a command line. @see systemd.service(5), "Command lines"; systemd.unit(5), "Specifiers" */
function quoted(path: string): string {
  const escaped = path.replaceAll('%', '%%').replaceAll('$', '$$$$').replace(/[\\"]/g, '\\$&')
  return `"${escaped}"`
}
