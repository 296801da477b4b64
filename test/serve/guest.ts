// A guest as KubeVirt describes it to a hook: the VMI, and the domain that KubeVirt made, with its pins.

import { seed } from '../seed.ts'

const pins = [2, 3, 6, 7].map((cpu, vcpu) => `    <vcpupin vcpu='${vcpu}' cpuset='${cpu}'/>\n`).join('')

/** The domain of the first golden case, without our element and with the pins of its pod. */
export const domain = seed
  .replace(/ {2}<metadata>[\s\S]*<\/metadata>\n/, '')
  .replace('  <os>', `  <cputune>\n${pins}  </cputune>\n  <os>`)

/** The VMI of that guest. */
export function vmi(annotations: object = { 'virt-numa.io/memory': 'by-vcpu' }, spec: object = {}): string {
  return JSON.stringify({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: { name: 'seed', annotations },
    spec: {
      architecture: 'amd64',
      domain: {
        cpu: { cores: 4, dedicatedCpuPlacement: true, numa: { guestMappingPassthrough: {} } },
        memory: { guest: '64Mi', hugepages: { pageSize: '2Mi' } },
        devices: {},
        ...spec,
      },
    },
  })
}

/** A VMI that asks for no more than KubeVirt does: it has no cells. */
export const plainVmi = JSON.stringify({
  kind: 'VirtualMachineInstance',
  metadata: { name: 'seed' },
  spec: { domain: { cpu: { cores: 4, dedicatedCpuPlacement: true } } },
})
