// Pages of 2 MiB for a test: what it adds to the host's pool it takes away again, and nothing of anyone
// else's.

import { readFileSync, writeFileSync } from 'node:fs'

const POOL = '/sys/kernel/mm/hugepages/hugepages-2048kB'
type Counter =
  | 'nr_hugepages'
  | 'nr_overcommit_hugepages'
  | 'free_hugepages'
  | 'resv_hugepages'
  | 'surplus_hugepages'

const read = (name: Counter): number => Number(readFileSync(`${POOL}/${name}`, 'utf8'))
const add = (name: Counter, pages: number): void =>
  writeFileSync(`${POOL}/${name}`, String(Math.max(0, read(name) + pages)))

/** Pages that a start can have now, surplus pages aside. */
export const freePages = (): number => read('free_hugepages') - read('resv_hugepages')

/** Surplus pages that the kernel may still make. */
export const surplusRoom = (): number =>
  Math.max(0, read('nr_overcommit_hugepages') - read('surplus_hugepages'))

/** @returns what gives them back */
export function addPages(pages: number): () => void {
  const before = read('nr_hugepages')
  add('nr_hugepages', pages)
  const added = read('nr_hugepages') - before
  const giveBack = once(() => add('nr_hugepages', -added))
  if (added >= pages) return giveBack
  giveBack()
  throw new Error(`the kernel gave ${added} of ${pages} pages of 2 MiB`)
}

/** Lets the kernel make this many more surplus pages. @returns what undoes it */
export function allowSurplus(pages: number): () => void {
  add('nr_overcommit_hugepages', pages)
  return once(() => add('nr_overcommit_hugepages', -pages))
}

/** At the latest when the process ends: whatever ends it, the machine is as it was. */
function once(step: () => void): () => void {
  const done = (): void => {
    process.off('exit', done)
    step()
  }
  process.on('exit', done)
  return done
}
