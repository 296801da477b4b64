// `virt-numa serve`: KubeVirt's plugin and sidecar server on a Unix socket.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { diagnostic } from '../../codes/codes.ts'
import { CONFIG } from '../../machine/read/read-text.ts'
import { keyNames } from '../../request/keys.ts'
import type { RequestedKeys } from '../../request/request.ts'
import { manifests } from '../../serve/manifests.ts'
import { serve as serveSocket } from '../../serve/serve.ts'
import { type CommandRow, FAILURES, type Given, textsOf } from '../options.ts'
import { print } from '../output.ts'
import { readSettings } from '../placing.ts'
import type { Running } from '../report.ts'

/** `socketMode` is octal. */
interface Serve {
  readonly name: 'serve'
  readonly socket?: string
  readonly socketMode?: string
  readonly printManifests?: string
  readonly host?: string
  readonly config?: string
  readonly requested: RequestedKeys
}

/** Where KubeVirt looks for the socket of the plugin "virt-numa". */
const PLUGIN_SOCKET = '/var/run/kubevirt-plugin/virt-numa/domain.sock'

/** For the user that KubeVirt runs a pod as, and its group. */
const MODE = '660'

/** Serves KubeVirt. */
export const serve: CommandRow<Serve> = {
  about: "answer KubeVirt's plugin and hook sidecar calls on a Unix socket",
  maxInputs: 0,
  options: ['socket', 'socketMode', 'printManifests', 'host', 'config'],
  keys: keyNames,
  conflicts: wrongValues,
  command: (given) => ({
    name: 'serve',
    ...textsOf(given, ['socket', 'socketMode', 'printManifests', 'host', 'config']),
    requested: given.requested,
  }),
  exits: [
    ['0', 'ended by SIGTERM, SIGINT or KubeVirt'],
    ['1', 'the socket cannot be used, or a file cannot be read'],
    ...FAILURES,
  ],
  examples: [
    'virt-numa serve',
    'virt-numa serve --socket /var/run/kubevirt-hooks',
    'virt-numa serve --print-manifests 1.9 > virt-numa.yaml',
  ],
  run: runServe,
}

function wrongValues({ values: { socketMode, printManifests } }: Given): readonly Diagnostic[] {
  const isMode = socketMode === undefined || /^0?[0-7]{3}$/.test(socketMode)
  const isKnown = printManifests === undefined || printManifests in manifests
  const takes = Object.keys(manifests).join('|')
  return [
    ...(isMode ? [] : [diagnostic('usage-mode', { option: '--socket-mode', given: socketMode })]),
    ...(isKnown
      ? []
      : [diagnostic('usage-option-value', { option: '--print-manifests', given: printManifests, takes })]),
  ]
}

async function runServe(command: Serve, running: Running): Promise<number> {
  const { printManifests } = command
  if (printManifests !== undefined) {
    print(1, manifests[printManifests] ?? '')
    return 0
  }
  const { socket = PLUGIN_SOCKET, socketMode = MODE, host, config, requested } = command
  await serveSocket({
    socket,
    mode: Number.parseInt(socketMode, 8),
    config: readSettings(config, running),
    configSource: config ?? CONFIG,
    flags: requested,
    ...(host !== undefined && { host }),
    log: (text) => print(2, text),
  })
  return 0
}
