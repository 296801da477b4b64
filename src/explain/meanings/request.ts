// What is requested: keys, their values, what a tenant may request, and the configuration: the meaning of
// each code.

import type { RequestFacts } from '../../codes/request.ts'
import { type Meanings, meaning } from '../code/meaning.ts'

/** The meaning of each code. */
export const requestMeanings: Meanings<RequestFacts> = {
  'unknown-key': meaning(
    'a key that virt-numa does not know',
    'Metadata, annotations and the configuration have the same keys as the placement options. A ' +
      'mistyped key would have no effect, so it is refused.',
    'Correct or delete it.',
  ),
  'unknown-value': meaning(
    'a value that the key does not have',
    'Each key has a fixed list of words, or takes a number, a size or a set of CPUs.',
    'Write one of the values that the message lists.',
  ),
  'tenant-key-refused': meaning(
    'a guest sets a key that it may not set',
    'tenant_keys in the configuration limits what the metadata and annotations of a guest may request.',
    'Delete the key there, or add it to tenant_keys.',
  ),
  'cpuset-unavailable': meaning(
    'a guest requests none of the allowed CPUs',
    "A guest's request is limited to the administrator's cpuset and to what the guest was given. " +
      'Nothing of this request is left.',
    'Choose from the allowed CPUs, or delete the key.',
  ),
  'cpuset-cut': meaning(
    "a guest's request for CPUs is reduced",
    "A guest's request is limited to the administrator's cpuset and to what the guest was given. The " +
      'message names who sets the limit.',
    'Request only what is allowed.',
  ),
  'isolated-avoided': meaning(
    'a guest cannot override isolated=avoid',
    'isolated = "avoid" in the configuration keeps isolcpus CPUs from guests that request them.',
    'Delete isolated in the guest, or allow the CPUs with cpuset in the configuration.',
  ),
  'pins-cut': meaning(
    "a guest's pins are reduced to allowed CPUs",
    'cpus=as-pinned of a guest is limited as its cpuset is.',
    'Pin the guest to allowed CPUs, or delete cpus there.',
  ),
  'pins-moved': meaning(
    'cpus=as-pinned of a guest is not applied',
    'Not all of its pins are within the allowed CPUs, so the guest is pinned as without the key.',
    'Pin the guest to allowed CPUs, or delete cpus there.',
  ),
  'pins-beyond': meaning(
    'pins lie outside the limits of the configuration',
    'The guest starts nevertheless: the kernel enforces the cgroup of a guest, but nobody enforces ' +
      'cpuset in the configuration for a guest that was pinned by hand.',
    'Run virt-numa transform --rebind.',
  ),
  'config-syntax': meaning(
    'the configuration has a syntax error',
    'The file is read like qemu.conf: key = "value", and lists in brackets.',
    'Correct the line; the message shows how.',
  ),
  'shape-malformed': meaning(
    'the recorded shape of a guest cannot be read',
    'The first fit with topology=lock records the shape of the guest as one line of text: in the attribute ' +
      'shape of its metadata, or, for a VMI, in the annotation virt-numa.io/shape. Somebody edited it, or ' +
      'a newer version of virt-numa wrote it. A guess might change what the guest sees, so it is refused.',
    'Restore the text, or delete it: the next fit records the shape again.',
  ),
  'config-repeated': meaning(
    'a key of the configuration is set twice',
    "libvirt's parser silently takes the first one, other parsers the last.",
    'Delete one of the two lines.',
  ),
}
