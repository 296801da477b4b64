// The table of the configuration -> virt-numa.conf(5).

import { type ConfigKey, hostSettings, requestSettings } from '../../request/config-text.ts'
import { head, item, paragraph, section, seeAlso, sentence, typed } from './roff.ts'

/** The page of the configuration. */
export function configPage(version: string): readonly string[] {
  return [
    ...head('virt-numa.conf', 5, version, 'File Formats'),
    ...section('NAME', 'virt\\-numa.conf \\- the configuration of virt\\-numa for a host'),
    ...section('SYNOPSIS', ...paragraph('_/etc/libvirt/virt-numa.conf_')),
    ...section('DESCRIPTION', ...description()),
    ...section('PLACEMENT', ...placement()),
    ...section(
      'HOST',
      ...paragraph('A guest cannot set the following keys.'),
      ...hostSettings.flatMap(keyItem),
    ),
    ...section('EXIT STATUS', ...paragraph(FAULTY)),
    ...section(
      'FILES',
      ...item('_/etc/libvirt/virt-numa.conf_', 'The default path; *--config* names another.'),
    ),
    ...section('EXAMPLES', ...examples()),
    ...seeAlso('virt-numa(1)', 'virt-numa-hook(8)'),
  ]
}

const FAULTY =
  'A command that reads a faulty file ends with status 1 and reports each problem with its line: ' +
  'config-syntax, config-repeated, unknown-key, unknown-value. At migrate and restore the hook ' +
  'refuses the guest, and at prepare it does not check it.'

const description = (): string[] => [
  ...paragraph(
    'The file is read as qemu.conf is: one key = "value" on a line, numbers without quotes, lists in ' +
      'brackets, and comments behind a #. Without a file the defaults apply. *virt-numa install* ' +
      'writes one in which every key is commented out.',
  ),
  ...paragraph(
    'The hook reads it at each call, *watch* and *serve* when they start, and every command that ' +
      'places a guest when it runs.',
  ),
]

const placement = (): string[] => [
  ...paragraph(
    "These keys are those of the placement options of virt-numa(1), with _ for -. A guest's own " +
      'metadata takes precedence over this file, but cannot use CPUs outside cpuset, or override ' +
      'isolated = "avoid". Options on the command line take precedence over both.',
  ),
  ...requestSettings.flatMap(keyItem),
]

/** Each with its default, or an example of a key that has none. */
const keyItem = ({ name, about, shown }: ConfigKey): string[] => item(`*${name}* = ${shown}`, sentence(about))

const examples = (): string[] => [
  ...paragraph('Fit all guests, on the CPUs that the host does not need itself:'),
  ...typed(['guests = "all"', 'cpuset = "4-63"', 'isolated = "avoid"']),
  ...paragraph('Let guests choose only how their memory is divided, and keep 2 GiB of each node:'),
  ...typed(['tenant_keys = [ "memory" ]', 'reserve = "2GiB"']),
]
