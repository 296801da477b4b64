#!/bin/sh
# The tests of the native programs that judge answers and limits of time, memory and stack, run with those for
# aarch64 in an emulator (root, apt), with a part of their tables. What is left out is about this machine's
# limits and streams.
set -eu
cd "$(dirname "$0")/../.."

emulator=qemu-aarch64-static
if ! command -v $emulator >/dev/null; then
  install() { apt-get install -y -q --no-install-recommends qemu-user-static >/dev/null; }
  install || { apt-get update -q && install; }
fi

programs=$PWD/dist/native/aarch64
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/test"
for name in virt-numa qemu-hook test/faulty-hook; do
  printf '#!/bin/sh\nexec %s %s "$@"\n' "$emulator" "$programs/$name" >"$folder/$name"
  chmod 755 "$folder/$name"
done

VIRT_NUMA_NATIVE=$folder node test/run.mjs --timeout=600 \
  -g 'golden cases|hosts of every kind|captured folder|every fault|ledger is' \
  dist/native-tests/command.test.cjs dist/native-tests/hook.test.cjs
