// Three ways in which libvirt says whether it takes a domain, none of which needs a daemon: its schema, its
// test driver's parser and its QEMU driver, which makes QEMU's command line of it for the machine that it
// sees.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { openNamespace } from './namespace.ts'
import { type Ended, run } from './programs.ts'
import { openSession } from './virsh-session.ts'

/** The complaint about a document, without what differs between two files; '' is none. */
export type Verdict = string

/** A part of libvirt that accepts or refuses documents. */
export interface Judge {
  readonly name: string
  readonly of: (file: string) => Promise<Verdict>
}

/** libvirt's schema of domains. */
export const schema: Judge = {
  name: 'virt-xml-validate',
  of: async (file) => verdict(file, await run('virt-xml-validate', [file, 'domain'])),
}

/** libvirt's parser and validation, in its test driver. */
export const parser: Judge = {
  name: 'define --validate',
  of: async (file) =>
    verdict(file, await run('virsh', ['-q', '-c', 'test:///default', 'define', file, '--validate'])),
}

/** What x86 may have, in KiB; guests with other pages cannot be judged here, nor could they before. */
const SIZES = { '2M': 2048, '1G': 1_048_576 }
const isOffered = (kib: number): boolean => existsSync(`/sys/kernel/mm/hugepages/hugepages-${kib}kB`)
const PAGESIZES = Object.entries(SIZES).flatMap(([size, kib]) => (isOffered(kib) ? [size] : []))
/** Not every CPU has pages of 1 GiB. */
const missing = Object.values(SIZES).filter((kib) => !isOffered(kib))

/** A judge on a machine of which `devices` holds node/ and cpu/. */
export interface Machine {
  readonly judge: Judge
  readonly close: () => Promise<void>
}

/**
 * `scratch` is libvirt's: the first call looks at QEMU, some four seconds, and leaves what it found there.
 */
export async function openMachine(name: string, devices: string, scratch: string): Promise<Machine> {
  mkdirSync(`${scratch}/etc`, { recursive: true })
  // As root, else libvirt probes a /dev/kvm that it cannot open again and again, half a minute each.
  const mounts = PAGESIZES.map((size) => `${scratch}/pages-${size}`)
  writeFileSync(
    `${scratch}/etc/qemu.conf`,
    `user = "root"\ngroup = "root"\nhugetlbfs_mount = ${JSON.stringify(mounts)}\n`,
  )
  for (const mount of mounts) mkdirSync(mount, { recursive: true })
  const space = await openNamespace()
  try {
    for (const each of ['node', 'cpu'])
      await space.mount('--bind', `${devices}/${each}`, `/sys/devices/system/${each}`)
    for (const size of PAGESIZES)
      await space.mount('-t', 'hugetlbfs', '-o', `pagesize=${size}`, 'hugetlbfs', `${scratch}/pages-${size}`)
  } catch (error) {
    await space.close()
    throw error
  }
  const session = openSession(space.inside, ['-q', '-c', `qemu:///embed?root=${scratch}`])
  const of = async (file: string): Promise<Verdict> => {
    const { text, signal } = await session.ask(`domxml-to-native qemu-argv '${runnable(file)}'`)
    const error = text.search(/^error: /m)
    if (signal !== undefined) return verdict(file, { signal, stdout: '', stderr: text })
    return error < 0 ? '' : verdict(file, { status: 1, stdout: '', stderr: text.slice(error) })
  }
  const close = async (): Promise<void> => {
    await session.close()
    await space.close()
  }
  return { judge: { name: `domxml-to-native on ${name}`, of }, close }
}

const hasKvm = existsSync('/dev/kvm')

/** The file of a guest that this machine can run: without KVM, an emulated one in place of the document's. */
function runnable(file: string): string {
  if (hasKvm) return file
  const emulated = `${file}.emulated.xml`
  const text = readFileSync(file, 'utf8')
    .replace(/(<domain\b[^>]*?\btype=)(['"])kvm\2/, '$1$2qemu$2')
    .replace(/(<cpu\b[^>]*?\bmode=)(['"])host-passthrough\2/, '$1$2maximum$2')
  writeFileSync(emulated, text)
  return emulated
}

/**
 * Of libvirt's own: 9.0 frees twice where it refuses a VFIO device that is not there, fitted or not, and what
 * it says as it dies differs each time, as does whether it dies.
 */
const CRASHES = ['SIGSEGV', 'SIGABRT', 'SIGBUS']
const CRASHED = 'it crashes'

function verdict(file: string, { status, signal, stderr }: Ended): Verdict {
  if (signal !== undefined && CRASHES.includes(signal)) return CRASHED
  if (status === undefined) throw new Error(`no verdict on ${file}: ${stderr}`)
  if (status === 0) return ''
  return (
    stderr
      .replaceAll(file, 'FILE')
      .replace(/^(FILE|\(\w+\)):\d+:/gm, '$1:')
      .trim() || `status ${status}`
  )
}

/** A document and what it was made of. */
export interface Pair {
  readonly name: string
  readonly before: string
  readonly after: string
}

/**
 * The judgement of an answer, compared with that of its input. `not judged`: the CPU of this machine does not
 * have its pages.
 */
export type Judged = 'accepted' | 'refused before' | 'refused only now' | 'not judged'

/**
 * What is accepted is judged. What is refused is compared: it may not be refused for another reason than
 * before. A crash is as any other refusal.
 */
export async function judge(
  { of }: Judge,
  { before, after }: Pair,
): Promise<{ readonly is: Judged; readonly verdict: Verdict }> {
  const verdict = await withoutCrash(of, after)
  if (verdict === '') return { is: 'accepted', verdict }
  const lacksKib = /Unable to find any usable hugetlbfs mount for (\d+) KiB/.exec(verdict)?.[1]
  if (missing.some((kib) => String(kib) === lacksKib)) return { is: 'not judged', verdict }
  const verdictBefore = await withoutCrash(of, before)
  const same =
    verdict === verdictBefore || (verdictBefore !== '' && [verdict, verdictBefore].includes(CRASHED))
  return {
    is: same ? 'refused before' : 'refused only now',
    verdict: `${verdict}\nbefore: ${verdictBefore || 'accepted'}`,
  }
}

const TRIES = 3

/** What crashes now may not the next time. */
async function withoutCrash(of: Judge['of'], file: string, tries = TRIES): Promise<Verdict> {
  // libvirt numbers the tap devices that it makes, over all documents.
  const verdict = (await of(file)).replace(/\bvnet\d+\b/g, 'vnetN')
  return verdict === CRASHED && tries > 1 ? withoutCrash(of, file, tries - 1) : verdict
}
