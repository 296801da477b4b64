// Reads a golden folder, and runs the program on it.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Refusal } from '../../src/base/diagnostic.ts'
import { parseJson } from '../../src/base/json.ts'
import { readDocument } from '../../src/document.ts'
import { renderDiagnostics } from '../../src/explain/diagnostics.ts'
import { drawPlan } from '../../src/explain/svg.ts'
import { explain } from '../../src/explain/text.ts'
import { checkGuest } from '../../src/guest-check.ts'
import { parseSnapshot } from '../../src/host/capture/snapshot.ts'
import { type Placed, place, type Surroundings } from '../../src/place.ts'
import { domainSource } from '../../src/redact/secrets.ts'
import { parseConfig } from '../../src/request/config.ts'
import { readKeys } from '../../src/request/request.ts'
import { readVmi } from '../../src/request/vmi.ts'
import { writeElement } from '../../src/xml/build.ts'
import { runApart } from '../apart.ts'

/** The name of the configuration in messages. */
const CONFIG = 'virt-numa.conf'

/** A golden folder, read. */
export interface GoldenCase {
  readonly name: string
  readonly folder: string
  readonly about: string
  readonly run: string
  readonly keys: Readonly<Record<string, string>>
  /** Lines of the configuration. */
  readonly config: string
  readonly domain: string
  readonly surroundings: Surroundings
}

/** The expected files of the case, by name. Only cases that have a picture expect one. */
export type Answer = Readonly<
  Record<'expected.xml' | 'refusal.txt' | 'explain.txt' | 'plan.svg', string | undefined>
>

/** All golden cases, by name. */
export function readCases(): GoldenCase[] {
  return readdirSync('golden', { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
    .map((name) => {
      const folder = `golden/${name}`
      const read = (file: string): string => readFileSync(`${folder}/${file}`, 'utf8')
      const request = existsSync(`${folder}/request.json`) ? JSON.parse(read('request.json')) : {}
      const { about = '', run = 'transform', config = '', ...keys } = request
      const { host, allowed = {} } = parseSnapshot(read('host.json'), `${folder}/host.json`)
      const settings = { config: parseConfig(config, CONFIG), configSource: CONFIG }
      const vmi = existsSync(`${folder}/vmi.json`)
        ? { vmi: readVmi(parseJson(read('vmi.json'), 'vmi.json'), 'vmi.json') }
        : {}
      const flags = readKeys(Object.entries(keys as Record<string, string>), 'request.json')
      return {
        name,
        folder,
        about,
        run,
        keys,
        config,
        domain: read('domain.xml'),
        surroundings: { host, allowed, flags, ...vmi, ...settings },
      }
    })
}

/** `placed` is present for transform and rebind that were not refused. */
export function answer(each: GoldenCase): { readonly answer: Answer; readonly placed?: Placed } {
  const { run, domain, surroundings } = each
  const nothing: Answer = {
    'expected.xml': undefined,
    'refusal.txt': undefined,
    'explain.txt': undefined,
    'plan.svg': undefined,
  }
  const source = domainSource('domain.xml', domain)
  if (run.startsWith('hook ')) return { answer: { ...nothing, ...runHook(each) } }
  try {
    if (run === 'check') {
      const { found } = checkGuest(readDocument(domain, 'domain.xml'), surroundings)
      const text = renderDiagnostics(found, 'capacity-fails', [source])
      return { answer: { ...nothing, [text.includes('error[') ? 'refusal.txt' : 'explain.txt']: text } }
    }
    const placed = place(
      readDocument(domain, 'domain.xml'),
      surroundings,
      writeElement,
      run === 'rebind' ? 'if-better' : undefined,
    )
    const notes = renderDiagnostics(placed.notes, 'capacity-warns', [source])
    const words = explain(placed) + (notes && `\n${notes}`)
    const picture = existsSync(`${each.folder}/plan.svg`) ? drawPlan(placed) : undefined
    return {
      answer: { ...nothing, 'expected.xml': placed.text, 'explain.txt': words, 'plan.svg': picture },
      placed,
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return {
      answer: { ...nothing, 'refusal.txt': renderDiagnostics(error.diagnostics, 'capacity-warns', [source]) },
    }
  }
}

/** Ways to write the same document, each with the function that writes it. */
export const ways: Readonly<Record<string, (text: string) => string>> = {
  CRLF: (text) => text.replaceAll('\n', '\r\n'),
  tabs: (text) => text.replace(/^(?: {2})+/gm, (indent) => '\t'.repeat(indent.length / 2)),
  'double quotes': (text) => text.replaceAll("'", '"'),
}

// ---- The hook, as libvirt runs it, on the machine of sys.tar.gz ----

function runHook({ folder, run, domain, config }: GoldenCase): Partial<Answer> {
  const scratch = mkdtempSync(join(tmpdir(), 'virt-numa-golden-'))
  try {
    execFileSync('tar', ['-xzf', `${folder}/sys.tar.gz`, '-C', scratch])
    const [log, settings] = [join(scratch, 'hook.log'), join(scratch, 'hook.conf')]
    writeFileSync(settings, `root = "${scratch}"\nlog_file = "${log}"\n${config}\n`)
    const { status, stdout, stderr } = runApart(
      process.execPath,
      [resolve('dist/hooks/qemu.cjs'), 'db1', ...run.split(' ').slice(1), '-'],
      {
        input: domain,
        cwd: '/',
        env: { HOME: '/root', LC_ALL: 'C', PATH: '/usr/bin:/bin', VIRT_NUMA_CONFIG: settings },
      },
    )
    // Only the time and the duration of a line differ between runs.
    const said = (existsSync(log) ? readFileSync(log, 'utf8') : 'logs nothing\n')
      .replace(/^\S+Z /gm, '')
      .replace(/ \(\d+ ms\)$/gm, '')
      .replaceAll(settings, CONFIG)
      .replaceAll(scratch, '')
    return {
      ...(stdout !== '' && { 'expected.xml': stdout }),
      ...(stderr !== '' && { 'refusal.txt': stderr.replaceAll(settings, CONFIG) }),
      'explain.txt': `exits with ${status}${stdout === '' ? ', prints nothing' : ''}\n${said}`,
    }
  } finally {
    rmSync(scratch, { recursive: true })
  }
}
