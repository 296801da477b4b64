// Runs a code of dist/code, and keeps what V8 has compiled of it by the end: `node warm.cjs CODE CACHE ARGUMENT...`
'use strict'

const { renameSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { dirname, join } = require('node:path')
const { run, scriptOf } = require('./code.cjs')

const [, , code, cache, ...words] = process.argv
const dist = dirname(dirname(code))
const launcher = join(dist, 'virt-numa.cjs')
process.argv = [process.argv[0], launcher, ...words]
const script = scriptOf(code)
process.on('exit', () => {
  writeFileSync(`${cache}.new`, script.createCachedData())
  renameSync(`${cache}.new`, cache)
})
const { writeElement } = run(script, createRequire(launcher), launcher, dist)
writeElement?.(
  { name: 'a', attributes: [['b', 'c']], children: [{ name: 'd', attributes: [] }] },
  { newline: '\n', indent: '  ', unit: '  ', quote: "'" },
)
