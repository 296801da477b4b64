// Fits a domain to a host: the fitted XML is stdout, the explanation stderr.
//
//   node place.mjs DOMAIN.XML HOST.JSON > FITTED.XML

import { readFileSync } from 'node:fs'
import { explain, place, Refusal, readDomain, readHost } from 'virt-numa'

const [domainFile, hostFile] = process.argv.slice(2)
const text = readFileSync(domainFile, 'utf8')
const texts = [{ source: domainFile, text }]
try {
  const host = readHost(readFileSync(hostFile, 'utf8'), hostFile)
  const placed = place(readDomain(text, domainFile), host, { request: { memory: 'even' } })
  process.stderr.write(explain(placed) + explain(placed.notes, { texts, shortages: 'warnings' }))
  process.stdout.write(placed.text)
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  process.stderr.write(explain(error, { texts }))
  process.exitCode = 1
}
