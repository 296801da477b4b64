// What an output file may replace, what a command says that has no document, and that it waits for one.

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkTargets } from '../../src/cli/output-files.ts'
import { absentMetrics } from '../../src/explain/metrics.ts'
import { sampled } from '../long.ts'
import { orCodes } from '../plan/fixtures.ts'
import { codesOf, folder, seed, shell } from '../seed.ts'

// When run alone, tap would end it after 30 s.
t.setTimeout(120_000)

const PROLOG = '<?xml version="1.0"?>\n<!DOCTYPE svg>\n<!-- drawn by hand -->\n'

/** Files by what they hold, each as other programs may write it too. */
const files: Readonly<Record<string, string>> = {
  'domain.xml': seed,
  'libvirt.xml': `<!--\nWARNING: THIS IS AN AUTO-GENERATED FILE.\n-->\n\n${seed}`,
  'bom.xml': `\uFEFF<?xml version='1.0'?>\n${seed}`,
  'picture.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
  'prefixed.svg': `${PROLOG}<s:svg xmlns:s="http://www.w3.org/2000/svg"/>\n`,
  'guest.prom': absentMetrics('db1'),
  'other.prom': '# HELP node_load1 1m load average.\n# TYPE node_load1 gauge\nnode_load1 0.2\n',
  'notes.txt': 'call the owner of db1\n',
  'network.xml': '<network><name>domain</name></network>\n',
  'broken.xml': '<!-- no end',
}

const EMPTY: Readonly<Record<string, string>> = { empty: '', 'blank.txt': ' \n' }

/** What is written to a file, and the files that it may replace. */
const writers = [
  ['domain', ['domain.xml', 'libvirt.xml', 'bom.xml']],
  ['svg', ['picture.svg', 'prefixed.svg']],
  ['metrics', ['guest.prom']],
] as const

/** Options that write each, and a command with them. */
const commands = [
  ['transform -o', 'db1.xml --host $HOST', 'domain.xml'],
  ['plan --svg', 'db1.xml --host $HOST', 'picture.svg'],
  ['verify no-such-guest --metrics', '', 'guest.prom'],
] as const

t.test('an output replaces a file of its own kind, or an empty one, and no other', (t) => {
  const place = folder(t)
  writeFileSync(join(place, 'db1.xml'), seed)
  const write = () => {
    for (const [name, text] of Object.entries({ ...files, ...EMPTY })) writeFileSync(join(place, name), text)
  }
  write()
  for (const [kind, own] of writers) {
    for (const name of Object.keys({ ...files, ...EMPTY })) {
      const outputs = [{ shown: 'FILE', path: join(place, name), kind }]
      const found = orCodes(() => {
        checkTargets({ outputs, inputs: [], prints: false })
        return 'replaced'
      })
      const mayBe = name in EMPTY || own.some((each) => each === name)
      t.equal(found, mayBe ? 'replaced' : 'output-kind', `${kind} to ${name}`)
    }
  }
  for (const [before, after, own] of sampled(commands, 2)) {
    for (const name of [own, 'empty', 'notes.txt']) {
      write()
      const text = { ...files, ...EMPTY }[name]
      const ended = shell(`$N ${before} ${name} ${after}`, place)
      const now = readFileSync(join(place, name), 'utf8')
      if (name === 'notes.txt') {
        t.same([ended.status, codesOf(ended.stderr)], [1, ['output-kind']], `${before} ${name}`)
        t.equal(now, text, `${before} does not change ${name}`)
      } else {
        t.notSame(codesOf(ended.stderr).at(-1), 'output-kind', `${before} ${name}: ${ended.stderr}`)
        t.not(now, text, `${before} replaces ${name}`)
      }
    }
  }
  write()
  const { stderr } = shell('$N plan --svg domain.xml db1.xml --host $HOST', place)
  t.equal(
    stderr,
    'error[output-kind]: --svg domain.xml: the file exists and holds a domain\n' +
      '   why: only an SVG picture or an empty file is replaced; nothing was written\n' +
      '   fix: choose another file for --svg, or delete this one first: rm domain.xml\n',
  )
  t.end()
})

t.test('an output of another kind is refused before a document is read', (t) => {
  const place = folder(t)
  writeFileSync(join(place, 'old.svg'), files['picture.svg'] as string)
  // A pipe that the shell holds open never ends.
  const line = 'mkfifo pipe && exec 3<>pipe && timeout 10 $N transform -o old.svg --host $HOST <pipe 3>&-'
  const ended = shell(line, place)
  t.same([ended.status, codesOf(ended.stderr)], [1, ['output-kind']], ended.stderr)
  symlinkSync('old.svg', join(place, 'link.xml'))
  writeFileSync(join(place, 'db1.xml'), seed)
  const linked = shell('$N transform -o link.xml db1.xml --host $HOST', place)
  t.same([linked.status, codesOf(linked.stderr)], [1, ['output-kind']], 'a link is followed')
  mkdirSync(join(place, 'folder'))
  t.same(codesOf(shell('$N transform -o folder db1.xml --host $HOST', place).stderr), ['unwritable'])
  t.equal(shell('$N plan --svg /dev/null db1.xml --host $HOST', place).status, 0, 'a device holds nothing')
  t.end()
})

t.test('--svg that takes the domain itself', (t) => {
  const place = folder(t)
  writeFileSync(join(place, 'db1.xml'), seed)
  const lines = ['plan --svg db1.xml', 'plan --svg=db1.xml < /dev/null', 'plan --svg new.XML']
  for (const line of sampled(lines, 2)) {
    const { status, stderr } = shell(`$N ${line} --host $HOST`, place)
    t.same([status, codesOf(stderr)], [2, ['usage-no-document']], line)
    t.match(stderr, /missing DOMAIN\.XML: --svg takes "(db1\.xml|new\.XML)" as the file to write/, line)
    t.match(stderr, /fix: virt-numa plan --svg (db1|new)\.svg (db1\.xml|new\.XML); use -/, line)
  }
  t.equal(readFileSync(join(place, 'db1.xml'), 'utf8'), seed)
  t.equal(shell('$N plan --svg db1.svg db1.xml --host $HOST', place).status, 0, 'the fix works')
  t.equal(shell('$N plan --svg new.xml - --host $HOST < db1.xml', place).status, 0, 'standard input')
  t.end()
})

t.test('a command that reads a terminal says so', (t) => {
  const place = folder(t)
  writeFileSync(join(place, 'db1.xml'), seed)
  const WAITS = 'reading the domain from the terminal; end it with Ctrl-D on a line of its own'
  const lines = ['transform', 'plan', 'check', 'transform -o new.xml', 'plan -', 'plan --json']
  for (const line of sampled(lines, 3)) {
    // script(1) gives it a terminal; its input is what is typed there.
    const typed = `printf '<domain/>\\n\\004' | script -qec "$N ${line} --host $HOST" /dev/null`
    const { stdout } = shell(typed, place)
    t.match(stdout, WAITS, line)
    t.match(stdout, 'error[', `${line}: what was typed is read`)
  }
  const named = shell('script -qec "$N plan db1.xml --host $HOST" /dev/null < /dev/null', place)
  t.notMatch(named.stdout, WAITS, 'a file is named')
  t.equal(shell('$N plan --host $HOST < db1.xml', place).stderr.includes(WAITS), false, 'a redirected file')
  t.end()
})
