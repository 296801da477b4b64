// How the reader of a fix requests something: flags of the command, metadata of a guest that the hook met, or
// annotations of a VMI.

import { shellWord } from '../base/visible.ts'
import type { Ask } from './texts/words.ts'
import { or } from './texts/words.ts'

/** The reader has run a command. */
export const byFlags: Ask = {
  use: (key, ...values) => `use ${or(values.map((value) => `--${key} ${value}`))}`,
  fit: (options) => `run virt-numa transform ${options}`,
  document: { by: 'reader' },
}

/** The reader has started, migrated or restored a guest, whose document libvirt has. */
export const byMetadata = (guest: string): Ask => ({
  use: (key, ...values) =>
    `write ${or(values.map((value) => `${key}='${value}'`))} into guestMappingPassthrough of its metadata`,
  fit: (options) =>
    ['run virt-numa define --guest', shellWord(guest), options.replace('--rebind', '')].join(' ').trimEnd(),
  document: {
    by: 'libvirt',
    see: `virsh dumpxml ${shellWord(guest)}; journalctl -u virtqemud -u libvirtd`,
  },
})

/** The reader has a VMI. */
export const byAnnotations: Ask = {
  use: (key, ...values) =>
    `write the annotation ${or(values.map((value) => `virt-numa.io/${key}: ${value}`))} into the VMI`,
  fit: byFlags.fit,
  document: { by: 'kubevirt', see: 'kubectl logs POD -c compute' },
}
