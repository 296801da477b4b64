// Files that cannot be read or written, or are too large: the text of each code.

import { formatKiB } from '../../base/memory.ts'
import { shellWord } from '../../base/visible.ts'
import type { DocumentKind, FilesFacts, OutputKind } from '../../codes/files.ts'
import { type Ask, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const filesTexts: Texts<FilesFacts> = {
  unreadable: (f, { ask }) =>
    text(
      `cannot read ${f.file}: ${f.reason}`,
      f.expected && 'doctor also examines the hook and the configuration, which only a captured host has',
      fixOfUnreadable(f, ask),
    ),
  unwritable: (f) => {
    const what = `cannot write ${f.file}: ${f.reason}`
    if (f.kept !== undefined)
      return text(
        what,
        `the file may be incomplete; ${f.kept} holds what was in it before`,
        `see which of the two is complete; to restore: cat ${shellWord(f.kept)} > ${shellWord(f.file)}; ` +
          `then: rm ${shellWord(f.kept)}`,
      )
    const fix = f.isStream ? fixesOfStream[f.errno ?? ''] : fixesOfWriting[f.errno ?? '']?.(f.file)
    return text(
      what,
      f.isStream ? 'the output is incomplete' : 'the result was not stored; an existing file was not changed',
      fix ?? 'choose another file',
    )
  },
  'output-taken': (f) =>
    text(
      `${f.output}${f.file === undefined ? '' : ` ${f.file}`} is the same file as ${f.other}`,
      f.isInput
        ? 'the output would replace an input; nothing was written'
        : 'one would overwrite the other; nothing was written',
      `choose another file for ${f.output}`,
    ),
  'output-kind': (f) =>
    text(
      `${f.output} ${f.file}: the file exists and holds ${outputs[f.holds]}`,
      `only ${outputs[f.writes]} or an empty file is replaced; nothing was written`,
      `choose another file for ${f.output}, or delete this one first: rm ${shellWord(f.file)}`,
    ),
  'too-large': (f) => {
    const [kind, usual] = kinds[f.kind]
    return text(
      `${f.file} ${f.isUnpacked ? 'unpacks to' : 'has'} more than ${formatKiB(f.maxKiB)}`,
      `${kind} usually has about ${usual}`,
      `check that this is ${kind}`,
    )
  },
  'host-compressed': (f) =>
    text(
      `${f.file} is compressed with bzip2`,
      'only .tar and .tar.gz are read',
      `bunzip2 -k ${f.file}, then use the .tar`,
    ),
  'host-without-cgroups': (f) =>
    text(
      `${f.option} cannot be used: ${f.file} contains no cgroups`,
      'a snapshot or capabilities document describes only the host',
      'use --cpuset LIST, or a capture with proc/ and sys/',
    ),
  'utf8-invalid': (f, { ask: { document } }) =>
    text(
      `${f.file}: not valid UTF-8 at byte ${f.offset}`,
      'libvirt reads and writes UTF-8 only',
      document.by === 'reader'
        ? 'convert it: iconv -f ISO-8859-1 -t UTF-8'
        : `try again; if it recurs, see: ${document.see}`,
    ),
}

const outputs: Readonly<Record<OutputKind | 'other', string>> = {
  domain: 'a domain',
  svg: 'an SVG picture',
  metrics: 'metrics of virt-numa',
  html: 'HTML',
  other: 'something else',
}

/** What a file should contain, and how large that usually is. */
const kinds: Readonly<Record<DocumentKind, readonly [kind: string, usual: string]>> = {
  domain: ['a domain', '10 KiB'],
  vmi: ['a VMI', '10 KiB'],
  configuration: ['a configuration', '1 KiB'],
  snapshot: ['a snapshot', '100 KiB'],
  capture: ['a captured machine', '10 MiB'],
}

function fixOfUnreadable(
  { file, errno, guest, option, expected, isStdin }: FilesFacts['unreadable'],
  { document }: Ask,
): string {
  if (isStdin)
    return document.by === 'reader'
      ? 'redirect a document to it, or name a file'
      : 'to call the hook by hand, redirect a domain to it: HOOK NAME migrate begin - < domain.xml'
  if (expected !== undefined)
    return 'name a folder that holds sys/, proc/ and etc/; unpack a tar first: tar xf HOST.tar -C DIR'
  if (option !== undefined)
    return errno === undefined
      ? `name the folder that contains etc/: ${option} DIR`
      : `check the path that ${option} names: ${file}`
  return guest === undefined || (errno !== undefined && errno !== 'ENOENT')
    ? fixOfReading(file, errno)
    : `check the path; for a libvirt guest: virsh dumpxml --inactive ${guest} > ${guest}.xml`
}

/** The folder that holds a path, as text. */
export const folderOf = (path: string): string =>
  /^(.*?)\/+[^/]*\/*$/.exec(path)?.[1] || (path.startsWith('/') ? '/' : '.')

/** The fix for each error of the system when it writes a file. */
export const fixesOfWriting: Readonly<Record<string, (file: string) => string>> = {
  ENOENT: (file) =>
    folderOf(file) === '.'
      ? 'this folder was removed: change to another one, or use an absolute path'
      : `create the folder: mkdir -p ${shellWord(folderOf(file))}`,
  ENOTDIR: (file) => `choose another path: a part of ${shellWord(folderOf(file))} is a file, not a folder`,
  EEXIST: (file) => `remove it (rm ${shellWord(file)}), or choose another file`,
  EISDIR: (file) => `this is a folder; name a file in it: ${shellWord(`${file.replace(/\/+$/, '')}/NAME`)}`,
  EACCES: (file) => `run it as a user who may write to ${shellWord(folderOf(file))}, or choose another file`,
  EPERM: (file) =>
    `run it as the owner of ${shellWord(file)} or as root; if root gets this error: lsattr ` +
    `${shellWord(file)}`,
  EROFS: (file) =>
    'choose a file elsewhere: this file system is mounted read-only (findmnt -T ' +
    `${shellWord(folderOf(file))})`,
  ENOSPC: (file) => `free space on the disk: df -h ${shellWord(folderOf(file))}`,
  EDQUOT: () => 'free space, or have the disk quota raised: quota -s',
  EFBIG: () => 'raise the limit on the size of files: ulimit -f unlimited',
  EBUSY: () => 'run it again when no other program uses the file',
  ENXIO: () => 'start the program that reads it first, or choose a regular file',
  EPIPE: () => 'see why the program that reads it ended',
  ENAMETOOLONG: () => 'choose a shorter name',
  ELOOP: (file) => `its links lead in a circle; see: namei -l ${shellWord(file)}`,
  EMFILE: () => 'raise the limit on open files: ulimit -n 1024',
  ENFILE: () => 'close programs, or raise the limit of the system: sysctl fs.file-max',
  EIO: (file) =>
    `check the disk or the network share that holds ${shellWord(folderOf(file))}; the kernel's log says ` +
    'more: dmesg',
}

/** stdout and stderr have no folder. */
const fixesOfStream: Readonly<Record<string, string>> = {
  ENOSPC: 'free space on the disk that it is redirected to',
  EDQUOT: 'free space, or have the disk quota raised: quota -s',
  EFBIG: 'raise the limit on the size of files: ulimit -f unlimited',
  EPIPE: 'see why the program that reads it ended',
  ENXIO: 'start the program that reads it first, or choose a regular file',
  EACCES: 'run it as a user who may write to it, or choose a regular file',
}

/** The same for reading. */
const fixesOfReading: Readonly<Record<string, (file: string) => string>> = {
  ENOENT: (file) => `check the path: ls -l ${shellWord(folderOf(file))}`,
  ENOTDIR: (file) => `check the path: a part of ${shellWord(folderOf(file))} is a file, not a folder`,
  EISDIR: (file) => `this is a folder; name a file in it: ls -l ${shellWord(file)}`,
  EACCES: (file) => `run it as root, or as a user who may read it; see: namei -l ${shellWord(file)}`,
  EPERM: (file) => `run it as root, or as a user who may read it; see: namei -l ${shellWord(file)}`,
  ELOOP: (file) => `its links lead in a circle; see: namei -l ${shellWord(file)}`,
  ENXIO: () => 'choose a regular file: this is a socket, or a device that is not there',
  ENAMETOOLONG: () => 'check the path: no file has such a long name',
  EMFILE: () => 'raise the limit on open files: ulimit -n 1024',
  EIO: (file) =>
    `check the disk or the network share that holds ${shellWord(folderOf(file))}; the kernel's log says ` +
    'more: dmesg',
}

/** What to do about a file that cannot be read. */
const fixOfReading = (file: string, errno: string | undefined): string =>
  fixesOfReading[errno ?? '']?.(file) ?? 'check the path and its permissions'
