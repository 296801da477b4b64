// Reloads a running libvirt daemon, so that it looks for hooks again. Guests keep running.

import { existsSync } from 'node:fs'
import type { Diagnostic } from '../base/diagnostic.ts'
import { diagnostic } from '../codes/codes.ts'
import type { Daemon } from '../host/daemon.ts'
import { runProgram } from '../machine/programs/programs.ts'

/** The command that reloads the daemon. */
export function reloadCommand(daemon: Daemon): string {
  const { name, pid } = daemon
  return isUnit(daemon) ? `systemctl reload ${name}` : `kill -HUP ${pid}`
}

/** @returns what went wrong */
export function reload(daemon: Daemon): Diagnostic[] {
  const { name, pid } = daemon
  const failed = (command: string, reason: string): Diagnostic[] => [
    diagnostic('daemon-reload-failed', { daemon: `${name} (process ${pid})`, command, reason }),
  ]
  if (isUnit(daemon)) {
    const { status, stderr, reason } = runProgram('systemctl', ['reload', name], { timeoutS: 60 })
    return status === 0
      ? []
      : failed(`systemctl status ${name}`, reason ?? stderr.trim().split('\n')[0] ?? '')
  }
  try {
    process.kill(pid, 'SIGHUP')
    return []
  } catch (error) {
    return failed(`kill -HUP ${pid}`, error instanceof Error ? error.message : String(error))
  }
}

/** A daemon that systemd does not manage, as in a container, has no unit to reload. */
function isUnit({ name, pid }: Daemon): boolean {
  if (!existsSync('/run/systemd/system')) return false
  const { stdout } = runProgram('systemctl', ['show', '--property=MainPID', '--value', `${name}.service`], {
    timeoutS: 20,
  })
  return stdout.trim() === String(pid)
}
