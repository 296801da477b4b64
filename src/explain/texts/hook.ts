// The installed hook, and its installation: the text of each code.

import { shellWord } from '../../base/name.ts'
import type { HookDefect, HookFacts, PathContent } from '../../codes/hook.ts'
import { fixesOfWriting, folderOf } from './files.ts'
import { short, type Text, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const hookTexts: Texts<HookFacts> = {
  'hook-foreign': (f) =>
    text(
      `${f.path} is not ours, and ${f.version === undefined ? 'the version of libvirt is not known' : `libvirt ${f.version} reads no further hooks`}`,
      'a second hook goes to qemu.d, which libvirt reads from 6.5 on',
      `virt-numa install --hooks-dir ${f.folder}, and let ${f.path} run: ${f.folder}/qemu "$@"`,
    ),
  'hook-place-taken': ({ path, holds, role }) =>
    text(
      `${path} is ${contentWords(holds)}${role === 'link-to-ours' ? ', a virt-numa hook' : ''}`,
      'a file that virt-numa did not install is left as it is',
      takenFix[role](path),
    ),
  'hook-trial-failed': (f) =>
    text(
      `at ${short(f.operation)}, for a guest that ${f.guest}, the hook ${f.what}`,
      'a hook that does not answer stops guests from starting, and kills running ones when the daemon restarts: nothing was installed',
      `look at what it says: ${f.command}`,
    ),
  'hook-program-exposed': (f) =>
    text(
      `${f.path} can be changed by ${f.who}`,
      'libvirt runs the hook as root, so they could run anything as root',
      'install virt-numa where only root writes: npm pack, then npm install -g virt-numa-*.tgz as root',
    ),
  'hook-program-private': (f) =>
    text(
      `${f.path} lies in ${f.where}`,
      'the hook needs it as long as it is installed, at every boot and for a daemon that may not look there',
      'install Node and virt-numa for the whole system, below /usr, /usr/local or /opt',
    ),
  'install-unwritable': (f) => {
    const isDenied = f.errno === 'EACCES' || f.errno === 'EPERM'
    const fix = isDenied && !f.isRoot ? 'run it as root' : fixesOfWriting[f.errno]?.(f.file)
    return text(
      `cannot write ${f.file}: ${f.reason}`,
      'hook and configuration are replaced atomically; both are as they were before',
      `${fix ?? `make ${shellWord(folderOf(f.file))} writable`}${isDenied && !f.isRoot ? '' : ', or choose another folder for hooks: --hooks-dir DIR'}`,
    )
  },
  'daemon-reload-needed': (f) =>
    text(
      `${f.daemon} must reload once`,
      'where no hook was when it started, it looks for one only when it reloads; guests run on',
      `${f.command}, or virt-numa install --reload`,
    ),
  'daemon-reload-failed': (f) =>
    text(
      `${f.daemon} was not reloaded: ${f.reason}`,
      'until it reloads it does not see the first hook of a host',
      f.command,
    ),
  'hook-policy-denies': (f) =>
    text(
      `SELinux does not allow ${f.daemon} to run ${f.path}, which is ${f.hook}`,
      "libvirt cannot run such a hook: no guest starts, and running ones are killed when the daemon restarts; Fedora's boolean virt_hooks_unconfined is for virtnetworkd only",
      "semodule -i packaging/selinux/virt-numa.cil (in virt-numa's folder), or run libvirtd in place of virtqemud",
    ),
  'hook-policy-unknown': (f) =>
    text(
      `SELinux is enforcing; whether it lets the daemon run ${f.path} is not known`,
      "libvirtd is unconfined, but virtqemud needs a policy of its own: Fedora's boolean virt_hooks_unconfined is for virtnetworkd only",
      "ausearch -m avc -c rpc-virtqemud; where it is denied: semodule -i packaging/selinux/virt-numa.cil (in virt-numa's folder)",
    ),
  'hook-label-late': (f) =>
    text(
      `${f.path} was not labelled: ${f.reason}`,
      'SELinux is on, and its policy goes by the label of the file',
      `restorecon -v ${f.path}`,
    ),
  'hook-absent': (f) =>
    text(
      `there is no hook of ours at ${f.path}`,
      'guests are neither rebound when they move nor checked when they start',
      'virt-numa install',
    ),
  'hook-broken': (f) => brokenText(f.path, f.because),
  'hook-unseen': (f) =>
    text(
      `${f.daemon} was started before ${f.path} was written; whether it has reloaded since is not known`,
      'where no hook was when it started, it looks for one only when it reloads',
      `${f.reload}, unless that was done since`,
    ),
}

function brokenText(path: string, because: HookDefect): Text {
  switch (because.is) {
    case 'outdated':
      return text(
        `${path} was written by an earlier version`,
        'it treats any failure as a refusal: if Node cannot run, no guest starts',
        'virt-numa install',
      )
    case 'not-executable':
      return text(
        `${path} is not executable (mode ${because.mode.toString(8).padStart(4, '0')})`,
        'libvirt silently ignores such a file',
        `chmod 0755 ${path}`,
      )
    case 'incomplete':
      return text(
        `${path} runs ${because.files.join(' and ')}, missing or not executable`,
        'it cancels every migration and restore, and checks no guest that starts',
        'virt-numa install',
      )
  }
}

const takenFix: Readonly<Record<HookFacts['hook-place-taken']['role'], (path: string) => string>> = {
  'link-to-ours': (path) => `rm ${path}`,
  'our-name': (path) => `move it to another name in ${folderOf(path)}`,
  folder: (path) => `move ${path} away`,
}

/** "a link to /x", "a folder", "not a virt-numa hook". */
export function contentWords(holds: PathContent): string {
  if (holds.is === 'link') return `a link to ${holds.to}`
  if (holds.is === 'folder') return 'a folder'
  return holds.is === 'other-file' ? 'not a virt-numa hook' : 'not a file'
}
