// Writes the manual pages and the completions of shells into a folder. packaging/manual.mjs runs it; the
// program does not contain it.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bashScript } from '../completion/bash.ts'
import { fishScript } from '../completion/fish.ts'
import { completedCommands } from '../completion/words.ts'
import { zshScript } from '../completion/zsh.ts'
import { commandPage } from './command-page.ts'
import { configPage } from './config-page.ts'
import { hookPage } from './hook-page.ts'

/** The version in package.json, which packaging/manual.mjs fills in. */
declare const VERSION: string

const files: Readonly<Record<string, readonly string[]>> = {
  'man/virt-numa.1': commandPage(VERSION),
  'man/virt-numa.conf.5': configPage(VERSION),
  'man/virt-numa-hook.8': hookPage(VERSION),
}

const [dist = 'dist'] = process.argv.slice(2)
for (const folder of ['man', 'completions']) {
  rmSync(join(dist, folder), { recursive: true, force: true })
  mkdirSync(join(dist, folder), { recursive: true })
}
for (const [path, lines] of Object.entries(files)) writeFileSync(join(dist, path), `${lines.join('\n')}\n`)
const scripts = { 'virt-numa.bash': bashScript, '_virt-numa': zshScript, 'virt-numa.fish': fishScript }
for (const [name, script] of Object.entries(scripts))
  writeFileSync(join(dist, 'completions', name), script(completedCommands()))
