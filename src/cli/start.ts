// `npm start`: prints the plan, then the diff of the domain. Without arguments for the embedded example: a
// guest of 4 cores and 64 MiB in 2 MiB pages, in a pod with two CPUs on each of two nodes. With arguments for
// that domain, on this machine.

import { join, relative } from 'node:path'
import { print } from './output.ts'
import { run } from './run.ts'

const EXAMPLE = relative('', join(__dirname, '..', 'golden', '2n4c2t-seed'))

async function start(args: readonly string[]): Promise<number> {
  const given = args.length > 0 ? args : [join(EXAMPLE, 'domain.xml'), '--host', join(EXAMPLE, 'host.json')]
  const planned = await run(['plan', ...given])
  if (planned !== 0) return planned
  print(1, '\n')
  return run(['transform', '--diff', ...given], { quiet: true })
}

start(process.argv.slice(2)).then((status) => {
  process.exitCode = status
})
