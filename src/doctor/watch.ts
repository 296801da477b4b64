// The item about the unit of `virt-numa watch`: whether it is installed, enabled and running, and whether the
// program that it starts is there. The fits of the hook do not depend on it.

import type { Diagnostic } from '../base/diagnostic.ts'
import { diagnostic } from '../codes/codes.ts'
import type { Files } from '../host/files.ts'
import { textAt } from '../host/kernel-text.ts'
import type { Inspection, Item } from './inspection.ts'

/** The name of the unit. */
export const WATCH_UNIT = 'virt-numa-watch.service'

/** The folders in which systemd looks for units; one of the first hides those of the others. */
const FOLDERS = ['/etc/systemd/system', '/usr/local/lib/systemd/system', '/usr/lib/systemd/system']

/** What `systemctl enable` writes for the WantedBy= of the unit: links in these folders of /etc. */
export const WANTED_BY = ['libvirtd.service.wants', 'virtqemud.service.wants']

/** Where the processes of a running unit are, with cgroup v2 and v1. */
const CGROUPS = ['/sys/fs/cgroup/system.slice', '/sys/fs/cgroup/systemd/system.slice']

/** The unit that `install --watch` or a package wrote. */
export function watchItem({ files }: Inspection): Item {
  const name = 'watch'
  const unit = FOLDERS.map((folder) => `${folder}/${WATCH_UNIT}`).find(
    (path) => textAt(files, path) !== undefined,
  )
  if (unit === undefined)
    return { name, says: `no ${WATCH_UNIT}; guests are fitted by define and the hook only`, found: [] }
  const isEnabled = WANTED_BY.some(
    (folder) => files.readlink(`/etc/systemd/system/${folder}/${WATCH_UNIT}`) !== undefined,
  )
  const isRunning = CGROUPS.some(
    (folder) => (textAt(files, `${folder}/${WATCH_UNIT}/cgroup.procs`) ?? '').trim() !== '',
  )
  const states = [isEnabled ? 'enabled' : 'not enabled', isRunning ? 'running' : 'not running']
  const found: Diagnostic[] = []
  const missing = missingProgram(files, textAt(files, unit) ?? '')
  if (missing !== undefined) found.push(diagnostic('watch-program-missing', { unit, program: missing }))
  else if (isEnabled && !isRunning) found.push(diagnostic('watch-stopped', { unit: WATCH_UNIT }))
  return { name, says: `${unit}: ${states.join(', ')}`, found }
}

/** A path among the words of its command that no file has. @see systemd.service(5), "Command lines" */
function missingProgram(files: Files, text: string): string | undefined {
  const [, command = ''] = /^ExecStart=(.*)$/m.exec(text) ?? []
  const words = [...command.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain = '']) =>
    (quoted?.replace(/\\(.)/g, '$1') ?? plain).replaceAll('%%', '%').replaceAll('$$', '$'),
  )
  return words.find((word) => word.startsWith('/') && files.read(word) === undefined)
}
