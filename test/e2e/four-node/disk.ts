// This machine's installed packages, its Node and this repository's dist/ to what the four-node host boots
// from: a disk with its root, and an initramfs with the job.

import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pattern } from '../../pattern.ts'
import { must, run } from '../programs.ts'

/** With all that they depend on. */
const PACKAGES = [
  'base-files',
  'bash',
  'coreutils',
  'dash',
  'findutils',
  'grep',
  'gzip',
  'hostname',
  'iproute2',
  'libvirt-clients',
  'libvirt-daemon-driver-qemu',
  'libvirt-daemon-system',
  'mount',
  'passwd',
  'procps',
  'qemu-system-x86',
  'sed',
  'sysvinit-utils',
  'tar',
  'util-linux',
]

const TAKEN = /^\/(bin|sbin|lib|lib64|usr|etc|var\/lib\/libvirt)(\/|$)/
const LEFT = pattern(
  /^\/usr\/share\/(doc|man|locale|info|icons|bug|lintian|perl|gdb|zoneinfo)\/|/,
  /^\/usr\/lib\/(firmware|python|gcc)|^\/usr\/include|hwdb/,
)

/** What is not a file of a package. */
const STATE = [
  '/etc/passwd',
  '/etc/group',
  '/etc/nsswitch.conf',
  '/etc/ld.so.cache',
  '/etc/machine-id',
  '/etc/alternatives',
]

const MODULES = [
  'virtio_ring',
  'virtio',
  'virtio_pci_legacy_dev',
  'virtio_pci_modern_dev',
  'virtio_pci',
  'virtio_blk',
]
const APPLETS = ['sh', 'mount', 'insmod', 'sleep', 'cp', 'switch_root']

/** Where the program lies on the four-node host. */
export const PROGRAM = '/opt/virt-numa'

/** @returns the image; nothing of this machine's state is in it */
export async function buildDisk(scratch: string, dist: string): Promise<string> {
  const root = join(scratch, 'root')
  for (const folder of ['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64'])
    mkdirSync(join(root, folder), { recursive: true })
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name))
  await copyFiles(await packagedFiles(), root, scratch)
  for (const folder of [
    'proc',
    'sys',
    'dev',
    'run',
    'tmp',
    'job',
    'root',
    'var/lib/libvirt',
    'var/log/libvirt',
    'var/cache/libvirt',
  ]) {
    mkdirSync(join(root, folder), { recursive: true })
  }
  rmSync(join(root, 'var/run'), { recursive: true, force: true })
  symlinkSync('/run', join(root, 'var/run'))
  rmSync(join(root, 'etc/libvirt/qemu/networks/autostart'), { recursive: true, force: true })
  // As root QEMU may open what root made; libvirt would else probe for KVM again and again. Logs to a file
  // need no virtlogd.
  writeFileSync(
    join(root, 'etc/libvirt/qemu.conf'),
    'user = "root"\ngroup = "root"\nsecurity_driver = "none"\nstdio_handler = "file"\n',
  )
  for (const file of ['hooks', ...readdirSync(dist).filter((name) => name.endsWith('.cjs'))]) {
    cpSync(join(dist, file), join(root, PROGRAM, 'dist', file), { recursive: true })
  }
  const image = join(scratch, 'disk.img')
  await must('mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal', '-d', root, image, '1500M'], {
    limitS: 120,
  })
  rmSync(root, { recursive: true })
  return image
}

async function packagedFiles(): Promise<string[]> {
  const only = [
    '--recurse',
    '--installed',
    '--no-recommends',
    '--no-suggests',
    '--no-conflicts',
    '--no-breaks',
    '--no-replaces',
    '--no-enhances',
  ]
  const listed = await must('apt-cache', ['depends', ...only, ...PACKAGES])
  const names = [...new Set(listed.split('\n').filter((line) => /^[a-z0-9]/.test(line)))].sort()
  // One that is only virtual has no files: dpkg says so and lists the others.
  const { stdout } = await run('dpkg', ['-L', ...names])
  const packaged = stdout.split('\n').filter((path) => TAKEN.test(path) && !LEFT.test(path))
  const node = realpathSync(process.execPath)
  const libraries = [...(await must('ldd', [node])).matchAll(/\/\S+/g)].map(([path]) => path)
  return [
    ...new Set([...packaged, ...STATE, node, ...libraries, ...libraries.map((path) => realpathSync(path))]),
  ]
    .filter(isThere)
    .sort()
}

/** A link to nowhere is there too. */
function isThere(path: string): boolean {
  if (existsSync(path)) return true
  try {
    return readlinkSync(path) !== ''
  } catch {
    return false
  }
}

/** Packages name files both below /lib and below /usr/lib; on the disk these are one folder. */
async function copyFiles(paths: readonly string[], root: string, scratch: string): Promise<void> {
  const [list, tar] = [join(scratch, 'files'), join(scratch, 'files.tar')]
  writeFileSync(list, paths.map((path) => `${path.slice(1)}\0`).join(''))
  await must(
    'tar',
    ['-C', '/', '--create', '--no-recursion', '--null', '--files-from', list, '--file', tar],
    { limitS: 120 },
  )
  await must('tar', ['-C', root, '--extract', '--keep-directory-symlink', '--file', tar], { limitS: 120 })
  rmSync(tar)
  const node = realpathSync(process.execPath)
  if (node !== '/usr/bin/node') cpSync(node, join(root, 'usr/bin/node'))
}

/** @param job files by the name that they get in /job */
export async function buildInitramfs(
  scratch: string,
  kernel: string,
  job: Readonly<Record<string, string>>,
): Promise<string> {
  const root = join(scratch, 'initramfs')
  for (const folder of ['bin', 'proc', 'sys', 'dev', 'modules', 'root', 'job'])
    mkdirSync(join(root, folder), { recursive: true })
  cpSync('/bin/busybox', join(root, 'bin/busybox'))
  for (const name of APPLETS) symlinkSync('busybox', join(root, 'bin', name))
  const modules = dirname(dirname(kernel))
  for (const file of readdirSync(join(modules, 'lib/modules'), { recursive: true, encoding: 'utf8' })) {
    if (MODULES.some((module) => basename(file) === `${module}.ko`))
      cpSync(join(modules, 'lib/modules', file), join(root, 'modules', basename(file)))
  }
  for (const [name, file] of Object.entries(job))
    cpSync(file, join(root, name === 'init' ? name : `job/${name}`))
  chmodSync(join(root, 'init'), 0o755)
  const names = ['.', ...readdirSync(root, { recursive: true, encoding: 'utf8' })].sort()
  const archive = join(scratch, 'initramfs.cpio')
  await must('busybox', ['cpio', '-o', '-H', 'newc', '-F', archive], {
    input: `${names.join('\n')}\n`,
    cwd: root,
  })
  rmSync(root, { recursive: true })
  return archive
}
