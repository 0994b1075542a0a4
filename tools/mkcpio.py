#!/usr/bin/env python3
"""Writes a newc cpio archive: mkcpio.py OUT name=file...

The bytes depend on names and contents alone: entries sorted, owner 0, times 0, inodes counted.
ELF files begin at multiples of a page, so that their pages can be mapped where they are; what lies
between belongs to entries without a type.
"""
import sys

PAGE = 4096
FILLER = "."


def header(ino, mode, nlink, size, name):
    """One newc header with its name, padded to four bytes."""
    raw = name.encode() + b"\0"
    fields = [ino, mode, 0, 0, nlink, 0, size, 0, 0, 0, 0, len(raw), 0]
    data = b"070701" + b"".join(b"%08X" % field for field in fields) + raw
    return data + b"\0" * (-len(data) % 4)


def filler(at, following):
    """An entry that lets the data behind the header |following| begin at a page, |at| from here."""
    empty = len(header(0, 0, 1, 0, FILLER))
    gap = -(at + len(following)) % PAGE
    if gap == 0:
        return b""
    size = (gap - empty) % PAGE
    return header(0, 0, 1, size, FILLER) + bytes(size)


def main():
    out, pairs = sys.argv[1], dict(arg.split("=", 1) for arg in sys.argv[2:])
    folders = sorted({name.rsplit("/", 1)[0] for name in pairs if "/" in name})
    archive = bytearray()
    ino = 1
    for folder in folders:
        archive += header(ino, 0o040755, 2, 0, folder)
        ino += 1
    for name in sorted(pairs):
        with open(pairs[name], "rb") as file:
            data = file.read()
        head = header(ino, 0o100755, 1, len(data), name)
        if data[:4] == b"\x7fELF":
            archive += filler(len(archive), head)
        archive += head + data + b"\0" * (-len(data) % 4)
        ino += 1
    archive += header(0, 0, 1, 0, "TRAILER!!!")
    archive += b"\0" * (-len(archive) % 512)
    with open(out, "wb") as file:
        file.write(archive)


if __name__ == "__main__":
    main()
