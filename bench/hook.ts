// The hook as libvirtd calls it, per operation, beside what cannot be cheaper and beside a hook in Python
// that does the same rebind.

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { shimText } from '../src/hook-setup/shim.ts'
import { inTurn, type Program, table } from './whole.ts'

/** A guest of two cells that arrives from another host, and the machine that it arrives at. */
const CASE = 'golden/2n4c2t-hook-migrate'
const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', HOME: '/root' }

/** The table of the hook's operations, as text. */
export function hookRows(): string {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-bench-'))
  try {
    const asks = readFileSync(`${CASE}/domain.xml`)
    const fitted = readFileSync(`${CASE}/expected.xml`)
    const silent = Buffer.from(asks.toString().replace(/<metadata>[\s\S]*<\/metadata>/, ''))
    const [hook, config] = [join(folder, 'qemu'), join(folder, 'virt-numa.conf')]
    execFileSync('tar', ['-xzf', `${CASE}/sys.tar.gz`, '-C', folder])
    writeFileSync(hook, shimText(process.execPath, resolve('dist/hooks/qemu.cjs')))
    chmodSync(hook, 0o755)
    writeFileSync(config, `root = "${folder}"\nlog_file = "${folder}/log"\n`)
    const env = { ...ENV, VIRT_NUMA_CONFIG: config }
    const ours = (what: string, operation: string, input: Uint8Array): Program => ({
      what: `hook, ${what}`,
      words: [hook, 'db1', ...operation.split(' '), '-'],
      input,
      env,
    })
    const programs: Program[] = [
      { what: 'node -e 0', words: [process.execPath, '-e', '0'] },
      { what: '/bin/true', words: ['/bin/true'] },
      { what: 'a shell that does nothing', words: ['/bin/sh', '-c', ':'] },
      ours('reconnect begin (as start, started, stopped)', 'reconnect begin', asks),
      ours('migrate begin, a guest that does not ask', 'migrate begin', silent),
      ours('prepare begin, a guest that fits', 'prepare begin', fitted),
      ours('migrate begin, nothing to change', 'migrate begin', fitted),
      ours('migrate begin, rebinds', 'migrate begin', asks),
      ours('restore begin, rebinds', 'restore begin', asks),
    ]
    const python: Program = {
      what: 'Python with lxml, the same rebind',
      words: ['/usr/bin/python3', resolve('bench/lxml-hook.py'), folder],
      input: asks,
    }
    const all = hasLxml() ? [...programs, python] : programs
    const missing = all.length === programs.length ? '(no lxml here: apt-get install python3-lxml)\n' : ''
    return table('the hook as libvirtd calls it, median of 21; ratio to node -e 0', inTurn(all)) + missing
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function hasLxml(): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import lxml.etree'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
