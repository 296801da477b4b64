// /proc -> what a snapshot says about the machine, for whoever reads it. No placement looks at it.

import type { About } from '../model/host.ts'
import type { Files } from './files.ts'
import { known, textAt } from './kernel-text.ts'

/** The version of the kernel and the model of the CPUs. */
export function aboutMachine(files: Files): About {
  const kernel = textAt(files, '/proc/sys/kernel/osrelease')?.trim()
  return {
    ...known('kernel', kernel === '' ? undefined : kernel),
    ...known('cpuModel', cpuModel(textAt(files, '/proc/cpuinfo') ?? '')),
  }
}

/** x86 and MIPS, then POWER. ARM states part numbers alone, and s390x its machine type. */
function cpuModel(cpuinfo: string): string | undefined {
  const found = ['model name', 'cpu model', 'cpu'].map((name) =>
    new RegExp(`^${name}[ \\t]*:[ \\t]*(\\S.*?)[ \\t]*$`, 'm').exec(cpuinfo),
  )
  return found.find((match) => match !== null)?.[1]
}
