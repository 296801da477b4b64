// The entry of the native hook.

import { fitSteps } from '../fit.ts'
import { runHook } from './run.ts'

runHook(fitSteps)
