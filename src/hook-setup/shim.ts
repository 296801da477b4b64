// The paths of Node and of the hook's program -> the file that libvirt runs (hook.sh with both paths filled
// in); and back.
//
// A hook that cannot run kills running guests when the daemon restarts, and keeps others from starting.
// That is why sh alone, which always exists, answers every operation that needs no program, and decides
// what it means when the program gives no verdict.

import { createHash } from 'node:crypto'
import { LEDGER, SUFFIX } from '../host/ledger/promise.ts'
import script from './hook.sh'
import { DROPS } from './operations.ts'

/**
 * @param node absolute: a Node that only an administrator's PATH names is out of libvirt's reach
 * @param program absolute, dist/hooks/qemu.cjs
 * @param ledger the folder of the promises; only tests have another
 */
export function shimText(node: string, program: string, ledger: string = LEDGER): string {
  const text = script
    .replace('@NODE@', () => quoted(node))
    .replace('@PROGRAM@', () => quoted(program))
    .replace('@DROPS@', () => DROPS.map(quoted).join(' | '))
    .replace('@LEDGER@', () => quoted(ledger))
    .replace('@SUFFIX@', () => quoted(SUFFIX))
  return sealed(text)
}

/**
 * Appends a checksum as the last line: it identifies a hook that any version of virt-numa wrote and nobody
 * has edited.
 */
export function sealed(text: string): string {
  return `${text}# sha256 ${createHash('sha256').update(text).digest('hex')}\n`
}

/** The text without its checksum; undefined where there is none, or it is of another text. */
export function unsealed(text: string): string | undefined {
  const content = text.replace(SEAL, '')
  return text === sealed(content) ? content : undefined
}

/**
 * The two paths in an unchanged hook of virt-numa; undefined for any other hook, and for one that was edited.
 */
export function readShim(text: string): { readonly node: string; readonly program: string } | undefined {
  const [, node, program] = NAMED.exec(text) ?? FORMERLY_NAMED.exec(text) ?? []
  if (node === undefined || program === undefined) return undefined
  const named = { node: unquoted(node), program: unquoted(program) }
  const isOurs = unsealed(text) !== undefined || text === formerShimText(named.node, named.program)
  return isOurs ? named : undefined
}

const SEAL = /# sha256 [0-9a-f]{64}\n$/
const QUOTED = "'(?:[^']|'\\\\'')*'"
const NAMED = new RegExp(`^node=(${QUOTED})\\nprogram=(${QUOTED})$`, 'm')
const FORMERLY_NAMED = new RegExp(` exec (${QUOTED}) (${QUOTED}) "\\$@"\\n$`)

const unquoted = (text: string): string => text.slice(1, -1).replaceAll("'\\''", "'")

/** Between single quotes only the single quote is special. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`
}

/** The hook of the first version has no checksum: two lines whose exit status was that of the program. */
function formerShimText(node: string, program: string): string {
  const [nodePath, programPath] = [quoted(node), quoted(program)]
  const message = `error[hook-missing]: cannot run ${program} with ${node}; fix: virt-numa install`
  const isCancelled = `case "$2" in migrate|restore) echo ${quoted(message)} >&2; exit 1;; esac; exit 0`
  const isOurs = `case "$2 $3" in 'migrate begin'|'restore begin'|'prepare begin') ;; *) exit 0;; esac`
  return `#!/bin/sh
${isOurs}; trap ${quoted(isCancelled)} EXIT; shopt -s execfail 2>/dev/null
[ -f ${nodePath} ] && [ -x ${nodePath} ] && [ -r ${programPath} ] && exec ${nodePath} ${programPath} "$@"
`
}
