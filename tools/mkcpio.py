#!/usr/bin/env python3
"""Writes a newc cpio archive: mkcpio.py OUT name=file...

The bytes depend on names and contents alone: entries sorted, owner 0, times 0, inodes counted.
"""
import sys


def header(ino, mode, nlink, size, name):
    """One newc header with its name, padded to four bytes."""
    raw = name.encode() + b"\0"
    fields = [ino, mode, 0, 0, nlink, 0, size, 0, 0, 0, 0, len(raw), 0]
    data = b"070701" + b"".join(b"%08X" % field for field in fields) + raw
    return data + b"\0" * (-len(data) % 4)


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
        archive += header(ino, 0o100755, 1, len(data), name) + data + b"\0" * (-len(data) % 4)
        ino += 1
    archive += header(0, 0, 1, 0, "TRAILER!!!")
    archive += b"\0" * (-len(archive) % 512)
    with open(out, "wb") as file:
        file.write(archive)


if __name__ == "__main__":
    main()
