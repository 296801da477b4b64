// Lines of sh, as in shown.ts, for what is printed in place of an answer: the codes that have no facts.

import type { ProgramCode } from '../../src/explain/meanings/programs.ts'

const installed =
  'mkdir -p root/etc/libvirt/hooks root/run app; cp -r $DIST app/dist; ' +
  '$NODE app/dist/virt-numa.cjs install --root root >/dev/null 2>&1; '

/** With a configuration of its own, so that this machine's log is left alone. */
const migrate = 'VIRT_NUMA_CONFIG=none.conf root/etc/libvirt/hooks/qemu db1 migrate begin - < domain.xml'

/** By code. */
export const programLines: Readonly<Record<ProgramCode, string>> = {
  bug: `mkdir app; cp -r $DIST app/dist; echo 'throw new Error("broken")' > app/dist/write.cjs
    $NODE app/dist/virt-numa.cjs transform --host $HOST domain.xml`,
  'hook-missing': `${installed}rm app/dist/hooks/qemu.cjs; ${migrate}`,
  'hook-failed': `${installed}echo 'process.exit(3)' > app/dist/hooks/qemu.cjs; ${migrate}`,
}
