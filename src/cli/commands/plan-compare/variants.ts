// The value of --compare, "memory=even,by-vcpu" -> the key and its values, each read as its flag is.

import { collectRefusals, type Diagnostic } from '../../../base/diagnostic.ts'
import { diagnostic, refuseAll } from '../../../codes/codes.ts'
import { asKey, type Key } from '../../../request/keys.ts'
import { type RequestedKeys, readKeys } from '../../../request/request.ts'

/** What is compared: the values of one key, as typed and as read. */
export interface Variants {
  readonly key: Key
  readonly values: readonly { readonly text: string; readonly requested: RequestedKeys }[]
}

/** @throws Refusal of class usage, with every mistake */
export function variantsOf(compared: string): Variants {
  const equals = compared.indexOf('=')
  const name = equals < 0 ? compared : compared.slice(0, equals)
  const list = equals < 0 ? '' : compared.slice(equals + 1)
  // A list of page sizes and a set of CPUs have commas of their own.
  const texts = list.split(list.includes(';') ? ';' : ',').map((each) => each.trim())
  const key = asKey(name)
  if (key !== undefined && (texts.length < 2 || texts.includes('') || new Set(texts).size < texts.length))
    refuseAll([
      diagnostic('usage-option-value', { option: '--compare', given: compared, takes: 'KEY=A,B,...' }),
    ])
  const causes: Diagnostic[] = []
  const values = texts.flatMap((text) => {
    const requested = collectRefusals(causes, () => readKeys([[name, text]], `--compare ${name}`))
    return requested === undefined ? [] : [{ text, requested }]
  })
  const mistakes = causes.map((cause) => diagnostic('usage-value', { cause }))
  // An unknown key is one mistake, however many values it has.
  refuseAll(key === undefined ? mistakes.slice(0, 1) : mistakes)
  return { key: key as Key, values }
}
