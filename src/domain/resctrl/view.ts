// `<cachetune>` and `<memorytune>` to what they limit, and new ids of host caches to edits of them.

import { setOf, type VcpuSet } from '../../base/idset.ts'
import type { ResctrlTune } from '../../model/domain.ts'
import type { Edit } from '../../xml/edit.ts'
import { attribute, child, childrenOf, type XmlElement } from '../../xml/parse.ts'
import { setAttributes } from '../reconcile.ts'
import type { Fitting } from '../section.ts'
import { anySetIn, numberIn, type Reading, UINT_MAX } from '../values.ts'

/** The level of the caches whose ids memory bandwidth has. */
const LAST_LEVEL = 3

/** Those with limits, in the order of the document; checks.ts reports what is wrong there. */
export function readResctrl(
  reading: Reading,
  cputune: XmlElement | undefined,
  vcpus: number,
): readonly ResctrlTune[] {
  const unreported: Reading = { ...reading, problems: [] }
  return tunesIn(cputune).map(({ element, limits }) => {
    const named = anySetIn<VcpuSet>(unreported, element, 'vcpus') ?? setOf<VcpuSet>([])
    return {
      element: element.name as ResctrlTune['element'],
      vcpus: setOf<VcpuSet>(named.filter((vcpu) => vcpu < vcpus)),
      limits: limits.flatMap((limit) => limitOf(unreported, limit)),
    }
  })
}

function limitOf(reading: Reading, limit: XmlElement): ResctrlTune['limits'] {
  const id = numberIn(reading, limit, 'id', [0, UINT_MAX])
  const level = limit.name === 'cache' ? numberIn(reading, limit, 'level', [0, UINT_MAX]) : LAST_LEVEL
  if (id === undefined || level === undefined) return []
  const others = limit.attributes.filter(({ name }) => name !== 'id')
  return [{ id, level, says: others.map(({ name, value }) => `${name}=${value}`).join(' ') }]
}

/** Elements that limit something, with what they limit. */
function tunesIn(
  cputune: XmlElement | undefined,
): readonly { readonly element: XmlElement; readonly limits: readonly XmlElement[] }[] {
  return (['cachetune', 'memorytune'] as const)
    .flatMap((name) => childrenOf(cputune, name))
    .map((element) => ({
      element,
      limits: childrenOf(element, element.name === 'cachetune' ? 'cache' : 'node'),
    }))
    .filter(({ limits }) => limits.length > 0)
}

/** Edits of the ids alone: sizes and bandwidths stay. */
export function resctrlEdits({ document, cacheIds: ids }: Fitting): Edit[] {
  return tunesIn(child(document.root, 'cputune')).flatMap(({ limits }, index) =>
    limits.flatMap((limit) => {
      const isLast = limit.name === 'node' || Number(attribute(limit, 'level')?.value) === LAST_LEVEL
      const id = isLast ? ids[index]?.get(Number(attribute(limit, 'id')?.value)) : undefined
      return id === undefined ? [] : setAttributes(document, limit, [['id', `${id}`]])
    }),
  )
}
