// What dist/code holds: functions that take what Node gives a module, and what V8 made of them. Used to run them and to build them.
'use strict'

const { readFileSync } = require('node:fs')
const { Script } = require('node:vm')

/** The build writes ASCII, and one byte a letter is read fastest. */
const scriptOf = (code, cachedData) => new Script(readFileSync(code, 'latin1'), { filename: code, cachedData })

/** As if it stood in `filename`. @returns what it exports */
function run(script, requireFrom, filename, dirname) {
  const made = { exports: {} }
  script.runInThisContext()(made.exports, requireFrom, made, filename, dirname)
  return made.exports
}

/**
 * Of one word in sixteen, and the length: a disk spoils blocks, not bits, and a sum of all words, or a module that has one, costs
 * more than it is worth here.
 */
function sumOf(bytes) {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  let sum = bytes.length
  for (let at = 0; at < words.length; at += 16) sum = (Math.imul(sum, 31) + words[at]) | 0
  return sum
}

module.exports = { scriptOf, run, sumOf }
