// esbuild's metafiles -> dist/THIRD-PARTY-NOTICES.txt: every package in a bundle, with its licence.
// The texts come from node_modules when the build runs, and are never committed.

import { readdirSync, readFileSync } from 'node:fs'

/**
 * Packages that state a licence but hold no text of it: who has the copyright, and which package's text
 * has the same terms. A version that is not listed here fails the build until somebody has looked at it.
 */
const WITHOUT_TEXT = {
  // @see the LICENSE file in saxes' repository, which the package leaves out; saxes is a fork of sax
  'saxes@6.0.0': {
    copyright: ['Copyright (c) Contributors', 'Copyright (c) Isaac Z. Schlueter and Contributors (sax)'],
    terms: 'node_modules/yaml',
  },
  // Its repository has no licence file either: package.json states the author and the licence.
  '@nodable/entities@3.1.0': {
    copyright: ['Copyright (c) Amit Gupta (https://solothought.com)'],
    terms: 'node_modules/strnum',
  },
}

/** The innermost package: node_modules/a/node_modules/b of node_modules/a/node_modules/b/lib/c.js. */
const PACKAGE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/

const LICENCE_FILE = /^(?:licen[sc]e|copying)/i
const NOTICE_FILE = /^notice/i

/** Between two notices. */
export const RULE = '-'.repeat(80)

/**
 * @param root the repository
 * @param metafiles of all bundles that are published
 * @throws where a package has no licence or no text of it, with the names of all of them
 */
export function noticesOf(root, metafiles) {
  const packages = packagesIn(metafiles).map(({ folder, bundles }) => {
    const { id, licence, text } = readPackage(root, folder)
    return { folder, bundles, id, licence, text }
  })
  const lacking = packages.filter(({ licence, text }) => licence === undefined || text === undefined)
  if (lacking.length > 0) {
    const names = lacking.map(({ id }) => id).join(', ')
    throw new Error(`no licence text, so it must not be bundled (packaging/notices.mjs): ${names}`)
  }
  const sorted = [...packages].sort((a, b) => compare(a.id, b.id) || compare(a.folder, b.folder))
  const head = 'The programs of virt-numa contain these packages, each under its own licence.\n'
  return [head, ...sorted.map(section)].join(`\n${RULE}\n\n`)
}

/**
 * The same packages as data: name, version, licence and bundles of each.
 * @param root the repository
 */
export function bundledPackages(root, metafiles) {
  const packages = packagesIn(metafiles).map(({ folder, bundles }) => {
    const { name, version, license } = readManifest(root, folder)
    return { name, version, licence: license, bundles, folder }
  })
  return packages.sort((a, b) => compare(a.name, b.name) || compare(a.folder, b.folder))
}

/** Only what is left in a bundle counts: a file whose code was dropped has no bytes in it. */
function packagesIn(metafiles) {
  const bundlesOf = new Map()
  for (const [bundle, { inputs }] of metafiles.flatMap(({ outputs }) => Object.entries(outputs))) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const folder = PACKAGE.exec(path)?.[0]
      if (folder === undefined || bytesInOutput === 0) continue
      bundlesOf.set(folder, (bundlesOf.get(folder) ?? new Set()).add(bundle))
    }
  }
  return [...bundlesOf].map(([folder, bundles]) => ({ folder, bundles: [...bundles].sort(compare) }))
}

function readPackage(root, folder) {
  const { name, version, license } = readManifest(root, folder)
  const id = `${name}@${version}`
  const licence = typeof license === 'string' && license !== '' ? license : undefined
  return { id, licence, text: textIn(`${root}/${folder}`) ?? textElsewhere(root, id, licence) }
}

const readManifest = (root, folder) => JSON.parse(readFileSync(`${root}/${folder}/package.json`, 'utf8'))

/** The licence, then what a NOTICE file adds; undefined without a licence. */
function textIn(folder) {
  const names = readdirSync(folder).sort(compare)
  const licences = names.filter((name) => LICENCE_FILE.test(name))
  const files = [...licences, ...names.filter((name) => NOTICE_FILE.test(name))]
  const texts = files.map((name) => tidy(readFileSync(`${folder}/${name}`, 'utf8')))
  return licences.length > 0 && texts.every((text) => text !== '') ? texts.join('\n\n') : undefined
}

/** The terms begin below the copyright lines, and belong to no package. */
function textElsewhere(root, id, licence) {
  const known = WITHOUT_TEXT[id]
  if (known === undefined) return undefined
  const lender = JSON.parse(readFileSync(`${root}/${known.terms}/package.json`, 'utf8'))
  const terms = /^Permission [\s\S]*/m.exec(textIn(`${root}/${known.terms}`) ?? '')?.[0]
  if (lender.license !== licence || terms === undefined) return undefined
  return `${known.copyright.join('\n')}\n\n${terms}`
}

const tidy = (text) =>
  text
    .replace(/\r\n?/g, '\n')
    .replace(/[ \t]+$/gm, '')
    .replace(/^\n+|\n+$/g, '')

function section({ id, licence, text, bundles }) {
  const at = id.lastIndexOf('@')
  const files = bundles.map((bundle) => bundle.replace(/^dist\//, '')).join(', ')
  return `${id.slice(0, at)} ${id.slice(at + 1)}\nLicence: ${licence}\nIn: ${files}\n\n${text}\n`
}

/** By code units, which no locale changes. */
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0)
