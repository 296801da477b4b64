// doctor on captured hosts, with its findings on each; and on this machine.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import type { CpuSet } from '../../src/base/idset.ts'
import { parseSet } from '../../src/base/parse-set.ts'
import { diagnostic } from '../../src/codes/codes.ts'
import { examine } from '../../src/doctor/doctor.ts'
import { type Inspection, type Item, stateOf } from '../../src/doctor/inspection.ts'
import { mayUse, qemuUser } from '../../src/doctor/qemu-user.ts'
import { shimText } from '../../src/hook-setup/shim.ts'
import { loadedLibvirt, readDaemon } from '../../src/host/daemon.ts'
import type { Files } from '../../src/host/files.ts'
import { isNative, runCommand } from '../command.ts'
import { firstWorded } from '../core/worded.ts'
import { filesOf, HOOK, inspectionOf, MACHINED, NODE, PID, type Tree, WELL, writeTree } from './well-host.ts'

const itemsOf = (change?: Tree, more?: Partial<Inspection>): Item[] => examine(inspectionOf(change, more))
const itemOf = (name: string, change?: Tree, more?: Partial<Inspection>): Item =>
  itemsOf(change, more).find((item) => item.name === name) as Item
const codesOf = ({ found }: Item): string[] => found.map(({ code }) => code)

t.test('a host without problems', (t) => {
  const items = itemsOf()
  t.same(
    items.map((item) => [item.name, stateOf(item), item.says]),
    [
      ['versions', 'ok', 'libvirt 9.0.0, QEMU 7.2.22, Linux 6.1.0, Node 20.20.0'],
      ['configuration', 'ok', '/etc/libvirt/virt-numa.conf'],
      [
        'hook',
        'ok',
        '/etc/libvirt/hooks/qemu runs /opt/virt-numa/dist/hooks/qemu.cjs; libvirtd (process 812) runs it',
      ],
      ['watch', 'ok', 'no virt-numa-watch.service; guests are fitted by define and the hook only'],
      ['access', 'ok', 'SELinux is off, AppArmor is off'],
      ['pages', 'ok', '2 MiB: 500 of 512 free on node 0, 512 of 512 free on node 1, 3 reserved'],
      ['hugetlbfs', 'ok', '2 MiB at /dev/hugepages'],
      ['cgroup', 'ok', 'v2, cpuset in v2'],
      ['guests', 'ok', 'libvirtd (process 812) may use CPUs 0-7; guests in machine.slice may use CPUs 0-7'],
      ['binding', 'ok', 'libvirtd (process 812): no seccomp filter, with CAP_SYS_NICE'],
      ['probes', 'ok', 'no QEMU process waits to be reaped'],
      ['kvm', 'ok', '/dev/kvm is root:kvm 0660, QEMU runs as libvirt-qemu (the default)'],
    ],
  )
  t.end()
})

t.test('the unit of watch', (t) => {
  const unit = '/etc/systemd/system/virt-numa-watch.service'
  const link = '/etc/systemd/system/virtqemud.service.wants/virt-numa-watch.service'
  const running = '/sys/fs/cgroup/system.slice/virt-numa-watch.service/cgroup.procs'
  const starts = (...words: string[]): string => `[Service]\nExecStart=${words.join(' ')} watch\n`
  const program = '/opt/virt-numa/dist/hooks/qemu.cjs'
  const whole = { [program]: 'it', [unit]: starts(`"${program}"`), [running]: '4711\n' }
  const enabled = (path: string): string | undefined => (path === link ? unit : undefined)
  const at = (tree: Tree, isEnabled = true): Item => {
    const { files, ...rest } = inspectionOf(tree)
    const linked: Files = {
      ...files,
      readlink: (path) => (isEnabled && enabled(path)) || files.readlink(path),
    }
    return examine({ files: linked, ...rest }).find(({ name }) => name === 'watch') as Item
  }
  const says = (item: Item): unknown[] => [stateOf(item), item.says, codesOf(item)]
  t.same(says(at(whole)), ['ok', `${unit}: enabled, running`, []])
  t.same(says(at({ ...whole, [running]: '' })), ['note', `${unit}: enabled, not running`, ['watch-stopped']])
  t.same(
    says(at({ ...whole, [running]: '' }, false)),
    ['ok', `${unit}: not enabled, not running`, []],
    'a package enables nothing',
  )
  t.same(codesOf(at({ ...whole, [unit]: starts('/usr/bin/gone', program) })), ['watch-program-missing'])
  t.same(codesOf(at({ ...whole, [unit]: starts('"/opt/100%%/gone"') })), ['watch-program-missing'])
  t.end()
})

t.test('versions, configuration, hook', (t) => {
  t.same(codesOf(itemOf('versions', {}, { versions: {} })), ['libvirt-missing'])
  t.same(
    codesOf(itemOf('versions', {}, { versions: {}, isThisHost: false })),
    [],
    'a capture has no programs to ask for versions',
  )
  t.same(codesOf(itemOf('versions', {}, { versions: { libvirt: '6.4.0' } })), ['libvirt-old'])
  for (const libvirt of ['6.5.0', '10.0.0'])
    t.same(codesOf(itemOf('versions', {}, { versions: { libvirt } })), [], libvirt)

  const found = [diagnostic('config-syntax', { source: 'x', found: 'y', expected: { is: 'equals' } })]
  t.equal(stateOf(itemOf('configuration', {}, { config: { path: 'x', isThere: true, found } })), 'finding')
  t.match(
    itemOf('configuration', {}, { config: { path: '/x', isThere: false, found: [] } }).says,
    'defaults (no /x)',
  )

  t.same(codesOf(itemOf('hook', {}, { hooks: [] })), ['hook-absent'])
  const plain = itemOf('hook', {}, { hooks: [{ ...HOOK, mode: 0o644 }] })
  t.same(codesOf(plain), ['hook-broken'])
  t.equal(firstWorded(plain.found).fix, 'chmod 0755 /etc/libvirt/hooks/qemu')
  const gone = itemOf('hook', {}, { hooks: [{ ...HOOK, missing: ['/opt/node/bin/node'] }] })
  t.match(firstWorded(gone.found).what, 'runs /opt/node/bin/node, which is missing')
  const exposed = [diagnostic('hook-program-exposed', { path: '/opt', by: { is: 'everybody' } })]
  t.same(codesOf(itemOf('hook', {}, { hooks: [{ ...HOOK, exposed }] })), ['hook-program-exposed'])
  const unseen = itemOf('hook', {}, { isHookSeen: false })
  t.same([stateOf(unseen), ...codesOf(unseen)], ['note', 'hook-unseen'])
  const stopped = itemOf('hook', { '/run/libvirtd.pid': '' }, { isHookSeen: false })
  t.same(codesOf(stopped), [], 'the daemon looks for hooks when it starts')
  t.match(
    itemOf('hook', {}, { otherHooks: ['/etc/libvirt/hooks/qemu.d/10-mine'] }).says,
    'other hooks: /etc/libvirt/hooks/qemu.d/10-mine',
  )
  t.end()
})

t.test('access', (t) => {
  const captured = itemOf('access', {}, { isThisHost: false })
  t.same([stateOf(captured), captured.says], ['unknown', 'SELinux and AppArmor are not in the capture'])
  const withApparmor = { '/sys/module/apparmor/parameters/enabled': 'N\n' }
  t.equal(itemOf('access', withApparmor, { isThisHost: false }).says, 'SELinux is off, AppArmor is off')
  const on: Tree = { '/sys/module/apparmor/parameters/enabled': 'Y\n' }
  const confined: Tree = { ...on, [`${PID}/attr/current`]: 'libvirtd (enforce)\n' }
  const elsewhere = { hooks: [{ ...HOOK, node: '/opt/node/bin/node' }] }
  t.same(codesOf(itemOf('access', confined)), [], '/usr/bin/node may be run')
  const denied = itemOf('access', confined, elsewhere)
  t.same(codesOf(denied), ['apparmor-denies'])
  t.match(
    firstWorded(denied.found).fix,
    "echo '/opt/node/bin/node PUx,' >> /etc/apparmor.d/local/usr.sbin.libvirtd",
  )
  const local: Tree = { ...confined, '/etc/apparmor.d/local/usr.sbin.libvirtd': '/opt/node/bin/node PUx,\n' }
  t.same(codesOf(itemOf('access', local, elsewhere)), [], 'once the rule is added')
  for (const current of ['unconfined\n', 'libvirtd (complain)\n']) {
    t.same(codesOf(itemOf('access', { ...on, [`${PID}/attr/current`]: current }, elsewhere)), [], current)
  }
  t.same(
    codesOf(itemOf('access', { [`${PID}/attr/current`]: 'libvirtd (enforce)\n' }, elsewhere)),
    [],
    'AppArmor is off',
  )
  for (const [enforce, mode] of [
    ['1', 'enforcing'],
    ['0', 'permissive'],
  ] as const) {
    t.match(itemOf('access', { '/sys/fs/selinux/enforce': enforce }).says, `SELinux is ${mode}`)
  }
  const policy = [diagnostic('hook-policy-denies', { daemon: 'virtqemud', hook: 'virt_hook_t', path: '/x' })]
  t.equal(stateOf(itemOf('access', {}, { policy })), 'finding')
  t.end()
})

t.test('pages and hugetlbfs', (t) => {
  const pool = (node: number): string => `${NODE}/node${node}/hugepages/hugepages-2048kB/nr_hugepages`
  const none = itemOf('pages', { [pool(0)]: '0\n', [pool(1)]: '0\n' })
  t.same([stateOf(none), ...codesOf(none)], ['note', 'pools-empty'])
  t.match(
    firstWorded(none.found).fix,
    'echo 512 > /sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages',
  )
  const uneven = itemOf('pages', { [pool(1)]: '0\n' })
  t.same([stateOf(uneven), ...codesOf(uneven)], ['note', 'pool-uneven'])
  t.equal(firstWorded(uneven.found).what, 'node 1 has no 2 MiB pages; node 0 does')
  t.match(firstWorded(uneven.found).fix, 'node1/hugepages/hugepages-2048kB')
  t.same(
    codesOf(itemOf('pages', { [pool(1)]: '0\n', [`${NODE}/node1/meminfo`]: 'Node 1 MemTotal: 0 kB\n' })),
    [],
    'a node without memory',
  )

  const missing = itemOf('hugetlbfs', { [`${PID}/mounts`]: 'proc /proc proc rw 0 0\n' })
  t.same(codesOf(missing), ['hugetlbfs-missing'], 'not mounted for the daemon')
  t.match(firstWorded(missing.found).fix, 'mount -t hugetlbfs -o pagesize=2M')
  const late = itemOf('hugetlbfs', {
    [`${PID}/root/dev/hugepages/libvirt/qemu/empty`]: '',
    [`${PID}/mounts`]: 'none /dev/late hugetlbfs rw,pagesize=2M 0 0\n',
  })
  t.same(codesOf(late), ['hugetlbfs-unseen'])
  t.match(
    firstWorded(late.found).what,
    'libvirtd (process 812) does not use the hugetlbfs mount at /dev/late',
  )
  const two = `none /dev/late hugetlbfs rw,pagesize=2M 0 0\n${WELL[`${PID}/mounts`]}`
  t.same(codesOf(itemOf('hugetlbfs', { [`${PID}/mounts`]: two })), [], 'one of two mounts is enough')
  t.same(
    codesOf(
      itemOf('hugetlbfs', {
        [`${PID}/mounts`]: 'proc /proc proc rw 0 0\n',
        [pool(0)]: '0\n',
        [pool(1)]: '0\n',
      }),
    ),
    [],
    'not needed without pages',
  )
  t.same(
    codesOf(itemOf('hugetlbfs', { '/run/libvirtd.pid': '', '/proc/mounts': 'none /a hugetlbfs rw 0 0\n' })),
    [],
    'no daemon; the default size',
  )
  t.end()
})

t.test('cgroups, and those of guests', (t) => {
  t.same(codesOf(itemOf('cgroup', { '/sys/fs/cgroup/cgroup.controllers': 'cpu memory\n' })), [
    'cpuset-controller-off',
  ])
  t.same(codesOf(itemOf('cgroup', { '/proc/self/mountinfo': '1 1 0:1 / /proc rw - proc proc rw\n' })), [
    'cpuset-controller-off',
  ])
  const conf = (line: string): Tree => ({ '/etc/libvirt/qemu.conf': `${line}\n` })
  t.same(codesOf(itemOf('cgroup', conf('cgroup_controllers = [ "cpu", "memory" ]'))), [
    'cpuset-controller-off',
  ])
  t.same(codesOf(itemOf('cgroup', conf('cgroup_controllers = [ "cpu", "cpuset" ]'))), [])
  const v1 =
    '31 23 0:27 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n' +
    '32 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n'
  t.same(itemOf('cgroup', { '/proc/self/mountinfo': v1 }).says, 'v1 and v2, cpuset in v1')

  const pod: Tree = {
    [`${PID}/cgroup`]: '0::/kubepods/pod1\n',
    '/sys/fs/cgroup/kubepods/pod1/cpuset.cpus.effective': '2-5\n',
  }
  const outside = itemOf('guests', pod)
  t.same(codesOf(outside), ['guests-outside-pod'])
  t.equal(
    firstWorded(outside.found).what,
    'libvirtd (process 812) may use CPUs 2-5, but guests in machine.slice may use CPUs 0-7',
  )
  const fix =
    'start the daemon in a cgroup namespace of its own (unshare --cgroup, docker --cgroupns private)'
  t.equal(
    firstWorded(outside.found).fix,
    `${fix}, or write cgroup_controllers = [] in qemu.conf and restart the daemon: without ` +
      'systemd-machined, guests then stay in its cgroup',
  )
  t.equal(firstWorded(itemOf('guests', { ...pod, ...MACHINED }).found).fix, fix)
  const inside = { partition: { name: 'machine.slice', cpus: parseSet<CpuSet>('2-5', 'test') } }
  t.same(codesOf(itemOf('guests', pod, inside)), [])
  t.same(
    codesOf(itemOf('guests', { ...pod, ...conf('cgroup_controllers = [ ]') })),
    [],
    'guests then stay with the daemon',
  )
  t.match(itemOf('guests', { ...pod, ...conf('cgroup_controllers = [ ]') }).says, 'guests stay in its cgroup')

  const files = filesOf({ ...WELL, ...pod })
  const apart: Files = {
    ...files,
    readlink: (path) =>
      path === `${PID}/ns/cgroup`
        ? 'cgroup:[4026531999]'
        : path === '/proc/self/ns/cgroup'
          ? 'cgroup:[1]'
          : files.readlink(path),
  }
  t.match(itemOf('guests', pod, { files: apart }).says, 'guests stay in its cgroup namespace')

  const atRoot: Tree = { [`${PID}/cgroup`]: '0::/\n' }
  t.same(codesOf(itemOf('guests', atRoot)), [], 'the root of all cgroups may hold processes')
  const busy = itemOf('guests', { ...atRoot, '/sys/fs/cgroup/cgroup.type': 'domain\n' })
  t.same(codesOf(busy), ['cgroup-root-busy'])
  t.match(firstWorded(busy.found).fix, /; done, or write cgroup_controllers = \[\] in qemu\.conf and restart/)
  const busyWithMachined = itemOf('guests', {
    ...atRoot,
    ...MACHINED,
    '/sys/fs/cgroup/cgroup.type': 'domain\n',
  })
  t.match(firstWorded(busyWithMachined.found).fix, /init\/cgroup\.procs; done$/)
  const stopped = itemOf('guests', { '/run/libvirtd.pid': '' })
  t.same([stateOf(stopped), stopped.says], ['unknown', 'no libvirt daemon is running'])
  t.end()
})

t.test('binding and kvm', (t) => {
  const status = (seccomp: number, caps: string): Tree => ({
    [`${PID}/status`]: `CapBnd:\t${caps}\nSeccomp:\t${seccomp}\n`,
  })
  t.same(
    codesOf(itemOf('binding', status(2, '00000000a80425fb'))),
    ['mbind-filtered'],
    "docker's usual capabilities",
  )
  t.same(codesOf(itemOf('binding', status(2, '00000000a8842dfb'))), [], 'with CAP_SYS_NICE')
  t.same(codesOf(itemOf('binding', status(0, '00000000a80425fb'))), [], 'no filter')
  t.same(
    codesOf(itemOf('binding', { [`${PID}/status`]: 'Name: x\n' })),
    [],
    'what is not known is not a finding',
  )

  t.same(codesOf(itemOf('kvm', {}, { kvm: { uid: 0, gid: 0, mode: 0o20600 } })), ['kvm-denied'])
  const { kvm: _, ...without } = inspectionOf()
  t.same(codesOf(examine(without).at(-1) as Item), ['kvm-missing'])
  t.same(codesOf(examine({ ...without, isThisHost: false }).at(-1) as Item), [], 'a capture has no devices')
  const closed = { kvm: { uid: 0, gid: 0, mode: 0o20600 } }
  for (const user of ['"root"', '"+0"', '0']) {
    t.same(
      codesOf(
        itemOf('kvm', { '/etc/libvirt/qemu.conf': `#user = "x"\nuser = ${user}\ngroup = "root"\n` }, closed),
      ),
      [],
      `user = ${user}`,
    )
  }
  t.same(
    codesOf(itemOf('kvm', { '/etc/libvirt/qemu.conf': 'user = "nobody-here"\n' }, closed)),
    [],
    'a user that is not known here',
  )

  const files = filesOf(WELL)
  const user = qemuUser(files, { group: 'kvm' })
  t.same(user, { name: 'libvirt-qemu', uid: 64055, gids: [105, 105], source: 'the default' })
  t.ok(mayUse({ uid: 5, gids: [] }, { uid: 0, gid: 0, mode: 0o666 }))
  t.notOk(
    mayUse({ uid: 5, gids: [7] }, { uid: 0, gid: 7, mode: 0o606 }),
    'the group’s bits apply before those of others',
  )
  t.notOk(mayUse({ uid: 5, gids: [7] }, { uid: 5, gid: 7, mode: 0o466 }), 'and the owner’s before both')
  t.end()
})

t.test('1 GiB pages on fragmented memory', (t) => {
  const gigantic = (node: number): Tree => ({
    [`${NODE}/node${node}/hugepages/hugepages-1048576kB/nr_hugepages`]: '0\n',
    [`${NODE}/node${node}/meminfo`]: `Node ${node} MemTotal: 4194304 kB\nNode ${node} MemFree: 2097152 kB\n`,
  })
  // 2 GiB each: on node 0 half a GiB in blocks of 4 MiB, on node 1 all of it.
  const buddyinfo = [
    'Node 0, zone    DMA32      0      0      0      0      0      0      0      0      0      0     64',
    'Node 0, zone   Normal 131072      0      0      0      0      0      0      0      0    512     64',
    'Node 1, zone   Normal      0      0      0      0      0      0      0      0      0      0    512',
    '',
  ].join('\n')
  const host: Tree = { ...gigantic(0), ...gigantic(1), '/proc/buddyinfo': buddyinfo }
  const found = itemOf('pages', host)
  t.same([stateOf(found), ...codesOf(found)], ['note', 'memory-fragmented'])
  t.match(firstWorded(found.found), {
    what: "node 0 has 2048 MiB free, but only 512 MiB of it in the kernel's largest free blocks",
    fix: /^echo 1 > \/proc\/sys\/vm\/compact_memory/,
  })
  t.same(codesOf(itemOf('pages', { '/proc/buddyinfo': buddyinfo })), [], 'a kernel without such pages')
  const full = { ...host, [`${NODE}/node0/meminfo`]: 'Node 0 MemFree: 1048000 kB\n' }
  t.same(codesOf(itemOf('pages', full)), [], 'memory that is not free is not fragmented')
  t.same(codesOf(itemOf('pages', { ...host, '/proc/buddyinfo': 'Node x\n' })), [], 'nothing is known')
  t.end()
})

t.test('QEMU processes that are not reaped', (t) => {
  const stat = (pid: number, name: string, state: string, parent: number): Tree => ({
    [`/proc/${pid}/stat`]: `${pid} (${name}) ${state} ${parent} ${pid} 0 0 -1 0 0\n`,
  })
  const one = itemOf('probes', { ...stat(40, 'qemu-system-x86', 'Z', 1), '/proc/1/comm': 'sleep\n' })
  t.same([stateOf(one), ...codesOf(one)], ['finding', 'qemu-unreaped'])
  t.match(firstWorded(one.found), {
    what: 'process 1 (sleep) has not reaped 1 QEMU process that has ended',
    fix: /docker run --init/,
  })
  const more = itemOf('probes', {
    ...stat(40, 'qemu-kvm', 'Z', 812),
    ...stat(41, 'qemu-system-ppc', 'Z', 812),
    ...stat(42, 'qemu-system-x86', 'S', 812),
    ...stat(43, 'sh) Z 1 (', 'S', 1),
    ...stat(44, 'virsh', 'Z', 1),
  })
  t.equal(more.says, 'QEMU processes that have ended and are not reaped: 2')
  t.match(firstWorded(more.found), {
    what: 'process 812 (libvirtd) has not reaped 2 QEMU processes that have ended',
    fix: /^restart process 812/,
  })
  t.end()
})

t.test('the version of the library that a daemon has loaded', (t) => {
  const loaded = (maps: string): string | undefined =>
    loadedLibvirt(filesOf({ ...WELL, [`${PID}/maps`]: maps }))
  const line = (file: string): string => `7f5c8c200000-7f5c8c2b1000 r--p 00000000 fe:01 2490475 ${file}\n`
  const driver = line('/usr/lib/libvirt/connection-driver/libvirt_driver_qemu.so')
  t.equal(loaded(`${driver}${line('/usr/lib/x86_64-linux-gnu/libvirt.so.0.9000.0')}`), '9.0.0')
  t.equal(loaded(line('/usr/lib64/libvirt.so.0.12005.1 (deleted)')), '12.5.1', 'updated while it runs')
  t.equal(loaded(line('/usr/lib64/libvirt.so.0')), undefined)
  t.equal(loaded(driver), undefined)
  t.equal(loadedLibvirt(filesOf(WELL)), undefined, 'maps that cannot be read')
  t.end()
})

t.test('a daemon', (t) => {
  t.equal(readDaemon(filesOf(WELL))?.startedS, 1_000_050.5)
  t.equal(
    readDaemon(filesOf({ ...WELL, [`${PID}/comm`]: 'bash\n' })),
    undefined,
    'another process has its pid',
  )
  t.equal(readDaemon(filesOf({ ...WELL, '/run/libvirtd.pid': 'x\n' })), undefined)
  const modular = {
    ...WELL,
    '/run/libvirtd.pid': '',
    '/run/virtqemud.pid': '812\n',
    [`${PID}/comm`]: 'virtqemud\n',
  }
  t.equal(readDaemon(filesOf(modular))?.name, 'virtqemud')
  t.end()
})

/** The shim of version 0.1.0, before it asked for a verdict. */
const FORMER_HOOK = [
  '#!/bin/sh',
  [
    `case "$2 $3" in 'migrate begin'|'restore begin'|'prepare begin') ;; *) exit 0;; esac; `,
    `trap 'case "$2" in migrate|restore) `,
    String.raw`echo '\''error[hook-missing]: cannot run /opt/virt-numa/dist/hooks/qemu.cjs`,
    String.raw` with /usr/bin/node; fix: virt-numa install'\'' >&2; `,
    `exit 1;; esac; exit 0' EXIT; shopt -s execfail 2>/dev/null`,
  ].join(''),
  `[ -f '/usr/bin/node' ] && [ -x '/usr/bin/node' ] && [ -r ` +
    `'/opt/virt-numa/dist/hooks/qemu.cjs' ] && exec '/usr/bin/node' ` +
    `'/opt/virt-numa/dist/hooks/qemu.cjs' "$@"`,
  '',
].join('\n')

// ---- The command ----

const folder = mkdtempSync(join(tmpdir(), 'virt-numa-doctor-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const capture = (name: string, tree: Tree): string => writeTree(join(folder, name), tree)

const doctor = (...args: string[]) => runCommand(['doctor', ...args], { timeout: 120_000 })

t.test('a captured folder', (t) => {
  const host = capture('well', WELL)
  const bare = doctor('--host', host)
  t.equal(bare.status, 1)
  t.match(bare.stdout, /^unknown {2}kvm {12}no \/dev in the capture$/m)
  t.match(bare.stdout, /^FAIL {5}hook {11}not installed in \/etc\/libvirt\/hooks$/m)
  t.match(bare.stderr, /^error\[hook-absent\]/m)
  t.match(
    bare.stdout,
    `no ${host}/etc/libvirt/virt-numa.conf`,
    'the configuration of the captured host, not of this machine',
  )

  const hook = join(host, 'etc/libvirt/hooks/qemu')
  mkdirSync(dirname(hook), { recursive: true })
  writeFileSync(hook, shimText('/usr/bin/node', '/opt/virt-numa/dist/hooks/qemu.cjs'))
  chmodSync(hook, 0o755)
  t.match(
    doctor('--host', host).stderr,
    'runs /usr/bin/node and /opt/virt-numa/dist/hooks/qemu.cjs, which are missing',
  )
  for (const path of ['usr/bin/node', 'opt/virt-numa/dist/hooks/qemu.cjs']) {
    mkdirSync(dirname(join(host, path)), { recursive: true })
    writeFileSync(join(host, path), '')
    chmodSync(join(host, path), 0o755)
  }
  const { status, stdout, stderr } = doctor('--host', host, '--json')
  t.equal(status, 0, stderr)
  const printed = JSON.parse(stdout)
  t.equal(printed.findings, 0)
  t.equal(printed.items.length, 12)
  t.match(stderr, 'note[hook-unseen]')

  writeFileSync(hook, FORMER_HOOK)
  const outdated = doctor('--host', host)
  t.equal(outdated.status, 1)
  t.match(outdated.stderr, /error\[hook-broken\]: \S+hooks\/qemu was installed by an earlier version/)
  t.match(outdated.stderr, 'fix: virt-numa install')
  writeFileSync(hook, shimText('/usr/bin/node', '/opt/virt-numa/dist/hooks/qemu.cjs'))

  writeFileSync(join(host, 'etc/libvirt/virt-numa.conf'), '\nmemory = "evn"\n')
  const wrong = doctor('--host', host)
  t.equal(wrong.status, 1)
  t.match(wrong.stderr, 'error[unknown-value]')
  t.match(wrong.stderr, 'virt-numa.conf:2:10')
  symlinkSync('well', join(folder, 'link'))
  t.equal(doctor('--host', join(folder, 'link'), '--hooks-dir', '/none').status, 1)
  const file = doctor('--host', join(host, 'proc/stat'))
  t.same([file.status, file.stdout], [1, ''])
  t.match(file.stderr, 'error[unreadable]')
  t.end()
})

t.test('this machine', (t) => {
  const { status, stdout, stderr } = doctor('--json')
  const { findings, items } = JSON.parse(stdout)
  t.equal(items.length, 12, 'every item is reported, whatever its result')
  t.equal(status, findings === 0 ? 0 : 1)
  t.equal(
    stderr.match(/^error\[/gm)?.length ?? 0,
    items
      .flatMap(({ diagnostics }: { diagnostics: { severity: string }[] }) => diagnostics)
      .filter(({ severity }: { severity: string }) => severity === 'error').length,
  )
  if (!isNative) t.match(items[0].says, `Node ${process.versions.node}`)
  t.end()
})
