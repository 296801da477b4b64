// The nodes that cells and devices are bound to: the text of each code.

import { formatSet, type NodeSet } from '../../base/idset.ts'
import type { BindingFacts } from '../../codes/binding.ts'
import { cellWord, nodesNamed, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const bindingTexts: Texts<BindingFacts> = {
  'memnodes-with-auto': () =>
    text(
      'there are memnodes, and the placement of memory is auto',
      'libvirt refuses a binding of cells beside the one that numad makes',
      "write placement='static' in <vcpu>, and <memory mode='strict' nodeset='...'/> in <numatune>",
    ),
  'restrictive-mixed': (f) =>
    text(
      `<memory> has mode ${f.memory}, the memnodes of ${cellWord(f.cells)} have mode ${f.memnode}`,
      'libvirt wants restrictive for both or for neither',
      'write the same mode in both, or run virt-numa transform --rebind',
    ),
  'restrictive-with-pages': (f) =>
    text(
      `mode=restrictive with ${f.what}`,
      'QEMU gets no binding then, and takes the memory where it runs while it starts',
      'use --mode strict or --mode preferred',
    ),
  'memory-nodes-narrow': (f) =>
    text(
      `<memory nodeset='${f.memory}'> is strict and lacks node ${f.missing}, which a memnode binds`,
      'it confines the whole process, so QEMU cannot get memory there',
      'run virt-numa transform --rebind',
    ),
  'node-missing': (f) =>
    text(
      `${f.element} names ${nodesNamed(f.nodes)}, this host has ${nodesNamed(f.has)}`,
      `QEMU would end with "NUMA node ${f.nodes.replace(/\D.*$/, '')} is unavailable"`,
      fixOfNodes(f.nodemask, 'run virt-numa transform --rebind'),
    ),
  'node-outside': (f) =>
    text(
      `${f.element} names ${nodesNamed(f.nodes)}, the guest may use ${nodesNamed(f.allowed)}`,
      'a node outside of cpuset.mems gives no memory',
      fixOfNodes(f.nodemask, 'run virt-numa transform --rebind, or allow the node'),
    ),
  'node-memoryless': (f) =>
    text(
      `${f.element} names ${nodesNamed(f.nodes)}, without memory`,
      'nothing can be bound to a node that has no memory',
      fixOfNodes(f.nodemask, 'run virt-numa transform --rebind'),
    ),
  'no-memory-node': (f) =>
    text(
      `none of the allowed nodes ${f.allowed || '(none)'} has memory`,
      'each cell is bound to a node with memory',
      'give the pod nodes with memory (cpuset.mems)',
    ),
  'set-empty': (f) =>
    text(`${f.element} names no node`, 'libvirt refuses a set of which nothing is left', 'name one'),
  'memory-elsewhere': (f) =>
    text(
      `cell ${f.cell} runs on node ${f.node}, its memory is on node ${f.backing}`,
      `node ${f.node} has no memory, or the guest may not use it (cpuset.mems)`,
      `allow node ${f.node} if it has memory`,
    ),
  'pin-remote': (f) =>
    text(
      `cell ${f.cell} has vCPUs pinned to node ${f.pinned} (${f.vcpus}), and its memory on node ${f.nodes}`,
      'every access then goes over to another node',
      'run virt-numa transform --rebind',
    ),
}

const fixOfNodes = (nodemask: NodeSet | undefined, otherwise: string): string =>
  nodemask === undefined
    ? otherwise
    : `write <nodemask>${formatSet(nodemask)}</nodemask>, or delete it: the device then lies with its cell`
