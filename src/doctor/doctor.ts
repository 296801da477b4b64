// This host, or a captured one -> twelve items.

import { cgroupItem, guestsItem } from './cgroup.ts'
import { accessItem, bindingItem, kvmItem } from './confinement.ts'
import { probesItem } from './ended-qemu.ts'
import { configurationItem, hookItem, versionsItem } from './hook.ts'
import type { Inspection, Item } from './inspection.ts'
import { hugetlbfsItem, pagesItem } from './memory.ts'
import { watchItem } from './watch.ts'

/** The items in the order of the output: what libvirt runs, then what a guest gets. */
export function examine(inspection: Inspection): Item[] {
  return [
    versionsItem(inspection),
    configurationItem(inspection),
    hookItem(inspection),
    watchItem(inspection),
    accessItem(inspection),
    pagesItem(inspection),
    hugetlbfsItem(inspection),
    cgroupItem(inspection),
    guestsItem(inspection),
    bindingItem(inspection),
    probesItem(inspection),
    kvmItem(inspection),
  ]
}
