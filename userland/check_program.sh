#!/bin/sh
# Checks that a linked program is one that our loader and start-up code can run.
# Usage: check_program.sh PROGRAM...   (environment: CROSS, the tool prefix)
set -eu
readelf=${CROSS:-riscv64-linux-gnu-}readelf
fail() { echo "check_program: $*" >&2; exit 1; }

for program; do
    $readelf -hW "$program" | grep -q 'DYN (Position-Independent' || fail "$program: not a PIE"
    $readelf -lW "$program" | grep -q INTERP && fail "$program: wants an interpreter"
    $readelf -lW "$program" | grep -E '^ *LOAD' | grep -q 'RWE' && fail "$program: W and X together"
    # Start of the writable segment, as 16 digits: every relocation lies above it.
    writable=$($readelf -lW "$program" | awk '$1 == "LOAD" && / RW / { print substr($3, 3); exit }')
    $readelf -rW "$program" | awk -v program="$program" -v low="$writable" '
        /R_RISCV/ && $3 != "R_RISCV_RELATIVE" && $3 != "R_RISCV_NONE" {
            print "check_program: " program ": relocation " $3; exit 1 }
        $3 == "R_RISCV_RELATIVE" && ($1 "") < low {
            print "check_program: " program ": relocation in read-only memory at " $1; exit 1 }' >&2 ||
        exit 1
done
