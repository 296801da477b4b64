#!/usr/bin/env node
// dist/virt-numa.cjs: runs code/virt-numa.js with what V8 made of it when it was built, for compiling it takes longer than its work.
// V8 refuses what another version made, and compiles anew. The hook does without: nothing but its program may stand between it and
// a guest.
'use strict'

const { readFileSync } = require('node:fs')
const { run, scriptOf, sumOf } = require('./code.cjs')

/** Set by the build: of each code the file of its cache, whose name changes with the code, and its sum. */
const caches = CACHES

const loaded = {}

function load(name) {
  loaded[name] ??= run(scriptOf(`${__dirname}/code/${name}.js`, cacheOf(name)), requireFrom, __filename, __dirname)
  return loaded[name]
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

const requireFrom = (id) => (id === './write.cjs' ? load('write') : require(id))

load('virt-numa')
