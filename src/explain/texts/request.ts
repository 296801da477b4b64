// What is requested of us: keys, their values, what a tenant may request, and the configuration file: the text of each code.

import type { RequestFacts } from '../../codes/request.ts'
import { meant, or, short, type Texts, text, within } from './words.ts'

/** What, why and fix of each code. */
export const requestTexts: Texts<RequestFacts> = {
  'unknown-key': (f) =>
    text(
      `${f.source}: unknown key ${short(f.key)}`,
      `the keys are ${f.known.join(', ')}`,
      meant(f.close, 'delete it or write one of these'),
    ),
  'unknown-value': (f) =>
    text(
      `${f.source}: invalid value ${short(f.value)} for ${f.key}`,
      `expected ${or(f.known)}`,
      meant(f.close, `write it like ${f.example ?? f.known[0]}`),
    ),
  'tenant-key-refused': (f) =>
    text(
      `${f.source}: ${f.key} is not a guest's to set`,
      `tenant_keys in ${f.config} allows ${f.allowed.length === 0 ? 'none' : `only ${f.allowed.join(', ')}`}`,
      `delete ${f.key} there, or have "${f.key}" added to tenant_keys`,
    ),
  'cpuset-unavailable': (f) =>
    text(
      `${f.source}: ${f.key} ${f.wanted} has none of the allowed CPUs ${f.allowed || '(none)'}`,
      within(f.bounds),
      `choose from these CPUs, or delete ${f.key}`,
    ),
  'cpuset-cut': (f) =>
    text(
      `${f.source}: ${f.key} ${f.wanted} is cut to ${f.left}`,
      within(f.bounds),
      `write ${f.key} ${f.left}`,
    ),
  'isolated-avoided': (f) =>
    text(
      `${f.source}: isolated=use is not applied`,
      `isolated=avoid in ${f.config} is the administrator's, and a guest's own request does not lift it`,
      `delete isolated there, or allow the CPUs by cpuset in ${f.config}`,
    ),
  'pins-cut': (f) =>
    text(
      `${f.source}: cpus=as-pinned: the pins of ${f.threads} (${f.pinned}) are cut to ${f.left || 'nothing'}`,
      within(f.bounds),
      'pin them to allowed CPUs, or delete cpus there',
    ),
  'pins-moved': (f) =>
    text(
      `${f.source}: cpus=as-pinned is not applied: the pins of ${f.threads} (${f.pinned}) leave the CPUs ${f.allowed || '(none)'}`,
      `${within(f.bounds)}, so the guest is pinned as it is without that key`,
      'pin them to allowed CPUs, or delete cpus there',
    ),
  'pins-beyond': (f) =>
    text(
      `the pins of ${f.threads} (${f.pinned}) leave ${f.bounds.join(' and ')}`,
      'the guest starts all the same: the kernel enforces what the guest was given, and no cpuset of the configuration',
      'run virt-numa transform --rebind',
    ),
  'config-syntax': (f) =>
    text(
      `${f.source}: ${f.found === undefined ? 'something else' : f.found === '' ? 'the line ends' : short(f.found)} where ${f.expected} is expected`,
      'the file is read like qemu.conf',
      f.fix,
    ),
  'config-repeated': (f) =>
    text(
      `${f.source}: ${f.key} is already set on line ${f.first}`,
      "libvirt's reader silently takes the first one, others the last",
      'delete one of the two lines',
    ),
}
