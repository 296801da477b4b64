// What a guest requests in its metadata or annotations, as far as the administrator's configuration leaves it
// to guests.

import { collectRefusals, type Diagnostic } from '../base/diagnostic.ts'
import { diagnostic, refuseAll } from '../codes/codes.ts'
import type { DomainView } from '../model/domain.ts'
import type { Config } from './config.ts'
import { asKey } from './keys.ts'
import { type RequestedKeys, readKeys, unknownKey } from './request.ts'

/**
 * Whether the hook, `watch` and `serve` may touch this guest: it asks for it itself, or `guests` covers it.
 */
export function optedIn(
  { name, writtenKeys, tune }: Pick<DomainView, 'name' | 'writtenKeys'> & { readonly tune: Bindings },
  { guests }: Config,
): boolean {
  if (writtenKeys !== undefined || guests === 'all') return true
  if (guests === 'bound') return tune.memnodes.length > 0
  return guests !== 'opted-in' && guests.includes(name)
}

interface Bindings {
  readonly memnodes: readonly unknown[]
}

/**
 * Reads what a guest states (`source`, e.g. "metadata of db1"), and only keys that `tenant_keys` leaves to
 * guests.
 * @throws Refusal `tenant-key-refused` and those of `readKeys`: everything that is wrong, in the order stated
 */
export function readTenantKeys(
  written: ReadonlyMap<string, string>,
  source: string,
  config: Config,
  configSource: string,
): RequestedKeys {
  const found: Diagnostic[] = []
  const read: RequestedKeys[] = []
  for (const [name, value] of written) {
    const key = asKey(name)
    if (key !== undefined && !config.tenantKeys.includes(key)) {
      found.push(
        diagnostic('tenant-key-refused', { source, key, config: configSource, allowed: config.tenantKeys }),
      )
      continue
    }
    if (key === undefined) found.push(unknownKey(name, source, found.length))
    else read.push(collectRefusals(found, () => readKeys([[name, value]], source)) ?? {})
  }
  refuseAll(found)
  return Object.assign({}, ...read)
}
