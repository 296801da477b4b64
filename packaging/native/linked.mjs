// What a linker put into a native program besides ours: the packages of Debian that the files are from.

import { execFileSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { isAbsolute } from 'node:path'

/**
 * Package of Debian -> what it is called elsewhere, and its licence. A package that is not listed fails the
 * build until somebody has looked at it.
 * @see /usr/share/doc/PACKAGE/copyright
 */
const KNOWN = [
  { package: /^musl-dev$/, name: 'musl', licence: 'MIT' },
  { package: /^libc6-dev\b/, name: 'glibc', licence: 'LGPL-2.1-or-later' },
  { package: /^libgcc-\d+-dev\b/, name: 'libgcc', licence: 'GPL-3.0-or-later WITH GCC-exception-3.1' },
]

/**
 * @param trace what the linker prints with --trace: the path of every file that it reads
 * @param own the folders of the objects of the engine and of zlib
 * @returns the packages, by name
 */
export function linkedPackages(trace, own) {
  // The compiler has removed its own objects by now.
  const paths = trace.split('\n').filter((path) => isAbsolute(path) && existsSync(path))
  const others = paths
    .map((path) => realpathSync(path))
    .filter((path) => !own.some((folder) => path.startsWith(folder)))
  const owners = execFileSync('dpkg', ['-S', ...new Set(others)], { encoding: 'utf8' })
  const packages = [...owners.matchAll(/^([^:\s]+)(?::[^:\s]+)?: /gm)].map(([, name]) => name)
  return [...new Set(packages)].sort().map(describe)
}

function describe(name) {
  const known = KNOWN.find((each) => each.package.test(name))
  if (known === undefined) throw new Error(`packaging/native/linked.mjs does not know the licence of ${name}`)
  // musl-dev:amd64, a tab, the version; a package for every architecture has no colon.
  const shown = execFileSync('dpkg-query', ['--show', name], { encoding: 'utf8' }).trim()
  const [, architecture = 'all', version] = /^[^:\s]+(?::(\S+))?\s+(\S+)$/.exec(shown)
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`
  return { name: known.name, version, licence: known.licence, purl }
}
