// How guests and the hook come to a host in these tests: by our own commands where they are, else by what the
// README says.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { shimText } from '../../src/hook-setup/shim.ts'
import type { LibvirtHost } from './libvirtd.ts'
import { must } from './programs.ts'

const HOOK = 'hooks/qemu'
const SETTINGS = 'virt-numa.conf'

/** The one place that says how the hook comes to a host. @returns its file */
export async function installHook(host: LibvirtHost): Promise<string> {
  const file = `${host.etc}/${HOOK}`
  if (await offers(host, 'install')) {
    const { status, stderr } = await host.virtNuma('install')
    if (status !== 0) throw new Error(`virt-numa install: ${stderr}`)
  } else {
    mkdirSync(`${host.etc}/hooks`, { recursive: true })
    writeFileSync(file, shimText(process.execPath, resolve('dist/hooks/qemu.cjs')))
    chmodSync(file, 0o755)
  }
  return file
}

/** The one place that says how a guest is fitted and defined. @returns what was said */
export async function defineFitted(host: LibvirtHost, xml: string, ...words: string[]): Promise<string> {
  const file = `${host.folder}/to-define.xml`
  writeFileSync(file, xml)
  if (await offers(host, 'define')) {
    const { status, stdout, stderr } = await host.virtNuma('define', ...words, file)
    if (status !== 0) throw new Error(`virt-numa define: ${stderr}`)
    return stdout + stderr
  }
  const { status, stderr } = await host.virtNuma('transform', ...words, '-i', file)
  if (status !== 0) throw new Error(`virt-numa transform: ${stderr}`)
  return stderr + (await host.ask('define', file, '--validate'))
}

async function offers({ virtNuma }: LibvirtHost, command: string): Promise<boolean> {
  return (await virtNuma(command, '--help')).status === 0
}

/**
 * Somebody else's hook in qemu.d: it keeps a line of each call, and fails where `failing` says, by operation.
 */
export async function installOutsider(
  host: LibvirtHost,
): Promise<{ readonly calls: () => string[]; readonly failAt: (operation: string) => void }> {
  const [folder, log, failing] = [
    `${host.etc}/hooks/qemu.d`,
    `${host.folder}/outsider.log`,
    `${host.folder}/outsider.fails`,
  ]
  mkdirSync(folder, { recursive: true })
  writeFileSync(log, '')
  writeFileSync(failing, '')
  writeFileSync(
    `${folder}/60-outsider`,
    `#!/bin/sh\necho "$1 $2 $3" >>${log}\n[ "$2" != "$(cat ${failing})" ]\n`,
  )
  await must('chmod', ['0755', `${folder}/60-outsider`])
  return {
    calls: () => readFileSync(log, 'utf8').split('\n').filter(Boolean),
    failAt: (operation) => writeFileSync(failing, operation),
  }
}

/** Lines of the configuration that our hook and commands read on this host. */
export function configure({ etc }: LibvirtHost, text: string): void {
  writeFileSync(`${etc}/${SETTINGS}`, text)
}

/** The log of our hook on this host. */
export function hookLog({ folder }: LibvirtHost): string {
  return readFileSync(`${folder}/log/virt-numa.log`, 'utf8')
}

/**
 * Puts other programs into our hook's file: what an upgrade gone wrong leaves there.
 * @returns what puts it back
 */
export function breakHook(
  file: string,
  broken: { readonly node?: string; readonly program?: string },
): () => void {
  const whole = readFileSync(file, 'utf8')
  const program = resolve('dist/hooks/qemu.cjs')
  const text = whole
    .replaceAll(process.execPath, broken.node ?? process.execPath)
    .replaceAll(program, broken.program ?? program)
  if (text === whole) throw new Error(`${file} names neither ${process.execPath} nor ${program}`)
  writeFileSync(file, text)
  return () => writeFileSync(file, whole)
}
