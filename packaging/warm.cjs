// Runs a code of dist/code as the launcher does, and keeps what V8 has compiled of it by the end: `node warm.cjs CODE CACHE ARGUMENT...`
'use strict'

const { readFileSync, renameSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { dirname, join } = require('node:path')
const { Script } = require('node:vm')

const [, , filename, cache, ...words] = process.argv
const dist = dirname(dirname(filename))
const made = { exports: {} }
const script = new Script(readFileSync(filename, 'utf8'), { filename })
process.argv = [process.argv[0], filename, ...words]
process.on('exit', () => {
  writeFileSync(`${cache}.new`, script.createCachedData())
  renameSync(`${cache}.new`, cache)
})
script.runInThisContext()(made.exports, createRequire(join(dist, 'virt-numa.cjs')), made, join(dist, 'virt-numa.cjs'), dist)
const element = { name: 'a', attributes: [['b', 'c']], children: [{ name: 'd', attributes: [] }] }
made.exports.writeElement?.(element, { newline: '\n', indent: '  ', unit: '  ', quote: "'" })
