// The installed hook, and its installation: the text of each code.

import { shellWord } from '../../base/visible.ts'
import type {
  HookDefect,
  HookFacts,
  HookStep,
  PathContent,
  PrivateFolder,
  TrialProblem,
  WhoElse,
} from '../../codes/hook.ts'
import { fixesOfWriting, folderOf } from './files.ts'
import { short, type Text, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const hookTexts: Texts<HookFacts> = {
  'hook-foreign': (f) =>
    text(
      `${f.path} is not a virt-numa hook, and ` +
        (f.version === undefined
          ? 'the version of libvirt is unknown'
          : `libvirt ${f.version} runs no second hook`),
      'libvirt 6.5 and newer also run hooks in qemu.d',
      `virt-numa install --hooks-dir ${f.folder}, then add this line to ${f.path}: ${f.folder}/qemu "$@"`,
    ),
  'hook-place-taken': ({ path, holds, role }) =>
    text(
      `${path} is ${contentWords(holds)}${role === 'link-to-ours' ? ', a virt-numa hook' : ''}`,
      'virt-numa does not replace a file that it did not install',
      takenFix[role](path),
    ),
  'hook-trial-failed': (f) =>
    text(
      `the hook's test failed at ${short(f.operation)}, for a guest that has ` +
        `${f.guest === 'opted-in' ? '' : 'not '}opted in: it ${trialWords(f.problem)}`,
      'a hook that does not work keeps guests from starting, and kills running ones when the daemon ' +
        'restarts; nothing was installed',
      `see what it prints: echo '<domain/>' | ${f.command.map(shellWord).join(' ')}`,
    ),
  'hook-program-exposed': (f) =>
    text(
      `${f.path} can be changed by ${whoElse(f.by)}`,
      'libvirt runs the hook as root: whoever changes it can run any program as root',
      'install virt-numa where only root can write: npm pack, then as root npm install -g ./virt-numa-*.tgz',
    ),
  'hook-program-private': (f) =>
    text(
      `${f.path} is in ${privateFolders[f.folder]}`,
      'the hook needs this file after every boot, and the daemon may be unable to read this folder',
      'install Node and virt-numa for the whole system, below /usr, /usr/local or /opt',
    ),
  'install-unwritable': (f) => {
    const isDenied = f.errno === 'EACCES' || f.errno === 'EPERM'
    const ofFile = fixesOfWriting[f.errno]?.(f.file) ?? `make ${shellWord(folderOf(f.file))} writable`
    return text(
      `cannot write ${f.file}: ${f.reason}`,
      'hook and configuration are replaced atomically; neither was changed',
      isDenied && !f.isRoot ? 'run it as root' : `${ofFile}, or choose another hooks folder: --hooks-dir DIR`,
    )
  },
  'ledger-unusable': (f) =>
    text(
      'reason' in f
        ? `cannot use the ledger in ${f.folder}: ${f.reason}`
        : `another process has held the lock of the ledger in ${f.folder} for ${f.waitedS} s`,
      'what this guest takes is not promised to it; guests that start at once may lack pages when QEMU ' +
        'allocates them',
      'make the folder writable for root',
    ),
  'hook-timeout': (f) =>
    text(
      `no answer within ${f.limitS} s, ${steps[f.during]}`,
      'libvirt waits for the hook, whose time is limited; the XML of the guest was not changed',
      fixesOfSlowness[f.during],
    ),
  'hook-memory': (f) =>
    text(
      `the memory limit of ${f.limitMiB} MiB was reached`,
      'a document must not exhaust the memory of the host; the XML of the guest was not changed',
      'raise memory_limit_mib in virt-numa.conf (a guest of 512 vCPUs needs about 60; the default is 512), ' +
        CONTINUE,
    ),
  'daemon-reload-needed': (f) =>
    text(
      `${f.daemon} has to be reloaded once`,
      'it found no hook when it started, and looks again only when it is reloaded; guests keep running',
      `${f.command}, or virt-numa install --reload`,
    ),
  'daemon-reload-failed': (f) =>
    text(
      `${f.daemon} was not reloaded: ${f.reason}`,
      'it found no hook when it started, and looks again only when it is reloaded',
      f.command,
    ),
  'hook-policy-denies': (f) =>
    text(
      `SELinux does not allow ${f.daemon} to run ${f.path}, labelled ${f.hook}`,
      'libvirt cannot run this hook: no guest starts, and running ones are killed when the daemon ' +
        "restarts; Fedora's boolean virt_hooks_unconfined applies to virtnetworkd only",
      'install the package virt-numa-selinux, or semodule -i packaging/selinux/virt-numa.cil (in ' +
        "virt-numa's source), or run libvirtd instead of virtqemud",
    ),
  'hook-policy-unknown': (f) =>
    text(
      `SELinux is enforcing; whether it allows the daemon to run ${f.path} is unknown`,
      "libvirtd is unconfined, but virtqemud needs a policy of its own: Fedora's boolean " +
        'virt_hooks_unconfined applies to virtnetworkd only',
      'ausearch -m avc -c rpc-virtqemud; if that shows a denial, install the package virt-numa-selinux, or ' +
        "semodule -i packaging/selinux/virt-numa.cil (in virt-numa's source)",
    ),
  'hook-label-late': (f) =>
    text(
      `${f.path} could not be labelled: ${f.reason}`,
      'SELinux allows or denies running a file by its label',
      `restorecon -v ${f.path}`,
    ),
  'hook-absent': (f) =>
    text(
      `the virt-numa hook is not installed at ${f.path}`,
      'guests are neither rebound at migration and restore nor checked before they start',
      'virt-numa install',
    ),
  'hook-broken': (f) => brokenText(f.path, f.because),
  'hook-unseen': (f) =>
    text(
      `${f.daemon} was started before ${f.path} was written; whether it was reloaded since is unknown`,
      'a daemon that found no hook when it started looks again only when it is reloaded',
      `${f.reload}, unless you reloaded it since`,
    ),
}

function whoElse(by: WhoElse): string {
  if (by.is === 'everybody') return by.is
  return by.is === 'owner' ? `the user ${by.id}, who owns it` : `the group ${by.id}`
}

const privateFolders: Readonly<Record<PrivateFolder, string>> = {
  temporary: 'a folder for temporary files',
  'emptied-at-boot': 'a folder that is emptied at every boot',
  'node-of-one-user': 'a Node installation of one user',
  home: 'a home folder',
}

/** What else a hook that cannot answer may do. */
const CONTINUE = 'or set on_error = "keep" there, to continue with the unchanged XML'

const steps: Readonly<Record<HookStep, string>> = {
  configuration: 'while reading the configuration',
  input: 'while reading the domain from stdin',
  fit: 'while fitting the guest to this host',
}

/** What to look at, and the setting that allows more time. Until it is read, the default applies. */
const fixesOfSlowness: Readonly<Record<HookStep, string>> = {
  configuration: 'check that its file system responds: cat /etc/libvirt/virt-numa.conf',
  input:
    'see why libvirt has not written all of it: journalctl -u virtqemud -u libvirtd; raise timeout_s in ' +
    `virt-numa.conf, ${CONTINUE}`,
  fit:
    'see whether the host is slow: time virt-numa snapshot; raise timeout_s in ' +
    `virt-numa.conf, ${CONTINUE}`,
}

/** What is wrong with a hook's answer, after "the hook". */
function trialWords(problem: TrialProblem): string {
  switch (problem.is) {
    case 'not-run':
      return `could not be run: ${problem.reason}`
    case 'no-answer':
      return 'did not answer in time'
    case 'ended':
      return `ended with status ${problem.status}${problem.error === undefined ? '' : `: ${problem.error}`}`
    case 'not-a-domain':
      return `printed something other than a domain: ${problem.printed}`
    case 'not-rebound':
      return 'did not rebind the guest to a node that exists: its program is empty or incomplete'
    case 'not-refused':
      return 'did not refuse a guest that cannot start: its program is empty or incomplete'
  }
}

function brokenText(path: string, because: HookDefect): Text {
  switch (because.is) {
    case 'outdated':
      return text(
        `${path} was installed by an earlier version`,
        'it refuses on any failure: if Node cannot run, no guest starts',
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
        `${path} runs ${because.files.join(' and ')}, which ${because.files.length === 1 ? 'is' : 'are'} ` +
          'missing or not executable',
        'the hook then cancels every migration and restore, and checks no guest before it starts',
        'virt-numa install',
      )
  }
}

const takenFix: Readonly<Record<HookFacts['hook-place-taken']['role'], (path: string) => string>> = {
  'link-to-ours': (path) => `rm ${shellWord(path)}`,
  'our-name': (path) => `mv ${shellWord(path)} ${shellWord(`${path}-other`)}`,
  folder: (path) => `mv ${shellWord(path)} ${shellWord(`${path}.old`)}`,
}

/** "a link to /x", "a folder", "not a virt-numa hook". */
export function contentWords(holds: PathContent): string {
  if (holds.is === 'link') return `a link to ${holds.to}`
  if (holds.is === 'folder') return 'a folder'
  return holds.is === 'other-file' ? 'not a virt-numa hook' : 'not a file'
}
