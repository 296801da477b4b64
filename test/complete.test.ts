// What no golden case shows: every code, every key and every value of a key must appear somewhere.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { table } from '../src/base/codes.ts'
import { keyNames, keys } from '../src/request/keys.ts'
import { answer, readCases } from './golden-case.ts'

/** Codes that no folder can show, since they are told before there is a domain and a host; and the test that does. */
const elsewhere: Readonly<Record<string, string>> = {
  'set-malformed': 'request.test.ts',
  'set-too-large': 'request.test.ts',
  'size-malformed': 'request.test.ts',
  'size-too-large': 'base.test.ts',
  'tenant-key-refused': 'request.test.ts',
  'config-syntax': 'request.test.ts',
  'config-repeated': 'request.test.ts',
  unreadable: 'bad-input.test.ts',
  unwritable: 'bad-input.test.ts',
  'host-compressed': 'bad-input.test.ts',
  'host-without-cgroups': 'bad-input.test.ts',
  'host-unreadable': 'host.test.ts',
  'host-malformed': 'host.test.ts',
  'json-malformed': 'bad-input.test.ts',
  'capabilities-malformed': 'host.test.ts',
  'tar-malformed': 'bad-input.test.ts',
  'cgroup-missing': 'host.test.ts',
  'process-missing': 'host.test.ts',
  'utf8-invalid': 'bad-input.test.ts',
  'xml-doctype': 'bad-input.test.ts',
  'xml-prefix-undeclared': 'bad-input.test.ts',
  'vmi-malformed': 'vmi.test.ts',
  'yaml-malformed': 'vmi.test.ts',
  'dedicated-cpus-required': 'vmi.test.ts',
  'emulator-no-cpu': 'vmi.test.ts',
  'emulator-no-second-cpu': 'vmi.test.ts',
  'iothread-no-cpu': 'vmi.test.ts',
  'iothreads-missing': 'vmi.test.ts',
  'vmi-without-dedicated-cpus': 'vmi.test.ts',
  'vmi-cpu-count': 'vmi.test.ts',
  'vmi-cpu-limit': 'vmi.test.ts',
  'vmi-differs': 'vmi.test.ts',
  'virsh-missing': 'define.test.ts',
  'virsh-failed': 'define.test.ts',
  'libvirt-unreachable': 'define.test.ts',
  'libvirt-elsewhere': 'e2e/define.test.ts',
  'guest-missing': 'e2e/define.test.ts',
  'guest-transient': 'define.test.ts',
  'guest-runs': 'define.test.ts',
  'guest-saved': 'define.test.ts',
  'guest-secrets-lost': 'define.test.ts',
  'guest-disks-moved': 'define.test.ts',
  'guest-uuid': 'define.test.ts',
  'guest-renamed': 'define.test.ts',
  'guest-changed': 'e2e/define.test.ts',
  'guest-placed-otherwise': 'e2e/define.test.ts',
  'guest-needs-start': 'define.test.ts',
  'guest-saved-stays': 'define.test.ts',
  'xml-too-large': 'xml.test.ts',
  'xml-too-deep': 'xml.test.ts',
  'hook-foreign': 'install.test.ts',
  'hook-place-taken': 'install.test.ts',
  'hook-trial-failed': 'install.test.ts',
  'hook-program-exposed': 'install.test.ts',
  'hook-program-private': 'install.test.ts',
  'install-unwritable': 'install.test.ts',
  'daemon-reload-needed': 'install.test.ts',
  'daemon-reload-failed': 'install.test.ts',
  'hook-policy-denies': 'install.test.ts',
  'hook-policy-unknown': 'install.test.ts',
  'hook-label-late': 'install.test.ts',
  'libvirt-missing': 'doctor.test.ts',
  'libvirt-old': 'doctor.test.ts',
  'hook-absent': 'doctor.test.ts',
  'hook-broken': 'doctor.test.ts',
  'hook-unseen': 'doctor.test.ts',
  'apparmor-denies': 'doctor.test.ts',
  'hugetlbfs-unseen': 'doctor.test.ts',
  'guests-outside-pod': 'doctor.test.ts',
  'cgroup-root-busy': 'doctor.test.ts',
  'mbind-filtered': 'doctor.test.ts',
  'kvm-missing': 'doctor.test.ts',
  'kvm-denied': 'doctor.test.ts',
  'pools-empty': 'doctor.test.ts',
  'pool-uneven': 'doctor.test.ts',
  'cpuset-controller-off': 'doctor.test.ts',
  'guest-not-running': 'verify.test.ts',
  'guest-gone': 'verify.test.ts',
  'not-qemu-process': 'verify.test.ts',
  'status-malformed': 'verify.test.ts',
  'guest-memory-unreadable': 'verify.test.ts',
  'host-without-processes': 'verify.test.ts',
  'threads-wider': 'verify.test.ts',
  'threads-elsewhere': 'verify.test.ts',
  'guest-memory-elsewhere': 'verify.test.ts',
  'guest-memory-unbound': 'verify.test.ts',
  'guest-pagesize': 'verify.test.ts',
  'vcpus-far': 'verify.test.ts',
  'guest-memory-unknown': 'verify.test.ts',
  'guest-memory-alike': 'verify.test.ts',
  'threads-unknown': 'verify.test.ts',
  'wanted-unknown': 'verify.test.ts',
  'too-large': 'doors.ts',
  'xml-too-many': 'doors.ts',
  'set-too-long': 'doors.ts',
  'cells-beyond': 'doors.ts',
  'more-found': 'xml.test.ts',
}

const cases = readCases()
const texts = cases.flatMap((each) => Object.values(answer(each).answer))

t.test('every code is shown', (t) => {
  for (const kind of ['invalid', 'misplaced', 'capacity', 'note'] as const) {
    for (const code of Object.keys(table[kind])) {
      const test = elsewhere[code]
      const isShown =
        test === undefined ? texts.some((text) => text?.includes(`[${code}]`)) : readFileSync(`test/${test}`, 'utf8').includes(`${code}`)
      t.ok(isShown, test === undefined ? `a golden case shows ${code}` : `${test} shows ${code}`)
      if (test !== undefined)
        t.notOk(
          texts.some((text) => text?.includes(`[${code}]`)),
          `${code} needs no exception`,
        )
    }
  }
  for (const code of Object.keys(table.usage))
    t.ok(readFileSync('test/arguments.test.ts', 'utf8').includes(code), `arguments.test.ts shows ${code}`)
  t.end()
})

/** Said in the folder's request.json or in the metadata of its domain. */
function says(key: string, value: string | undefined): boolean {
  return cases.some((each) => {
    const inDomain = new RegExp(`numa:guestMappingPassthrough[^>]* ${key}='([^']*)'`).exec(each.domain)?.[1]
    const said = each.keys[key] ?? inDomain
    return value === undefined ? said !== undefined && !keys[key as keyof typeof keys].words.includes(said) : said === value
  })
}

t.test('every key and value is said', (t) => {
  for (const key of keyNames) {
    const { words, open, unstated } = keys[key]
    const [standard, ...others] = unstated === undefined ? words : ['', ...words]
    for (const word of others) t.ok(says(key, word), `a golden case says ${key}=${word} (default ${standard})`)
    if (open !== undefined) t.ok(says(key, undefined), `a golden case says ${key}=${open.metavar}`)
  }
  t.end()
})
