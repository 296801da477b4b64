// The entry of the native hook.

import { runHook } from './run.ts'
import { fitGuest } from './work.ts'

runHook(fitGuest)
