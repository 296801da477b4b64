// The manual pages: what roff needs, and that they name everything in the tables. .ci/manual renders them.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { type Command, commandNames, commands } from '../../src/cli/commands.ts'
import { type CommandUsage, options } from '../../src/cli/options.ts'
import { programMeanings } from '../../src/explain/meanings/programs.ts'
import { operations } from '../../src/hook-setup/operations.ts'
import { hostSettings, requestSettings } from '../../src/request/config-text.ts'
import { keyNames, keys } from '../../src/request/keys.ts'

const PAGES = ['virt-numa.1', 'virt-numa.conf.5', 'virt-numa-hook.8'] as const
const SECTIONS = ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'EXIT STATUS', 'FILES', 'EXAMPLES', 'SEE ALSO']
const REQUESTS = ['TH', 'nh', 'ad', 'SH', 'SS', 'PP', 'IP', 'TP', 'RS', 'RE', 'nf', 'fi']
/** What closes each request that has to be closed. */
const CLOSED: Readonly<Record<string, string>> = { RS: 'RE', nf: 'fi' }

const sourceOf = (page: string): string => readFileSync(`dist/man/${page}`, 'utf8')

/** What is wrong with the source of a page, a line each. */
function mistakesIn(source: string): string[] {
  const found: string[] = []
  const open: string[] = []
  if (!source.startsWith('.TH ')) found.push('1: no .TH')
  source.split('\n').forEach((line, at) => {
    const mistake = (what: string): number => found.push(`${at + 1}: ${what}: ${line}`)
    const [, request] = /^\.(\w*)/.exec(line) ?? []
    if (line.startsWith("'")) mistake('an apostrophe at the start')
    if (request !== undefined) {
      if (!REQUESTS.includes(request)) mistake('an unknown request')
      const closes = CLOSED[request]
      if (closes !== undefined) open.push(closes)
      if (Object.values(CLOSED).includes(request) && open.pop() !== request) mistake('closes nothing')
      if (/^S[HS]$/.test(request) && open.length > 0) mistake(`begins before .${open.join(' .')}`)
    }
    const fonts = [...line.matchAll(/\\f(.)/g)].map((match) => match[1])
    if (fonts.some((font, index) => (font === 'R') !== (index % 2 === 1)) || fonts.length % 2 === 1)
      mistake('fonts are not set back')
    if (/\\(?!f[BIR]|e|-|&|\((?:aq|ga|ha|ti))/.test(line)) mistake('an unknown escape')
    if (/[^\x20-\x7e]/.test(line)) mistake('not ASCII')
    if (line.replace(/\\./g, '').includes('-') && request === undefined) mistake('a bare hyphen')
  })
  if (open.length > 0) found.push(`the end: missing .${open.join(' .')}`)
  return found
}

/** The text of a page, without fonts and escapes. */
const textOf = (source: string): string =>
  source
    .replace(/\\f[BIR]/g, '')
    .replace(/\\\(aq/g, "'")
    .replace(/\\\(ti/g, '~')
    .replace(/\\&/g, '')
    .replace(/\\e/g, '\\')
    .replace(/\\-/g, '-')

t.test('the source of each page is what roff takes', (t) => {
  for (const page of PAGES) {
    const source = sourceOf(page)
    t.same(mistakesIn(source), [], page)
    t.ok(source.endsWith('\n'), `${page} ends with a newline`)
    const sections = [...source.matchAll(/^\.SH (.*)$/gm)].map((match) => match[1] as string)
    t.same(
      sections.filter((section) => SECTIONS.includes(section)),
      SECTIONS,
      `${page} has the usual sections, in the usual order`,
    )
    t.match(source, /^\.SH NAME\n\S+ \\- \S/m, `${page}: whatis can read the name`)
  }
  t.end()
})

t.test('virt-numa(1) names every command, option, key, status and example', (t) => {
  const text = textOf(sourceOf('virt-numa.1'))
  for (const name of [...commandNames, 'help', 'version'])
    t.match(text, new RegExp(`^\\.TP\\n${name}(?: |$)`, 'm'), name)
  for (const { flags, about } of Object.values(options)) {
    t.match(text, new RegExp(`^\\.TP\\n${flags.join(', ')}(?: |$)`, 'm'), flags.join(', '))
    t.ok(text.includes(about.slice(1)), about)
  }
  for (const key of keyNames) {
    t.match(text, new RegExp(`^\\.TP\\n--${key} .*${keys[key].words.join(', ')}`, 'm'), key)
    t.ok(text.includes(keys[key].about.slice(1)), `${key}: its purpose`)
  }
  for (const name of commandNames) {
    const { exits, examples }: CommandUsage<Command> = commands[name]
    for (const [status, meaning] of exits)
      t.ok(
        text.includes(`.TP\n${status}\n${meaning[0]?.toUpperCase()}${meaning.slice(1)}.`),
        `${name} ${status}`,
      )
    for (const example of examples) t.ok(text.includes(`\n${example}\n`), example)
  }
  t.end()
})

t.test('virt-numa.conf(5) names every key with its default', (t) => {
  const text = textOf(sourceOf('virt-numa.conf.5'))
  for (const { name, about, shown } of [...requestSettings, ...hostSettings]) {
    t.ok(text.includes(`.TP\n${name} = ${shown}\n`), name)
    t.ok(text.includes(about.slice(1)), about)
  }
  t.end()
})

t.test('virt-numa-hook(8) names every operation, and what the script prints', (t) => {
  const text = textOf(sourceOf('virt-numa-hook.8'))
  for (const operation of operations) t.match(text, new RegExp(`^\\.TP\\n${operation}$`, 'm'), operation)
  for (const code of [...Object.keys(programMeanings), 'hook-timeout', 'hook-memory'])
    t.match(text, new RegExp(`^\\.TP\\n${code}$`, 'm'), code)
  t.end()
})

t.test('what it finds', (t) => {
  const found = (...lines: string[]): number => mistakesIn(['.TH A 1', ...lines].join('\n')).length
  t.equal(found('.PP', '\\fB\\-\\-host\\fR \\fIFILE\\fR'), 0)
  t.equal(found('.etc is a folder'), 1, 'a stray dot')
  t.equal(found("'s"), 1, 'a stray apostrophe')
  t.equal(found('.nf', 'a'), 1, 'not closed')
  t.equal(found('.fi'), 1, 'not opened')
  t.equal(found('.RS 4', '.nf', '.RE', '.fi'), 2, 'crossed')
  t.equal(found('\\fBa'), 1, 'a font that stays')
  t.equal(found('\\fBa\\fIb\\fR'), 1, 'a font in a font')
  t.equal(found('a\\b'), 1, 'an escape')
  t.equal(found('a-b'), 1, 'a hyphen')
  t.equal(mistakesIn('a').length, 1, 'no title')
  t.end()
})
