// The 64-bit BARs of a guest's devices against the window that q35 has for them.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { sum } from '../../base/lists.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { PlanInput } from '../../model/placement.ts'

const GIB = 1024 * 1024
/** What a q35 machine has without `<pcihole64>`. @see QEMU hw/pci-host/q35.c */
const DEFAULT_WINDOW_KIB = 32 * GIB
/** For the guest's other devices, whose BARs are small. */
const OTHERS_KIB = GIB

/**
 * A finding if the window is too small. A root port maps the BARs of its device from a multiple of the
 * largest one on, so a port takes their sum, rounded up to that.
 */
export function windowNotes({ view, resources }: Pick<PlanInput, 'view' | 'resources'>): Diagnostic[] {
  if (!/q35/.test(view.machine ?? '')) return []
  const devices = view.hostdevs.flatMap(({ source }) => {
    const found = resources.devices?.find(({ address }) => address === source)
    return found?.bars64KiB === undefined ? [] : [{ name: found.address, bars64KiB: found.bars64KiB }]
  })
  const needKiB = sum(devices.map(({ bars64KiB }) => portKiB(bars64KiB))) + OTHERS_KIB
  const windowKiB = view.hole64KiB ?? DEFAULT_WINDOW_KIB
  if (devices.length === 0 || needKiB <= windowKiB) return []
  const valueKiB = 2 ** Math.ceil(Math.log2(needKiB))
  return [
    diagnostic('pci-window-small', {
      devices: devices.map(({ name }) => name),
      needKiB,
      windowKiB,
      valueKiB,
    }),
  ]
}

function portKiB(bars64KiB: readonly number[]): number {
  const largest = Math.max(1, ...bars64KiB)
  return Math.ceil(sum(bars64KiB) / largest) * largest
}
