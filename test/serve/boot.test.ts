// A Boot is two or three calls: the domain with placeholder interfaces; KubeVirt's domain again, with the
// devices as libvirt printed them after the first answer; and KubeVirt's own print of the second answer. What
// the answers place must be the same.

import t from 'tap'
import { defaultConfig } from '../../src/request/config.ts'
import { defineWith } from '../../src/serve/define.ts'
import { methodsOf } from '../../src/serve/methods.ts'
import { readMessage, writeMessage } from '../../src/serve/wire.ts'
import { saidBy } from '../corpora/kubevirt-cases.ts'
import { HOST } from '../seed.ts'
import { domain, vmi } from './guest.ts'

const log: string[] = []
const methods = methodsOf(
  defineWith({
    host: HOST,
    flags: {},
    config: defaultConfig,
    configSource: 'none',
    log: (text) => log.push(text),
  }),
)

function answerTo(domain: string, asked: string): string {
  const method = methods['/kubevirt.hooks.plugins.v1alpha1.LauncherHookService/GuestDefinition']
  const request = writeMessage([
    [1, 'libvirt'],
    [2, domain],
    [3, asked],
    [4, writeMessage([[1, 'Boot']])],
  ])
  const fields = readMessage(method?.(request).message ?? new Uint8Array())
  return 'invalidAt' in fields ? '' : Buffer.from(fields.get(1) ?? []).toString()
}

/** What KubeVirt itself defines for this guest: with its own cells. */
const kubevirts = answerTo(domain, vmi({}))
const devicesIn = (xml: string): string => /<devices>[\s\S]*<\/devices>/.exec(xml)?.[0] ?? ''
const withDevices = (xml: string, devices: string): string =>
  xml.replace(/<devices>[\s\S]*<\/devices>/, () => devices)

const PLACEHOLDERS = [1, 2, 3].map(
  (number) =>
    `<interface type='ethernet'><target dev='placeholder-${number}' managed='no'/>` +
    `<model type='virtio-non-transitional'/></interface>`,
)

/** Each device of the answer has an address by then, and there are buses on a cell that the rest lacks. */
function libvirtsDevices(answer: string): string {
  const buses = [
    "<controller type='pci' index='0' model='pcie-root'/>",
    "<controller type='pci' index='1' model='pcie-expander-bus'><target busNr='254'><node>1</node></target>" +
      "<address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/></controller>",
    "<controller type='pci' index='2' model='pcie-root-port'><target chassis='2' port='0x0'/>" +
      "<address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></controller>",
  ]
  const address = "<address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/></interface>"
  return devicesIn(answer)
    .replaceAll('</interface>', address)
    .replace('<devices>', `<devices>${buses.join('')}`)
}

/** KubeVirt's structs keep no foreign metadata, no cpuset of <vcpu>, and only the pins of <cputune>. */
function kubevirtsPrint(answer: string): string {
  return answer
    .replace(/<metadata>[\s\S]*?<\/metadata>/, '')
    .replace(/(<vcpu\b[^>]*) cpuset='[^']*'/, '$1')
    .replace(/ discard='[^']*'/g, '')
    .replaceAll("'", '"')
    .replace('</devices>', '<controller type="pci" index="3" model="pcie-root-port"></controller></devices>')
}

/** The two or three answers of one Boot. */
function boot(asked: string): readonly string[] {
  const first = answerTo(withDevices(kubevirts, `<devices>${PLACEHOLDERS.join('')}</devices>`), asked)
  const second = answerTo(withDevices(kubevirts, libvirtsDevices(first)), asked)
  return [first, second, answerTo(kubevirtsPrint(second), asked)]
}

const REQUESTS: readonly Readonly<Record<string, string>>[] = [
  { memory: 'by-vcpu' },
  { memory: 'by-free-pages' },
  { cpus: 'pack' },
  { cpus: 'spread' },
  { pin: 'cell' },
  { emulator: 'shared' },
  { emulator: 'none' },
  { distances: 'none' },
  { mode: 'preferred' },
  { like: 'virt-numa', pagesize: 'none' },
  { like: 'virt-numa' },
]

t.test('the answers of one Boot agree', (t) => {
  for (const request of REQUESTS) {
    const annotations = Object.fromEntries(
      Object.entries(request).map(([key, value]) => [`virt-numa.io/${key}`, value]),
    )
    const [first = '', ...others] = boot(vmi(annotations)).map(saidBy)
    for (const [index, other] of others.entries())
      t.same(other, first, `${JSON.stringify(request)}: call ${index + 2}`)
  }
  t.end()
})

t.test('devices stay as they were given, buses on a cell that is still missing included', (t) => {
  const [first = '', second = '', third = ''] = boot(vmi())
  t.match(first, "dev='placeholder-3'")
  t.equal(devicesIn(second), libvirtsDevices(first))
  t.match(third, '<controller type="pci" index="3" model="pcie-root-port"></controller></devices>')
  t.end()
})

t.test('a domain of the second call without any cells is fitted like the first', (t) => {
  const bare = withDevices(domain, libvirtsDevices(kubevirts))
  t.same(saidBy(answerTo(bare, vmi())), saidBy(answerTo(kubevirts, vmi())))
  t.end()
})

t.test('cells for the memory of devices, without vCPUs and memory, stay', (t) => {
  const grace = kubevirts.replace('</numa>', "  <cell id='2' memory='0' unit='KiB'/>\n    </numa>")
  const answer = answerTo(grace, vmi())
  t.match(answer, "<cell id='2' memory='0' unit='KiB'/>")
  t.match(answer, "<cell id='0' cpus='0-1' memory='32768' unit='KiB'")
  t.end()
})
