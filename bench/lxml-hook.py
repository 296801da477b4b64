"""What a hook in Python would cost: the same rebind of a guest with cells, domain XML on stdin, the machine's root as argument.

Cell i goes to the i-th node with CPUs, its vCPUs to that node's CPUs in turn. No diagnostics, no pages, no limits, no log: the
least that gives the answer of golden/2n4c2t-hook-migrate.
"""

import os
import re
import sys

from lxml import etree


def ids(text):
    found = []
    for part in filter(None, text.strip().split(",")):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    return found


def nodes(root):
    at = root + "/sys/devices/system/node"
    names = sorted((n for n in os.listdir(at) if re.fullmatch(r"node\d+", n)), key=lambda n: int(n[4:]))
    for name in names:
        with open(f"{at}/{name}/cpulist", encoding="ascii") as file:
            cpus = ids(file.read())
        if cpus:
            yield int(name[4:]), cpus


def main():
    homes = list(nodes(sys.argv[1]))
    domain = etree.fromstring(sys.stdin.buffer.read())
    cells = domain.findall("cpu/numa/cell")
    used = []
    for index, cell in enumerate(cells):
        node, cpus = homes[index % len(homes)]
        used.append(node)
        for vcpu, cpu in zip(ids(cell.get("cpus")), cpus):
            pin = domain.find(f"cputune/vcpupin[@vcpu='{vcpu}']")
            if pin is not None:
                pin.set("cpuset", str(cpu))
        memnode = domain.find(f"numatune/memnode[@cellid='{cell.get('id')}']")
        if memnode is not None:
            memnode.set("nodeset", str(node))
    memory = domain.find("numatune/memory")
    if memory is not None:
        memory.set("nodeset", ",".join(str(node) for node in sorted(set(used))))
    sys.stdout.buffer.write(etree.tostring(domain))


main()
