// The tables of the command line: commands, their options, and how what was typed becomes a Command.
// Arguments are read by them, and help is printed from them.

import { type Diagnostic, diagnostic } from '../base/diagnostic.ts'
import { type Key, keyNames } from '../request/keys.ts'
import type { Wishes } from '../request/request.ts'

/** What says where a guest may sit. Files are paths as typed; a file that is not given has its default. */
interface Placing {
  readonly host?: string
  readonly cgroup?: string
  readonly pid?: number
  readonly config?: string
  readonly wishes: Wishes
}

/** A command that reads one domain. `input` absent or '-': stdin. */
interface Reading extends Placing {
  readonly input?: string
  readonly vmi?: string
  readonly json: boolean
}

interface Installing {
  readonly root?: string
  readonly hooksDir?: string
  readonly dryRun: boolean
  readonly json: boolean
}

export type Command =
  | { readonly name: 'help'; readonly of?: CommandName }
  | { readonly name: 'version' }
  /** `output` absent: stdout. `inPlace`: `input` is a file, and `output` and `diff` are not given. */
  | (Reading & {
      readonly name: 'transform'
      readonly rebind: boolean
      readonly diff: boolean
      readonly inPlace: boolean
      readonly output?: string
    })
  | (Reading & { readonly name: 'plan'; readonly rebind: boolean; readonly svg?: string })
  | (Reading & { readonly name: 'check' })
  /** Of `guest` and `input` only one is given. `backup` absent: the state folder. */
  | (Reading & {
      readonly name: 'define'
      readonly guest?: string
      readonly connect?: string
      readonly backup?: string
      readonly rebind: boolean
      readonly dryRun: boolean
      readonly nextStart: boolean
    })
  /** What is wanted the configuration and the guests say. */
  | (Pick<Placing, 'host' | 'config'> & {
      readonly name: 'watch'
      readonly connect?: string
      readonly backup?: string
      readonly once: boolean
    })
  /** Either `guest` is there, or `pid` and maybe `input`, its domain. */
  | {
      readonly name: 'verify'
      readonly guest?: string
      readonly pid?: number
      readonly input?: string
      readonly host?: string
      readonly metrics?: string
      readonly json: boolean
    }
  /** Always JSON. Of the wishes only `cpuset` can be there. */
  | (Pick<Placing, 'host' | 'cgroup' | 'pid' | 'wishes'> & { readonly name: 'snapshot' })
  /** `root` is put before every path, `hooksDir` stands for /etc/libvirt/hooks. */
  | (Installing & { readonly name: 'install'; readonly reload: boolean })
  | (Installing & { readonly name: 'uninstall' })
  /** `host` is a captured folder. */
  | { readonly name: 'doctor'; readonly host?: string; readonly hooksDir?: string; readonly json: boolean }
  /** `vmi` is JSON and `domain` is XML: the documents themselves, not their files. */
  | (Placing & { readonly name: 'onDefineDomain'; readonly vmi: string; readonly domain: string })

export type CommandName =
  | 'transform'
  | 'plan'
  | 'check'
  | 'define'
  | 'watch'
  | 'verify'
  | 'snapshot'
  | 'install'
  | 'uninstall'
  | 'doctor'
  | 'onDefineDomain'

/** `takes`: what its value is called; without it the option is a switch. */
export interface OptionRow {
  readonly flags: readonly string[]
  readonly takes?: string
  readonly about: string
}

export type Option = keyof typeof options

export const options = {
  rebind: { flags: ['--rebind'], about: "keep the guest's cells, fit only where they sit" },
  diff: {
    flags: ['--diff'],
    about:
      'print a unified diff instead of the document; values that have no part in a placement are shown as *****',
  },
  output: { flags: ['-o'], takes: 'FILE', about: 'write to FILE, whole or not at all' },
  svg: {
    flags: ['--svg'],
    takes: 'FILE',
    about: 'also draw it as an SVG, whole or not at all; - prints it instead of the words',
  },
  inPlace: { flags: ['-i'], about: 'write back into the input file, whole or not at all' },
  guest: {
    flags: ['--guest'],
    takes: 'NAME',
    about: 'the guest of libvirt by name or UUID, instead of a document',
  },
  connect: { flags: ['--connect'], takes: 'URI', about: "libvirt's daemon, as virsh takes it" },
  nextStart: { flags: ['--next-start'], about: 'a running guest too: its new cells wait for its next start' },
  backup: {
    flags: ['--backup'],
    takes: 'DIR',
    about:
      'where the former definition is kept; default /var/lib/virt-numa, of other users ~/.local/state/virt-numa',
  },
  once: { flags: ['--once'], about: 'look at all guests once, then end' },
  vmiText: { flags: ['--vmi'], takes: 'JSON', about: "the guest's VirtualMachineInstance itself" },
  domain: { flags: ['--domain'], takes: 'XML', about: 'the domain itself' },
  host: {
    flags: ['--host'],
    takes: 'FILE|DIR',
    about:
      'the host: a snapshot, a folder or tar that holds sys/ and proc/, or the output of virsh capabilities; default this machine',
  },
  cgroup: {
    flags: ['--cgroup'],
    takes: 'PATH',
    about: 'the cgroup that says which CPUs and nodes are allowed',
  },
  pid: { flags: ['--pid'], takes: 'PID', about: "the process whose cgroup says so, e.g. the pod's" },
  vmi: { flags: ['--vmi'], takes: 'FILE', about: "the guest's VirtualMachineInstance, JSON or YAML" },
  qemu: {
    flags: ['--pid'],
    takes: 'PID',
    about: "the guest's QEMU process; a DOMAIN.XML then says what is wanted",
  },
  metrics: {
    flags: ['--metrics'],
    takes: 'FILE',
    about: "also write FILE (.prom) for the node exporter's textfile collector",
  },
  config: { flags: ['--config'], takes: 'FILE', about: 'default /etc/libvirt/virt-numa.conf' },
  root: {
    flags: ['--root'],
    takes: 'DIR',
    about: 'the folder that is put before every path, e.g. of an image',
  },
  hooksDir: { flags: ['--hooks-dir'], takes: 'DIR', about: 'default /etc/libvirt/hooks' },
  reload: {
    flags: ['--reload'],
    about: 'have the libvirt daemon reload where it must, so that it sees the hook; guests run on',
  },
  dryRun: { flags: ['--dry-run'], about: 'tell what would be done, and do nothing' },
  json: { flags: ['--json'], about: 'tell the same facts as JSON' },
  help: { flags: ['-h', '--help'], about: 'show this' },
  version: { flags: ['-V', '--version'], about: 'show the version' },
} as const satisfies Record<string, OptionRow>

/** What was typed behind a command, checked against its row. A switch has the value ''. */
export interface Given {
  readonly values: { readonly [Name in Option]?: string }
  readonly wishes: Wishes
  readonly inputs: readonly string[]
}

/** `--help` and `--version` go with every command and need not be listed. `needs` are options that must be there. */
export interface CommandRow<C extends Command> {
  readonly about: string
  /** What is typed behind the options, where it is no `[DOMAIN.XML|-]`. */
  readonly takes?: string
  readonly maxInputs: 0 | 1
  readonly options: readonly Option[]
  readonly needs?: readonly Option[]
  readonly keys: readonly Key[]
  readonly conflicts?: (given: Given) => readonly Diagnostic[]
  readonly command: (given: Given) => C
  readonly exits: readonly (readonly [status: string, meaning: string])[]
  readonly examples: readonly string[]
}

const PLACING = ['host', 'cgroup', 'pid', 'config'] as const
const READING = [...PLACING, 'vmi', 'json'] as const
const BUG = ['70', 'a bug of virt-numa, which says so'] as const
const USAGE = ['2', 'wrong usage'] as const
const EXITS = [
  ['0', 'done'],
  ['1', 'refused, or a file cannot be read; each reason is on stderr'],
  USAGE,
  BUG,
] as const

export const commands: { readonly [Name in CommandName]: CommandRow<Extract<Command, { name: Name }>> } = {
  transform: {
    about: 'fit a domain to its CPUs: domain XML in, domain XML out',
    maxInputs: 1,
    options: ['rebind', 'diff', 'output', 'inPlace', ...READING],
    keys: keyNames,
    conflicts: conflictsOfTransform,
    command: (given) => ({
      name: 'transform',
      ...readingOf(given),
      ...switchesOf(given, ['rebind', 'diff', 'inPlace']),
      ...(isStdout(given.values.output) ? {} : textsOf(given, ['output'])),
    }),
    exits: EXITS,
    examples: [
      'virsh dumpxml --inactive db1 | virt-numa transform > db1.xml',
      'virt-numa transform --cpuset 2-7 --memory even --diff db1.xml',
    ],
  },
  plan: {
    about: 'tell the same decision to people',
    maxInputs: 1,
    options: ['rebind', 'svg', ...READING],
    keys: keyNames,
    command: (given) => ({
      name: 'plan',
      ...readingOf(given),
      ...switchesOf(given, ['rebind']),
      ...svgOf(given),
    }),
    exits: EXITS,
    examples: [
      'virt-numa plan --cpuset 2-7 db1.xml',
      'virt-numa plan --host node7.json db1.xml',
      'virt-numa plan --svg db1.svg db1.xml',
    ],
  },
  check: {
    about: 'can this placed domain start on the host now?',
    maxInputs: 1,
    options: READING,
    keys: keyNames,
    command: (given) => ({ name: 'check', ...readingOf(given) }),
    exits: [['0', 'fine'], ['1', 'findings, or a file cannot be read; each is on stderr'], USAGE, BUG],
    examples: ['virsh dumpxml --inactive db1 | virt-numa check', 'virt-numa check --host node7.json db1.xml'],
  },
  define: {
    about: 'fit a guest and define it in libvirt',
    maxInputs: 1,
    options: ['guest', 'connect', 'dryRun', 'nextStart', 'backup', 'rebind', ...READING],
    keys: keyNames,
    conflicts: ({ values: { guest }, inputs: [input] }) =>
      guest === undefined || input === undefined
        ? []
        : [
            diagnostic('usage-conflict', {
              one: '--guest',
              other: input === '-' ? 'standard input' : input,
              why: 'the guest is either read from libvirt or from a document',
              fix: 'keep one of them',
            }),
          ],
    command: (given) => ({
      name: 'define',
      ...readingOf(given),
      ...textsOf(given, ['guest', 'connect', 'backup']),
      ...switchesOf(given, ['rebind', 'dryRun', 'nextStart']),
    }),
    exits: [
      ['0', 'defined, or nothing to change'],
      ['1', 'refused, or libvirt cannot be reached; each reason is on stderr'],
      USAGE,
      BUG,
    ],
    examples: ['virt-numa define --guest db1 --dry-run', 'virt-numa define --cpuset 2-7 db1.xml'],
  },
  watch: {
    about: 'fit every guest that asks for it when it is defined',
    maxInputs: 0,
    options: ['once', 'connect', 'backup', 'host', 'config'],
    keys: [],
    command: (given) => ({
      name: 'watch',
      ...textsOf(given, ['connect', 'backup', 'host', 'config']),
      ...switchesOf(given, ['once']),
    }),
    exits: [
      ['0', 'ended by SIGTERM or SIGINT; with --once: done'],
      ['1', 'with --once: refused for some guest, or libvirt cannot be reached'],
      USAGE,
      BUG,
    ],
    examples: ['virt-numa watch', 'virt-numa watch --once --connect qemu:///system'],
  },
  verify: {
    about: 'is the running guest where its XML says?',
    takes: 'NAME | --pid PID [DOMAIN.XML|-]',
    maxInputs: 1,
    options: ['qemu', 'host', 'metrics', 'json'],
    keys: [],
    conflicts: ({ values, inputs }) =>
      values.qemu === undefined && inputs.length === 0
        ? [diagnostic('usage-missing', { command: 'verify', option: 'NAME', takes: 'or --pid PID' })]
        : [],
    command: ({ values, inputs: [input], ...given }) => ({
      name: 'verify',
      ...(values.qemu === undefined
        ? { guest: input ?? '' }
        : { pid: Number(values.qemu), ...(input !== undefined && { input }) }),
      ...textsOf({ values, inputs: [], ...given }, ['host', 'metrics']),
      json: values.json !== undefined,
    }),
    exits: [
      ['0', 'it is, as far as is known'],
      ['1', 'findings, or it is not running, or cannot be read; each is on stderr'],
      USAGE,
      BUG,
    ],
    examples: [
      'virt-numa verify db1',
      'virt-numa verify db1 --metrics /var/lib/node_exporter/virt-numa-db1.prom',
      'virsh dumpxml db1 | virt-numa verify --pid 4242 -',
    ],
  },
  snapshot: {
    about: 'the host as JSON, for --host elsewhere and for bug reports',
    maxInputs: 0,
    options: ['host', 'cgroup', 'pid', 'json'],
    keys: ['cpuset'],
    command: (given) => ({
      name: 'snapshot',
      ...textsOf(given, ['host', 'cgroup']),
      ...pidOf(given),
      wishes: given.wishes,
    }),
    exits: EXITS,
    examples: ['virt-numa snapshot > node7.json', 'virt-numa snapshot --pid 4242 > pod.json'],
  },
  install: {
    about: 'put the libvirt hook in place, and a configuration to start from',
    maxInputs: 0,
    options: ['root', 'hooksDir', 'reload', 'dryRun', 'json'],
    keys: [],
    command: (given) => ({
      name: 'install',
      ...textsOf(given, ['root', 'hooksDir']),
      ...switchesOf(given, ['reload', 'dryRun', 'json']),
    }),
    exits: EXITS,
    examples: ['virt-numa install --dry-run', 'virt-numa install --reload'],
  },
  uninstall: {
    about: 'take the libvirt hook away again',
    maxInputs: 0,
    options: ['root', 'hooksDir', 'dryRun', 'json'],
    keys: [],
    command: (given) => ({
      name: 'uninstall',
      ...textsOf(given, ['root', 'hooksDir']),
      ...switchesOf(given, ['dryRun', 'json']),
    }),
    exits: EXITS,
    examples: ['virt-numa uninstall'],
  },
  doctor: {
    about: 'what is wrong with this host, and what to do about it',
    maxInputs: 0,
    options: ['host', 'hooksDir', 'json'],
    keys: [],
    command: (given) => ({
      name: 'doctor',
      ...textsOf(given, ['host', 'hooksDir']),
      ...switchesOf(given, ['json']),
    }),
    exits: [['0', 'nothing is wrong'], ['1', 'findings; each is on stderr'], USAGE, BUG],
    examples: ['virt-numa doctor', 'virt-numa doctor --host captured/'],
  },
  onDefineDomain: {
    about: "KubeVirt's sidecar hook: VMI and domain in, domain out",
    maxInputs: 0,
    options: ['vmiText', 'domain', ...PLACING],
    needs: ['vmiText', 'domain'],
    keys: keyNames,
    command: (given) => ({
      name: 'onDefineDomain',
      ...placingOf(given),
      vmi: given.values.vmiText ?? '',
      domain: given.values.domain ?? '',
    }),
    exits: EXITS,
    examples: ['virt-numa onDefineDomain --vmi "$(cat vmi.json)" --domain "$(cat db1.xml)"'],
  },
}

export const commandNames = Object.keys(commands) as readonly CommandName[]

function conflictsOfTransform({ values, inputs }: Given): readonly Diagnostic[] {
  const { inPlace, output, diff } = values
  const found: Diagnostic[] = []
  const conflict = (one: string, other: string, why: string, fix: string): void => {
    found.push(diagnostic('usage-conflict', { one, other, why, fix }))
  }
  const printed = '--diff prints what would change and writes no document'
  if (inPlace !== undefined && output !== undefined)
    conflict('-i', '-o', '-i writes back into the input file', 'keep one of them')
  if (inPlace !== undefined && (inputs[0] ?? '-') === '-') {
    conflict('-i', 'standard input', 'there is no file to write back into', 'virt-numa transform -i FILE')
  }
  if (diff !== undefined && output !== undefined)
    conflict('--diff', '-o', printed, 'virt-numa transform --diff FILE > FILE.diff')
  if (diff !== undefined && inPlace !== undefined)
    conflict('--diff', '-i', printed, 'look at the diff first, then run it again with -i')
  return found
}

function readingOf(given: Given): Reading {
  const [input] = given.inputs
  return {
    ...placingOf(given),
    ...textsOf(given, ['vmi']),
    ...switchesOf(given, ['json']),
    ...(input !== undefined && { input }),
  }
}

function placingOf(given: Given): Placing {
  return { ...textsOf(given, ['host', 'cgroup', 'config']), ...pidOf(given), wishes: given.wishes }
}

/** What is printed is not replaced, even where it goes to a file. */
const isStdout = (path: string | undefined): boolean =>
  path === '-' || path === '/dev/stdout' || path === '/dev/fd/1'

const svgOf = ({ values: { svg } }: Given): { readonly svg?: string } =>
  svg === undefined ? {} : { svg: isStdout(svg) ? '-' : svg }

const pidOf = ({ values: { pid } }: Given): { readonly pid?: number } =>
  pid === undefined ? {} : { pid: Number(pid) }

function textsOf<Name extends Option>(
  { values }: Given,
  names: readonly Name[],
): { readonly [N in Name]?: string } {
  return Object.fromEntries(
    names.filter((name) => values[name] !== undefined).map((name) => [name, values[name]]),
  ) as {
    [N in Name]?: string
  }
}

function switchesOf<Name extends Option>(
  { values }: Given,
  names: readonly Name[],
): { readonly [N in Name]: boolean } {
  return Object.fromEntries(names.map((name) => [name, values[name] !== undefined])) as {
    [N in Name]: boolean
  }
}
