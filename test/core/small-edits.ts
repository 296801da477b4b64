// Fixes that are a small edit of the document -> the document with that edit, by code.

/** @returns the edited document; undefined if the fix is worded differently */
type Edit = (domain: string, fix: string) => string | undefined

const sizeOf = /^set <currentMemory> to (\d+) (\w+)$/
const cpusetOf = /^write cpuset ([\d,-]+)$/
const machineOf = /^use machine='([\w.-]+)'(?: with (<iommu .*<\/iommu>))?/

/** The `<target>` of a memory device that names no cell. */
const TARGET_WITHOUT_CELL = /<target>(?!(?:(?!<\/target>)[\s\S])*<node>)/g

const machine: Edit = (domain, fix) => {
  const [, name, iommu = ''] = machineOf.exec(fix) ?? []
  if (name === undefined) return undefined
  return domain
    .replace(/machine='[^']*'/, `machine='${name}'`)
    .replace('<devices/>', `<devices>${iommu}</devices>`)
}

const slots: Edit = (domain, fix) => {
  const written = /^write (<maxMemory slots='\d+')>$/.exec(fix)?.[1]
  return written && domain.replace(/<maxMemory(?: slots='\d+')?/, written)
}

/** The edits of each code. */
export const SMALL_EDITS: Readonly<Record<string, Edit>> = {
  'balloon-without-effect': (domain, fix) => {
    const [, size, unit] = sizeOf.exec(fix) ?? []
    const written = `<currentMemory unit='${unit}'>${size}</currentMemory>`
    return size && domain.replace(/<currentMemory.*<\/currentMemory>/, written)
  },
  'cpuset-cut': (domain, fix) => {
    const cpuset = cpusetOf.exec(fix)?.[1]
    return (
      cpuset && domain.replace(/(<numa:guestMappingPassthrough .*)cpuset='[^']*'/, `$1cpuset='${cpuset}'`)
    )
  },
  'device-in-no-cell': (domain, fix) => {
    const node = /^delete (<node>\d+<\/node>)$/.exec(fix)?.[1]
    return node && domain.replace(node, '')
  },
  'device-without-cell': (domain, fix) => {
    const node = /^write (<node>\d+<\/node>) in its <target>/.exec(fix)?.[1]
    return node && domain.replace(TARGET_WITHOUT_CELL, `<target>${node}`)
  },
  'emulator-apart': (domain, fix) => {
    const pin = /(<emulatorpin cpuset='[\d,-]+'\/>)$/.exec(fix)?.[1]
    return pin && domain.replace(/<emulatorpin .*\/>/, pin)
  },
  'expander-cell-missing': (domain, fix) => {
    const node = /^write <target>(<node>\d+<\/node>)<\/target>/.exec(fix)?.[1]
    return node && domain.replace(/(<controller [\s\S]*?)<node>\d+<\/node>/, `$1${node}`)
  },
  'expander-machine': machine,
  'max-memory-without-cells': (domain, fix) =>
    fix.endsWith('delete <maxMemory>') ? domain.replace(/<maxMemory.*<\/maxMemory>/, '') : undefined,
  'memory-slots-few': slots,
  'memory-slots-older': slots,
  'vcpus-beyond-machine': machine,
}
