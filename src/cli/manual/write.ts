// Writes the manual pages and the completions of shells into a folder. packaging/manual.mjs runs it; the
// program does not contain it.

import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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

const page = (lines: readonly string[]): string => `${lines.join('\n')}\n`
const words = completedCommands()

/** Folder -> its files, each with its text. */
const folders: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  man: {
    'virt-numa.1': page(commandPage(VERSION)),
    'virt-numa.conf.5': page(configPage(VERSION)),
    'virt-numa-hook.8': page(hookPage(VERSION)),
  },
  completions: {
    'virt-numa.bash': bashScript(words),
    '_virt-numa': zshScript(words),
    'virt-numa.fish': fishScript(words),
  },
}

// Two builds of packages may run at once: each file is there, and whole, whenever the other reads it.
const [dist = 'dist'] = process.argv.slice(2)
for (const [folder, files] of Object.entries(folders)) {
  mkdirSync(join(dist, folder), { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    const unfinished = join(dist, `.${name}.${process.pid}`)
    writeFileSync(unfinished, text)
    renameSync(unfinished, join(dist, folder, name))
  }
  for (const name of readdirSync(join(dist, folder)))
    if (!(name in files)) rmSync(join(dist, folder, name), { recursive: true })
}
