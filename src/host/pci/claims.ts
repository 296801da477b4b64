// The files that Kubernetes mounts into a container for the devices of its claims -> the node and the root
// complex of each PCI device.

import type { Json } from '../../base/json.ts'
import { parseJsonStream } from '../../base/json.ts'
import type { PciDevice } from '../../model/devices.ts'
import type { Files } from '../files.ts'
import { ifReadable, known, textAt } from '../kernel-text.ts'

const FOLDER = '/var/run/kubernetes.io/dra-device-attributes'
const KINDS = ['resourceclaims', 'resourceclaimtemplates']
const SUFFIX = '-metadata.json'
/** More claims, requests or files than this in one folder are not looked at. */
const MOST_NAMES = 256

const attributeOf = (name: string): string => `resource.kubernetes.io/${name}`

/**
 * What these files state, by address. Where two files state the same device, the first one counts.
 * @see KEP-5304: KIND/CLAIM/REQUEST/DRIVER-metadata.json
 */
export function readClaimed(files: Files): ReadonlyMap<string, Pick<PciDevice, 'node' | 'root'>> {
  const found = new Map<string, Pick<PciDevice, 'node' | 'root'>>()
  for (const path of metadataFiles(files)) {
    for (const attributes of devicesIn(textAt(files, path))) {
      const address = textIn(attributes, attributeOf('pciBusID'))
      if (address === undefined || found.has(address)) continue
      const node = numberIn(attributes, attributeOf('numaNode'))
      const root = textIn(attributes, attributeOf('pcieRoot'))
      found.set(address, { ...known('node', node), ...known('root', root) })
    }
  }
  return found
}

function metadataFiles(files: Files): readonly string[] {
  const below = (folder: string): readonly string[] =>
    (files.list(folder) ?? []).slice(0, MOST_NAMES).map((name) => `${folder}/${name}`)
  return KINDS.flatMap((kind) => below(`${FOLDER}/${kind}`))
    .flatMap(below)
    .flatMap(below)
    .filter((path) => path.endsWith(SUFFIX))
}

/** A file has the same object once for each version of its format: the first one that has devices counts. */
function devicesIn(text: string | undefined): readonly Json[] {
  if (text === undefined) return []
  const objects = ifReadable(() => parseJsonStream(text, FOLDER)) ?? []
  const [first = []] = objects
    .map((object) =>
      listIn(object, 'requests')
        .flatMap((request) => listIn(request, 'devices'))
        .map((device) => member(device, 'attributes')),
    )
    .filter((devices) => devices.length > 0)
  return first
}

const member = (value: Json | undefined, key: string): Json =>
  (value instanceof Map ? (value as ReadonlyMap<string, Json>).get(key) : undefined) ?? null

function listIn(value: Json, key: string): readonly Json[] {
  const list = member(value, key)
  return Array.isArray(list) ? (list as readonly Json[]) : []
}

/** An attribute is an object that names the type of its value. */
function textIn(attributes: Json, name: string): string | undefined {
  const text = member(member(attributes, name), 'string')
  return typeof text === 'string' && text !== '' ? text : undefined
}

function numberIn(attributes: Json, name: string): number | undefined {
  const number = member(member(attributes, name), 'int')
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : undefined
}
