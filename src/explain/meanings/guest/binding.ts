// The nodes that cells and devices are bound to: the meaning of each code.

import type { BindingFacts } from '../../../codes/guest/binding.ts'
import { type Meanings, meaning } from '../../code/meaning.ts'

/** The meaning of each code. */
export const bindingMeanings: Meanings<BindingFacts> = {
  'memnodes-with-auto': meaning(
    'memnodes beside memory that numad places',
    "With placement='auto', numad chooses the nodes of the guest's memory, and libvirt does not " +
      'accept a <memnode> that chooses others.',
    "Write placement='static' on <vcpu>, and a <memory> with a nodeset in <numatune>.",
  ),
  'restrictive-mixed': meaning(
    '<memory> is restrictive, but a memnode is not',
    'Mode restrictive leaves the binding to the cpuset cgroup and passes none to QEMU. libvirt ' +
      'requires that all memnodes do the same as <memory>.',
    'Write the same mode in both, or let virt-numa transform --rebind write it.',
  ),
  'restrictive-memnode': meaning(
    'a memnode is restrictive, but <memory> is not',
    'libvirt 9.4 and newer refuse this combination; older versions start the guest. The note is ' +
      'printed whatever version runs here, because the guest may move to another host.',
    "Write mode='restrictive' in <memory> too, or rebind the guest.",
  ),
  'restrictive-with-pages': meaning(
    'mode restrictive with memory allocated at start',
    'With restrictive, libvirt passes no binding to QEMU. Huge pages and preallocated memory would ' +
      'then come from whatever node QEMU happens to run on while it starts, not from the node of the ' +
      'cell.',
    'Request mode strict or preferred.',
  ),
  'mode-changed': meaning(
    'memory gets another mode than the domain has',
    'A mode is kept as the domain states it, unless libvirt or QEMU would not do what it says: ' +
      'restrictive with huge pages, modes that libvirt does not allow together, or cells with different ' +
      'modes that were replaced by new ones.',
    'Often nothing has to be changed. Request a mode explicitly to choose another one.',
  ),
  'memory-mode': meaning(
    '<memory> gets another mode than the domain has',
    'The <memory> element confines the whole QEMU process to the nodes of its cells, whose memnodes ' +
      'have modes of their own. libvirt before 9.3 does not start a guest whose <memory> prefers ' +
      'several nodes.',
    'Write the former mode into <memory> of the fitted domain, if the libvirt in use supports it.',
  ),
  'memory-nodes-narrow': meaning(
    'a strict <memory> excludes the node of a memnode',
    'A strict <memory> limits cpuset.mems of the QEMU process. A cell whose memnode names another ' +
      'node cannot get its memory there, and QEMU fails or allocates elsewhere.',
    'Run virt-numa transform --rebind, which writes the union of the nodes.',
  ),
  'node-missing': meaning(
    'the domain names a node that the host lacks',
    'The guest was fitted to another host, or the host has lost a node. QEMU fails with "NUMA node N ' +
      'is unavailable".',
    'Rebind the guest to this host; a <nodemask> of a memory device has to be written by hand.',
  ),
  'node-outside': meaning(
    'the domain names a node outside the allowed ones',
    'The kernel gives a process no memory from a node outside its cpuset.mems, whatever the domain says.',
    'Rebind the guest, or add the node to cpuset.mems of its cgroup.',
  ),
  'node-memoryless': meaning(
    'the domain names a node without memory',
    'Some hosts have nodes with CPUs alone. Memory cannot be bound to them.',
    'Rebind the guest: its cells then get the nearest node with memory.',
  ),
  'no-memory-node': meaning(
    'no allowed node has memory',
    'The memory of every cell has to come from a node that the guest may use.',
    "Add a node with memory to cpuset.mems of the guest's cgroup.",
  ),
  'set-empty': meaning(
    'a nodeset names no node',
    'The set is empty, or every id in it is excluded again with ^. libvirt refuses it.',
    'Name at least one node.',
  ),
  'memory-elsewhere': meaning(
    'the memory of a cell is not on its own node',
    'The node that runs the vCPUs of the cell has no memory, or the guest may not use it, so the ' +
      'nearest allowed node backs the cell. Each access to it is remote.',
    "If the node has memory, add it to cpuset.mems of the guest's cgroup.",
  ),
  'allocated-without-cpus': meaning(
    'memory allocated at start on a node without CPUs',
    'QEMU allocates huge pages and preallocated memory in threads that run on CPUs of the node. With ' +
      'libvirt 8.10 and newer, QEMU 7.2 and newer end with "The nodes select no CPUs" if the node has ' +
      'none. libvirt 9.2 and newer start such a guest if its emulator is pinned.',
    'Pin the emulator where libvirt is 9.2 or newer, use nodes with CPUs, or use ordinary memory.',
  ),
  'allocated-by-emulator': meaning(
    'a node without CPUs, which this libvirt accepts',
    'The same situation as allocated-without-cpus, on a version of libvirt that is known to start the ' +
      'guest. Another version may not start it.',
    'Keep the emulator pinned, and read the message before libvirt is updated.',
  ),
  'tiers-without-cpus': meaning(
    'tiers=expose gives a node without CPUs no cell',
    'Memory-only nodes (CXL, HBM) become cells without vCPUs only if their memory is ordinary: huge ' +
      'pages and preallocated memory are allocated from CPUs of the node, and it has none.',
    "Use ordinary memory: pagesize=none, without <allocation mode='immediate'/>.",
  ),
  'pin-remote': meaning(
    "vCPUs are pinned away from the cell's memory",
    'The vCPUs run on CPUs of one node, while their cell is bound to another one: every access to ' +
      'memory goes over the interconnect.',
    'Run virt-numa transform --rebind.',
  ),
}
