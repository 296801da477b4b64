// The completion for bash, as bash runs it: the words on the command line, the last of which is completed.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { type Command, commandNames, commands } from '../../src/cli/commands.ts'
import { type CommandUsage, options } from '../../src/cli/options.ts'
import { allCodes } from '../../src/explain/code/explanation.ts'
import { keyNames, keys } from '../../src/request/keys.ts'
import { runApart } from '../apart.ts'
import { folder } from '../seed.ts'

const place = folder(t)
mkdirSync(join(place, 'sub'))
for (const name of ['a.xml', 'b.json', 'my guest.xml']) writeFileSync(join(place, name), '')
writeFileSync(join(place, 'virsh'), '#!/bin/sh\nprintf "%s\\n" db1 "two words"; echo "$@" >> calls\n')
chmodSync(join(place, 'virsh'), 0o755)

const SCRIPT = `. ${resolve('dist/completions/virt-numa.bash')} || exit
COMP_LINE="$*" COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_virt_numa
for each in "\${COMPREPLY[@]}"; do printf '%s\\n' "$each"; done`

/** What bash offers for the last of these words. */
function offered(...words: string[]): string[] {
  const env = { ...process.env, PATH: `${place}:${process.env.PATH}` }
  const { status, stdout, stderr } = runApart('bash', ['-c', SCRIPT, 'bash', ...words], { cwd: place, env })
  t.same([status, stderr], [0, ''], words.join(' '))
  return stdout.split('\n').filter((line) => line !== '')
}

const after = (...words: string[]): string[] => offered('virt-numa', ...words)

t.test('commands, and every option of each', (t) => {
  t.same(after(''), [...commandNames, 'help', 'version', '--help', '--version'])
  t.same(after('tr'), ['transform'])
  t.same(after('help', ''), commandNames)
  for (const name of commandNames) {
    const { options: own, keys: ownKeys }: CommandUsage<Command> = commands[name]
    const flags = [...own, 'help' as const, 'version' as const].flatMap((option) => options[option].flags)
    t.same(after(name, '-').sort(), [...flags, ...ownKeys.map((key) => `--${key}`)].sort(), name)
  }
  t.same(after('plan', '--json', '--js'), [], 'an option that is there already')
  t.same(after('nonsense', '--'), [])
  t.end()
})

t.test('values', (t) => {
  for (const key of keyNames) t.same(after('plan', `--${key}`, ''), keys[key].words, key)
  t.same(after('plan', '--memory', '=', 'by'), ['by-vcpu', 'by-free-pages'], 'bash takes = for a word')
  t.same(after('plan', '--memory', '='), keys.memory.words)
  t.same(after('plan', '--memory=e'), ['even'], 'unless it was told not to')
  t.same(after('serve', '--print-manifests', '1'), ['1.9', '1.10'])
  t.same(after('install', '--root', ''), ['sub'])
  t.same(after('plan', '--host', 'b'), ['b.json'])
  t.same(after('plan', '--pid', ''), [])
  t.same(
    after('explain', 'pages-s'),
    allCodes().filter((code) => code.startsWith('pages-s')),
  )
  t.end()
})

t.test('domains and guests', (t) => {
  for (const command of ['transform', 'plan', 'check', 'define'])
    t.same(after(command, '').sort(), ['a.xml', 'my guest.xml', 'sub'], command)
  t.same(after('plan', '--', 'a'), ['a.xml'])
  t.same(after('verify', ''), ['db1', 'two\\ words'])
  t.same(after('verify', '--pid', '7', 'a'), ['a.xml'])
  t.same(after('plan', '--guest', 'd'), ['db1'])
  t.same(after('snapshot', ''), [])
  t.end()
})
