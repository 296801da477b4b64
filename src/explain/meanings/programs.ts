// What is printed in place of an answer: a bug, and the script that libvirt runs where its program gives no
// verdict. These codes have no facts: what, why and fix are written where they are printed.

import { type Meanings, meaning } from '../code/meaning.ts'

/** Codes that are not in the table of codes. */
export type ProgramCode = 'bug' | 'hook-missing' | 'hook-failed'

/** The meaning of each code. */
export const programMeanings: Meanings<Record<ProgramCode, unknown>> = {
  bug: meaning(
    'virt-numa itself failed',
    'Something happened that the program does not expect. It is not a problem of the domain or the ' +
      'host, and nothing was written. At migrate and restore, on_error in the configuration decides ' +
      'whether the operation is refused or continues with the unchanged XML.',
    'Report it with the domain, the command, and the output of virt-numa snapshot --anonymous.',
  ),
  'hook-missing': meaning(
    'the hook is installed, but its program is not',
    'The script in /etc/libvirt/hooks cannot run Node or the program that it was installed with, as ' +
      'after an update that moved them. Without the program nobody can know whether a guest opted in, ' +
      'so migrate and restore are refused for all guests, and prepare continues unchecked.',
    'Run virt-numa install again, or virt-numa uninstall.',
  ),
  'hook-failed': meaning(
    'the program of the hook ended without a verdict',
    'It was killed, ran out of memory, or is incomplete. Only its own verdict counts: whatever else ' +
      'happens, migrate and restore are refused, and prepare continues unchecked.',
    'Run virt-numa doctor; where memory was short, raise memory_limit_mib in the configuration.',
  ),
}
