// The protobuf messages of wire.ts against a protobuf library that reads packaging/kubevirt/proto.

import { loadSync } from '@grpc/proto-loader'
import fc from 'fast-check'
import t from 'tap'
import { readMessage, writeMessage } from '../../src/serve/wire.ts'

const packages = loadSync('packaging/kubevirt/proto/plugins.proto', { keepCase: true, defaults: true })
const service = packages['kubevirt.hooks.plugins.v1alpha1.DomainHookService']
const { requestSerialize, responseDeserialize } = (
  service as unknown as {
    readonly MutateDomain: {
      readonly requestSerialize: (value: object) => Buffer
      readonly responseDeserialize: (bytes: Buffer) => { readonly domain: Buffer }
    }
  }
).MutateDomain

const bytes = (max: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength: max }).map((array) => Buffer.from(array))
const said = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString('latin1')

t.test('reads what a protobuf library writes', (t) => {
  fc.assert(
    fc.property(fc.string(), bytes(300), bytes(40_000), fc.string(), (type, domain, vmi, context) => {
      const sidecar_context = { invocation_context: context }
      const fields = readMessage(requestSerialize({ domain_type: type, domain, vmi, sidecar_context }))
      if ('invalidAt' in fields) return false
      const inner = readMessage(fields.get(4) ?? new Uint8Array())
      if ('invalidAt' in inner) return false
      return (
        said(fields.get(1)) === said(Buffer.from(type)) &&
        said(fields.get(2)) === said(domain) &&
        said(fields.get(3)) === said(vmi) &&
        said(inner.get(1)) === said(Buffer.from(context))
      )
    }),
  )
  t.end()
})

t.test('a protobuf library reads what is written', (t) => {
  fc.assert(
    fc.property(bytes(40_000), (domain) =>
      responseDeserialize(Buffer.from(writeMessage([[1, domain]]))).domain.equals(domain),
    ),
  )
  t.end()
})

t.test('unknown fields of every form are skipped', (t) => {
  const unknown = [
    [0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    [0x31, 1, 2, 3, 4, 5, 6, 7, 8],
    [0x3d, 1, 2, 3, 4],
    [0xa2, 0x06, 2, 9, 9],
  ].flat()
  const fields = readMessage(Uint8Array.from([...unknown, 0x0a, 1, 65, ...unknown, 0x0a, 1, 66]))
  t.notOk('invalidAt' in fields)
  if (!('invalidAt' in fields)) t.equal(said(fields.get(1)), 'B', 'and the last value counts')
  t.end()
})

t.test('a truncated or invalid message is refused with the offset of the wrong field', (t) => {
  for (const [message, invalidAt] of [
    [[0x0a], 0],
    [[0x0a, 5, 65], 0],
    [[0x0a, 1, 65, 0x12, 0x80], 3],
    [[0x0b], 0],
    [[0x02, 1, 65], 0],
    [[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], 0],
    [[0x31, 1], 0],
  ] as const)
    t.same(readMessage(Uint8Array.from(message)), { invalidAt }, `${message}`)
  t.end()
})

t.test('random bytes end in fields or an offset', (t) => {
  fc.assert(fc.property(fc.uint8Array(), (message) => readMessage(message) !== undefined))
  t.end()
})
