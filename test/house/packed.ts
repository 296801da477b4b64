// The npm package as its user gets it: packed, and installed without network and scripts.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runApart } from '../apart.ts'

/** What is in the package, and where it is installed. */
interface Packed {
  readonly files: readonly { readonly path: string; readonly mode: number }[]
  /** The folder of a project that has the package alone. */
  readonly project: string
  /** The folder of the package in it. */
  readonly installed: string
}

/**
 * Packs dist/ as it is: prepack would build it below the other tests.
 * @param folder where both may be written
 */
export function packAndInstall(folder: string): Packed {
  const packing = ['pack', '--ignore-scripts', '--offline', '--json', '--pack-destination', folder]
  const [{ filename, files }] = JSON.parse(succeeded(packing, process.cwd())) as [
    { readonly filename: string; readonly files: Packed['files'] },
  ]
  const project = join(folder, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n')
  const quiet = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier']
  succeeded(['install', ...quiet, join(folder, filename)], project)
  return { files, project, installed: join(project, 'node_modules/virt-numa') }
}

function succeeded(words: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = runApart('npm', words, { cwd })
  if (status !== 0) throw new Error(`npm ${words.join(' ')}: ${stderr}`)
  return stdout
}
