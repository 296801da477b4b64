// The options of the command line, what a row of the commands' table says, and readers of what was typed.

import type { Diagnostic } from '../base/diagnostic.ts'
import { diagnostic } from '../codes/codes.ts'
import type { Key } from '../request/keys.ts'
import type { RequestedKeys } from '../request/request.ts'
import type { Running } from './report.ts'

/** One option. `takes`: what its value is called; without it the option is a switch. */
export interface OptionRow {
  readonly flags: readonly string[]
  readonly takes?: string
  readonly about: string
}

/** A row of `options`. Two rows may have the same flag: then they belong to different commands. */
export type Option = keyof typeof options

/**
 * Every option of every command. The keys of the request are options too, and are listed in
 * request/keys.ts.
 */
export const options = {
  rebind: { flags: ['--rebind'], about: "keep the guest's cells; only choose host nodes and CPUs for them" },
  diff: {
    flags: ['--diff'],
    about: 'print a unified diff instead of the document; values that do not affect placement are masked',
  },
  output: {
    flags: ['-o'],
    takes: 'FILE',
    about: 'write the domain to FILE atomically; FILE must be new, empty or a domain',
  },
  svg: {
    flags: ['--svg'],
    takes: 'FILE',
    about:
      'also draw the placement as SVG, to FILE, which must be new, empty or an SVG; with -, print the ' +
      'drawing instead of the text',
  },
  compare: {
    flags: ['--compare'],
    takes: 'KEY=A,B,...',
    about:
      'place the guest once for each of these values of a placement option, and print the placements side ' +
      'by side; values that contain commas are separated by semicolons',
  },
  fleetHtml: {
    flags: ['--html'],
    takes: 'FILE',
    about: 'also write the table as HTML, to FILE, which must be new, empty or HTML; it loads nothing',
  },
  inPlace: { flags: ['-i'], about: 'replace the input file atomically' },
  guest: {
    flags: ['--guest'],
    takes: 'NAME',
    about: 'use the definition of this libvirt guest (name or UUID) instead of a document',
  },
  connect: {
    flags: ['--connect'],
    takes: 'URI',
    about: 'the libvirt connection URI, as for virsh --connect',
  },
  nextStart: {
    flags: ['--next-start'],
    about: 'also define a running guest whose cells change; the change applies from its next start',
  },
  backup: {
    flags: ['--backup'],
    takes: 'DIR',
    about:
      'where to save the previous definition; default /var/lib/virt-numa, ' +
      'or ~/.local/state/virt-numa without root',
  },
  once: { flags: ['--once'], about: 'check all guests once, then exit' },
  socket: {
    flags: ['--socket'],
    takes: 'PATH',
    about:
      'the Unix socket, or a folder to create it in; default ' +
      '/var/run/kubevirt-plugin/virt-numa/domain.sock',
  },
  socketMode: { flags: ['--socket-mode'], takes: 'MODE', about: "the socket's file mode; default 660" },
  node: {
    flags: ['--node'],
    about:
      'serve virt-handler from a DaemonSet: check guests before they start or arrive on this node, and ' +
      'verify them afterwards; the default socket is /var/run/kubevirt/plugins/virt-numa/node.sock',
  },
  printManifests: {
    flags: ['--print-manifests'],
    takes: '1.9|1.10|sidecar|openshift',
    about:
      'print the manifests for plugins of this KubeVirt version, for hook sidecars, or what OpenShift ' +
      'needs besides, and exit',
  },
  image: {
    flags: ['--image'],
    takes: 'IMAGE',
    about: 'the image to write into the manifests, best by digest (NAME@sha256:...)',
  },
  vmiText: { flags: ['--vmi'], takes: 'JSON', about: 'the VirtualMachineInstance itself, not a file name' },
  domain: { flags: ['--domain'], takes: 'XML', about: 'the domain XML itself, not a file name' },
  host: {
    flags: ['--host'],
    takes: 'FILE|DIR',
    about:
      'the host: a snapshot, a folder or tar with sys/ and proc/, the output of virsh capabilities, or a ' +
      'shape in words (2n16c2t,64G,1G:32); default this machine',
  },
  hostFiles: {
    flags: ['--host'],
    takes: 'FILE|DIR',
    about: 'a captured host: a folder or tar with sys/, proc/ and run/; default this machine',
  },
  hostFolder: {
    flags: ['--host'],
    takes: 'DIR',
    about: 'a captured host: a folder with sys/, proc/ and etc/; default this machine',
  },
  cgroup: { flags: ['--cgroup'], takes: 'PATH', about: 'use the CPUs and nodes that this cgroup allows' },
  pid: {
    flags: ['--pid'],
    takes: 'PID',
    about: "use the CPUs and nodes that the cgroup of this process allows, e.g. the pod's",
  },
  vmi: { flags: ['--vmi'], takes: 'FILE', about: "the guest's VirtualMachineInstance, JSON or YAML" },
  qemu: {
    flags: ['--pid'],
    takes: 'PID',
    about: "the guest's QEMU process; DOMAIN.XML states how the guest should be placed",
  },
  metrics: {
    flags: ['--metrics'],
    takes: 'FILE',
    about:
      "also write FILE (.prom) for the node exporter's textfile collector; new, empty or written by verify",
  },
  allGuests: { flags: ['--all'], about: 'every running guest of the host, in one table' },
  again: { flags: ['--watch'], about: 'look again every two seconds, until a signal ends it' },
  interval: { flags: ['--interval'], takes: 'SECONDS', about: 'how long --watch waits between two looks' },
  config: {
    flags: ['--config'],
    takes: 'FILE',
    about: 'the configuration; default /etc/libvirt/virt-numa.conf',
  },
  root: { flags: ['--root'], takes: 'DIR', about: 'prefix every path with DIR, e.g. a mounted image' },
  hooksDir: { flags: ['--hooks-dir'], takes: 'DIR', about: 'the hooks folder; default /etc/libvirt/hooks' },
  reload: {
    flags: ['--reload'],
    about: 'reload the libvirt daemon if it does not run hooks yet; guests keep running',
  },
  watchUnit: { flags: ['--watch'], about: 'also write the systemd unit that runs virt-numa watch' },
  dryRun: { flags: ['--dry-run'], about: 'print what would be done, without doing it' },
  anonymous: { flags: ['--anonymous'], about: 'leave out the names of guests' },
  json: { flags: ['--json'], about: 'print the result as JSON' },
  help: { flags: ['-h', '--help'], about: 'show this help' },
  version: { flags: ['-V', '--version'], about: 'show the version' },
} as const satisfies Record<string, OptionRow>

/** What was typed after a command, checked against its row. A switch that was given has the value ''. */
export interface Given {
  readonly values: { readonly [Name in Option]?: string }
  readonly requested: RequestedKeys
  readonly inputs: readonly string[]
}

/**
 * How a command is typed and what its help says. `--help` and `--version` belong to every command and are not
 * listed.
 */
export interface CommandUsage<C> {
  readonly about: string
  /** What is typed after the options, where it is not `[DOMAIN.XML|-]`. */
  readonly takes?: string
  readonly maxInputs: number
  readonly options: readonly Option[]
  /** Options that must be given. */
  readonly needs?: readonly Option[]
  readonly keys: readonly Key[]
  readonly conflicts?: (given: Given) => readonly Diagnostic[]
  readonly command: (given: Given) => C
  readonly exits: readonly (readonly [status: string, meaning: string])[]
  readonly examples: readonly string[]
}

/** Everything about one command. `C` is its parsed command line. */
export interface CommandRow<C> extends CommandUsage<C> {
  /** @returns the exit status, 0 or 1. @throws Refusal */
  readonly run: (command: C, running: Running) => number | Promise<number>
}

/**
 * The options that decide where a guest may be placed. Files are paths as typed; a file that is not given has
 * its default.
 */
export interface Placing {
  readonly host?: string
  readonly cgroup?: string
  readonly pid?: number
  readonly config?: string
  readonly requested: RequestedKeys
}

/** A command that reads one domain. `input` absent or '-': stdin. */
export interface Reading extends Placing {
  readonly input?: string
  readonly vmi?: string
  readonly json: boolean
}

/** A command that reads one domain, from libvirt where `guest` is given; `connect` only with it. */
export interface ReadingGuest extends Reading {
  readonly guest?: string
  readonly connect?: string
}

/** The options of `Placing`. */
export const PLACING = ['host', 'cgroup', 'pid', 'config'] as const
/** The options of `Reading`. */
export const READING = [...PLACING, 'vmi', 'json'] as const
/** The options of a command that reads its domain from libvirt, with --guest. */
export const FROM_LIBVIRT = ['guest', 'connect'] as const

/** Exit statuses that every command has. */
export const FAILURES = [
  ['2', 'wrong usage'],
  ['70', 'a bug in virt-numa'],
] as const
/** Exit statuses of a command that has no findings. */
export const EXITS = [
  ['0', 'done'],
  ['1', 'refused, or a file cannot be read; the reasons are on stderr'],
  ...FAILURES,
] as const

/** The fields of `Reading`. */
export function readingOf(given: Given): Reading {
  const [input] = given.inputs
  return {
    ...placingOf(given),
    ...textsOf(given, ['vmi']),
    ...switchesOf(given, ['json']),
    ...(input !== undefined && { input }),
  }
}

/** The fields of `Placing`. */
export function placingOf(given: Given): Placing {
  return { ...textsOf(given, ['host', 'cgroup', 'config']), ...pidOf(given), requested: given.requested }
}

/** A domain has one source. */
export function guestConflicts({ values: { guest }, inputs: [input] }: Given): readonly Diagnostic[] {
  if (guest === undefined || input === undefined) return []
  return [diagnostic('usage-conflict', { between: 'guest-and-document', input })]
}

/** The same for a command that calls libvirt only with `--guest`. */
export function libvirtConflicts(given: Given): readonly Diagnostic[] {
  const { guest, connect } = given.values
  const isAstray = connect !== undefined && guest === undefined
  return [
    ...guestConflicts(given),
    ...(isAstray ? [diagnostic('usage-conflict', { between: 'connect-and-document' })] : []),
  ]
}

/** The fields of `ReadingGuest`. */
export function readingGuestOf(given: Given): ReadingGuest {
  return { ...readingOf(given), ...textsOf(given, FROM_LIBVIRT) }
}

/** `pid` as a number, if it was given. */
export const pidOf = ({ values: { pid } }: Given): { readonly pid?: number } =>
  pid === undefined ? {} : { pid: Number(pid) }

/** The values of these options; an option that was not given has no field. */
export function textsOf<Name extends Option>(
  { values }: Given,
  names: readonly Name[],
): { readonly [N in Name]?: string } {
  const given = names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]]))
  return Object.fromEntries(given) as { [N in Name]?: string }
}

/** Whether each of these switches was given. */
export function switchesOf<Name extends Option>(
  { values }: Given,
  names: readonly Name[],
): { readonly [N in Name]: boolean } {
  return Object.fromEntries(names.map((name) => [name, values[name] !== undefined])) as {
    [N in Name]: boolean
  }
}

/** Whether a path names stdout, which is printed to and never replaced, even if it is a file. */
export const isStdout = (path: string | undefined): boolean =>
  path === '-' || path === '/dev/stdout' || path === '/dev/fd/1'
