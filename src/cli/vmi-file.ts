// The file of --vmi, JSON or YAML, to a Vmi.

import { refuse } from '../base/diagnostic.ts'
import { type Json, parseJson } from '../base/json.ts'
import { readText, VMI } from '../machine/read-text.ts'
import { readVmi, type Vmi } from '../request/vmi.ts'

/** What begins with a brace is JSON, unless its name says YAML, whose braces need no quotes. */
export function readVmiFile(path: string): Vmi {
  const text = readText(path, VMI)
  const isJson = /^\uFEFF?\s*\{/.test(text) && !/\.ya?ml$/i.test(path)
  return readVmi(isJson ? parseJson(text, path) : lazyYaml(text, path), path)
}

function lazyYaml(text: string, source: string): Json {
  const { parseYaml } = require('./yaml.cjs') as typeof import('../machine/yaml.ts')
  const read = parseYaml(text)
  return 'value' in read ? read.value : refuse('yaml-malformed', { source, ...read.mistake })
}
