// Where Node and the hook's program lie, to the file that libvirt runs: two lines of sh; and back.
//
// A hook that cannot be run kills running guests when the daemon restarts, so sh alone, which is always there, answers all
// operations but the three that have something to do. Where the program is missing it cancels migrate and restore, which
// leave the guest where it was, and lets everything else go on. A trap catches an `exec` that fails (bash needs
// execfail for it, and busybox has no such thing).

import { PROGRAM_OPERATIONS } from './operations.ts'

/**
 * @param node absolute: a node that only an administrator's PATH has is not there for libvirt
 * @param program absolute, dist/hooks/qemu.cjs
 */
export function shimText(node: string, program: string): string {
  const [nodePath, programPath] = [quoted(node), quoted(program)]
  const isCancelled = `case "$2" in migrate|restore) echo ${quoted(`error[hook-missing]: cannot run ${program} with ${node}; fix: virt-numa install`)} >&2; exit 1;; esac; exit 0`
  return `#!/bin/sh
case "$2 $3" in ${PROGRAM_OPERATIONS.map(quoted).join('|')}) ;; *) exit 0;; esac; trap ${quoted(isCancelled)} EXIT; shopt -s execfail 2>/dev/null
[ -f ${nodePath} ] && [ -x ${nodePath} ] && [ -r ${programPath} ] && exec ${nodePath} ${programPath} "$@"
`
}

/** What a hook names that is ours to the last byte; undefined: somebody else's, be it one of ours that somebody has changed. */
export function readShim(text: string): { readonly node: string; readonly program: string } | undefined {
  const [, node, program] = / exec ('(?:[^']|'\\'')*') ('(?:[^']|'\\'')*') "\$@"\n$/.exec(text) ?? []
  if (node === undefined || program === undefined) return undefined
  const named = { node: unquoted(node), program: unquoted(program) }
  // A change to the text keeps the former one readable: what an earlier installation wrote is ours too.
  return shimText(named.node, named.program) === text ? named : undefined
}

const unquoted = (quoted: string): string => quoted.slice(1, -1).replaceAll("'\\''", "'")

/** Nothing is special between single quotes but the single quote. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`
}
