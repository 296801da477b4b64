// KubeVirt's own cases through the gRPC server: the answers are those of `onDefineDomain`, byte for byte, and
// a guest that the command refuses is refused with the same first code.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type CpuSet, formatSet, setOf } from '../../src/base/idset.ts'
import { formatSnapshot } from '../../src/host/capture/snapshot-text.ts'
import { defaultConfig } from '../../src/request/config.ts'
import { defineWith } from '../../src/serve/define.ts'
import { type Failure, listen } from '../../src/serve/grpc.ts'
import { methodsOf } from '../../src/serve/methods.ts'
import { type Status, statusOf } from '../../src/serve/status.ts'
import { endOf, startApart } from '../apart.ts'
import { codesOf, PROGRAM } from '../seed.ts'
import { call, failureOf } from '../serve/launcher.ts'
import { hostOf, type KubevirtCase, readCases } from './kubevirt-cases.ts'

const creates = readCases().filter(({ mode, input }) => mode === 'create' && input.pci === undefined)

const folder = mkdtempSync(join(tmpdir(), 'virt-numa-serve-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
t.setTimeout(600_000)

/** The host of a case as a file, and the CPUs of its pod. */
function placingOf({ name, input }: KubevirtCase): readonly string[] {
  const file = join(folder, `${name}.json`)
  writeFileSync(file, formatSnapshot(hostOf(input.topology.numaCells)))
  return ['--host', file, '--cpuset', formatSet(setOf(input.cpuset))]
}

interface Answered {
  readonly domain?: string
  readonly code?: string | undefined
}

async function commandAnswer(each: KubevirtCase): Promise<Answered> {
  const documents = ['--vmi', JSON.stringify(each.input.vmi), '--domain', each.input.domainXML]
  const words = ['onDefineDomain', ...placingOf(each), ...documents]
  const child = startApart(process.execPath, [PROGRAM, ...words], {})
  const { status, stdout, stderr } = await endOf(child)
  return status === 0 ? { domain: stdout } : { code: codesOf(stderr)[0] }
}

/** A server for one case, in this process: each case has its own host and CPUs. */
async function serverAnswer(each: KubevirtCase): Promise<Answered> {
  const [, host = ''] = placingOf(each)
  const socket = join(folder, `${each.name}.sock`)
  const define = defineWith({
    host,
    flags: { cpuset: setOf<CpuSet>(each.input.cpuset) },
    config: defaultConfig,
    configSource: 'none',
    log: () => {},
  })
  const methods = methodsOf(define)
  const failed = ({ error }: Failure): Status => statusOf(error)
  const listening = await listen({ path: socket, mode: 0o600, methods, failed, ended: () => {} })
  const asked = {
    socket,
    service: 'plugins.v1alpha1.LauncherHookService',
    method: 'GuestDefinition',
    request: {
      domain_type: 'libvirt',
      domain: Buffer.from(each.input.domainXML),
      vmi: Buffer.from(JSON.stringify(each.input.vmi)),
      sidecar_context: { invocation_context: 'Boot' },
    },
  } as const
  try {
    return { domain: String((await call(asked)).domain) }
  } catch {
    const { details } = await failureOf(asked)
    return { code: /^error\[([\w-]+)\]/.exec(details)?.[1] }
  } finally {
    if ('drain' in listening) await listening.drain(1000)
  }
}

t.test("the server's answers are the command's", async (t) => {
  const open = [...creates]
  let fitted = 0
  const worker = async (): Promise<void> => {
    for (let each = open.shift(); each !== undefined; each = open.shift()) {
      const [served, printed] = await Promise.all([serverAnswer(each), commandAnswer(each)])
      t.same(served, printed, each.name)
      if (printed.domain !== undefined && printed.domain !== each.input.domainXML) fitted++
    }
  }
  await Promise.all([worker(), worker()])
  t.comment(`${creates.length} cases, ${fitted} fitted`)
  t.ok(fitted > 100, `${fitted} are fitted`)
})
