// `onDefineDomain`: KubeVirt's sidecar-shim runs it before a domain is defined. VMI and domain are the
// arguments themselves, stdout is the domain, stderr goes to the pod's log, and an exit status other than 0
// keeps the guest from starting.

import { basename } from 'node:path'
import { type CpuSet, setOf } from '../../base/idset.ts'
import { parseJson } from '../../base/json.ts'
import { readDocument } from '../../document.ts'
import { readDomain } from '../../domain/view.ts'
import { readHostSource } from '../../machine/host-source.ts'
import { lazyWrite } from '../../machine/lazy.ts'
import { CONFIG } from '../../machine/read/read-text.ts'
import { place } from '../../place.ts'
import { domainSource } from '../../redact/secrets.ts'
import { keyNames } from '../../request/keys.ts'
import { optedIn } from '../../request/sources.ts'
import { readVmi } from '../../request/vmi.ts'
import { asksFor, isMigrationTarget } from '../../request/vmi-asks.ts'
import { type CommandRow, EXITS, PLACING, type Placing, placingOf } from '../options.ts'
import { printDocument } from '../output.ts'
import { readSettings } from '../placing.ts'
import { type Running, report } from '../report.ts'

/** `vmi` is JSON and `domain` is XML: the documents themselves, not their files. */
interface OnDefineDomain extends Placing {
  readonly name: 'onDefineDomain'
  readonly vmi: string
  readonly domain: string
}

/** Answers KubeVirt's sidecar-shim. */
export const onDefineDomain: CommandRow<OnDefineDomain> = {
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
  run: runOnDefineDomain,
}

const SOURCE = 'the VMI'

/** The shim runs a program of this name with the options alone. */
export function wordsOf([, program = '', ...words]: readonly string[]): readonly string[] {
  return basename(program) === 'onDefineDomain' ? ['onDefineDomain', ...words] : words
}

/**
 * A guest that has not opted in gets its domain back unchanged, and so does a migration target: KubeVirt
 * ignores that answer, and only a refusal would matter. The pins in the domain say which CPUs are allowed:
 * the sidecar's own cgroup is not the guest's.
 */
function runOnDefineDomain(command: OnDefineDomain, running: Running): number {
  const { vmi, domain, host, cgroup, pid, config, requested } = command
  const value = parseJson(vmi, '--vmi')
  if (isMigrationTarget(value)) return unchanged(domain)
  const settings = readSettings(config, running)
  running.source = domainSource('--domain', domain)
  const document = readDocument(domain)
  if (!asksFor(value) && !optedIn(readDomain(document), settings)) return unchanged(domain)
  const root = host ?? settings.root
  const from = readHostSource({
    ...(root !== undefined && { host: root }),
    ...(cgroup !== undefined && { cgroup }),
    ...(pid !== undefined && { pid }),
    whole: true,
  })
  // Without pins nothing is known about the pod: no CPU is allowed, rather than all CPUs of the host.
  const allowed = cgroup === undefined && pid === undefined ? { cpus: setOf<CpuSet>([]) } : from.allowed
  const around = {
    host: from.host,
    allowed,
    vmi: readVmi(value, SOURCE),
    config: settings,
    configSource: config ?? CONFIG,
    flags: requested,
  }
  const placed = place(document, around, lazyWrite)
  printDocument(1, placed.text)
  report(placed.notes, running)
  return 0
}

function unchanged(domain: string): number {
  printDocument(1, domain)
  return 0
}
