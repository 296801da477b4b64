// What is in a release, as CycloneDX in JSON: each file, and each component of others in it. Same files, same
// bytes: the serial number is derived from the content, the date is given.
//
// @see https://cyclonedx.org/docs/1.6/json/

import { createHash } from 'node:crypto'

/**
 * @param release `version`; `date` (ISO 8601); `files`: `name`, `sha256` and `contents` of each, where
 * contents are components: `name`, `version`, `licence`, `purl`, and the sum of the download that is known
 */
export function sbomOf({ version, date, files }) {
  const own = `pkg:npm/virt-numa@${version}`
  const components = new Map(files.flatMap(({ contents }) => contents).map((each) => [each.purl, each]))
  const refs = [...components.keys()].sort()
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: date,
      lifecycles: [{ phase: 'build' }],
      component: {
        type: 'application',
        'bom-ref': own,
        name: 'virt-numa',
        version,
        licenses: [{ license: { id: 'Apache-2.0' } }],
        purl: own,
      },
    },
    components: [
      ...files.map(({ name, sha256 }) => ({
        type: 'file',
        'bom-ref': name,
        name,
        hashes: [{ alg: 'SHA-256', content: sha256 }],
      })),
      ...refs.map((purl) => library(components.get(purl))),
    ],
    dependencies: [
      { ref: own, dependsOn: files.map(({ name }) => name) },
      ...files.map(({ name, contents }) => ({
        ref: name,
        dependsOn: [...new Set(contents.map(({ purl }) => purl))].sort(),
      })),
      ...refs.map((ref) => ({ ref })),
    ],
  }
  const { $schema, bomFormat, specVersion, ...rest } = bom
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(rest))}`
  return `${JSON.stringify({ $schema, bomFormat, specVersion, serialNumber, ...rest }, null, 2)}\n`
}

function library({ name, version, licence, purl, sha256, sha512 }) {
  const hashes = [
    ...(sha256 === undefined ? [] : [{ alg: 'SHA-256', content: sha256 }]),
    ...(sha512 === undefined ? [] : [{ alg: 'SHA-512', content: sha512 }]),
  ]
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    ...(hashes.length > 0 && { hashes }),
    licenses: [licence.includes(' ') ? { expression: licence } : { license: { id: licence } }],
    purl,
  }
}

/** A UUID of version 8, which is made of what it names. @see RFC 9562 */
function uuidOf(text) {
  const digits = createHash('sha256').update(text).digest('hex')
  const variant = '89ab'[Number.parseInt(digits[16], 16) % 4]
  const parts = [digits.slice(0, 8), digits.slice(8, 12), `8${digits.slice(13, 16)}`]
  return [...parts, variant + digits.slice(17, 20), digits.slice(20, 32)].join('-')
}
