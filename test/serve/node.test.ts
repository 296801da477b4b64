// `virt-numa serve --node` as virt-handler sees it: preflight before a guest starts or arrives, and verify
// after it, which never fails.

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parseJson } from '../../src/base/json.ts'
import { machineIn } from '../../src/machine/files.ts'
import { findPod } from '../../src/serve/node/pod.ts'
import { podsOn } from '../../src/serve/node/vmi.ts'
import { folder } from '../seed.ts'
import { plainVmi } from './guest.ts'
import { call, failureOf, type Message, type Server, startServer } from './launcher.ts'
import { moveMemory, NODE, nodeFolder, setFreePages, vmiOnNode } from './node-host.ts'

const FAILED_PRECONDITION = 9
const INVALID_ARGUMENT = 3
const UNIMPLEMENTED = 12

interface Node {
  readonly root: string
  readonly server: Server
  readonly hook: (hookPoint: string, vmi: string) => Promise<Message>
  readonly refusal: (hookPoint: string, vmi: string) => Promise<{ code: number; details: string }>
  /** Ends the server. */
  readonly log: () => Promise<string>
}

async function startNode(t: Test): Promise<Node> {
  const root = nodeFolder(t)
  const server = await startServer(t, join(folder(t), 'node.sock'), ['--node', '--host', root])
  const asked = (hookPoint: string, vmi: string) => ({
    socket: server.socket,
    service: 'plugins.v1alpha1.NodeHookService' as const,
    method: 'ExecuteNodeHook',
    request: { hookPoint, vmi: Buffer.from(vmi), node_context: { node_name: NODE } },
  })
  return {
    root,
    server,
    hook: (hookPoint, vmi) => call(asked(hookPoint, vmi)),
    refusal: (hookPoint, vmi) => failureOf(asked(hookPoint, vmi)),
    log: async () => {
      server.child.kill('SIGTERM')
      return (await server.ended).stderr
    },
  }
}

t.test('finds the pod by the cgroup of its processes, and what its container may use', (t) => {
  const root = nodeFolder(t)
  const uids = podsOn(parseJson(vmiOnNode(), 'vmi'), NODE)
  t.match(findPod(machineIn(root), uids), {
    launcher: 200,
    qemu: 231,
    allowed: { cpus: [2, 3, 4, 5], nodes: [1, 2] },
  })
  t.equal(findPod(machineIn(root), podsOn(parseJson(vmiOnNode(), 'vmi'), 'node8')), undefined)
  t.equal(findPod(machineIn(root), ['7c1f7b52-6d1e-4a5c-9d43-0f1e64a2c004']), undefined)
  t.equal(findPod(machineIn(root), [...uids, ...uids]), undefined, 'two pods')
  t.end()
})

t.test('a guest starts where each node has its pages, and is refused with the node where not', async (t) => {
  const { root, hook, refusal, log } = await startNode(t)
  setFreePages(root, { 1: 16, 2: 16 })
  t.same(await hook('PreVMStart', vmiOnNode()), {})
  setFreePages(root, { 1: 16, 2: 15 })
  const { code, details } = await refusal('PreVMStart', vmiOnNode())
  t.equal(code, FAILED_PRECONDITION)
  t.match(details, /^error\[pages-short\]: node 2 has 15 free .*needs 16; fix: .*node2\/hugepages/)
  t.notMatch(details, /\n/)
  const said = await log()
  t.match(said, /PreVMStart seed: ok \(/)
  t.match(said, /ExecuteNodeHook: error\[pages-short\]/)
})

t.test('a migration is refused where the nodes of the pod together lack pages', async (t) => {
  const { root, hook, refusal } = await startNode(t)
  setFreePages(root, { 0: 64, 1: 17, 2: 15 })
  t.same(await hook('PreMigrationTarget', vmiOnNode()), {}, 'its cells are not known')
  setFreePages(root, { 1: 16 })
  t.match(await refusal('PreMigrationTarget', vmiOnNode()), {
    code: FAILED_PRECONDITION,
    details: /^error\[pages-short\]: .*31 /,
  })
})

t.test('a recorded shape says more: each cell needs a node', async (t) => {
  const { root, hook, refusal } = await startNode(t)
  const cells = ['0-1 memory:32768KiB distances:10,21', '2-3 memory:32768KiB distances:21,10']
  const shape = ['v1 sockets:2 cores:2 threads:1', ...cells.map((cell) => `cpus:${cell}`)].join(' / ')
  const locked = vmiOnNode({ 'virt-numa.io/topology': 'lock', 'virt-numa.io/shape': shape })
  setFreePages(root, { 1: 16, 2: 16 })
  t.same(await hook('PreMigrationTarget', locked), {})
  setFreePages(root, { 1: 31, 2: 1 })
  t.match(await refusal('PreMigrationTarget', locked), { details: /^error\[pages-short\]/ })
  t.same(await hook('PreMigrationTarget', vmiOnNode()), {}, 'which nobody knows without it')
})

t.test('after a start or a migration the placement is logged, and nothing is refused', async (t) => {
  const { root, hook, log } = await startNode(t)
  t.same(await hook('PostVMStart', vmiOnNode()), {})
  moveMemory(root, 2, 3)
  t.same(await hook('PostMigrationTarget', vmiOnNode()), {})
  const said = await log()
  t.match(said, /PostVMStart seed: placed as expected \(/)
  t.match(said, /vCPU 2 +4 +4 +ok/, 'pins are read in the pod')
  t.match(said, /PostMigrationTarget seed: 1 finding \(/)
  t.match(said, /^error\[guest-memory-\w+\]: /m)
})

t.test('what is not known refuses nothing', async (t) => {
  const { root, hook, refusal, server, log } = await startNode(t)
  setFreePages(root, { 1: 0, 2: 0 })
  for (const point of ['PreVMStart', 'PostVMStart', 'PreMigrationTarget', 'PostMigrationTarget'])
    t.same(await hook(point, plainVmi), {}, `${point}: a guest that asks for nothing`)
  for (const point of ['PreVMStop', 'PostVMStop', 'OnVMStop', 'PreMigrationSource', 'Later'])
    t.same(await hook(point, 'no JSON'), {}, point)
  t.same(await hook('PreVMStart', vmiOnNode(undefined, {})), {}, 'no pod')
  t.match(await refusal('PreVMStart', '{'), { code: INVALID_ARGUMENT })
  const odd = vmiOnNode({ 'virt-numa.io/memory': 'odd' })
  t.match(await refusal('PreVMStart', odd), { code: INVALID_ARGUMENT, details: /^error\[unknown-value\]/ })
  for (const point of ['PreMigrationTarget', 'PostMigrationTarget', 'PostVMStart']) {
    t.same(await hook(point, '{'), {}, `${point}: no JSON`)
    setFreePages(root, { 1: 16, 2: 16 })
    t.same(await hook(point, odd), {}, `${point}: an unknown value`)
  }
  const { socket } = server
  const launcher = {
    socket,
    service: 'plugins.v1alpha1.LauncherHookService',
    method: 'GuestDefinition',
  } as const
  t.match(await failureOf({ ...launcher, request: {} }), { code: UNIMPLEMENTED }, "virt-launcher's service")
  t.match(await log(), /PreVMStart seed: not checked: its pod is not found on this node/)
})
