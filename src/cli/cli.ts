#!/usr/bin/env node
// The command's entry: argv in, exit status out.

import { wordsOf } from './commands/on-define-domain.ts'
import { run } from './run.ts'

run(wordsOf(process.argv)).then((status) => {
  process.exitCode = status
})
