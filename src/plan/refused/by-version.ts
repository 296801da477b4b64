// What only some versions of libvirt refuse. Which one will start the guest is not known, so these are notes.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { DomainView } from '../../model/domain.ts'
import type { Keeps } from '../../model/placement.ts'
import { iommuOfOlder } from './cpus.ts'
import { slotsOfOlder } from './memory.ts'

/** Notes about a guest that some versions of libvirt refuse. */
export function refusedBySome(view: DomainView): Diagnostic[] {
  return [...restrictiveMemnodes(view), ...slotsOfOlder(view), ...iommuOfOlder(view)]
}

/** Of a guest that was placed: its binding is one that every version takes, unless it stays as it was. */
export function placedRefusedBySome(view: DomainView, keeps: Keeps): Diagnostic[] {
  return keeps === 'everything' ? refusedBySome(view) : [...slotsOfOlder(view), ...iommuOfOlder(view)]
}

function restrictiveMemnodes({ tune: { memory, memnodes } }: DomainView): Diagnostic[] {
  const restrictive = memnodes.filter(({ mode }) => mode === 'restrictive')
  if (restrictive.length === 0 || memory?.mode === 'restrictive') return []
  const cells = restrictive.map(({ cell }) => cell)
  return [diagnostic('restrictive-memnode', { memory: memory?.mode ?? 'strict', cells, since: '9.4' })]
}
