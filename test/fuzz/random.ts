// A seed, a target's name and a number to the same stream of choices on every machine, so that any input can
// be made again.

/** Whole numbers and choices; the same sequence for the same seed. */
export interface Random {
  /** 0 to below - 1. */
  readonly upTo: (below: number) => number
  /** True once in this many calls, on average. */
  readonly onceIn: (many: number) => boolean
  readonly oneOf: <T>(choices: readonly T[]) => T
}

/** The numbers of one run: the same seed, target and index give the same ones. */
export function randomFor(seed: number, target: string, index: number): Random {
  const next = sfc32(hashOf(`${seed} ${target} ${index}`))
  const upTo = (below: number): number => Math.floor((next() / 2 ** 32) * below)
  return {
    upTo,
    onceIn: (many) => upTo(many) === 0,
    oneOf: (choices) => choices[upTo(choices.length)] as (typeof choices)[number],
  }
}

/** FNV-1a, once per word of the state. */
function hashOf(text: string): [number, number, number, number] {
  const words = [0, 1, 2, 3].map((salt) => {
    let hash = 2166136261 ^ salt
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 16777619)
    return hash >>> 0
  })
  return words as [number, number, number, number]
}

/** Chris Doty-Humphrey's small fast counter. */
function sfc32([a, b, c, d]: [number, number, number, number]): () => number {
  const next = (): number => {
    const sum = (a + b + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return sum >>> 0
  }
  for (let round = 0; round < 12; round++) next()
  return next
}
