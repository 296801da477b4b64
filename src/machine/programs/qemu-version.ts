// Which QEMU this machine has.

import { runProgram, versionIn } from './programs.ts'

/** QEMU's name of this machine's architecture, by Node's. */
const QEMU: Readonly<Record<string, string>> = {
  x64: 'x86_64',
  arm64: 'aarch64',
  ppc64: 'ppc64',
  s390x: 's390x',
  riscv64: 'riscv64',
  loong64: 'loongarch64',
}

/** The version of this machine's QEMU, "7.2.22"; undefined where no program prints one. */
export function qemuVersion(): string | undefined {
  // Red Hat ships one QEMU program, outside of the PATH.
  const programs = [`qemu-system-${QEMU[process.arch] ?? process.arch}`, '/usr/libexec/qemu-kvm', 'qemu-kvm']
  return programs
    .map((program) => versionIn(runProgram(program, ['--version'], { timeoutS: 20 }).stdout))
    .find(Boolean)
}
