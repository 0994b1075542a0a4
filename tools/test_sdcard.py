#!/usr/bin/env python3
"""Self-test of the card image: test_sdcard.py BUILD.

Reads BUILD/sdcard.img the way firmware does, without the code that wrote it, and makes it a second
time: the bytes must be the same.
"""
import os
import struct
import subprocess
import sys
import tempfile
import uuid
import zlib

SECTOR = 512
TREES = ("starfive_visionfive2", "jh7110-visionfive-v2", "jh7110-starfive-visionfive-2-v1.2a",
         "jh7110-starfive-visionfive-2-v1.3b")


class Wrong(Exception):
    pass


def expect(good, text):
    if not good:
        raise Wrong(text)


def gpt_header(card, lba):
    """(first usable, last usable, table) of the copy whose header is at lba, checked."""
    raw = card[lba * SECTOR:(lba + 1) * SECTOR]
    magic, revision, size, crc, _, own, _, first, last, _, table_lba, count, entry, table_crc = \
        struct.unpack("<8sIIIIQQQQ16sQIII", raw[:92])
    expect(magic == b"EFI PART" and revision == 0x10000 and size == 92, "no GPT header")
    expect(own == lba, "the header does not know where it is")
    expect(zlib.crc32(raw[:16] + bytes(4) + raw[20:92]) == crc, "CRC of the header")
    table = card[table_lba * SECTOR:table_lba * SECTOR + count * entry]
    expect(zlib.crc32(table) == table_crc, "CRC of the table")
    return first, last, table


def partitions(table):
    """[(type, first LBA, last LBA, attributes)] of the entries in use."""
    rows = []
    for at in range(0, len(table), 128):
        kind, _, first, last, attributes = struct.unpack("<16s16sQQQ", table[at:at + 56])
        if any(kind):
            rows.append((str(uuid.UUID(bytes_le=kind)).upper(), first, last, attributes))
    return rows


def test_table(build, card):
    del build
    count = len(card) // SECTOR
    expect(card[510:512] == b"\x55\xaa" and card[450] == 0xEE, "no protective MBR")
    first, last, table = gpt_header(card, 1)
    expect(gpt_header(card, count - 1)[2] == table, "the copies of the table differ")
    rows = partitions(table)
    expect(len(rows) == 3, f"{len(rows)} partitions")
    for (_, begin, end, _), before in zip(rows, [first - 1] + [row[2] for row in rows]):
        expect(before < begin <= end <= last, "partitions overlap or lie outside")
    expect(rows[0][:2] == ("2E54B353-1271-4842-806F-E436D6AF6985", 4096), "partition 1")
    expect(rows[1][:2] == ("BC13C2FF-59E6-4262-A352-B275FD6F7172", 8192), "partition 2")
    expect([row[3] for row in rows] == [0, 0, 4], "partition 3 alone must be legacy-bootable")
    expect(struct.unpack("<I", card[rows[2][1] * SECTOR + 28:rows[2][1] * SECTOR + 32])[0] ==
           rows[2][1], "the FAT does not know where it begins")


def test_files(build, card):
    first = partitions(gpt_header(card, 1)[2])[2][1]
    where = f"{os.path.join(build, 'sdcard.img')}@@{first * SECTOR}"

    def content(path):
        return subprocess.run(["mtype", "-i", where, f"::/{path}"], check=True,
                              stdout=subprocess.PIPE).stdout

    def built(path):
        with open(os.path.join(build, path), "rb") as file:
            return file.read()

    for name in ("Image", "ramdisk.cpio", "beryl.itb"):
        expect(content(name) == built(name), f"{name} differs")
    for name in TREES:
        expect(content(f"dtbs/starfive/{name}.dtb") == built("dtb/visionfive2-2g.dtb"), name)
    for size in (2, 4, 8):
        name = f"visionfive2-{size}g.dtb"
        expect(content(f"dtbs/beryl/{name}") == built(f"dtb/{name}"), name)
    for line in content("extlinux/extlinux.conf").decode().splitlines():
        word, _, path = line.strip().partition(" ")
        if word in ("kernel", "initrd", "fdt"):
            expect(len(content(path.lstrip("/"))) > 0, f"extlinux.conf names {path}")


def test_same_again(build, card):
    with tempfile.TemporaryDirectory() as scratch:
        again = os.path.join(scratch, "again.img")
        trees = [os.path.join(build, "dtb", f"visionfive2-{size}g.dtb") for size in (2, 4, 8)]
        subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "sdcard.py"), again]
                       + [os.path.join(build, name) for name in ("Image", "ramdisk.cpio")] + trees
                       + [os.path.join(build, "beryl.itb")], check=True,
                       env=dict(os.environ, TZ="Asia/Tokyo"), umask=0o077)
        with open(again, "rb") as file:
            expect(file.read() == card, "the bytes differ")


def main():
    build = sys.argv[1]
    with open(os.path.join(build, "sdcard.img"), "rb") as file:
        card = file.read()
    passed = failed = 0
    for test in (test_table, test_files, test_same_again):
        try:
            test(build, card)
            passed += 1
        except (Wrong, subprocess.CalledProcessError) as problem:
            print(f"  FAIL  {test.__name__}: {problem}")
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
