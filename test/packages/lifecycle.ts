// What must hold of a package, whatever installs it: it works without Node, and guests never meet a hook that
// cannot run.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { commandNames } from '../../src/cli/commands.ts'
import { sealed, shimText, unsealed } from '../../src/hook-setup/shim.ts'
import { makeRoot } from './root.ts'

/** A kind of package: the commands that install a file, upgrade to it, remove the package, and show it. */
interface Manager {
  readonly files: { readonly first: string; readonly next: string }
  readonly install: string
  readonly upgrade: string
  readonly remove: string
  readonly show: string
  /** What `show` prints of the newer version. */
  readonly next: RegExp
}

const HOOK = '/etc/libvirt/hooks/qemu'
const PROGRAM = '/usr/libexec/virt-numa/qemu-hook'
const CONFIG = '/etc/libvirt/virt-numa.conf'
const SEED = 'golden/2n4c2t-seed'

/**
 * Installs, uses, upgrades and removes it.
 * @param folder for a file of the test
 * @returns runs a shell command where it was, which must succeed
 */
export function lives(t: Test, folder: string, manager: Manager): (about: string, script: string) => string {
  const older = join(folder, 'older')
  const text = `${unsealed(shimText(PROGRAM, PROGRAM))}# Of an older version.\n`
  writeFileSync(older, sealed(text), { mode: 0o755 })
  const { first, next } = manager.files
  const run = makeRoot(t, [first, next, older, `${SEED}/host.json`, `${SEED}/domain.xml`])
  const inRoot = (file: string): string => `/job/${file.slice(file.lastIndexOf('/') + 1)}`
  const succeeded = (about: string, script: string): string => {
    const { status, stdout, stderr } = run(script)
    t.equal(status, 0, `${about}: ${stderr}`)
    return stdout
  }
  const hookAnswers = (about: string): void => {
    const call = (operation: string): string => `${HOOK} seed ${operation} begin - </job/domain.xml`
    succeeded(`${about}: a guest starts`, call('prepare'))
    succeeded(`${about}: a daemon reconnects`, call('reconnect'))
    const config = `root = "/job/host.json"\nguests = "all"\nlog_file = "/job/hook.log"`
    const arrives = `VIRT_NUMA_CONFIG=/job/hook.conf ${call('migrate')}`
    succeeded(`${about}: a guest arrives`, `printf '%s\\n' '${config}' >/job/hook.conf; ${arrives}`)
  }

  succeeded('install', `${manager.install} ${inRoot(first)}`)
  succeeded('nothing is put in place', `! test -e ${HOOK} && ! test -e ${CONFIG}`)
  const expected = readFileSync(`${SEED}/expected.xml`, 'utf8')
  t.equal(succeeded('transform', 'virt-numa transform --host /job/host.json /job/domain.xml'), expected)
  const help = succeeded('help', 'virt-numa --help')
  for (const name of commandNames) t.match(help, name)
  succeeded('remove without a hook', `${manager.remove} && ! test -e ${PROGRAM}`)

  succeeded('install again', `${manager.install} ${inRoot(first)} && virt-numa install`)
  hookAnswers('installed')
  const current = succeeded('the hook', `cat ${HOOK}`)
  succeeded(
    'upgrade over a hook of an older version',
    `cp /job/older ${HOOK}; ${manager.upgrade} ${inRoot(next)}`,
  )
  t.equal(succeeded('the hook', `cat ${HOOK}`), current, 'it is written anew')
  hookAnswers('upgraded')
  t.match(succeeded('its version', manager.show), manager.next)

  succeeded('an edited hook', `echo '# mine' >>${HOOK}`)
  const refused = run(manager.remove)
  t.not(refused.status, 0, 'an edited hook keeps the package')
  t.match(refused.stderr, 'remove that file, then this package')
  hookAnswers('after a refused removal')
  succeeded('the edit is taken back', `sed -i '$d' ${HOOK}`)

  succeeded('a setting', `echo 'on_error = "keep"' >>${CONFIG}`)
  succeeded('remove', manager.remove)
  const gone = [HOOK, '/usr/libexec/virt-numa', '/usr/bin/virt-numa'].map((path) => `! test -e ${path}`)
  succeeded('no hook and no program is left', gone.join(' && '))
  succeeded('the configuration with a setting is left', `test -e ${CONFIG}`)
  return succeeded
}
