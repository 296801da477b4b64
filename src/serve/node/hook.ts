// One call of virt-handler on a node -> an empty answer, or a refusal: the NodeHookService of the DaemonSet.
//
// Before a guest starts or arrives, what is proven to keep it from running there is refused. After that its
// placement is logged, and nothing is refused: an error would leave a migration unfinished.

import { type Diagnostic, Refusal } from '../../base/diagnostic.ts'
import { type Json, parseJson } from '../../base/json.ts'
import { byAnnotations } from '../../explain/asks.ts'
import { messageOf } from '../../explain/message.ts'
import { machineIn } from '../../machine/files.ts'
import { readHostSource } from '../../machine/host-source.ts'
import { actionLine } from '../../machine/log-line.ts'
import { textOf, VMI } from '../../machine/read/read-text.ts'
import { asksFor } from '../../request/vmi-asks.ts'
import type { Defining } from '../define.ts'
import type { AnswerNode, NodeQuestion } from '../methods.ts'
import { findPod, type Pod } from './pod.ts'
import { type Arriving, againstMigration, againstStart } from './preflight.ts'
import { verifyPod } from './verify.ts'
import { domainNameOf, podsOn } from './vmi.ts'

/** `root`: the folder with the node's proc/ and sys/. */
interface NodeHooking extends Defining {
  readonly root: string
}

/** What is logged; `found` refuses. */
interface Outcome {
  readonly summary: string
  readonly details?: string
  readonly found?: readonly Diagnostic[]
}

interface Hooked {
  readonly hooking: NodeHooking
  readonly vmi: Json
  readonly pod: Pod
}

/** By hook point; at others there is nothing to do. */
const ACTS: Readonly<Record<string, (hooked: Hooked) => Outcome>> = {
  PreVMStart: (hooked) => refusing(againstStart(arrivingOf(hooked))),
  PreMigrationTarget: (hooked) => refusing(againstMigration(arrivingOf(hooked))),
  PostVMStart: verifying,
  PostMigrationTarget: verifying,
}

/** Of these a guest that does not run yet may be refused: the request itself is wrong. */
const REFUSES_REQUEST = 'PreVMStart'

/** Answers a guest that asks; every other gets an empty answer and no line in the log. */
export function nodeHookWith(hooking: NodeHooking): AnswerNode {
  return (question) => {
    const act = ACTS[question.hookPoint]
    if (act === undefined) return
    const began = performance.now()
    const vmi = vmiOf(question)
    if (vmi === undefined || !asksFor(vmi)) return
    const { summary, details = '', found = [] } = outcomeOf(act, { hooking, vmi, question })
    const about = `${question.hookPoint} ${domainNameOf(vmi)}`
    // The server itself logs what is refused.
    if (found.length > 0) throw new Refusal(found)
    hooking.log(actionLine(about, summary, new Date(), performance.now() - began) + details)
  }
}

/** A VMI that cannot be read is refused before it starts, and nowhere else. */
function vmiOf({ hookPoint, vmi }: NodeQuestion): Json | undefined {
  try {
    return parseJson(textOf(vmi, 'the VMI', VMI), 'the VMI')
  } catch (error) {
    if (hookPoint === REFUSES_REQUEST || !(error instanceof Refusal)) throw error
    return undefined
  }
}

interface Asked {
  readonly hooking: NodeHooking
  readonly vmi: Json
  readonly question: NodeQuestion
}

/** What cannot be read of the node proves nothing against the guest. */
function outcomeOf(act: (hooked: Hooked) => Outcome, { hooking, vmi, question }: Asked): Outcome {
  const { hookPoint, node } = question
  const pod = findPod(machineIn(hooking.root), podsOn(vmi, node))
  if (pod === undefined) return { summary: 'not checked: its pod is not found on this node' }
  try {
    return act({ hooking, vmi, pod })
  } catch (error) {
    if (!(error instanceof Refusal)) {
      if (!hookPoint.startsWith('Post')) throw error
      return { summary: `not checked: ${error}` }
    }
    if (hookPoint === REFUSES_REQUEST) return { summary: '', found: error.diagnostics }
    const [first] = error.diagnostics
    return { summary: `not checked: ${first === undefined ? '' : messageOf(first, byAnnotations).what}` }
  }
}

function arrivingOf({ hooking, vmi, pod }: Hooked): Arriving {
  const { config, configSource, flags, root } = hooking
  const { host } = readHostSource({ host: root, whole: true })
  return { vmi, config, configSource, flags, source: { host, allowed: pod.allowed } }
}

const refusing = (found: readonly Diagnostic[]): Outcome =>
  found.length === 0 ? { summary: 'ok' } : { summary: '', found }

function verifying({ hooking: { root }, pod: { qemu } }: Hooked): Outcome {
  if (qemu === undefined) return { summary: 'not verified: its pod has no QEMU process' }
  const { host } = readHostSource({ host: root, whole: true })
  return verifyPod({ files: machineIn(root), root, pid: qemu, host })
}
