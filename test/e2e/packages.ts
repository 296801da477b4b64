// What the end-to-end tests need of the system, by apt: libvirt, QEMU, and a kernel with an initramfs for the
// guest.

import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { must, run } from './programs.ts'

const PACKAGES = [
  'libvirt-daemon-system',
  'libvirt-clients',
  'libxml2-utils',
  'qemu-system-x86',
  'qemu-utils',
  'busybox-static',
  'cpio',
  'util-linux',
  'hostname',
]

/** Outside of the repository, so that a second run need not fetch it again. */
const CACHE = '/var/cache/virt-numa-e2e'
const KERNEL = 'linux-image-cloud-amd64'

/** Another apt may be at work: another test, whose lists apt itself does not wait for, or another program. */
const APT = [
  '/run/lock/virt-numa-e2e',
  'apt-get',
  '-o',
  'DPkg::Lock::Timeout=240',
  '-o',
  'Acquire::Retries=3',
]
const apt = (words: readonly string[], cwd?: string): Promise<string> =>
  must('flock', [...APT, ...words], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    limitS: 400,
    ...(cwd && { cwd }),
  })

/** Installs what is missing. @throws Error that says what this machine lacks to run them */
export async function installPackages(): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new Error('the end-to-end tests mount, set page pools and start libvirtd: run them as root')
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('the end-to-end tests start x86_64 guests: run them on x86_64')
  if ((await run('apt-get', ['--version'])).status !== 0)
    throw new Error('the end-to-end tests install by apt-get: run them on Debian')
  const missing = await missingPackages()
  if (missing.length === 0) return
  await apt(['update'])
  await apt(['install', '-y', '--no-install-recommends', ...missing])
}

async function missingPackages(): Promise<string[]> {
  const { stdout } = await run('dpkg', ['--get-selections', ...PACKAGES])
  const installed = stdout
    .split('\n')
    .flatMap((line) => (/\tinstall$/.test(line) ? [line.split(/[:\t]/)[0]] : []))
  return PACKAGES.filter((name) => !installed.includes(name))
}

/** The newest cloud kernel: fetched and unpacked, not installed. @returns its file */
export async function fetchKernel(): Promise<string> {
  const known = kernelIn(CACHE)
  if (known !== undefined) return known
  const folder = mkdtempSync(`${CACHE}.`)
  try {
    await apt(['update'])
    const [, name] = /Depends: (linux-image-\S+)/.exec(await must('apt-cache', ['depends', KERNEL])) ?? []
    if (name === undefined) throw new Error(`apt knows no package behind ${KERNEL}`)
    // apt's own user must be able to write where it downloads to, or it warns; root does it all the same.
    await apt(['download', name], folder)
    const deb = readdirSync(folder).find((file) => file.endsWith('.deb'))
    await must('dpkg', ['-x', `${folder}/${deb}`, folder])
    rmSync(`${folder}/${deb}`)
    // Another test may have been faster, and may boot from what it fetched.
    if (kernelIn(CACHE) === undefined) {
      rmSync(CACHE, { recursive: true, force: true })
      renameSync(folder, CACHE)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const fetched = kernelIn(CACHE)
  if (fetched === undefined) throw new Error(`no kernel in ${CACHE}/boot`)
  return fetched
}

function kernelIn(folder: string): string | undefined {
  if (!existsSync(`${folder}/boot`)) return undefined
  const file = readdirSync(`${folder}/boot`)
    .filter((name) => name.startsWith('vmlinuz-'))
    .sort()
    .at(-1)
  return file === undefined ? undefined : `${folder}/boot/${file}`
}
