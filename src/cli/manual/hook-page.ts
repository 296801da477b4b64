// The table of the hook's operations -> virt-numa-hook(8).

import { hookMeanings } from '../../explain/meanings/hook.ts'
import { programMeanings } from '../../explain/meanings/programs.ts'
import { DROPS, operations, type Rule, ruleOf } from '../../hook-setup/operations.ts'
import { LEDGER } from '../../host/ledger/promise.ts'
import { defaultConfig } from '../../request/config.ts'
import { head, item, paragraph, section, seeAlso, typed } from './roff.ts'

/** The page of the hook. */
export function hookPage(version: string): readonly string[] {
  return [
    ...head('virt-numa-hook', 8, version, 'System Administration'),
    ...section('NAME', 'virt\\-numa\\-hook \\- rebind and check guests when libvirt starts or moves them'),
    ...section(
      'SYNOPSIS',
      ...paragraph('*/etc/libvirt/hooks/qemu* _GUEST_ _OPERATION_ _SUBOPERATION_ _EXTRA_'),
    ),
    ...section('DESCRIPTION', ...description()),
    ...section('OPERATIONS', ...operations.flatMap(operationItem)),
    ...section('EXIT STATUS', ...exitStatus()),
    ...section('DIAGNOSTICS', ...diagnostics()),
    ...section(
      'ENVIRONMENT',
      ...item('*VIRT_NUMA_CONFIG*', 'The configuration to read instead of the default.'),
    ),
    ...section('FILES', ...files()),
    ...section('EXAMPLES', ...examples()),
    ...seeAlso('virt-numa(1)', 'virt-numa.conf(5)', 'libvirtd(8)', 'virtqemud(8)'),
  ]
}

const description = (): string[] => [
  ...paragraph(
    'libvirt calls this program with the name of a guest and what happens to it, and the domain XML ' +
      'on standard input. *virt-numa install* puts it in place, and *virt-numa uninstall* removes it. ' +
      'It acts on guests that opted in by their metadata, or that guests in virt-numa.conf(5) covers; ' +
      'for all others it prints nothing and ends with 0.',
  ),
  ...paragraph(
    'It never calls libvirt, which waits for it, and opens no connection. Time (timeout_s) and memory ' +
      '(memory_limit_mib) are limited. It cannot change a guest at prepare, and does not see a guest being ' +
      'defined: *virt-numa define* and *virt-numa watch* fit definitions.',
  ),
]

const does: Readonly<Record<Rule['does'], string>> = {
  rebind:
    'Assigns nodes and CPUs of this host to the cells of the guest. The XML on standard output ' +
    'replaces that of the guest; without output it stays.',
  preflight:
    'Checks whether the guest can start on this host now, and promises it the memory that QEMU ' +
    'allocates at its start. Status 1 keeps the guest from starting; its messages are in the error ' +
    'of libvirt.',
  nothing: 'Ends with 0, without reading the domain.',
}

const fails: Readonly<Record<Rule['ourFailure'], string>> = {
  'as-configured': ' A failure of virt-numa cancels the operation, unless on_error is "keep".',
  continues: ' A failure of virt-numa is logged, and the operation continues.',
}

function operationItem(words: string): string[] {
  const [operation = '', suboperation = ''] = words.split(' ')
  const rule = ruleOf({ guest: '', operation, suboperation })
  const drops = DROPS.includes(words) ? ' What the guest was promised at prepare is promised no longer.' : ''
  const text = rule.does === 'nothing' ? does.nothing : `${does[rule.does]}${fails[rule.ourFailure]}`
  return item(`*${operation}* *${suboperation}*`, `${text}${drops}`)
}

const exitStatus = (): string[] => [
  ...item('*0*', 'The operation continues.'),
  ...item(
    '*1*',
    'The operation is refused: a guest at prepare does not start, a migration or restore is cancelled.',
  ),
]

/** What only the hook prints. */
const ownCodes = [
  ...Object.entries(programMeanings),
  ...(['hook-timeout', 'hook-memory'] as const).map((code) => [code, hookMeanings[code]] as const),
]

const diagnostics = (): string[] => [
  ...paragraph('Besides the codes of virt-numa(1), for which *virt-numa explain* has the list:'),
  ...ownCodes.flatMap(([code, { about, fix }]) => item(`*${code}*`, `${about} ${fix}`)),
]

const files = (): string[] => [
  ...item('_/etc/libvirt/hooks/qemu_', 'The hook, or that of another program.'),
  ...item(
    '_/etc/libvirt/hooks/qemu.d/50-virt-numa_',
    'The hook beside another one, with libvirt 6.5 and newer.',
  ),
  ...item('_/etc/libvirt/virt-numa.conf_', 'The configuration.'),
  ...item(`_${defaultConfig.logFile}_`, 'A line for every guest that the hook acts on.'),
  ...item(`_${LEDGER}_`, 'The ledger: what guests that are starting were promised.'),
]

const examples = (): string[] => [
  ...paragraph('Install the hook, and let the daemon run it:'),
  ...typed(['virt-numa install --reload']),
  ...paragraph('See what it would do with a guest that migrates here:'),
  ...typed(['virsh dumpxml db1 | /etc/libvirt/hooks/qemu db1 migrate begin -']),
]
