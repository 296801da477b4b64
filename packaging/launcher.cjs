#!/usr/bin/env node
// dist/virt-numa.cjs: runs code/virt-numa.js with what V8 made of it when it was built, for compiling it takes longer than its work.
// V8 refuses what another version made, and compiles anew. The hook does without: nothing but its program may stand between it and
// a guest.
'use strict'

const { readFileSync } = require('node:fs')
const { Script } = require('node:vm')

/** Set by the build: of each code the file of its cache, whose name changes with the code, and its sum. */
const caches = '@caches@'

const loaded = {}

function load(name) {
  if (loaded[name] !== undefined) return loaded[name].exports
  const filename = `${__dirname}/code/${name}.js`
  const made = { exports: {} }
  loaded[name] = made
  const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData: cacheOf(name) })
  script.runInThisContext()(made.exports, requireFrom, made, __filename, __dirname)
  return made.exports
}

/** V8 believes what it is given, so what a disk has spoilt is left unread. */
function cacheOf(name) {
  const { file, sum } = caches[name]
  try {
    const cache = readFileSync(`${__dirname}/code/${file}`)
    return sumOf(cache) === sum ? cache : undefined
  } catch {
    return undefined
  }
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

const requireFrom = (id) => (id === './write.cjs' ? load('write') : require(id))

load('virt-numa')
