// Each spelling is read as libvirt reads it: refused where libvirt refuses it, else with the value that
// libvirt prints.

import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { classOf, refuseAll } from '../../src/codes/codes.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import type { DomainView } from '../../src/model/domain.ts'
import { refusedByLibvirt } from '../../src/plan/refused.ts'
import { comparable, documentOf, readSpellings, type Spelling } from './spellings.ts'

const spellings = readSpellings()

/** What the driver for QEMU refuses and the test driver takes, whatever the spelling. */
const OF_QEMU: readonly string[] = ['max-memory-without-cells', 'device-without-cell']

/** What check reads: the document, and the findings within it. */
function read(xml: string): DomainView | Refusal {
  try {
    const view = readDomain(readDocument(documentOf(xml)))
    refuseAll(refusedByLibvirt(view).filter(({ code }) => !OF_QEMU.includes(code)))
    return view
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

function wanted({ accepted, ours }: Spelling): 'accepted' | 'refused' {
  return ours ?? (accepted === undefined ? 'refused' : 'accepted')
}

t.test('the table', (t) => {
  t.ok(spellings.length >= 150, `${spellings.length} spellings`)
  t.equal(new Set(spellings.map(({ xml }) => xml)).size, spellings.length, 'no spelling occurs twice')
  for (const each of spellings)
    t.not(each.accepted === undefined, each.refused === undefined, `${each.xml} has one answer`)
  for (const each of spellings.filter(({ ours }) => ours !== undefined)) {
    t.not(
      each.ours,
      each.accepted === undefined ? 'refused' : 'accepted',
      `${each.xml}: ours is another answer`,
    )
    t.match(each.why, /libvirt|QEMU/, `${each.xml} says why`)
  }
  t.end()
})

for (const part of new Set(spellings.map((each) => each.part))) {
  t.test(part, (t) => {
    for (const each of spellings.filter((one) => one.part === part)) {
      const name = each.xml.replace(/\n/g, '\\n')
      const ours = read(each.xml)
      if (wanted(each) === 'refused') {
        t.ok(
          ours instanceof Refusal && ours.diagnostics.every(({ code }) => classOf(code) === 'invalid'),
          `refused: ${name}`,
        )
        continue
      }
      if (ours instanceof Refusal) t.fail(`taken: ${name}`, { refusal: ours.message })
      else if (each.accepted === undefined) t.pass(`taken: ${name}`)
      else {
        const libvirts = read(each.accepted)
        if (libvirts instanceof Refusal)
          t.fail(`what libvirt prints is read: ${name}`, { refusal: libvirts.message })
        else t.same(comparable(ours), comparable(libvirts), `the same: ${name}`)
      }
    }
    t.end()
  })
}
