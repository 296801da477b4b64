// Files that cannot be read or written, or are too large: the text of each code.

import { shellWord } from '../../base/name.ts'
import type { FilesFacts } from '../../codes/files.ts'
import { type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const filesTexts: Texts<FilesFacts> = {
  unreadable: (f) =>
    text(`cannot read ${f.file}: ${f.reason}`, 'without it nothing can be decided', fixOfUnreadable(f)),
  unwritable: (f) => {
    const what = `cannot write ${f.file}: ${f.reason}`
    if (f.kept !== undefined)
      return text(
        what,
        `the file may be incomplete; ${f.kept} holds what was in it before`,
        `see which of the two is whole; to go back: cat ${shellWord(f.kept)} > ${shellWord(f.file)}; then: rm ${shellWord(f.kept)}`,
      )
    const fix = f.isStream ? fixesOfStream[f.errno ?? ''] : fixesOfWriting[f.errno ?? '']?.(f.file)
    return text(
      what,
      f.isStream
        ? 'what was written is incomplete'
        : 'the result was not stored; the file is as it was before',
      fix ?? 'choose another file',
    )
  },
  'output-taken': (f) =>
    text(
      `${f.output}${f.file === undefined ? '' : ` ${f.file}`} is the same file as ${f.other}`,
      f.isInput
        ? 'the output would replace what was read; nothing was written'
        : 'one would overwrite the other; nothing was written',
      `choose another file for ${f.output}`,
    ),
  'too-large': (f) =>
    text(`${f.file} has more than ${f.max}`, `${f.kind} has some ${f.usual}`, `check that this is ${f.kind}`),
  'host-compressed': (f) =>
    text(
      `${f.file} is compressed with bzip2`,
      'only .tar and .tar.gz are read',
      `bunzip2 -k ${f.file}, and give the .tar`,
    ),
  'host-without-cgroups': (f) =>
    text(
      `${f.option} with ${f.file}, which holds no cgroups`,
      'a snapshot or capabilities document states the host alone',
      'use --cpuset LIST, or give a capture that holds proc/ and sys/',
    ),
  'utf8-invalid': (f) =>
    text(
      `${f.file}: not valid UTF-8 at byte ${f.offset}`,
      'libvirt reads and writes UTF-8 only',
      'convert it: iconv -t UTF-8',
    ),
}

function fixOfUnreadable({ file, errno, guest, option, isStdin }: FilesFacts['unreadable']): string {
  if (isStdin) return 'redirect a document to it, or name a file'
  if (option !== undefined)
    return errno === undefined
      ? `name the folder that holds etc/: ${option} DIR`
      : `check the path that ${option} names: ${file}`
  return guest === undefined || (errno !== undefined && errno !== 'ENOENT')
    ? fixOfReading(file, errno)
    : `check the path; of a guest of libvirt: virsh dumpxml --inactive ${guest} > ${guest}.xml`
}

/** The folder that holds a path, as text. */
export const folderOf = (path: string): string =>
  /^(.*?)\/+[^/]*\/*$/.exec(path)?.[1] || (path.startsWith('/') ? '/' : '.')

/** What can be done when the system refuses to write a file, by the code of its error. */
export const fixesOfWriting: Readonly<Record<string, (file: string) => string>> = {
  ENOENT: (file) => `create the folder: mkdir -p ${shellWord(folderOf(file))}`,
  ENOTDIR: (file) => `choose a path below a folder: something in ${folderOf(file)} is a file`,
  EEXIST: (file) => `remove it, rm ${shellWord(file)}, or choose another file`,
  EISDIR: (file) => `this is a folder; name a file in it: ${shellWord(`${file.replace(/\/+$/, '')}/NAME`)}`,
  EACCES: (file) => `run it as a user who may write to ${shellWord(folderOf(file))}, or choose another file`,
  EPERM: (file) => `run it as the owner of ${shellWord(file)} or as root, or choose another file`,
  EROFS: (file) =>
    `choose a file elsewhere: the file system of ${shellWord(folderOf(file))} is mounted read-only`,
  ENOSPC: (file) => `free space on the disk: df -h ${shellWord(folderOf(file))}`,
  EDQUOT: () => 'free space, or have the disk quota raised: quota -s',
  EFBIG: () => 'raise the limit on the size of files: ulimit -f unlimited',
  EBUSY: () => 'run it again once no other program replaces or locks the file',
  ENXIO: () => 'start the program that reads it first, or choose a regular file',
  EPIPE: () => 'see why the program that reads it ended',
  ENAMETOOLONG: () => 'choose a shorter name',
  ELOOP: (file) => `its links lead in a circle; see: namei -l ${shellWord(file)}`,
  EMFILE: () => 'raise the limit on open files: ulimit -n 1024',
  ENFILE: () => 'close programs: the system has too many open files',
  EIO: (file) =>
    `check the disk or the network share that holds ${shellWord(folderOf(file))}; the kernel's log says more: dmesg`,
}

/** stdout and stderr have no folder. */
export const fixesOfStream: Readonly<Record<string, string>> = {
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
  ENOTDIR: (file) => `check the path: something in ${folderOf(file)} is a file, not a folder`,
  EISDIR: (file) => `this is a folder; name a file in it: ls -l ${shellWord(file)}`,
  EACCES: (file) => `run it as root, or as a user who may read it; see: namei -l ${shellWord(file)}`,
  EPERM: (file) => `run it as root, or as a user who may read it; see: namei -l ${shellWord(file)}`,
  ELOOP: (file) => `its links lead in a circle; see: namei -l ${shellWord(file)}`,
  ENXIO: () => 'choose a regular file: this is a socket, or a device that is not there',
  ENAMETOOLONG: () => 'check the path: no file has so long a name',
  EMFILE: () => 'raise the limit on open files: ulimit -n 1024',
  EIO: (file) =>
    `check the disk or the network share that holds ${shellWord(folderOf(file))}; the kernel's log says more: dmesg`,
}

/** What to do about a file that cannot be read. */
export const fixOfReading = (file: string, errno: string | undefined): string =>
  fixesOfReading[errno ?? '']?.(file) ?? 'check the path and its permissions'
