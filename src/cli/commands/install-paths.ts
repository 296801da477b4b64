// The paths that install and uninstall work on, and the program that the hook runs.

import { lstatSync, realpathSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { refuse } from '../../codes/codes.ts'
import { HOOKS } from '../../hook-setup/locate.ts'
import { ownFiles } from '../../hook-setup/own-files.ts'
import { shimText } from '../../hook-setup/shim.ts'
import { unitPaths, unitText } from '../../hook-setup/watch-unit.ts'
import { CONFIG } from '../../machine/read/read-text.ts'
import { systemError } from '../../machine/system-error.ts'

/** Where everything is, with the root folder in front. */
export interface Paths {
  readonly root?: string
  readonly hooks: string
  readonly config: string
  readonly run: string
  readonly watch: ReturnType<typeof unitPaths>
  /**
   * Another hooks folder than the one that libvirt reads. The configuration, which all hooks share, is then
   * left alone.
   */
  readonly isElsewhere: boolean
}

/** @throws Refusal `unreadable` for a root folder that does not exist */
export function pathsFor(root: string | undefined, hooksDir = HOOKS): Paths {
  const above = root === undefined ? '/' : resolve(root)
  if (root !== undefined) checkRoot(root)
  const hooks = root === undefined ? resolve(hooksDir) : join(above, hooksDir)
  return {
    ...(root !== undefined && { root: above }),
    hooks,
    config: join(above, CONFIG),
    run: join(above, '/run'),
    watch: unitPaths(above),
    isElsewhere: realOrSame(hooks) !== realOrSame(join(above, HOOKS)),
  }
}

function checkRoot(root: string): void {
  try {
    if (statSync(root).isDirectory()) return
  } catch (error) {
    throw systemError(error, (fault) => refuse('unreadable', { file: root, ...fault, option: '--root' }))
  }
  refuse('unreadable', {
    file: root,
    reason: 'it is not a folder',
    option: '--root',
  })
}

/** The path itself for a folder that does not exist yet. */
function realOrSame(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}

/** Whether something has this name, even a dangling link. */
export const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined

/**
 * What libvirt is to run, by real paths. `text` is the hook, `trialText` the hook with paths of this system.
 */
export interface Program {
  readonly node: string
  readonly program: string
  readonly text: string
  readonly trialText: string
  /** The systemd unit that runs `virt-numa watch`. */
  readonly unitText: string
}

/** This installation. @throws Refusal `unreadable` */
export function programFor(root: string | undefined): Program {
  const own = ownFiles()
  try {
    const [node, program] = [realpathSync(own.node), realpathSync(own.hook)]
    const text = shimText(insideOf(root, node), insideOf(root, program))
    const unit = unitText(own.command.map((path) => insideOf(root, realpathSync(path))))
    return { node, program, text, trialText: shimText(node, program), unitText: unit }
  } catch (error) {
    throw systemError(error, (fault) => refuse('unreadable', { file: own.hook, ...fault }))
  }
}

/** The path of a file in the root folder as it will be when that folder is the root. */
function insideOf(root: string | undefined, path: string): string {
  const above = root === undefined ? '/' : realpathSync(root)
  return above !== '/' && path.startsWith(`${above}/`) ? path.slice(above.length) : path
}
