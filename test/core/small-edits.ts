// Fixes that are a small edit of the document -> the document with that edit, by code.

/** @returns the edited document; undefined if the finding is worded differently */
type Edit = (domain: string, fix: string, what: string) => string | undefined

const sizeOf = /^set <currentMemory> to (\d+) (\w+)$/
const cpusetOf = /^write cpuset ([\d,-]+)$/
const machineOf = /^use machine='([\w.-]+)'(?: with (<iommu .*<\/iommu>) and (<ioapic .*\/>))?/

/** The `<target>` of a memory device that names no cell. */
const TARGET_WITHOUT_CELL = /<target>(?!(?:(?!<\/target>)[\s\S])*<node>)/g

const machine: Edit = (domain, fix) => {
  const [, name, iommu = '', ioapic = ''] = machineOf.exec(fix) ?? []
  if (name === undefined) return undefined
  return domain
    .replace(/machine='[^']*'/, `machine='${name}'`)
    .replace('<devices/>', `${ioapic && `<features>${ioapic}</features>`}<devices>${iommu}</devices>`)
}

const IOMMU = /<iommu .*(?:\/>|<\/iommu>)/

/** The address that QEMU or libvirt can choose. */
const withoutAddress: Edit = (domain, fix) =>
  /delete (?:it|the address)/.test(fix) ? domain.replace(/<address base='[^']*'\/>/g, '') : undefined

const slots: Edit = (domain, fix) => {
  const written = /^write (<maxMemory slots='\d+')>(?:$|,)/.exec(fix)?.[1]
  return written && domain.replace(/<maxMemory(?: slots='\d+')?/, written)
}

const withoutShape: Edit = (domain, fix) =>
  fix.includes('delete shape there') ? domain.replace(/ shape='[^']*'/, '') : undefined

/** The edits of each code. */
export const SMALL_EDITS: Readonly<Record<string, Edit>> = {
  'balloon-without-effect': (domain, fix) => {
    const [, size, unit] = sizeOf.exec(fix) ?? []
    const written = `<currentMemory unit='${unit}'>${size}</currentMemory>`
    return size && domain.replace(/<currentMemory.*<\/currentMemory>/, written)
  },
  'controller-in-cell': (domain, fix) => {
    const node = /^delete (<node>\d+<\/node>)$/.exec(fix)?.[1]
    return node && domain.replace(node, '')
  },
  'cpuset-cut': (domain, fix) => {
    const cpuset = cpusetOf.exec(fix)?.[1]
    return (
      cpuset && domain.replace(/(<numa:guestMappingPassthrough .*)cpuset='[^']*'/, `$1cpuset='${cpuset}'`)
    )
  },
  'shape-kept': withoutShape,
  'shape-malformed': withoutShape,
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
  'interconnect-refused': (domain, fix, what) => {
    const [, element, initiator, target] = /^a <(\w+)> from cell (\d+) to cell (\d+)/.exec(what) ?? []
    if (!/delete (?:the <|one of the two)/.test(fix) || element === undefined) return undefined
    const written = new RegExp(`<${element} initiator='${initiator}' target='${target}' .*/>`, 'g')
    const last = [...domain.matchAll(written)].at(-1)?.[0]
    return last && domain.replace(last, '')
  },
  'max-memory-without-cells': (domain, fix) =>
    fix.endsWith('delete <maxMemory>') ? domain.replace(/<maxMemory.*<\/maxMemory>/, '') : undefined,
  'memory-address-malformed': withoutAddress,
  'memory-address-unaligned': withoutAddress,
  'memory-device-refused': (domain, fix, what) => {
    const model = /\b(nvdimm|virtio-pmem|virtio-mem|dimm) device/.exec(what)?.[1]
    const device = new RegExp(`<memory model='${model}'[\\s\\S]*?</memory>`, 'g')
    return domain.replace(device, (written) => {
      if (fix === "delete discard='yes'") return written.replace(" discard='yes'", '')
      if (fix === "write access='shared'")
        return written.replace(
          /<memory model='virtio-pmem'(?: access='\w+')?/,
          `<memory model='${model}' access='shared'`,
        )
      if (fix === 'delete the <uuid>') return written.replace(/<uuid>.*<\/uuid>/, '')
      return fix.startsWith('delete the <address>') ? written.replace(/<address type=.*\/>/, '') : written
    })
  },
  'memory-devices-overlap': withoutAddress,
  'memory-slot-beyond': slots,
  'memory-slot-twice': (domain, fix) => {
    const last = [...domain.matchAll(/<address type='dimm' slot='\d+' base='.*'\/>/g)].at(-1)?.[0]
    return last && /delete its <address>/.test(fix) ? domain.replace(last, '') : undefined
  },
  'memory-slots-few': slots,
  'memory-slots-older': slots,
  'vcpus-beyond-machine': machine,
  'vcpus-need-eim': (domain, fix) => {
    const [, attribute, value = ''] = /^write (eim|intremap)=('on')$/.exec(fix) ?? []
    if (attribute !== undefined)
      return domain.replace(new RegExp(`${attribute}='off'`), `${attribute}=${value}`)
    const element = /(<(iommu|ioapic) [^>]*>)$/.exec(fix)
    if (element?.[2] === 'ioapic') return domain.replace(/<ioapic .*\/>/, element[1] ?? '')
    return element === null ? undefined : domain.replace(IOMMU, "<iommu model='intel'/>")
  },
  'vcpus-need-iommu': (domain, fix) => {
    const [, iommu, ioapic] = /^write (<iommu .*<\/iommu>) in <devices>, and (<ioapic .*\/>)/.exec(fix) ?? []
    return (
      iommu &&
      domain
        .replace(IOMMU, '')
        .replace('</devices>', `${iommu}</devices>`)
        .replace('</features>', `${ioapic}</features>`)
    )
  },
}
