#!/bin/sh
# Checks a linked vDSO and cuts it to the bytes that processes map.
# Usage: mkvdso.sh LINKED IMAGE LAYOUT_HEADER   (environment: CROSS, the tool prefix)
set -eu
linked=$1 image=$2 layout=$3
readelf=${CROSS:-riscv64-linux-gnu-}readelf
nm=${CROSS:-riscv64-linux-gnu-}nm
fail() { echo "mkvdso: $*" >&2; exit 1; }

$readelf -rW "$linked" | grep -q 'no relocations' || fail "$linked has relocations"
$readelf -dW "$linked" | grep -q NEEDED && fail "$linked needs another library"
$readelf -lW "$linked" | awk '$1 == "LOAD" && /W/ { exit 1 }' || fail "a segment is writable"
undefined=$($nm -u "$linked")
[ -z "$undefined" ] || fail "undefined symbols: $undefined"

# value of a symbol in hexadecimal without leading zeros
sym() { $nm "$linked" | awk -v s="$1" '$3 == s { sub(/^0+/, "", $1); print $1 }'; }
text=$(sym vdso_text_start) end=$(sym vdso_text_end) constants=$(sym vdso_constants)
[ -n "$text" ] && [ -n "$end" ] && [ -n "$constants" ] || fail "a layout symbol is missing"
size=$((0x$end))
for value in $((0x$text)) "$size" $((0x$constants)); do
    [ $((value % 4096)) -eq 0 ] || fail "layout is not page-aligned"
done
# Every loaded byte lies in the file at its own address.
$readelf -lW "$linked" | awk '$1 == "LOAD" && ($2 != substr($3, 1, 2) substr($3, 13) || $5 != $6) {
    exit 1 }' || fail "file offsets differ from addresses"

head -c "$size" "$linked" > "$image.tmp"
[ "$(wc -c < "$image.tmp")" -eq "$size" ] || fail "$linked is shorter than its text"
# The section headers are gone: e_shoff, e_shentsize, e_shnum, e_shstrndx.
head -c 8 /dev/zero | dd of="$image.tmp" bs=1 seek=40 conv=notrunc 2>/dev/null
head -c 6 /dev/zero | dd of="$image.tmp" bs=1 seek=58 conv=notrunc 2>/dev/null
mv "$image.tmp" "$image"

cat > "$layout" <<EOF
// Generated from the vDSO's image. Offsets and sizes in bytes, all page-aligned.
#ifndef VDSO_LAYOUT_H_
#define VDSO_LAYOUT_H_

#define VDSO_IMAGE_SIZE       0x$(printf %x "$size")
#define VDSO_CONSTANTS_OFFSET 0x$constants
#define VDSO_TEXT_OFFSET      0x$text
#define VDSO_TEXT_SIZE        0x$(printf %x $((size - 0x$text)))

#endif // VDSO_LAYOUT_H_
EOF
