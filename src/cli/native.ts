// The entry of the native command: argv in, exit status out.

import { calls } from '../machine/native/calls.ts'
import { process } from '../machine/native/node/globals.ts'
import { handleSignals } from '../machine/native/node/loop.ts'
import { wordsOf } from './commands/on-define-domain.ts'
import { run } from './run.ts'

run(wordsOf(process.argv)).then((status) => {
  // A signal that arrived while a file was written ends the process now.
  handleSignals()
  calls.end(status)
})
