// Why a call failed -> the gRPC status: its code, and one line that KubeVirt copies into the VMI's condition.

import { type Diagnostic, Refusal } from '../base/diagnostic.ts'
import { visible } from '../base/visible.ts'
import { documentsClasses } from '../codes/documents.ts'
import { domainClasses } from '../codes/guest/domain.ts'
import { requestClasses } from '../codes/request.ts'
import { byAnnotations } from '../explain/asks.ts'
import { messageOf } from '../explain/message.ts'

/** @see grpc.io, "Status codes" */
export const GRPC = { invalidArgument: 3, failedPrecondition: 9, internal: 13 } as const

/** What the caller receives. `details` is one line. */
export interface Status {
  readonly code: (typeof GRPC)[keyof typeof GRPC]
  readonly details: string
}

/** KubeVirt prefixes the plugin's name, and a condition should still be readable. */
const MOST_CHARACTERS = 1000

/** Codes that say that the request itself cannot be read, whatever the host. */
const OF_THE_REQUEST: readonly string[] = [
  ...Object.keys(documentsClasses),
  ...Object.keys(domainClasses),
  ...Object.keys(requestClasses),
  'json-malformed',
  'message-malformed',
  'size-malformed',
  'size-too-large',
  'set-malformed',
  'set-too-large',
  'set-too-long',
  'utf8-invalid',
  'vmi-malformed',
]

/** The status of what a method threw; anything but a Refusal is a bug of ours. */
export function statusOf(error: unknown): Status {
  if (!(error instanceof Refusal))
    return { code: GRPC.internal, details: line(`virt-numa failed: ${error}; the sidecar's log says where`) }
  const [first] = error.diagnostics
  const isOfRequest = first !== undefined && OF_THE_REQUEST.includes(first.code)
  return {
    code: isOfRequest ? GRPC.invalidArgument : GRPC.failedPrecondition,
    details: line(reasons(error.diagnostics)),
  }
}

/** "error[CODE]: what; fix: ...; 2 more: CODE, CODE" */
function reasons([first, ...others]: readonly Diagnostic[]): string {
  if (first === undefined) return 'refused'
  const { what, fix } = messageOf(first, byAnnotations)
  const more = [...new Set(others.map(({ code }) => code))]
  return [
    `error[${first.code}]: ${what}`,
    ...(fix === undefined ? [] : [`fix: ${fix}`]),
    ...(others.length === 0 ? [] : [`${others.length} more: ${more.join(', ')}`]),
  ].join('; ')
}

function line(text: string): string {
  const shown = visible(text)
  return shown.length <= MOST_CHARACTERS ? shown : `${shown.slice(0, MOST_CHARACTERS - 3)}...`
}
