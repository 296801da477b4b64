// `virt-numa serve` as KubeVirt sees it: every version's calls over a real socket, on a new connection each.

import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { endOf, runApart, startApart } from '../apart.ts'
import { runCommand } from '../command.ts'
import { codesOf, folder, HOST, isRoot, PROGRAM, shell } from '../seed.ts'
import { domain, plainVmi, vmi } from './guest.ts'
import {
  type Call,
  call,
  failureOf,
  listening,
  type Message,
  type ServiceName,
  startServer,
} from './launcher.ts'

const INVALID_ARGUMENT = 3
const FAILED_PRECONDITION = 9
const UNIMPLEMENTED = 12

const text = (message: Message, field: string): string => String(message[field])
const onDefineDomain = (vmi: string, domainXML = domain): Message => ({
  domainXML: Buffer.from(domainXML),
  vmi: Buffer.from(vmi),
})
const boot = (vmi: string, xml = domain, invocation_context = 'Boot'): Message => ({
  domain_type: 'libvirt',
  domain: Buffer.from(xml),
  vmi: Buffer.from(vmi),
  sidecar_context: { invocation_context },
})

/** How each version of KubeVirt asks for a domain: the call, and the field of the answer. */
const WAYS: readonly (readonly [ServiceName, method: string, field: string])[] = [
  ['v1alpha1.Callbacks', 'OnDefineDomain', 'domainXML'],
  ['v1alpha2.Callbacks', 'OnDefineDomain', 'domainXML'],
  ['v1alpha3.Callbacks', 'OnDefineDomain', 'domainXML'],
  ['plugins.v1alpha1.DomainHookService', 'MutateDomain', 'domain'],
  ['plugins.v1alpha1.LauncherHookService', 'GuestDefinition', 'domain'],
]

const ask = (socket: string, [service, method]: (typeof WAYS)[number], vmi: string, xml = domain): Call => ({
  socket,
  service,
  method,
  request: service.endsWith('Callbacks') ? onDefineDomain(vmi, xml) : boot(vmi, xml),
})

const shim = (vmi: string): string =>
  runApart(process.execPath, [PROGRAM, 'onDefineDomain', '--host', HOST, '--vmi', vmi, '--domain', domain])
    .stdout

t.test('every version of KubeVirt gets what the command answers', async (t) => {
  const { socket } = await startServer(t, join(folder(t), 'domain.sock'))
  const asked = vmi()
  const expected = shim(asked)
  t.match(expected, "<cell id='1'", 'the guest is fitted')
  for (const way of WAYS) {
    const [service, method, field] = way
    t.equal(text(await call(ask(socket, way, asked)), field), expected, `${service} ${method}`)
    const plain = await call(ask(socket, way, plainVmi))
    t.equal(text(plain, field), domain, `${service}: a guest that asks for nothing`)
  }
})

t.test('Info lists every version, and not the hook point that would silence others', async (t) => {
  const { socket } = await startServer(t, join(folder(t), 'domain.sock'))
  const answer = await call({ socket, service: 'info.Info', method: 'Info', request: {}, withinMs: 1000 })
  t.match(answer, {
    name: 'virt-numa',
    hookPoints: [
      { name: 'OnDefineDomain', priority: 0 },
      { name: 'Shutdown', priority: 0 },
    ],
    versions: ['v1alpha3', 'v1alpha2', 'v1alpha1'],
  })
  t.equal((answer.hookPoints as unknown[]).length, 2)
  const request = { cloudInitNoCloudSource: Buffer.from('{"a":1}'), cloudInitData: Buffer.from('{"b":2}') }
  for (const service of ['v1alpha2.Callbacks', 'v1alpha3.Callbacks'] as const) {
    const given = await call({ socket, service, method: 'PreCloudInitIso', request })
    t.same([text(given, 'cloudInitNoCloudSource'), text(given, 'cloudInitData')], ['{"a":1}', '{"b":2}'])
  }
})

t.test('every context but Boot gets its own bytes back, whatever they are', async (t) => {
  const { socket } = await startServer(t, join(folder(t), 'domain.sock'))
  const way = { socket, service: 'plugins.v1alpha1.DomainHookService', method: 'MutateDomain' } as const
  for (const context of ['MigrationTarget', 'MigrationSource', 'Runtime', 'boot', '']) {
    for (const xml of [domain, 'no XML', '']) {
      const answer = await call({ ...way, request: boot(vmi(), xml, context) })
      t.equal(text(answer, 'domain'), xml, `${context || 'no context'}: ${xml.slice(0, 10)}`)
    }
  }
  const other = await call({ ...way, request: { ...boot(vmi()), domain_type: 'cloud-hypervisor' } })
  t.equal(text(other, 'domain'), domain, 'a domain of another type')
  const unread = await call({ ...way, request: boot('no JSON', domain, 'MigrationTarget') })
  t.equal(text(unread, 'domain'), domain)
  const target = vmi({ 'virt-numa.io/memory': 'by-vcpu', 'kubevirt.io/create-migration-target': 'true' })
  const legacy = await call(ask(socket, ['v1alpha3.Callbacks', 'OnDefineDomain', ''], target))
  t.equal(text(legacy, 'domainXML'), domain, 'a sidecar on the target of a migration')
})

t.test('a refusal is one line with code, what and fix', async (t) => {
  const { socket } = await startServer(t, join(folder(t), 'domain.sock'))
  const failing = async (way: number, vmi: string, xml = domain) => {
    const failure = await failureOf(ask(socket, WAYS[way] as (typeof WAYS)[number], vmi, xml))
    t.notMatch(failure.details, /\n/)
    return failure
  }
  const few = domain.replace(/ +<vcpupin vcpu='[23]'.*\n/g, '')
  t.match(await failing(4, vmi(), few), {
    code: FAILED_PRECONDITION,
    details: /^error\[not-enough-threads\]: .+; fix: .+ or write the annotation virt-numa.io\/pin: cell into/,
  })
  const printed = runCommand(['onDefineDomain', '--host', HOST, '--vmi', vmi(), '--domain', few])
  t.equal(printed.status, 1)
  t.match(printed.stderr, /^error\[not-enough-threads\]: [\s\S]+ virt-numa.io\/pin: cell into the VMI/)
  t.match(await failing(3, '{'), { code: INVALID_ARGUMENT, details: /^error\[json-malformed\]: / })
  t.match(await failing(2, vmi(), '<domain'), {
    code: INVALID_ARGUMENT,
    details: /^error\[xml-malformed\]: /,
  })
  t.match(await failing(0, vmi({ 'virt-numa.io/memory': 'odd' })), {
    code: INVALID_ARGUMENT,
    details: /^error\[unknown-value\]: .+; fix: /,
  })
  const node = { socket, service: 'plugins.v1alpha1.NodeHookService', method: 'ExecuteNodeHook' } as const
  t.match(await failureOf({ ...node, request: {} }), { code: UNIMPLEMENTED }, "the DaemonSet's service")
  t.equal(
    text(await call(ask(socket, ['v1alpha3.Callbacks', 'OnDefineDomain', ''], vmi())), 'domainXML'),
    shim(vmi()),
    'the next call is answered',
  )
})

t.test('a missing mount of hugetlbfs is never reported: QEMU has its own', async (t) => {
  const host = join(folder(t), 'host.json')
  const facts = JSON.parse(String(runApart('cat', [HOST]).stdout))
  writeFileSync(host, JSON.stringify({ ...facts, pools: [{ pagesizeKiB: 2048, mounted: false }] }))
  const server = await startServer(t, join(folder(t), 'domain.sock'), ['--host', host])
  await call(ask(server.socket, ['v1alpha3.Callbacks', 'OnDefineDomain', ''], vmi()))
  server.child.kill('SIGTERM')
  const { stderr } = await server.ended
  t.match(stderr, /OnDefineDomain seed: fitted: cells 0-1 on nodes 0-1/)
  t.notMatch(stderr, 'hugetlbfs')
})

t.test('requests of 1 MB, 100 at a time, and deadlines', async (t) => {
  const { socket } = await startServer(t, join(folder(t), 'domain.sock'))
  const [, , , , way] = WAYS as readonly [never, never, never, never, (typeof WAYS)[number]]
  const large = vmi({ 'virt-numa.io/memory': 'by-vcpu', data: 'x'.repeat(1_000_000) })
  t.equal(text(await call(ask(socket, way, large)), 'domain'), shim(vmi()), '1 MB')
  const asked = ask(socket, way, vmi())
  const answers = await Promise.all(Array.from({ length: 100 }, () => call(asked)))
  t.equal(new Set(answers.map((answer) => text(answer, 'domain'))).size, 1, '100 at a time')
  const late = await failureOf({ ...asked, withinMs: -1 })
  t.equal(late.code, 4, 'a deadline that has passed')
  const huge = await failureOf(ask(socket, way, vmi({ data: 'x'.repeat(5_000_000) })))
  t.equal(huge.code, 8, 'more than virt-launcher itself takes')
})

t.test('Shutdown answers, and then the server ends with status 0', async (t) => {
  const server = await startServer(t, join(folder(t), 'domain.sock'))
  const { socket } = server
  t.same(await call({ socket, service: 'v1alpha3.Callbacks', method: 'Shutdown', request: {} }), {})
  const { status, stderr } = await server.ended
  t.equal(status, 0)
  t.match(stderr, 'ended by Shutdown')
  t.notOk(existsSync(socket), 'and no socket is left')
})

t.test('SIGTERM lets calls that are under way end', async (t) => {
  const server = await startServer(t, join(folder(t), 'domain.sock'))
  const calls = Array.from({ length: 20 }, () =>
    call(ask(server.socket, ['v1alpha3.Callbacks', 'OnDefineDomain', ''], vmi())),
  )
  await Promise.race(calls)
  server.child.kill('SIGTERM')
  const settled = await Promise.allSettled(calls)
  const { status, tookMs } = await server.ended
  t.equal(status, 0)
  t.ok(tookMs < 9000, `ended after ${tookMs} ms`)
  t.ok(settled.some((each) => each.status === 'fulfilled'))
  t.notOk(existsSync(server.socket))
})

t.test('a dead socket is replaced, a live one and any other file are not', async (t) => {
  const place = folder(t)
  const path = join(place, 'domain.sock')
  const { socket, child, ended } = await startServer(t, path)
  const second = shell(`$N serve --socket ${path} --host $HOST`, place)
  t.same([second.status, codesOf(second.stderr)], [1, ['socket-unusable']])
  t.match(second.stderr, 'another server answers there')
  await call(ask(socket, ['v1alpha3.Callbacks', 'OnDefineDomain', ''], vmi()))
  child.kill('SIGKILL')
  await ended
  t.ok(existsSync(path), 'a killed server leaves its socket')
  const again = await startServer(t, path)
  await call(ask(again.socket, ['v1alpha3.Callbacks', 'OnDefineDomain', ''], vmi()))
  const full = createServer(() => {}).listen(join(place, 'foreign.sock'))
  t.teardown(() => full.close())
  const foreign = startApart(
    process.execPath,
    [PROGRAM, 'serve', '--socket', join(place, 'foreign.sock')],
    {},
  )
  t.equal((await endOf(foreign)).status, 1, "another program's live socket")
  writeFileSync(join(place, 'file'), '')
  for (const [where, what] of [
    ['file', 'is not a socket'],
    ['missing/domain.sock', 'no such file or directory'],
    ['x'.repeat(110), 'the path of a socket has at most 107 bytes'],
  ] as const) {
    const { status, stderr } = shell(`$N serve --socket $PWD/${where} --host $HOST`, place)
    t.same([status, codesOf(stderr)], [1, ['socket-unusable']], where)
    t.match(stderr, what)
  }
  t.equal(shell('$N serve --socket-mode rw', place).status, 2, 'a mode is octal')
})

t.test('a folder gets one socket, with the mode that was asked for', async (t) => {
  const place = folder(t)
  const first = await startServer(t, place)
  t.match(first.socket, new RegExp(`^${place}/virt-numa-[0-9a-f]{8}\\.sock$`))
  t.equal(statSync(first.socket).mode & 0o777, 0o660)
  t.same(
    readdirSync(place).map((name) => join(place, name)),
    [first.socket],
    'and nothing else',
  )
  const second = await startServer(t, place, ['--host', HOST, '--socket-mode', '600'])
  t.not(second.socket, first.socket, 'each server has its own name')
  t.equal(statSync(second.socket).mode & 0o777, 0o600)
})

t.test('runs without root and without capabilities, as user 107 where the test may choose', async (t) => {
  const place = folder(t)
  chmodSync(place, 0o700)
  const words = [process.execPath, PROGRAM, 'serve', '--socket', place, '--host', HOST]
  const drop = ['--reuid=107', '--regid=107', '--clear-groups', '--bounding-set=-all', '--inh-caps=-all']
  if (isRoot) runApart('chown', ['107:107', place])
  const [program = '', ...options] = isRoot ? ['setpriv', ...drop, '--no-new-privs', ...words] : words
  const child = startApart(program, options, {})
  const ended = endOf(child)
  const socket = await listening(child, ended)
  t.equal(statSync(socket).uid, isRoot ? 107 : process.getuid?.())
  const answer = await call(ask(socket, ['v1alpha3.Callbacks', 'OnDefineDomain', ''], vmi()))
  t.equal(text(answer, 'domainXML'), shim(vmi()))
  child.kill('SIGTERM')
  t.equal((await ended).status, 0)
  t.same(readdirSync(place), [])
})
