// Which values of a domain may be shown in a diff and in the line that a diagnostic points at. Secrets hide
// in places that no list of names knows (firmware entries, command lines, URLs, descriptions, comments), so
// this lists what is not secret: the elements that a placement reads and writes.

import type { Span } from '../base/diagnostic.ts'
import { NAMESPACE, SHAPE } from '../domain/metadata.ts'
import { asKey } from '../request/keys.ts'
import { readValues, type WrittenValue } from '../xml/values.ts'

/**
 * Elements by name, with their children. Their attributes are shown, and the text of an element without
 * children.
 */
interface Shown {
  readonly [name: string]: Shown
}

const named = (...names: readonly string[]): Shown => Object.fromEntries(names.map((name) => [name, {}]))

function words(text: string): readonly string[] {
  return text.split(' ')
}

const CELL: Shown = { distances: named('sibling'), cache: named('size', 'line') }

const DOMAIN: Shown = {
  ...named('name', 'uuid', 'memory', 'maxMemory', 'currentMemory', 'vcpu', 'iothreads', 'defaultiothread'),
  memoryBacking: {
    hugepages: named('page'),
    ...named('nosharepages', 'locked', 'source', 'access', 'allocation', 'discard'),
  },
  vcpus: named('vcpu'),
  iothreadids: { iothread: named('poll') },
  cputune: {
    ...named('vcpupin', 'emulatorpin', 'iothreadpin', 'vcpusched', 'iothreadsched', 'emulatorsched'),
    ...named(
      'shares',
      'period',
      'quota',
      'global_period',
      'global_quota',
      'emulator_period',
      'emulator_quota',
    ),
    ...named('iothread_period', 'iothread_quota'),
    cachetune: named('cache', 'monitor'),
    memorytune: named('node', 'monitor'),
  },
  numatune: named('memory', 'memnode'),
  resource: named('partition'),
  os: named('type', 'boot'),
  cpu: {
    ...named('model', 'vendor', 'topology', 'cache', 'maxphysaddr', 'feature'),
    numa: { cell: CELL, interconnects: named('latency', 'bandwidth') },
  },
  devices: {
    memory: {
      source: named('nodemask', 'pagesize'),
      target: named('size', 'node', 'block', 'requested', 'current'),
    },
    controller: { target: named('node', 'busNr'), ...named('address', 'pcihole64') },
    hostdev: named('address'),
    memballoon: {},
  },
}

/** Values that reveal nothing anywhere: libvirt's own words for switches, kinds and policies. */
const WORDS: ReadonlySet<string> = new Set([
  ...words(
    'yes no on off none static dynamic native host guest efi bios hvm qemu x86_64 aarch64 pflash rom ' +
      'selinux dac',
  ),
  ...words(
    'utc localtime rtc pit hpet tsc kvmclock hypervclock platform catchup delay merge destroy restart ' +
      'preserve',
  ),
  ...words(
    'file block network bridge disk cdrom raw qcow2 writeback virtio virtio-scsi virtio-serial qemu-xhci',
  ),
  ...words('sata scsi usb ide pci pci-root pcie-root pcie-root-port'),
  ...[NAMESPACE, 'http://libvirt.org/schemas/domain/qemu/1.0', 'http://kubevirt.io'],
])

/** Elements and attributes with such a name are masked, even inside of shown elements. */
export const SECRET_NAME = /passw|passphrase|secret|cookie|token|^key$/i

const XML_DECLARATION =
  /^xml version=(["'])1\.[01]\1( encoding=(["'])utf-8\3)?( standalone=(["'])(yes|no)\5)?\s*$/i

/** Elements that may show the path of a file that a distribution installs. */
const PROGRAMS: ReadonlySet<string> = new Set(['emulator', 'loader'])
const INSTALLED = /^\/usr\/(?:local\/)?(?:bin|sbin|lib|lib64|libexec|share)\/[\w./+-]{1,60}$/

/** Sets, sizes, numbers, words and paths. */
const PLAIN = /^[\w\s.,:^/+-]*$/

const OWN = 'guestMappingPassthrough'

/** Only what is inside of these is shown, not their own values. */
const CLOSED: ReadonlySet<string> = new Set(['hostdev'])

/** An element: its name, and what may be shown inside. */
interface Element {
  readonly name: string
  readonly inside?: Shown | undefined
}

/**
 * The spans to mask, sorted and without overlap. Any text is accepted: from the first XML error on everything
 * is masked.
 */
export function privateSpans(text: string): readonly Span[] {
  const found: Span[] = []
  readValues<Element>(text, {
    outside: { name: '' },
    enter,
    visit: (value) => {
      const { start, end } = value
      const written = text.slice(start, end)
      if (written.trim() !== '' && !isShown(value, written)) found.push({ start, end })
    },
  })
  return found
}

/** A status file has its live domain inside of <domstatus>. */
function enter(around: Element, name: string): Element {
  if (name === 'domain' && (around.name === '' || around.name === 'domstatus'))
    return { name, inside: { ...DOMAIN, metadata: {} } }
  if (around.name === 'metadata' && around.inside !== undefined && name.replace(/^.*:/, '') === OWN)
    return { name: OWN }
  const inside =
    around.inside !== undefined && Object.hasOwn(around.inside, name) ? around.inside[name] : undefined
  return { name, inside }
}

const isOwnName = (name: string): boolean => name === SHAPE || asKey(name) !== undefined

function isShown({ kind, name, of }: WrittenValue<Element>, value: string): boolean {
  if (kind === 'rest') return false
  if (kind === 'aside') return XML_DECLARATION.test(value)
  if (SECRET_NAME.test(name) || SECRET_NAME.test(of.name)) return false
  if (WORDS.has(value.trim())) return true
  if (/^xmlns(:|$)/.test(name)) return false
  if (of.name === OWN) return kind === 'attribute' && isOwnName(name) && PLAIN.test(value)
  if (of.inside === undefined) return PROGRAMS.has(of.name) && kind === 'text' && INSTALLED.test(value)
  if (CLOSED.has(of.name)) return false
  if (kind === 'text' && (of.name === 'metadata' || Object.keys(of.inside).length > 0)) return false
  return of.name === 'name' || PLAIN.test(value)
}
