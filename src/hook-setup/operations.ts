// The operations of libvirt's qemu hook: what we do at each, and what a failure of ours does there.

/** What libvirt asks: `/etc/libvirt/hooks/qemu GUEST OPERATION SUBOPERATION EXTRA`. */
export interface Call {
  readonly guest: string
  readonly operation: string
  readonly suboperation: string
}

/**
 * `rebind`: stdout replaces the guest's XML. `preflight`: exit 1 for a proven finding. `nothing`: exit 0, and
 * stdin is not read. A failure is ours when we crash, or run out of time or memory. Where it `goes-on`,
 * libvirt never hears of it; `as-configured` is `on_error`: the operation is cancelled, or goes on with the
 * XML as it is.
 */
export interface Rule {
  readonly does: 'rebind' | 'preflight' | 'nothing'
  readonly ourFailure: 'as-configured' | 'goes-on'
}

const nothing: Rule = { does: 'nothing', ourFailure: 'goes-on' }

/** Exit status 1 means to libvirt: */
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
 * The exit statuses by which the program tells hook.sh what to answer libvirt, 0 or 1. Neither a shell, a
 * dynamic linker, Node nor a signal ends a process with one of them, so that nothing else is taken for a
 * verdict.
 */
export const VERDICTS = { 0: 83, 1: 84 } as const

/** "OPERATION SUBOPERATION" of each that is known. */
export const operations: readonly string[] = [...rules.keys()]

/** Those that need the program: of all others the shim knows the answer. */
export const PROGRAM_OPERATIONS: readonly string[] = [...rules]
  .filter(([, { does }]) => does !== 'nothing')
  .map(([operation]) => operation)

/** Whatever libvirt may come to ask: nothing. */
export function ruleOf({ operation, suboperation }: Call): Rule {
  return rules.get(`${operation} ${suboperation}`) ?? nothing
}

/** Arguments after the program's name; of a call with too few the operation is unknown. */
export function callOf([guest = '', operation = '', suboperation = '']: readonly string[]): Call {
  return { guest, operation, suboperation }
}
