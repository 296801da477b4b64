// Files that cannot be read or written, or are too large: the meaning of each code.

import type { FilesFacts } from '../../codes/files.ts'
import { type Meanings, meaning } from '../code/meaning.ts'

/** The meaning of each code. */
export const filesMeanings: Meanings<FilesFacts> = {
  unreadable: meaning(
    'a file cannot be read',
    'The system refused to open or read it. The reason is the one that the system gives.',
    'The fix depends on the reason: check the path, the permissions, or what the file is.',
  ),
  unwritable: meaning(
    'a file cannot be written',
    'Files are written atomically: under another name first, then renamed. An existing file was not ' +
      'changed, unless the message says that it may be incomplete.',
    'The fix depends on the reason: a folder to create, permissions, or space on the disk.',
  ),
  'output-taken': meaning(
    'an output is the same file as an input or output',
    'Writing it would destroy what is still needed. Links are followed, so two names can be one file.',
    'Choose another file for the output.',
  ),
  'output-kind': meaning(
    'an output would replace a file of another kind',
    'A picture replaces only a picture, metrics only metrics, a domain only a domain, so that a ' +
      'mistyped name destroys nothing.',
    'Choose another file, or delete this one first.',
  ),
  'too-large': meaning(
    'a file is larger than any of its kind',
    'A limit for each kind of file keeps a wrong one from taking memory and time.',
    'Check that the file is what the command expects.',
  ),
  'host-compressed': meaning(
    'the captured host is compressed with bzip2',
    'Only .tar and .tar.gz are read.',
    'Unpack it with bunzip2 -k, then use the .tar.',
  ),
  'host-without-cgroups': meaning(
    'the host file holds no cgroups',
    'A snapshot or a capabilities document describes the host only, so --cgroup and --pid cannot be ' +
      'looked up.',
    'Use --cpuset, or a capture with proc/ and sys/.',
  ),
  'utf8-invalid': meaning(
    'a file is not valid UTF-8',
    'libvirt reads and writes UTF-8 only, and a guess at another encoding could change names.',
    'Convert it with iconv.',
  ),
}
