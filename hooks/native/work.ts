// What the native hook loads only for a guest that may have opted in.

import { type Fit, fit, fitSteps, type Task } from '../fit.ts'

/** @see fit of hooks/fit.ts */
export const fitGuest = (task: Task): Fit => fit(task, fitSteps)
