// A native hook that breaks while it reads a guest's document, in the way that VIRT_NUMA_FAULT names.

import { fit, fitSteps } from '../../hooks/fit.ts'
import { runHook } from '../../hooks/native/run.ts'
import { calls } from '../../src/machine/native/calls.ts'

const faults: Readonly<Record<string, () => void>> = {
  loop: () => {
    for (;;);
  },
  'loop after a catch': () => {
    for (;;)
      try {
        for (;;);
      } catch {}
  },
  regex: () => /^(a|a)*$/.test(`${'a'.repeat(60)}b`),
  sort: () => void Array.from({ length: 10_000_000 }, (_, at) => -at).sort((a, b) => a - b),
  memory: () => {
    for (const all: number[][] = []; ; ) all.push(Array.from({ length: 100_000 }, (_, at) => at))
  },
  'one allocation': () => void new Uint8Array(2 ** 31),
  strings: () => {
    for (let text = 'x'; ; ) text = [text, text].join('')
  },
  stack: function deeper(): void {
    deeper()
    deeper()
  },
  throws: () => {
    throw new Error('broken')
  },
  blocked: () => calls.wait(60_000),
}

runHook((task) =>
  fit(task, {
    ...fitSteps,
    readDocument: (text, source) => {
      faults[calls.environment('VIRT_NUMA_FAULT') ?? '']?.()
      return fitSteps.readDocument(text, source)
    },
  }),
)
