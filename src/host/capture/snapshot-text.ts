// A Host -> a host snapshot (host.json).

import { type CpuSet, formatSet } from '../../base/idset.ts'
import type { PciDevice } from '../../model/devices.ts'
import type { About, Allowed, Cache, Host, HostNode, PromisedMemory, TakenCpus } from '../../model/host.ts'

/**
 * One line per node, per pool list and so on, so that two snapshots can be compared with diff. The same host
 * gives the same bytes.
 */
export function formatSnapshot(host: Host, allowed?: Allowed, about: About = {}): string {
  const lines = [
    `"nodes": [\n    ${host.nodes.map(formatNode).join(',\n    ')}\n  ]`,
    `"siblings": ${formatSets(host.siblings)}`,
    ...(host.caches === undefined ? [] : [`"caches": ${formatList(host.caches.map(cacheFacts))}`]),
    ...(['sockets', 'dies', 'clusters'] as const).flatMap((level) => {
      const sets = host[level]
      return sets === undefined ? [] : [`"${level}": ${formatSets(sets)}`]
    }),
    ...(host.pools === undefined ? [] : [`"pools": ${formatList(host.pools)}`]),
    ...(host.defaultPagesizeKiB === undefined ? [] : [`"defaultPagesizeKiB": ${host.defaultPagesizeKiB}`]),
    ...(host.isolated === undefined ? [] : [`"isolated": ${JSON.stringify(formatSet(host.isolated))}`]),
    ...(host.libvirt === undefined ? [] : [`"libvirt": ${JSON.stringify(host.libvirt)}`]),
    ...(host.taken === undefined ? [] : [`"taken": ${formatList(host.taken.map(takenFacts))}`]),
    ...(host.promised === undefined ? [] : [`"promised": ${formatList(host.promised.map(promisedFacts))}`]),
    ...(host.devices === undefined ? [] : [`"devices": ${formatDevices(host.devices)}`]),
    ...(allowed === undefined ? [] : [`"allowed": ${formatAllowed(allowed)}`]),
    ...(Object.keys(about).length === 0 ? [] : [`"about": ${formatAbout(about)}`]),
  ]
  return `{\n  ${lines.join(',\n  ')}\n}\n`
}

/** The host without the names of its guests. */
export function anonymous({ taken, promised, ...host }: Host): Host {
  return {
    ...host,
    ...(taken !== undefined && { taken: taken.map(({ cpus }) => ({ cpus })) }),
    ...(promised !== undefined && { promised: promised.map(({ guest: _, ...memory }) => memory) }),
  }
}

function formatNode({ id, cpus, pages, distances, ...memory }: HostNode): string {
  const { memoryKiB, freeKiB, availableKiB } = memory
  const facts = [formatObject({ id, cpus: formatSet(cpus), memoryKiB, freeKiB, availableKiB })]
  if (pages.length > 0)
    facts.push(
      `"pages": ${formatList(pages.map(({ pagesizeKiB, total, free }) => ({ pagesizeKiB, total, free })))}`,
    )
  if (distances !== undefined) facts.push(`"distances": [${distances.join(', ')}]`)
  return `{ ${facts.join(',\n      ')} }`
}

function formatAllowed({ cpus, nodes, pages }: Allowed): string {
  const sets = formatObject({ cpus: formatSet(cpus), nodes: formatSet(nodes) })
  return `{ ${sets}${pages === undefined ? '' : `, "pages": ${formatList(pages)}`} }`
}

function formatAbout({ tool, kernel, libvirt, qemu, cpuModel, date }: About): string {
  return `{ ${formatObject({ tool, kernel, libvirt, qemu, cpuModel, date })} }`
}

/** A line for each: there are many. */
function formatDevices(devices: readonly PciDevice[]): string {
  const lines = devices.map(({ address, node, root, bars64KiB }) => {
    const bars = bars64KiB === undefined ? '' : `, "bars64KiB": [${bars64KiB.join(', ')}]`
    return `\n    { ${formatObject({ address, node, root })}${bars} }`
  })
  return `[${lines.join(',')}\n  ]`
}

function formatSets(sets: readonly CpuSet[]): string {
  return `[${sets.map((set) => JSON.stringify(formatSet(set))).join(', ')}]`
}

function cacheFacts({ id, cpus }: Cache): object {
  return { id, cpus: formatSet(cpus) }
}

function takenFacts({ guest, cpus }: TakenCpus): object {
  return { guest, cpus: formatSet(cpus) }
}

function promisedFacts({ guest, nodes, pagesizeKiB, memoryKiB, isAllocating }: PromisedMemory): object {
  return { guest, nodes: formatSet(nodes), pagesizeKiB, memoryKiB, isAllocating }
}

function formatList(objects: readonly object[]): string {
  return `[${objects.map((each) => `{ ${formatObject(each)} }`).join(', ')}]`
}

function formatObject(facts: object): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `"${key}": ${JSON.stringify(value)}`)
    .join(', ')
}
