// On which of these hosts can a guest start now? A line for each, with the first reason against it.
//
//   node which-host.cjs DOMAIN.XML HOST.JSON...

const { readFileSync } = require('node:fs')
const { check, describe, place, Refusal, readDomain, readHost } = require('virt-numa')

const [domainFile, ...hostFiles] = process.argv.slice(2)
const domain = readDomain(readFileSync(domainFile, 'utf8'), domainFile)

/** Fits the guest to a host, and checks the result as libvirt would get it. */
function reasonsAgainst(host) {
  try {
    const fitted = readDomain(place(domain, host).text)
    return check(fitted, host).filter((each) => describe(each).class !== 'note')
  } catch (error) {
    if (error instanceof Refusal) return error.diagnostics
    throw error
  }
}

for (const file of hostFiles) {
  const [reason] = reasonsAgainst(readHost(readFileSync(file, 'utf8'), file))
  console.log(`${file}: ${reason === undefined ? 'can start' : describe(reason).what}`)
}
