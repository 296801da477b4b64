// Other programs, each with a limit on its time, and apart from tap: what it slips into the environment of
// children stays out.

/** How a program ended, and what it wrote. */
export interface Ended {
  /** Absent: ended by a signal, or not started. */
  readonly status?: number
  readonly signal?: string
  readonly stdout: string
  readonly stderr: string
}

/** How a program is run. */
export interface Running {
  readonly input?: string
  /** Default 60. */
  readonly limitS?: number
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** A program that goes on running; whoever starts it ends it. */
export interface Started {
  readonly pid: number
  /** What it has said so far, both streams. */
  readonly said: () => string
  readonly isRunning: () => boolean
  /** Asks it to end, and after `limitS` makes it. */
  readonly end: (limitS?: number) => Promise<void>
}

const APART = ['-u', 'NODE_OPTIONS', '-u', 'DISPLAY', 'LC_ALL=C']

/** Never throws for what the program does. */
export async function run(
  command: string,
  words: readonly string[],
  { input, limitS = 60, env, cwd }: Running = {},
): Promise<Ended> {
  const { execa } = await import('execa')
  const { exitCode, signal, stdout, stderr, shortMessage } = await execa(
    '/usr/bin/env',
    [...APART, command, ...words],
    {
      reject: false,
      stripFinalNewline: false,
      timeout: limitS * 1000,
      killSignal: 'SIGKILL',
      ...(env && { env }),
      ...(cwd && { cwd }),
      ...(input === undefined ? { stdin: 'ignore' } : { input }),
    },
  )
  const reason = exitCode === undefined ? `${shortMessage}\n` : ''
  return {
    ...(exitCode !== undefined && { status: exitCode }),
    ...(signal !== undefined && { signal }),
    stdout: String(stdout),
    stderr: `${stderr}${reason}`,
  }
}

/** @returns its standard output. @throws Error with all it said when it does not end with 0 */
export async function must(
  command: string,
  words: readonly string[],
  running: Running = {},
): Promise<string> {
  const { status, stdout, stderr } = await run(command, words, running)
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: status ${status}\n${stdout}${stderr}`)
  return stdout
}

/** Starts a program that runs on until it is stopped. */
export async function start(command: string, words: readonly string[]): Promise<Started> {
  const { spawn } = await import('node:child_process')
  const child = spawn('/usr/bin/env', [...APART, command, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
  })
  const pid = child.pid
  if (pid === undefined) throw new Error(`${command} could not be started`)
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  // A test that is ended from outside takes it along.
  const kill = (): void => void child.kill('SIGKILL')
  process.on('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  const end = async (limitS = 10): Promise<void> => {
    if (!isRunning()) return
    child.kill('SIGTERM')
    if (await waited(limitS, () => !isRunning())) return
    kill()
    await waited(limitS, () => !isRunning())
  }
  return { pid, said: () => said, isRunning, end }
}

/** Asks again and again until the answer is yes. @returns whether it was in time */
export async function waited(limitS: number, isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  const last = Date.now() + limitS * 1000
  for (;;) {
    if (await isSo()) return true
    if (Date.now() > last) return false
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** @throws Error that names what did not happen in time, with details */
export async function until(
  limitS: number,
  what: string,
  isSo: () => boolean | Promise<boolean>,
  detail = () => '',
): Promise<void> {
  if (!(await waited(limitS, isSo))) throw new Error(`not within ${limitS} s: ${what}\n${detail()}`)
}
