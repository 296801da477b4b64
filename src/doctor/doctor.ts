// This host, or a captured one, to ten items that a person can act on.

import { cgroupItem, guestsItem } from './cgroup.ts'
import { accessItem, bindingItem, kvmItem } from './confinement.ts'
import { configurationItem, hookItem, versionsItem } from './hook.ts'
import type { Symptoms } from './inspection.ts'
import type { Item } from './item.ts'
import { hugetlbfsItem, pagesItem } from './memory.ts'

/** In the order in which they are told: what libvirt runs, then what a guest gets. */
export function examine(symptoms: Symptoms): Item[] {
  return [
    versionsItem(symptoms),
    configurationItem(symptoms),
    hookItem(symptoms),
    accessItem(symptoms),
    pagesItem(symptoms),
    hugetlbfsItem(symptoms),
    cgroupItem(symptoms),
    guestsItem(symptoms),
    bindingItem(symptoms),
    kvmItem(symptoms),
  ]
}
