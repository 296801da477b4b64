// The installed hook, and its installation: the meaning of each code.

import type { HookFacts } from '../../codes/hook.ts'
import { type Meanings, meaning } from '../code/meaning.ts'

/** The meaning of each code. */
export const hookMeanings: Meanings<HookFacts> = {
  'hook-foreign': meaning(
    'another hook is in place, and libvirt runs one',
    'libvirt before 6.5 runs only /etc/libvirt/hooks/qemu; newer versions also run the hooks in ' +
      'qemu.d. A hook of somebody else is never replaced.',
    'Install to another folder, and call that hook from the existing one; the message has the line.',
  ),
  'hook-place-taken': meaning(
    'the place of the hook is taken by something else',
    'virt-numa does not replace what it did not install: a folder, a link or a file of somebody else.',
    'Move it away, then run install again.',
  ),
  'hook-trial-failed': meaning(
    'the hook did not pass its test before installation',
    'install runs the hook at every operation as libvirt would. A hook that does not work keeps ' +
      'guests from starting, and kills running ones when the daemon restarts, so nothing was installed.',
    'Run the command of the message by hand, and see what it prints.',
  ),
  'hook-program-exposed': meaning(
    'others than root can change the hook',
    'libvirt runs the hook as root: whoever can change the program, or a folder above it, can run ' +
      'anything as root.',
    'Install virt-numa where only root can write.',
  ),
  'hook-program-private': meaning(
    'the hook lies in a folder that may go away',
    'The hook needs Node and virt-numa after every boot. A temporary or home folder may be gone then, ' +
      'or hidden from the daemon.',
    'Install Node and virt-numa for the whole system, below /usr, /usr/local or /opt.',
  ),
  'install-unwritable': meaning(
    'hook or configuration cannot be written',
    'Both are replaced atomically; neither was changed.',
    'Run it as root, or fix what the reason names.',
  ),
  'ledger-unusable': meaning(
    'what a starting guest takes cannot be recorded',
    'The hook keeps a ledger of what guests that are starting were promised. Without it no start is ' +
      'refused, but guests that start at once may lack pages when QEMU allocates them.',
    'Make the folder of the ledger writable for root.',
  ),
  'hook-timeout': meaning(
    'the hook did not answer in time',
    'libvirt waits for the hook, so timeout_s limits it. A file system, a cgroup or the daemon does not ' +
      'respond, or the machine is busy. The guest is unchanged: prepare continues, migrate and restore ' +
      'are cancelled unless on_error is "keep".',
    'See what is slow, then raise timeout_s in the configuration.',
  ),
  'hook-memory': meaning(
    'the hook reached its memory limit',
    'memory_limit_mib keeps a large document from exhausting the memory of the host. The guest is ' +
      'unchanged: prepare continues, migrate and restore are cancelled unless on_error is "keep".',
    'Raise memory_limit_mib in the configuration.',
  ),
  'daemon-reload-needed': meaning(
    'the daemon has to be reloaded once',
    'A daemon that found no hook when it started looks again only when it is reloaded. Guests keep running.',
    'Reload the daemon, or use install --reload.',
  ),
  'daemon-reload-failed': meaning(
    'the daemon could not be reloaded',
    'The hook is in place, but the daemon does not run it yet.',
    'Run the command of the message.',
  ),
  'hook-policy-denies': meaning(
    'SELinux does not allow the daemon to run the hook',
    'libvirt cannot run this hook: no guest starts, and running ones are killed when the daemon ' +
      "restarts. Fedora's policy does not allow virtqemud to run hooks.",
    'Install the package virt-numa-selinux or the module packaging/selinux/virt-numa.cil, or run libvirtd ' +
      'instead of virtqemud.',
  ),
  'hook-policy-unknown': meaning(
    'whether SELinux allows the hook is unknown',
    'SELinux is enforcing, and its policy could not be asked.',
    'See whether ausearch reports a denial; if it does, install the package virt-numa-selinux or the ' +
      'module packaging/selinux/virt-numa.cil.',
  ),
  'hook-label-late': meaning(
    'the hook could not be labelled for SELinux',
    'SELinux allows or denies running a file by its label.',
    'Run restorecon on the hook.',
  ),
  'hook-absent': meaning(
    'the hook is not installed',
    'Guests are neither rebound at migration and restore nor checked before they start.',
    'Run virt-numa install.',
  ),
  'hook-broken': meaning(
    'the installed hook does not work',
    'It is of an earlier version, not executable, or its program is missing, as after Node was moved.',
    'Run virt-numa install again.',
  ),
  'hook-unseen': meaning(
    'the daemon may not run the hook yet',
    'The daemon was started before the hook was written, and whether it was reloaded since is not known.',
    'Reload the daemon, unless that was done.',
  ),
}
