// libvirt's qemu.conf -> the settings that say who QEMU runs as, and in which cgroup.

import type { Diagnostic } from '../../base/diagnostic.ts'
import type { Files } from '../../host/files.ts'
import { textAt } from '../../host/kernel-text.ts'
import type { QemuConf } from '../../model/host.ts'
import { readSettings } from '../../request/qemu-conf.ts'

const FOLDER = '/etc/libvirt'
const NAME = 'qemu.conf'

/** Reads qemu.conf; its mistakes are libvirt's to report. */
export function readQemuConf(files: Files): QemuConf {
  const found: Diagnostic[] = []
  const text = textAt(files, `${FOLDER}/${NAME}`)
  const stated: { user?: string; group?: string; controllers?: readonly string[] } = {}
  for (const { key, value } of readSettings(text ?? '', NAME, found)) {
    if (key.text === 'user' && value.items === undefined) stated.user ??= value.text
    if (key.text === 'group' && value.items === undefined) stated.group ??= value.text
    if (key.text === 'cgroup_controllers') stated.controllers ??= value.items?.map(({ text }) => text) ?? []
  }
  const isClosed = text === undefined && files.list(FOLDER)?.includes(NAME) === true
  return { ...stated, ...((isClosed || found.length > 0) && { isUnreadable: true }) }
}
