// Three ways in which libvirt says whether it takes a domain, none of which needs a daemon: its schema, its
// test driver's parser and its QEMU driver, which makes QEMU's command line of it for the machine that it
// sees.

import { mkdirSync, writeFileSync } from 'node:fs'
import { openNamespace } from './namespace.ts'
import { type Ended, run } from './programs.ts'

/** What is said against a document, without what differs between two files; '' is nothing. */
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

/** What x86 has; guests with other pages cannot be judged here, nor could they before. */
const PAGESIZES = ['2M', '1G']

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
  // As root, else libvirt looks anew at a /dev/kvm that it cannot open, each time for half a minute.
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
  const uri = `qemu:///embed?root=${scratch}`
  const of = async (file: string): Promise<Verdict> =>
    verdict(file, await space.run('virsh', ['-q', '-c', uri, 'domxml-to-native', 'qemu-argv', file]))
  return { judge: { name: `domxml-to-native on ${name}`, of }, close: space.close }
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

/** The judgement of an answer, compared with that of its input. */
export type Judged = 'accepted' | 'refused before' | 'refused only now'

/**
 * What is accepted is judged. What is refused is compared: it may not be refused for another reason than
 * before. A crash is as any other refusal.
 */
export async function judge(
  { of }: Judge,
  { before, after }: Pair,
): Promise<{ readonly is: Judged; readonly told: Verdict }> {
  const told = await withoutCrash(of, after)
  if (told === '') return { is: 'accepted', told }
  const toldBefore = await withoutCrash(of, before)
  const same = told === toldBefore || (toldBefore !== '' && [told, toldBefore].includes(CRASHED))
  return {
    is: same ? 'refused before' : 'refused only now',
    told: `${told}\nbefore: ${toldBefore || 'accepted'}`,
  }
}

const TRIES = 3

/** What crashes now may not the next time. */
async function withoutCrash(of: Judge['of'], file: string, tries = TRIES): Promise<Verdict> {
  const told = await of(file)
  return told === CRASHED && tries > 1 ? withoutCrash(of, file, tries - 1) : told
}
