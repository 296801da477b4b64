// The functions of node:path that the program uses, in the native command.

import { calls } from '../calls.ts'

/** Resolves "." and "..", and repeated slashes. */
function normalized(path: string): string {
  const isAbsolute = path.startsWith('/')
  const kept: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..' || (kept.length === 0 && !isAbsolute) || kept.at(-1) === '..') kept.push(part)
    else kept.pop()
  }
  const end = path.endsWith('/') ? '/' : ''
  if (kept.length === 0) return isAbsolute ? '/' : `.${end}`
  return `${isAbsolute ? '/' : ''}${kept.join('/')}${end}`
}

/** The parts as one path. */
export function join(...parts: readonly string[]): string {
  return normalized(parts.filter((part) => part !== '').join('/'))
}

/** An absolute path, from the last absolute part on, or from the working folder. */
export function resolve(...parts: readonly string[]): string {
  const last = Math.max(...parts.map((part, at) => (part.startsWith('/') ? at : -1)), -1)
  return withoutEnd(join(...(last < 0 ? [workingFolder(), ...parts] : parts.slice(last))))
}

function workingFolder(): string {
  const folder = calls.readLink('/proc/self/cwd')
  return typeof folder === 'string' ? folder : '/'
}

const withoutEnd = (path: string): string => path.replace(/(?<=.)\/+$/, '')

/** The path of the folder. */
export function dirname(path: string): string {
  const at = withoutEnd(path).lastIndexOf('/')
  if (at < 0) return path.startsWith('/') ? '/' : '.'
  // Two slashes at the start stay two, as they do in POSIX.
  return at === 0 ? '/' : at === 1 && path.startsWith('/') ? '//' : path.slice(0, at)
}

/** The last part. */
export const basename = (path: string): string => withoutEnd(path).replace(/^.*\//s, '')

/** The way from one path to another. */
export function relative(from: string, to: string): string {
  const [start, end] = [from, to].map((path) => resolve(path).split('/').filter(Boolean)) as [
    string[],
    string[],
  ]
  let same = 0
  while (same < start.length && same < end.length && start[same] === end[same]) same += 1
  return [...start.slice(same).map(() => '..'), ...end.slice(same)].join('/')
}
