// The names of signals in the native command.

/** By number, as on all architectures that the program is built for. @see signal(7) */
const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  16: 'SIGSTKFLT',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
  31: 'SIGSYS',
}

/** "SIGTERM" for 15. */
export const nameOfSignal = (number: number): string => SIGNALS[number] ?? `SIG${number}`

/** 15 for "SIGTERM"; 0, which ends nothing, for what has no number. */
export const numberOfSignal = (name: string): number =>
  Number(Object.entries(SIGNALS).find(([, each]) => each === name)?.[0] ?? 0)
