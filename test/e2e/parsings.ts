// What libvirt's own parser makes of the spellings in test/data/spellings.json, by its test driver.

import { mkdirSync, writeFileSync } from 'node:fs'
import { documentOf, partsOf, type Spelling } from '../core/spellings.ts'
import { run } from './programs.ts'

/** What libvirt answered to a spelling. */
export type Answer = Pick<Spelling, 'accepted' | 'refused'>

/** libvirt ended silently, as it does when a domain has 4,000,000,000 vCPUs. */
const ENDED = 'it ended silently, probably out of memory'

/** One process for all of them, and a new one behind a document that ends it. */
export async function askLibvirt(spellings: readonly Spelling[], scratch: string): Promise<Answer[]> {
  mkdirSync(scratch, { recursive: true })
  const files = spellings.map(({ xml }, at) => {
    writeFileSync(`${scratch}/${at}.xml`, documentOf(xml))
    return `${scratch}/${at}.xml`
  })
  const answers: Answer[] = []
  while (answers.length < files.length)
    answers.push(...(await askInOneProcess(files, answers.length, scratch)))
  return answers
}

/** @returns answers from `first` on, as far as they came: at least one */
async function askInOneProcess(files: readonly string[], first: number, scratch: string): Promise<Answer[]> {
  const commands = files
    .slice(first)
    .map((file) => `echo ==\ndefine ${file}\ndumpxml spelled\nundefine spelled\n`)
  writeFileSync(`${scratch}/commands`, commands.join(''))
  const { stdout } = await run('sh', ['-c', `exec virsh -c test:///default < ${scratch}/commands 2>&1`])
  const answers = stdout.split(/^(?:virsh # )?==$/m).slice(1)
  if (answers.length === 0) throw new Error(`no answer: ${stdout}`)
  return answers.map((each) => {
    const printed = /<domain[\s\S]*<\/domain>/.exec(each)?.[0]
    if (printed !== undefined) return { accepted: partsOf(printed) }
    return { refused: /^error: (?!Failed to)(.*)/m.exec(each)?.[1] ?? ENDED }
  })
}
