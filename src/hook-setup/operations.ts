// The operations of libvirt's qemu hook: what we do at each, and what our failure means there.

/** What libvirt calls: `/etc/libvirt/hooks/qemu GUEST OPERATION SUBOPERATION EXTRA`. */
export interface Call {
  readonly guest: string
  readonly operation: string
  readonly suboperation: string
}

/**
 * `rebind`: stdout replaces the guest's XML. `preflight`: exit 1 for a proven finding. `nothing`: exit 0
 * without reading stdin. We fail when we crash, or run out of time or memory: then the operation `goes-on`,
 * or `as-configured` by `on_error` it is cancelled or goes on with the XML as it is.
 */
export interface Rule {
  readonly does: 'rebind' | 'preflight' | 'nothing'
  readonly ourFailure: 'as-configured' | 'goes-on'
}

const nothing: Rule = { does: 'nothing', ourFailure: 'goes-on' }

/** What exit status 1 means to libvirt is noted at each operation. */
const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  /* the migration is cancelled, the guest runs on at its source */ [
    'migrate begin',
    { does: 'rebind', ourFailure: 'as-configured' },
  ],
  /* the guest is not restored, its saved image stays */ [
    'restore begin',
    { does: 'rebind', ourFailure: 'as-configured' },
  ],
  /* the guest does not start */ ['prepare begin', { does: 'preflight', ourFailure: 'goes-on' }],
  /* the guest does not start */ ['start begin', nothing],
  /* the guest is killed */ ['started begin', nothing],
  /* nothing */ ['stopped end', nothing],
  /* nothing */ ['release end', nothing],
  /* the running guest is killed */ ['reconnect begin', nothing],
  /* the guest is not attached to */ ['attach begin', nothing],
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

/** The rule of an operation; an unknown one does nothing. */
export function ruleOf({ operation, suboperation }: Call): Rule {
  return rules.get(`${operation} ${suboperation}`) ?? nothing
}

/** Reads the arguments after the program's name; a call with too few has an unknown operation. */
export function callOf([guest = '', operation = '', suboperation = '']: readonly string[]): Call {
  return { guest, operation, suboperation }
}
