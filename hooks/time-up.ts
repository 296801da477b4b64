// The error of the time limit, whoever enforces it.

const NAME = 'TimeUp'

/** The time limit was reached: something does not answer, or the machine is busy. */
export const timeUp = (limitS: number): Error =>
  Object.assign(new Error(`no answer within ${limitS} s`), { name: NAME })

/** Whether an error is that of the time limit. */
export const isTimeUp = (error: unknown): boolean => error instanceof Error && error.name === NAME
