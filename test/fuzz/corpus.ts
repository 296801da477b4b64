// The real documents that inputs are made from: golden cases of this repository, and ../shared/corpora where
// it is.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { decodeUtf8 } from '../../src/base/utf8.ts'

const CORPORA = '../shared/corpora'
const MOST_BYTES = 100_000

/** The documents that are mutated, by kind. */
export interface Corpus {
  readonly domains: readonly string[]
  readonly hosts: readonly string[]
  readonly capabilities: readonly string[]
  /** Unpacked tars of machines. */
  readonly machines: readonly Uint8Array[]
  readonly configs: readonly string[]
  readonly vmis: readonly string[]
}

const CONFIG = `# the hook
guests = [ "db1", 'web' ]
tenant_keys = [ "memory", "cpus",
  "cpuset" ]
reserve = [ "2M=1048576", "1G=1G" ]
timeout_s = 10
memory_limit_mib = 512
on_error = "keep"
log_file = "/var/log/x.log"
root = "/host"
memory = "by-free-pages"
cpus = "pack"
emulator = "0-1"
pagesize = "2M"
`

const VMI_JSON = JSON.stringify({
  kind: 'VirtualMachineInstance',
  metadata: {
    name: 'db1',
    annotations: { 'virt-numa.io/memory': 'by-free-pages', 'virt-numa.io/cpuset': '2-3' },
  },
  spec: {
    ioThreadsPolicy: 'supplementalPool',
    domain: {
      cpu: {
        sockets: 1,
        cores: 4,
        threads: 1,
        dedicatedCpuPlacement: true,
        isolateEmulatorThread: true,
        numa: { guestMappingPassthrough: {} },
      },
      ioThreads: { supplementalPoolThreadCount: 1 },
      memory: { guest: '64Mi', hugepages: { pageSize: '2Mi' } },
      resources: { requests: { memory: '64Mi', cpu: '4' }, limits: { memory: '64Mi', cpu: 4 } },
      devices: { disks: [{ name: 'a', disk: { bus: 'virtio' } }] },
    },
  },
})

/** Reads the corpus from golden/ and test/. */
export function readCorpus(): Corpus {
  const goldens = readdirSync('golden').map((name) => join('golden', name))
  const golden = (file: string): string[] =>
    goldens.filter((at) => existsSync(join(at, file))).map((at) => readFileSync(join(at, file), 'utf8'))
  const machines = goldens
    .filter((at) => existsSync(join(at, 'sys.tar.gz')))
    .map((at) => join(at, 'sys.tar.gz'))
  return {
    domains: [...golden('domain.xml'), ...golden('expected.xml'), ...texts('domains')],
    hosts: golden('host.json'),
    capabilities: [...golden('capabilities.xml'), ...texts('capabilities')],
    machines: [...machines, ...files('sysfs').filter((file) => file.endsWith('.tar.gz'))].flatMap(unpacked),
    configs: [CONFIG],
    vmis: [VMI_JSON, readFileSync('packaging/kubevirt/vmi.yaml', 'utf8')],
  }
}

function files(folder: string): string[] {
  const at = join(CORPORA, folder)
  return existsSync(at)
    ? readdirSync(at)
        .sort()
        .map((name) => join(at, name))
    : []
}

function texts(folder: string): string[] {
  return files(folder).flatMap((file) => {
    const bytes = readFileSync(file)
    const text = bytes.length > MOST_BYTES ? undefined : decodeUtf8(bytes)
    return typeof text === 'string' ? [text] : []
  })
}

/** The larger machines would take all the time of a run. */
function unpacked(file: string): Uint8Array[] {
  const bytes = gunzipSync(readFileSync(file))
  return bytes.length > 2_000_000 ? [] : [bytes]
}
