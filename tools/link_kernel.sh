#!/bin/sh
# link_kernel.sh OUT GENDIR LINK-COMMAND...: links the kernel with a table of its own functions.
# The table comes from a link without it. It lies behind the text, so adding it moves no function;
# that is checked, and one more pass is made before giving up.
set -eu

out=$1 gen=$2
shift 2
ksyms=$(dirname "$0")/ksyms.py
assembler=$1
export PYTHONDONTWRITEBYTECODE=1

assemble() {
    "$assembler" -c -march=rv64imac -mabi=lp64 -o "$gen/$1.o" "$gen/$1.S"
}

mkdir -p "$gen"
python3 "$ksyms" --empty >"$gen/ksyms0.S"
assemble ksyms0
"$@" -o "$gen/pass0.elf" "$gen/ksyms0.o"
"${NM:?}" -nS "$gen/pass0.elf" >"$gen/pass0.nm"

for pass in 1 2; do
    previous=$((pass - 1))
    python3 "$ksyms" "$gen/pass$previous.elf" "$gen/pass$previous.nm" >"$gen/ksyms$pass.S"
    assemble "ksyms$pass"
    "$@" -o "$gen/pass$pass.elf" "$gen/ksyms$pass.o"
    "$NM" -nS "$gen/pass$pass.elf" >"$gen/pass$pass.nm"
    if python3 "$ksyms" --same "$gen/pass$previous.nm" "$gen/pass$pass.nm"; then
        mv "$gen/pass$pass.elf" "$out"
        exit 0
    fi
done
echo "link_kernel: the addresses of functions differ between the passes" >&2
exit 1
