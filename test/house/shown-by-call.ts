// The codes that no input can make this machine print: why, and the call that produces each.

import { type Diagnostic, Refusal } from '../../src/base/diagnostic.ts'
import type { Code } from '../../src/codes/codes.ts'
import { examine } from '../../src/doctor/doctor.ts'
import type { Inspection } from '../../src/doctor/inspection.ts'
import { reload } from '../../src/hook-setup/reload.ts'
import { type Ask, checkLabel, policyOn } from '../../src/hook-setup/selinux.ts'
import { methodsOf } from '../../src/serve/methods.ts'
import { serve } from '../../src/serve/native.ts'
import { parseXml } from '../../src/xml/parse.ts'
import { HOOK, inspectionOf, PID, type Tree } from '../doors/well-host.ts'

const inspected = (change: Partial<Inspection>, tree: Tree = {}): readonly Diagnostic[] =>
  examine(inspectionOf(tree, change)).flatMap(({ found }) => found)

const { kvm: _, ...withoutKvm } = inspectionOf()

const daemon = { name: 'virtqemud', pid: 7, confinement: 'system_u:system_r:virtqemud_t:s0' } as const
const labelled = { status: 0, stdout: 'system_u:object_r:virt_hook_t:s0\n', stderr: '' }
const policy = (answer: ReturnType<Ask>): readonly Diagnostic[] =>
  policyOn({ mode: 'enforcing', daemon, path: '/a', shown: '/a' }, (command) =>
    command === 'stat' ? labelled : answer,
  )

/** By code: why a function is called instead of the program, and the call. */
export const calls: Partial<Record<Code, readonly [why: string, find: () => readonly Diagnostic[]]>> = {
  'xml-too-large': [
    'every command refuses a file of that size before it is parsed',
    () => refused(() => parseXml('<a/> ', { length: 4 })),
  ],
  'message-malformed': [
    'sh sends no gRPC',
    () =>
      refused(() =>
        methodsOf(() => new Uint8Array())['/kubevirt.hooks.v1alpha3.Callbacks/OnDefineDomain']?.(
          Uint8Array.of(1),
        ),
      ),
  ],
  'serve-needs-node': ['only the native program refuses it', () => refused(() => void serve({} as never))],
  'libvirt-missing': ['libvirt may be installed here', () => inspected({ versions: {} })],
  'libvirt-old': ['libvirt may be installed here', () => inspected({ versions: { libvirt: '6.4.0' } })],
  'kvm-missing': ['/dev/kvm may be here', () => examine(withoutKvm).flatMap(({ found }) => found)],
  'kvm-denied': ['/dev/kvm may be missing here', () => inspected({ kvm: { uid: 0, gid: 0, mode: 0o20600 } })],
  'apparmor-denies': [
    'where node is /usr/bin/node, AppArmor lets libvirtd run it',
    () =>
      inspected(
        { hooks: [{ ...HOOK, node: '/opt/node/bin/node' }] },
        {
          '/sys/module/apparmor/parameters/enabled': 'Y\n',
          [`${PID}/attr/current`]: 'libvirtd (enforce)\n',
        },
      ),
  ],
  'hook-policy-denies': [
    'SELinux is off here',
    () => policy({ status: 1, stdout: '', stderr: 'selinux_check_access: Permission denied\n' }),
  ],
  'hook-policy-unknown': ['SELinux is off here', () => policy({ stdout: '', stderr: '' })],
  'hook-label-late': [
    'SELinux is off here',
    () => checkLabel('permissive', '/a', () => ({ status: 0, stdout: 'Would relabel /a\n', stderr: '' })),
  ],
  'daemon-reload-failed': [
    'the daemon would have to end between two checks',
    () => reload({ name: 'libvirtd', pid: 4_000_000 }),
  ],
}

function refused(run: () => unknown): readonly Diagnostic[] {
  try {
    run()
  } catch (error) {
    if (error instanceof Refusal) return error.diagnostics
    throw error
  }
  return []
}
