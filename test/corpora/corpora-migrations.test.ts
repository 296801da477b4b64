// The hook in the virt-launcher image, in qemu.d behind KubeVirt's own: libvirt gives it what KubeVirt's hook
// printed for the target of a migration, memnodes of cells that do not exist included.

import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { setOf } from '../../src/base/idset.ts'
import { preflight } from '../../src/check.ts'
import { classOf } from '../../src/codes/codes.ts'
import { readDomain } from '../../src/domain/view.ts'
import { shimText } from '../../src/hook-setup/shim.ts'
import { formatSnapshot } from '../../src/host/capture/snapshot-text.ts'
import { resourcesOf } from '../../src/host/resources.ts'
import { parseXml } from '../../src/xml/parse.ts'
import { ENV, writeIn } from '../doors/hook-host.ts'
import { folder } from '../seed.ts'
import { hostOf, type KubevirtCase, readCases } from './kubevirt-cases.ts'

/** Migrations for which KubeVirt's hook prints a memnode of a cell that the guest does not have. */
const broken = readCases().filter(({ mode, input, expected: { domainXML } }) => {
  if (mode !== 'hook' || domainXML === undefined) return false
  const { cells } = readDomain(parseXml(input.domainXML))
  const named = [...domainXML.matchAll(/<memnode cellid=["'](\d+)/g)].map(([, id]) => Number(id))
  return cells.length > 0 && named.some((id) => id >= cells.length)
})

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** libvirt runs `qemu`, then qemu.d, each on what the one before printed. */
function migrate(hooks: string, xml: string, config: string): Ran {
  let input = xml
  let ran: Ran = { status: 0, stdout: '', stderr: '' }
  for (const hook of ['qemu', 'qemu.d/50-virt-numa']) {
    ran = spawnSync(join(hooks, hook), ['default_db1', 'migrate', 'begin', '-'], {
      input,
      cwd: '/',
      encoding: 'utf8',
      env: { ...ENV, VIRT_NUMA_CONFIG: config },
    })
    if (ran.status !== 0) return ran
    if (ran.stdout !== '') input = ran.stdout
  }
  return { ...ran, stdout: input }
}

/** KubeVirt's structs keep no metadata of ours, so the configuration of the image opts guests in. */
function image(t: Test, { input, expected }: KubevirtCase): { hooks: string; config: string; log: string } {
  const root = folder(t)
  const hooks = join(root, 'hooks')
  mkdirSync(join(hooks, 'qemu.d'), { recursive: true })
  const answer = writeIn(root, 'answer.xml', expected.domainXML)
  writeIn(root, 'hooks/qemu', `#!/bin/sh\ncat >/dev/null\ncat ${answer}\n`, 0o755)
  const ours = join(hooks, 'qemu.d/50-virt-numa')
  writeFileSync(ours, shimText(process.execPath, resolve('dist/hooks/qemu.cjs')))
  chmodSync(ours, 0o755)
  const host = hostOf(input.topology.numaCells)
  const cpus = setOf(input.cpuset)
  const nodes = setOf(host.nodes.map(({ id }) => id))
  writeIn(root, 'host.json', formatSnapshot(host, { cpus, nodes } as Parameters<typeof formatSnapshot>[1]))
  const log = join(root, 'log')
  const lines = ['guests = "bound"', `root = "${join(root, 'host.json')}"`, `log_file = "${log}"`]
  return { hooks, config: writeIn(root, 'virt-numa.conf', `${lines.join('\n')}\n`), log }
}

t.test("behind KubeVirt's hook, every memnode names a cell of the guest, and pins follow them", (t) => {
  t.ok(broken.length >= 10, `${broken.length} of KubeVirt's answers name cells that do not exist`)
  for (const each of broken.slice(0, 6)) {
    const { input } = each
    const { hooks, config } = image(t, each)
    const { status, stdout, stderr } = migrate(hooks, input.domainXML, config)
    t.equal(status, 0, `${each.name}: ${stderr}`)
    const source = readDomain(parseXml(input.domainXML))
    const view = readDomain(parseXml(stdout))
    const ids = view.cells.map(({ id }) => id)
    t.same(view.cells, source.cells, `${each.name}: cells are guest ABI`)
    t.same(view.tune.memnodes.map(({ cell }) => cell).sort(), ids, `${each.name}: memnodes`)
    const cpus = setOf(input.cpuset) as Parameters<typeof resourcesOf>[1]['cpus']
    const host = hostOf(input.topology.numaCells)
    const found = preflight(view, resourcesOf(host, { ...(cpus && { cpus }) }))
    t.same(
      found.map(({ code }) => code).filter((code) => classOf(code) === 'invalid' || code === 'pin-remote'),
      [],
      each.name,
    )
  }
  t.end()
})

t.test(
  'a guest whose cells are not bound stays as KubeVirt printed it, and costs no line in the log',
  (t) => {
    const each = broken[0] as KubevirtCase
    const unbound = each.expected.domainXML.replace(/<numatune>[\s\S]*<\/numatune>/, '')
    const expected = { ...each.expected, domainXML: unbound }
    const { hooks, config, log } = image(t, { ...each, expected })
    const { status, stdout, stderr } = migrate(hooks, each.input.domainXML, config)
    t.same([status, stderr], [0, ''])
    t.equal(stdout, unbound)
    t.notOk(existsSync(log))
    t.end()
  },
)
