// The operations of libvirt's qemu hook: what we do at each, and what our failure means there.

/** What libvirt calls: `/etc/libvirt/hooks/qemu GUEST OPERATION SUBOPERATION EXTRA`. */
export interface Call {
  readonly guest: string
  readonly operation: string
  readonly suboperation: string
}

/**
 * What the hook does: `rebind`: stdout replaces the guest's XML. `preflight`: exit 1 for a proven finding.
 * `nothing`: exit 0 without reading stdin. What a failure of ours (a crash, no time or memory left) does: the
 * operation `continues`, or `as-configured` by `on_error` is cancelled or continues with the unchanged XML.

 */
export interface Rule {
  readonly does: 'rebind' | 'preflight' | 'nothing'
  readonly ourFailure: 'as-configured' | 'continues'
}

const rebind: Rule = { does: 'rebind', ourFailure: 'as-configured' }
const preflight: Rule = { does: 'preflight', ourFailure: 'continues' }
const nothing: Rule = { does: 'nothing', ourFailure: 'continues' }

/** The rule of each "OPERATION SUBOPERATION"; the comment says what exit status 1 does there. */
const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['migrate begin', rebind], // cancels the migration; the guest keeps running at its source
  ['restore begin', rebind], // cancels the restore; the saved image stays
  ['prepare begin', preflight], // keeps the guest from starting
  ['start begin', nothing], // keeps the guest from starting
  ['started begin', nothing], // kills the guest
  ['stopped end', nothing], // ignored
  ['release end', nothing], // ignored
  ['reconnect begin', nothing], // kills the running guest
  ['attach begin', nothing], // keeps libvirt from attaching to the QEMU process
])

/**
 * The exit statuses of the program that mean 0 and 1 to hook.sh. No shell, dynamic linker, Node or signal
 * ends a process with one of them, so nothing else can be taken for a verdict.
 */
export const VERDICTS = { 0: 83, 1: 84 } as const

/** Every known "OPERATION SUBOPERATION". */
export const operations: readonly string[] = [...rules.keys()]

/** Operations that need the program; the shim answers all others. */
export const PROGRAM_OPERATIONS: readonly string[] = [...rules]
  .filter(([, { does }]) => does !== 'nothing')
  .map(([operation]) => operation)

/**
 * Operations at which the ledger's promise to the guest ends: its QEMU has allocated its memory, or will
 * never. The shim and the native hook drop it without the program.
 */
export const DROPS: readonly string[] = ['started begin', 'stopped end', 'release end']

/** The rule of an operation; an unknown one does nothing. */
export function ruleOf({ operation, suboperation }: Call): Rule {
  return rules.get(`${operation} ${suboperation}`) ?? nothing
}

/** Reads the arguments after the program's name; a call with too few has an unknown operation. */
export function callOf([guest = '', operation = '', suboperation = '']: readonly string[]): Call {
  return { guest, operation, suboperation }
}
