// The files and folders on the command line of fleet -> the hosts that they state, by name.

import { diagnostic, refuseAll } from '../../../codes/codes.ts'
import { type NamedHost, readHosts } from '../../../machine/host-source.ts'
import { namesIn, statusOf } from '../../../machine/node/system.ts'

/** What may be a host: a file or a captured folder. `name`: below the folder that was named. */
export interface Candidate {
  readonly name: string
  readonly path: string
}

/** What else lies in a folder, such as notes, is left out. */
const HOST_FILE = /\.(json|xml|tar|tar\.gz|tgz|tar\.bz2)$/i
/** Folders within folders; links to folders are followed. */
const MOST_LEVELS = 8

/**
 * Every file that was named, and of a folder everything that may be a host, in the order of names.
 * @throws Refusal `fleet-empty` for a folder without any
 */
export function candidatesOf(inputs: readonly string[]): readonly Candidate[] {
  const found = inputs.map((path) => ({
    path,
    candidates: isFolder(path) && !isCapture(path) ? candidatesIn(path, '', 0) : [{ name: path, path }],
  }))
  const empty = found.filter(({ candidates }) => candidates.length === 0)
  refuseAll(empty.map(({ path }) => diagnostic('fleet-empty', { folder: path })))
  return found.flatMap(({ candidates }) => candidates)
}

/** The hosts of one candidate. @throws Refusal where it cannot be read */
export const hostsOf = ({ name, path }: Candidate): readonly NamedHost[] => readHosts({ host: path }, name)

function candidatesIn(folder: string, below: string, level: number): Candidate[] {
  return namesOf(folder).flatMap((entry) => {
    const path = `${folder.replace(/\/+$/, '')}/${entry}`
    const name = `${below}${entry}`
    if (entry.startsWith('.')) return []
    if (!isFolder(path)) return HOST_FILE.test(entry) ? [{ name, path }] : []
    if (isCapture(path)) return [{ name, path }]
    return level === MOST_LEVELS ? [] : candidatesIn(path, `${name}/`, level + 1)
  })
}

/** As machine/files.ts finds the files of a captured machine. */
const isCapture = (folder: string): boolean =>
  isFolder(`${folder}/sys`) || isFolder(`${folder}/devices/system`)

function isFolder(path: string): boolean {
  try {
    return statusOf(path)?.is === 'folder'
  } catch {
    return false
  }
}

/** A folder that cannot be listed has no hosts. */
function namesOf(folder: string): readonly string[] {
  try {
    return namesIn(folder)
  } catch {
    return []
  }
}
