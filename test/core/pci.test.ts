// PCI devices of a machine: what sysfs and the files of claims state, and what a snapshot keeps of it.

import t from 'tap'
import { parseSnapshot } from '../../src/host/capture/snapshot.ts'
import { formatSnapshot } from '../../src/host/capture/snapshot-text.ts'
import type { Files } from '../../src/host/files.ts'
import { pciReader, readAllDevices } from '../../src/host/pci/devices.ts'
import { fake } from './fake-files.ts'

const SYS = '/sys/bus/pci/devices'
const GPU = '0000:3b:00.0'
const NIC = '0000:86:00.0'
const BRIDGE = '0000:3a:00.0'

/** Two BARs of 64 bits, one of 32, a ROM, and the window of virtual functions, which is none. */
const RESOURCE = `0x00000000c5000000 0x00000000c5ffffff 0x0000000000040200
0x000038bf00000000 0x000038cfffffffff 0x000000000014220c
0x0000000000000000 0x0000000000000000 0x0000000000000000
0x000038bfe0000000 0x000038bfe1ffffff 0x000000000014220c
0x0000000000000000 0x0000000000000000 0x0000000000000000
0x0000000000000000 0x0000000000000000 0x0000000000000000
0x00000000c6000000 0x00000000c607ffff 0x0000000000046200
0x000038d000000000 0x000038dfffffffff 0x000000000014220c
`

const sysfs = {
  [`${SYS}/${GPU}/numa_node`]: '0\n',
  [`${SYS}/${GPU}/class`]: '0x030200\n',
  [`${SYS}/${GPU}/resource`]: RESOURCE,
  [`${SYS}/${NIC}/numa_node`]: '-1\n',
  [`${SYS}/${NIC}/class`]: '0x020000\n',
  [`${SYS}/${BRIDGE}/numa_node`]: '0\n',
  [`${SYS}/${BRIDGE}/class`]: '0x060400\n',
}

/** sysfs has links in that folder. */
function withLinks(files: Files): Files {
  const links: Readonly<Record<string, string>> = {
    [`${SYS}/${GPU}`]: `../../../devices/pci0000:3a/${BRIDGE}/${GPU}`,
    [`${SYS}/${NIC}`]: `../../../devices/pci0000:85/0000:85:01.0/${NIC}`,
    [`${SYS}/${BRIDGE}`]: `../../../devices/pci0000:3a/${BRIDGE}`,
  }
  return { ...files, readlink: (path) => links[path] }
}

const gpu = { address: GPU, node: 0, root: 'pci0000:3a', bars64KiB: [0x11_0000_0000 / 1024, 32_768] }
const nic = { address: NIC, root: 'pci0000:85' }

t.test('sysfs', (t) => {
  const asked: string[] = []
  const read = pciReader(withLinks(fake(sysfs, asked)))
  t.same(asked, [], 'nothing is read before it is needed')
  t.same(read([NIC, GPU, '0000:99:00.0', GPU]), [gpu, nic], 'ascending, each once, without what is not there')
  t.notOk(
    asked.some((path) => path.includes(BRIDGE)),
    'no other device is read',
  )
  t.same(readAllDevices(withLinks(fake(sysfs))), [gpu, nic], 'a snapshot has no bridges')
  t.equal(readAllDevices(fake({})), undefined)
  t.end()
})

// ---- Claims ----

const FOLDER = '/var/run/kubernetes.io/dra-device-attributes'

function metadata(apiVersion: string, attributes: object): string {
  const requests = [{ name: 'gpu', devices: [{ attributes }] }]
  return `${JSON.stringify({ apiVersion, kind: 'DeviceMetadata', requests })}\n`
}

const claimed = (address: string, numaNode: number, pcieRoot: string): object => ({
  'resource.kubernetes.io/pciBusID': { string: address },
  'resource.kubernetes.io/numaNode': { int: numaNode },
  'resource.kubernetes.io/pcieRoot': { string: pcieRoot },
})

t.test('the files of claims count before sysfs', (t) => {
  const newest = `{"apiVersion":"metadata.resource.k8s.io/v9","other":[{"devices":{}}]}\n`
  const text = newest + metadata('metadata.resource.k8s.io/v1alpha1', claimed(NIC, 1, 'pci0000:84'))
  const files = withLinks(
    fake({
      ...sysfs,
      [`${FOLDER}/resourceclaims/nics/nic/example.com-metadata.json`]: text,
      [`${FOLDER}/resourceclaimtemplates/gpus/gpu/example.com-metadata.json`]: metadata(
        'metadata.resource.k8s.io/v1alpha1',
        claimed('0000:aa:00.0', 2, 'pci0000:a9'),
      ),
      [`${FOLDER}/resourceclaimtemplates/gpus/gpu/other.txt`]: 'x',
    }),
  )
  t.same(pciReader(files)([NIC, '0000:aa:00.0']), [
    { address: NIC, node: 1, root: 'pci0000:84' },
    { address: '0000:aa:00.0', node: 2, root: 'pci0000:a9' },
  ])
  t.end()
})

t.test('what cannot be read of a claim is not known', (t) => {
  const broken = [
    '{',
    '[]',
    '{"requests":{}}',
    '{"requests":[{"devices":[{"attributes":{"resource.kubernetes.io/pciBusID":"0000:86:00.0"}}]}]}',
    metadata('v1', { ...claimed(NIC, -1, ''), 'resource.kubernetes.io/pcieRoot': { int: 3 } }),
  ]
  for (const text of broken) {
    const path = `${FOLDER}/resourceclaims/nics/nic/example.com-metadata.json`
    t.same(pciReader(withLinks(fake({ ...sysfs, [path]: text })))([NIC]), [nic], text)
  }
  t.end()
})

// ---- Snapshots ----

t.test('a snapshot keeps devices', (t) => {
  const host = { nodes: [{ id: 0, cpus: [0], pages: [] }], siblings: [], devices: [gpu, nic] }
  const text = formatSnapshot(host as unknown as Parameters<typeof formatSnapshot>[0])
  t.match(text, `    { "address": "${NIC}", "root": "pci0000:85" }\n  ]`, 'a line for each')
  t.same(parseSnapshot(text, 'host.json').host.devices, [gpu, nic])
  t.end()
})
