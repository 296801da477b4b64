// For each code that neither a golden case nor a captured guest shows: a small input that does, as lines of
// sh. They run in a new folder in which show-code.ts puts domain.xml (the seed's), well/ (a host without
// problems), and a virsh with the guest db1, which runs on-COMMAND before it answers COMMAND. `$N` is the
// program, `$HOST` the seed's host, `$HOOK` the hook, `$DIST` the folder of both.

import type { Code } from '../../src/codes/codes.ts'

const steps = (...each: readonly string[]): string => each.join('\n')

const on = 'plan --host $HOST'

/** A document on stdin. */
const domain = (inside: string): string =>
  `printf '%s' "<domain type='kvm'><name>db1</name>${inside}</domain>" | $N ${on}`

const plain = '<memory>65536</memory><vcpu>4</vcpu>'

const config = (text: string): string => `printf '${text}' > our.conf; $N ${on} --config our.conf domain.xml`

/** A host from a file. */
const host = (name: string, text: string): string =>
  `printf '${text}' > ${name}; $N plan --host ${name} domain.xml`

const dedicated = { cores: 4, dedicatedCpuPlacement: true }

/** The seed with a VMI, and with these CPUs. */
function vmi(spec: object, cpuset = '2-3,6-7', annotations: object = {}): string {
  const text = JSON.stringify({
    kind: 'VirtualMachineInstance',
    metadata: { annotations },
    spec: { domain: { memory: { guest: '64Mi' }, cpu: dedicated, ...spec } },
  })
  return `printf '%s' '${text}' > vmi.json; $N ${on} --cpuset ${cpuset} --vmi vmi.json domain.xml`
}

const isolated = { cpu: { ...dedicated, isolateEmulatorThread: true } }
const pool = { ioThreadsPolicy: 'supplementalPool', ioThreads: { supplementalPoolThreadCount: 2 } }
const parity = { 'alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity': '' }
const withIothreads = "sed -i 's/<vcpu/<iothreads>2<\\/iothreads><vcpu/' domain.xml; "

const define = '$N define --backup copies --host $HOST'
const fitted = `${define} --guest db1; ${define} --cpuset 0-3 --guest db1`
const install = 'mkdir -p root/etc/libvirt/hooks/qemu.d root/run root/usr/sbin; '
const foreign = "echo '#!/bin/sh' > root/etc/libvirt/hooks/qemu; "
const newLibvirt =
  "printf '#!/bin/sh\\necho libvirtd 9.0.0' > root/usr/sbin/libvirtd; chmod 755 root/usr/sbin/libvirtd; "
/** An installation that can be changed. */
const ownProgram = 'mkdir app; cp -r $DIST app/dist; '
const installOwn = '$NODE app/dist/virt-numa.cjs install --root root'
const doctor = '$N doctor --host well'
const GIGANTIC = 'sys/devices/system/node/node0/hugepages/hugepages-1048576kB'
const pages = (node: number, count: number): string =>
  `echo ${count} > well/sys/devices/system/node/node${node}/hugepages/hugepages-2048kB/nr_hugepages; `

/** A code of the command line is also that of a line. */
const usage: Partial<Record<Code, string>> = {
  'usage-command': '$N transfrom',
  'usage-option': '$N plan --hots x',
  'usage-option-value': '$N plan --host',
  'usage-value': '$N plan --memory odd',
  'usage-missing': '$N onDefineDomain --vmi {}',
  'usage-no-document': '$N plan --svg domain.xml --host $HOST',
  'usage-pid': '$N plan --pid 0',
  'usage-mode': '$N serve --socket-mode rw',
  'usage-repeated': '$N plan --host a --host b',
  'usage-inputs': '$N plan a.xml b.xml',
  'usage-code': '$N explain pages-shrot',
  'usage-conflict': '$N transform -i -o b.xml a.xml',
}

const reading: Partial<Record<Code, string>> = {
  'set-malformed': domain("<memory>65536</memory><vcpu cpuset='3-1'>4</vcpu>"),
  'set-too-large': domain("<memory>65536</memory><vcpu cpuset='0-99999999'>4</vcpu>"),
  'set-too-long': host('h.json', '{"nodes": [{"id": 0, "cpus": "%01000000d"}]}'),
  'size-malformed': domain('<memory>much</memory>'),
  'size-too-large': domain("<memory unit='EiB'>99999</memory>"),
  'xml-doctype': "echo '<!DOCTYPE d><d/>' | $N plan --host $HOST",
  'xml-prefix-undeclared': domain('<n:a/>'),
  'xml-too-deep': `head -c 9000 /dev/zero | sed 's/\\x00\\x00\\x00/<a>/g' | $N ${on}`,
  'xml-too-many': `(echo '<d>'; yes '<a/>' | head -n 200000; echo '</d>') | $N ${on}`,
  'utf8-invalid': "printf '<a>\\377' | $N plan --host $HOST",
  'too-large': `head -c 20000000 /dev/zero | $N ${on}`,
  'more-found': domain(`${plain}<cputune>$(yes "<vcpupin vcpu='x'/>" | head -n 300)</cputune>`),
  'cells-beyond': domain(`${plain}<cpu><numa>$(yes "<cell memory='1024'/>" | head -n 300)</numa></cpu>`),
  'guest-live': `sed -i "s/type='kvm'/type='kvm' id='3'/" domain.xml; $N check --host $HOST domain.xml`,
  unreadable: '$N plan --host $HOST missing.xml',
  unwritable: '$N transform -o missing/out.xml --host $HOST domain.xml',
  'output-kind': '$N plan --svg $HOST --host /proc/none domain.xml',
  'output-taken': '$N plan --svg domain.xml --host $HOST domain.xml',
  'config-syntax': config('memory = even'),
  'config-repeated': config('memory = "even"\\nmemory = "even"\\n'),
  'tenant-key-refused': steps(
    `sed -i "s/numa:1'/numa:1' cells='2'/" domain.xml`,
    config('tenant_keys = [ "memory" ]'),
  ),
}

const hosts: Partial<Record<Code, string>> = {
  'json-malformed': host('h.json', '{'),
  'host-malformed': host('h.json', '{}'),
  'host-several': host('list.json', '{"items": [{"apiVersion": "topology.node.k8s.io/v1alpha2"}, {}]}'),
  'cpus-counted': host(
    'w1.json',
    '{"apiVersion": "topology.node.k8s.io/v1alpha2", "metadata": {"name": "w1"}, "zones": ' +
      '[{"name": "node-0", "type": "Node", "resources": [{"name": "cpu", "capacity": "8"}]}]}',
  ),
  'fleet-empty': 'mkdir hosts; $N fleet domain.xml hosts',
  'fleet-unread': "echo '{' > a.json; $N fleet domain.xml a.json $HOST",
  'fleet-nowhere': '$N fleet --cpuset 99 domain.xml 1n1c 1n2c',
  'host-compressed': host('h.tar.bz2', 'BZh91AY&SY'),
  'tar-malformed': 'echo nothing | gzip > h.tar.gz; $N plan --host h.tar.gz domain.xml',
  'host-shape': '$N plan --host 2n4c2t,1G:8 domain.xml',
  'capabilities-malformed': '$N plan --host domain.xml domain.xml',
  'status-unread': steps(
    "mkdir -p well/run/libvirt/qemu; echo '<vcpupin' > well/run/libvirt/qemu/db2.xml",
    '$N plan --host well domain.xml',
  ),
  'host-unreadable': 'mkdir empty; $N plan --host empty domain.xml',
  'host-without-cgroups': `$N ${on} --cgroup /pod domain.xml`,
  'cgroup-missing': '$N plan --host well --cgroup /no/such/group domain.xml',
}

const vmis: Partial<Record<Code, string>> = {
  'vmi-malformed': "echo '[]' > vmi.json; $N plan --host $HOST --vmi vmi.json domain.xml",
  'yaml-malformed': "echo 'a: *b' > vmi.yaml; $N plan --host $HOST --vmi vmi.yaml domain.xml",
  'dedicated-cpus-required': vmi({ cpu: { cores: 4, numa: { guestMappingPassthrough: {} } } }),
  'vmi-without-dedicated-cpus': vmi({ cpu: { cores: 4 } }),
  'vmi-cpu-count': vmi({ cpu: { dedicatedCpuPlacement: true }, resources: { requests: { cpu: '1500m' } } }),
  'vmi-cpu-limit': vmi({
    cpu: { dedicatedCpuPlacement: true },
    resources: { requests: { cpu: '4' }, limits: { cpu: '5' } },
  }),
  'vmi-differs': vmi({ cpu: { ...dedicated, cores: 8 } }),
  'emulator-no-cpu': vmi(isolated),
  'emulator-no-second-cpu': vmi(isolated, '1-3,6-7', parity),
  'iothread-no-cpu': withIothreads + vmi({ ...isolated, ...pool }, '1-3,6-7'),
  'socket-unusable': '$N serve --socket $PWD/domain.xml --host $HOST',
  'iothreads-missing': vmi(pool, '1-3,5-7'),
}

const guests: Partial<Record<Code, string>> = {
  'virsh-missing': `PATH=/nonexistent ${define} --guest db1`,
  'virsh-failed': `echo 'exit 5' > on-list; ${define} --guest db1`,
  'virsh-output': `echo 'echo hello; exit 0' > on-list; ${define} --guest db1`,
  'virsh-stopped': `echo 'kill -TERM $PPID; exec sleep 9' > on-list; ${define} --guest db1`,
  'libvirt-unreachable': steps(
    `echo 'echo "error: failed to connect to the hypervisor" >&2; exit 1' > on-uri`,
    `${define} --guest db1`,
  ),
  'libvirt-elsewhere': `echo 'echo qemu+ssh://node7/system; exit 0' > on-uri; $N define --guest db1`,
  'guest-missing': `${define} --guest db2`,
  'guest-transient': `sed -i 's/Persistent:  *yes/Persistent: no/' info; ${define} --guest db1`,
  'guest-runs': `sed -i 's/Id:  *-/Id: 3/' info; ${define} --guest db1`,
  'guest-saved': `sed -i 's/save:  *no/save: yes/' info; ${define} --guest db1`,
  'define-unknown': `echo 'kill -9 $$' > on-define; ${define} --guest db1`,
  'define-unread': `echo 'rm guest.xml; exit 0' > on-define; ${define} --guest db1`,
  'guest-placed-otherwise': `echo 'exit 0' > on-define; ${define} --guest db1`,
  'guest-changed': steps(
    "echo 'echo >> count; [ $(wc -l < count) -lt 3 ] || sed -i s/none/virtio/ guest.xml' > on-dumpxml",
    `${define} --guest db1`,
  ),
}

const definitions: Partial<Record<Code, string>> = {
  'guest-secrets-lost': steps(
    'sed -i \'s|<devices>|<devices><graphics type="vnc"/>|\' guest.xml; cp guest.xml own.xml',
    'sed \'s|"vnc"|"vnc" passwd="s3cret"|\' guest.xml > secret.xml',
    'echo \'case "$*" in *security*) cat secret.xml; exit 0;; esac\' > on-dumpxml',
    `${define} own.xml`,
  ),
  'guest-disks-moved': steps(
    'disk=\'<disk><source file="/a"/><target dev="vda"/></disk>\'',
    'sed -i "s|<devices>|<devices>$disk|" guest.xml; sed \'s|"/a"|"/b"|\' guest.xml > own.xml',
    `echo 'echo s1' > on-snapshot-list; ${define} own.xml`,
  ),
  'guest-uuid': `sed 's/310937af/410937af/' guest.xml > own.xml; ${define} own.xml`,
  'guest-renamed': `sed 's/<name>db1/<name>db2/' guest.xml > own.xml; ${define} own.xml`,
  'guest-needs-start': `${define} --guest db1; sed -i 's/Id:  *-/Id: 3/' info; cp guest.xml live.xml
    echo 'case "$*" in *inactive*) ;; *) cat live.xml; exit 0;; esac' > on-dumpxml; ${fitted}`,
  'guest-saved-stays': `${define} --guest db1; sed -i 's/save:  *no/save: yes/' info; ${fitted}`,
}

const installs: Partial<Record<Code, string>> = {
  'hook-foreign': `${install}${foreign}$N install --root root`,
  'hook-place-taken': `${install}${foreign}${newLibvirt}echo > root/etc/libvirt/hooks/qemu.d/50-virt-numa
    $N install --root root`,
  'hook-trial-failed': steps(
    `${install}${ownProgram}echo 'process.exit(1)' > app/dist/hooks/qemu.cjs`,
    installOwn,
  ),
  'hook-program-exposed': `${install}${ownProgram}chmod 666 app/dist/hooks/qemu.cjs; ${installOwn}`,
  'hook-timeout': steps(
    "printf 'timeout_s = 1' > our.conf",
    'sleep 3 | VIRT_NUMA_CONFIG=our.conf $NODE $HOOK db1 migrate begin -',
  ),
  'hook-memory': steps(
    "printf 'memory_limit_mib = 1' > our.conf",
    "{ head -n 20 domain.xml; yes '<a/>' | head -n 400000; } |",
    'VIRT_NUMA_CONFIG=our.conf $NODE $HOOK seed migrate begin -',
  ),
  'hook-program-private': `${install}${ownProgram}${installOwn}`,
  'install-unwritable': `${install}prlimit --fsize=100 $N install --root root`,
  'daemon-reload-needed': steps(
    install,
    'cp /bin/sleep libvirtd; ./libvirtd 60 >/dev/null 2>&1 & echo $! > root/run/libvirtd.pid',
    '$N install --root root; kill $(cat root/run/libvirtd.pid)',
  ),
}

const doctors: Partial<Record<Code, string>> = {
  'hook-absent': doctor,
  'hook-broken': `$N install --root well; ${doctor}`,
  'hook-unseen': `$N install --root well; for file in $(readlink -f $NODE) $HOOK; do
    mkdir -p well$(dirname $file); touch well$file; chmod 755 well$file; done; ${doctor}`,
  'hugetlbfs-unseen': `rm -r well/proc/812/root; sed -i s/hugepages/late/ well/proc/812/mounts; ${doctor}`,
  'guests-outside-pod': `mkdir well/sys/fs/cgroup/pod; echo 2-5 > well/sys/fs/cgroup/pod/cpuset.cpus.effective
    echo 0::/pod > well/proc/812/cgroup; ${doctor}`,
  'cgroup-root-busy': steps(
    'echo 0::/ > well/proc/812/cgroup; echo domain > well/sys/fs/cgroup/cgroup.type',
    doctor,
  ),
  'watch-program-missing': `mkdir -p well/etc/systemd/system
    echo 'ExecStart=/opt/gone/virt-numa watch' > well/etc/systemd/system/virt-numa-watch.service; ${doctor}`,
  'watch-stopped': `mkdir -p well/etc/systemd/system/libvirtd.service.wants well/usr/bin
    cd well/etc/systemd/system
    echo > ../../../usr/bin/virt-numa; echo 'ExecStart=/usr/bin/virt-numa watch' > virt-numa-watch.service
    ln -s ../virt-numa-watch.service libvirtd.service.wants/; cd ../../../..; ${doctor}`,
  'cpuset-controller-off': `echo memory > well/sys/fs/cgroup/cgroup.controllers; ${doctor}`,
  'qemu-unreaped': `mkdir well/proc/40; echo '40 (qemu-kvm) Z 812 0' > well/proc/40/stat; ${doctor}`,
  'memory-fragmented': `mkdir -p well/${GIGANTIC}; echo 0 > well/${GIGANTIC}/nr_hugepages
    echo 'Node 0 MemFree: 2097152 kB' > well/sys/devices/system/node/node0/meminfo
    echo 'Node 0, zone Normal 524288 0 0' > well/proc/buddyinfo; ${doctor}`,
  'mbind-filtered': `printf 'CapBnd:\\t00000000a80425fb\\nSeccomp:\\t2\\n' > well/proc/812/status; ${doctor}`,
  'pools-empty': `${pages(0, 0)}${pages(1, 0)}${doctor}`,
  'pool-uneven': `${pages(1, 0)}${doctor}`,
}

const running: Partial<Record<Code, string>> = {
  'guests-unread': 'mkdir -p well/run/libvirt/qemu/db1.xml; $N ps --host well',
  'host-without-processes': '$N verify --host $HOST --pid 1',
  'guest-gone': `mkdir well/proc/7; printf '/usr/bin/qemu-kvm\\0-m\\0size=1G\\0' > well/proc/7/cmdline
    echo "7 (qemu) S$(yes ' 1' | head -n 18 | tr -d '\\n') 100 0" > well/proc/7/stat
    $N verify --host well --pid 7`,
}

/** Lines of sh, by the code that they show. */
export const lines: Partial<Record<Code, string>> = {
  ...usage,
  ...reading,
  ...hosts,
  ...vmis,
  ...guests,
  ...definitions,
  ...installs,
  ...doctors,
  ...running,
}
