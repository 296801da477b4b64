// The methods that virt-launcher calls, by their gRPC path: a request's bytes -> the answer's bytes.
//
// KubeVirt has changed these calls three times, but each asks the same: which domain to define for a VMI.
// All of them are served at once, since the server does not know which version of KubeVirt starts it. The
// messages are those in packaging/kubevirt/proto/.

import { refuse } from '../codes/codes.ts'
import { type Fields, readMessage, writeMessage } from './wire.ts'

/** Which domain to define: asked by every version of KubeVirt. The bytes are UTF-8. */
export interface DefineQuestion {
  readonly method: string
  readonly domain: Uint8Array
  readonly vmi: Uint8Array
  /** Why a plugin is asked. A sidecar is not given a reason: its VMI alone says whether it is a migration. */
  readonly reason: 'boot' | 'by-vmi'
}

/** @returns the domain, which may be the bytes that were given. @throws Refusal */
export type AnswerDefine = (question: DefineQuestion) => Uint8Array

/** What virt-handler asks on a node, at a moment of a guest's life. The bytes are UTF-8. */
export interface NodeQuestion {
  readonly hookPoint: string
  readonly vmi: Uint8Array
  readonly node: string
}

/** @throws Refusal, which stops what virt-handler is about to do */
export type AnswerNode = (question: NodeQuestion) => void

/** An answer; with `ends` the server ends after it is sent. */
interface MethodAnswer {
  readonly message: Uint8Array
  readonly ends?: true
}

/** One method of a service. @throws Refusal */
export type Method = (request: Uint8Array) => MethodAnswer

const NAME = 'virt-numa'

/** virt-launcher calls the highest version that is listed. */
const VERSIONS = ['v1alpha3', 'v1alpha2', 'v1alpha1'] as const

/** PreCloudInitIso is not listed: virt-launcher asks only one sidecar, and its answer is final. */
const HOOK_POINTS = ['OnDefineDomain', 'Shutdown']

/** All methods by the path that HTTP/2 carries. */
export function methodsOf(define: AnswerDefine): Readonly<Record<string, Method>> {
  const plugins = '/kubevirt.hooks.plugins.v1alpha1'
  return {
    '/kubevirt.hooks.info.Info/Info': info,
    '/kubevirt.hooks.v1alpha1.Callbacks/OnDefineDomain': onDefineDomain(define),
    '/kubevirt.hooks.v1alpha2.Callbacks/OnDefineDomain': onDefineDomain(define),
    '/kubevirt.hooks.v1alpha2.Callbacks/PreCloudInitIso': preCloudInitIso,
    '/kubevirt.hooks.v1alpha3.Callbacks/OnDefineDomain': onDefineDomain(define),
    '/kubevirt.hooks.v1alpha3.Callbacks/PreCloudInitIso': preCloudInitIso,
    '/kubevirt.hooks.v1alpha3.Callbacks/Shutdown': shutdown,
    [`${plugins}.DomainHookService/MutateDomain`]: guestDefinition('MutateDomain', define),
    [`${plugins}.LauncherHookService/GuestDefinition`]: guestDefinition('GuestDefinition', define),
  }
}

/** The methods of a DaemonSet, which virt-handler calls. */
export function nodeMethodsOf(answer: AnswerNode): Readonly<Record<string, Method>> {
  return {
    '/kubevirt.hooks.plugins.v1alpha1.NodeHookService/ExecuteNodeHook': (request) => {
      const fields = fieldsOf('ExecuteNodeHook', request)
      const context = fieldsOf('ExecuteNodeHook', at(fields, 3))
      answer({ hookPoint: textOf(at(fields, 1)), vmi: at(fields, 2), node: textOf(at(context, 1)) })
      return { message: EMPTY }
    },
  }
}

/** The priority of a hook point has no effect in virt-launcher. */
function info(): MethodAnswer {
  const points = HOOK_POINTS.map((point) => [3, writeMessage([[1, point]])] as const)
  const versions = VERSIONS.map((version) => [4, version] as const)
  return { message: writeMessage([[1, NAME], ...points, ...versions]) }
}

const onDefineDomain =
  (define: AnswerDefine): Method =>
  (request) => {
    const method = 'OnDefineDomain'
    const fields = fieldsOf(method, request)
    const domain = define({ method, domain: at(fields, 1), vmi: at(fields, 2), reason: 'by-vmi' })
    return { message: writeMessage([[1, domain]]) }
  }

function preCloudInitIso(request: Uint8Array): MethodAnswer {
  const fields = fieldsOf('PreCloudInitIso', request)
  return {
    message: writeMessage([
      [1, at(fields, 1)],
      [3, at(fields, 3)],
    ]),
  }
}

/** A sidecar that outlives QEMU keeps the pod of a migration's source, which blocks the next migration. */
const shutdown: Method = () => ({ message: writeMessage([]), ends: true })

/**
 * A plugin's only context in which the answer is defined is Boot; an answer to any other is dropped, and only
 * an error of it has an effect.
 */
const guestDefinition =
  (method: string, define: AnswerDefine): Method =>
  (request) => {
    const fields = fieldsOf(method, request)
    const domain = at(fields, 2)
    const context = fieldsOf(method, at(fields, 4))
    const isBoot = textOf(at(context, 1)) === 'Boot' && textOf(at(fields, 1)) === 'libvirt'
    const answer = isBoot ? define({ method, domain, vmi: at(fields, 3), reason: 'boot' }) : domain
    return { message: writeMessage([[1, answer]]) }
  }

function fieldsOf(method: string, message: Uint8Array): Fields {
  const fields = readMessage(message)
  return 'invalidAt' in fields ? refuse('message-malformed', { method, offset: fields.invalidAt }) : fields
}

const EMPTY = new Uint8Array()

const at = (fields: Fields, number: number): Uint8Array => fields.get(number) ?? EMPTY

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
