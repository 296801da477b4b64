// `virt-numa serve`: the server of KubeVirt's plugins and sidecars on a Unix socket, in a pod or on a node.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { diagnostic } from '../../codes/codes.ts'
import { CONFIG } from '../../machine/read/read-text.ts'
import { keyNames } from '../../request/keys.ts'
import type { RequestedKeys } from '../../request/request.ts'
import { manifests, manifestsFor } from '../../serve/manifests.ts'
import { serve as serveSocket } from '../../serve/serve.ts'
import { type CommandRow, FAILURES, type Given, switchesOf, textsOf } from '../options.ts'
import { print } from '../output.ts'
import { readSettings } from '../placing.ts'
import type { Running } from '../report.ts'

/** `socketMode` is octal. */
interface Serve {
  readonly name: 'serve'
  readonly socket?: string
  readonly socketMode?: string
  readonly node: boolean
  readonly printManifests?: string
  readonly image?: string
  readonly host?: string
  readonly config?: string
  readonly requested: RequestedKeys
}

/** Where KubeVirt looks for the socket of the plugin "virt-numa". */
const PLUGIN_SOCKET = '/var/run/kubevirt-plugin/virt-numa/domain.sock'

/** Where the DaemonSet's Plugin says that virt-handler finds it. */
const NODE_SOCKET = '/var/run/kubevirt/plugins/virt-numa/node.sock'

/** For the user that KubeVirt runs a pod as, and its group. */
const MODE = '660'

/** A name, and a tag or a digest, that can be written into YAML, JSON and CEL as it is. */
const IMAGE = /^[\w./:@-]{1,512}$/

/** Serves KubeVirt. */
export const serve: CommandRow<Serve> = {
  about: "answer the calls of KubeVirt's plugins and hook sidecars on a Unix socket",
  maxInputs: 0,
  options: ['socket', 'socketMode', 'node', 'printManifests', 'image', 'host', 'config'],
  keys: keyNames,
  conflicts: wrongValues,
  command: (given) => ({
    name: 'serve',
    ...switchesOf(given, ['node']),
    ...textsOf(given, ['socket', 'socketMode', 'printManifests', 'image', 'host', 'config']),
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
    'virt-numa serve --node --host /host',
    'virt-numa serve --print-manifests 1.9 --image IMAGE@sha256:DIGEST > virt-numa.yaml',
  ],
  run: runServe,
}

function wrongValues({ values: { socketMode, printManifests, image } }: Given): readonly Diagnostic[] {
  const isMode = socketMode === undefined || /^0?[0-7]{3}$/.test(socketMode)
  const isKnown = printManifests === undefined || printManifests in manifests
  const takes = Object.keys(manifests).join('|')
  return [
    ...(isMode ? [] : [diagnostic('usage-mode', { option: '--socket-mode', given: socketMode })]),
    ...(image === undefined || IMAGE.test(image)
      ? []
      : [diagnostic('usage-option-value', { option: '--image', given: image, takes: 'IMAGE' })]),
    ...(isKnown
      ? []
      : [diagnostic('usage-option-value', { option: '--print-manifests', given: printManifests, takes })]),
  ]
}

async function runServe(command: Serve, running: Running): Promise<number> {
  const { printManifests, image, node } = command
  if (printManifests !== undefined) {
    print(1, manifestsFor(printManifests, image))
    return 0
  }
  const { socket = node ? NODE_SOCKET : PLUGIN_SOCKET, socketMode = MODE, host, config, requested } = command
  await serveSocket({
    socket,
    mode: Number.parseInt(socketMode, 8),
    node,
    config: readSettings(config, running),
    configSource: config ?? CONFIG,
    flags: requested,
    ...(host !== undefined && { host }),
    log: (text) => print(2, text),
  })
  return 0
}
