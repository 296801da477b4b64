// `onDefineDomain`: KubeVirt's sidecar-shim runs it before a domain is defined. VMI and domain are the
// arguments themselves, stdout is the domain, stderr goes to the pod's log, and an exit status other than 0
// keeps the guest from starting.

import { basename } from 'node:path'
import { parseJson } from '../../base/json.ts'
import { readDocument } from '../../document.ts'
import { byAnnotations } from '../../explain/asks.ts'
import { fitVmi } from '../../kubevirt.ts'
import { readHostSource } from '../../machine/host-source.ts'
import { lazyWrite } from '../../machine/lazy.ts'
import { CONFIG } from '../../machine/read/read-text.ts'
import { domainSource } from '../../redact/secrets.ts'
import { keyNames } from '../../request/keys.ts'
import { isMigrationTarget } from '../../request/vmi-asks.ts'
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
  about: "answer KubeVirt's sidecar shim: VMI and domain XML in, domain XML out",
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
  running.ask = byAnnotations
  const value = parseJson(vmi, '--vmi')
  if (isMigrationTarget(value)) return unchanged(domain)
  const settings = readSettings(config, running)
  running.sources.push(domainSource('--domain', domain))
  const root = host ?? settings.root
  const isNamed = cgroup !== undefined || pid !== undefined
  const source = () => {
    const from = readHostSource({
      ...(root !== undefined && { host: root }),
      ...(cgroup !== undefined && { cgroup }),
      ...(pid !== undefined && { pid }),
      whole: true,
    })
    return { host: from.host, ...(from.pci && { pci: from.pci }), ...(isNamed && { allowed: from.allowed }) }
  }
  const around = { source, config: settings, configSource: config ?? CONFIG, flags: requested }
  const placed = fitVmi({ vmi: value, domain: readDocument(domain, '--domain') }, around, lazyWrite)
  if (placed === undefined) return unchanged(domain)
  printDocument(1, placed.text)
  report(placed.notes, running)
  return 0
}

function unchanged(domain: string): number {
  printDocument(1, domain)
  return 0
}
