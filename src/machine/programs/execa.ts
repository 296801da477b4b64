// The library that starts programs. Loaded only by the commands that start one, never by the hook.

import { closeSync, openSync } from 'node:fs'
import { type SyncOptions, type SyncResult, execaSync as start } from 'execa'

/**
 * Runs a program to its end. The library reads the path of the working folder and throws if the folder was
 * removed; then the program runs in `/`.
 */
export function execaSync<Given extends SyncOptions>(
  command: string,
  words: readonly string[],
  options: Given,
): SyncResult<Given> {
  const run = (): SyncResult<Given> => start(command, words, options) as SyncResult<Given>
  return isFolderGone() ? inRoot(run) : run()
}

function isFolderGone(): boolean {
  try {
    process.cwd()
    return false
  } catch {
    return true
  }
}

/** Returns to the removed folder, so that relative paths do not lead to other files afterwards. */
function inRoot<T>(run: () => T): T {
  const folder = openSync('.', 'r')
  try {
    process.chdir('/')
    return run()
  } finally {
    process.chdir(`/proc/self/fd/${folder}`)
    closeSync(folder)
  }
}
