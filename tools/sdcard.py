#!/usr/bin/env python3
"""`make sdcard`: sdcard.py OUT IMAGE RAMDISK DTB-2G DTB-4G DTB-8G [FIT].

Writes a card image that U-Boot boots on a VisionFive 2 and, with its own device tree, anywhere
else: GPT, two empty partitions where an owner may put SPL and U-Boot, and partition 3, FAT32 and
marked bootable, with the kernel, the ramdisk, device trees and extlinux/extlinux.conf. The bytes
depend on the input files alone.
"""
import os
import shutil
import sys
import tempfile

import gpt
import machine

# Where JH7110's boot ROM and SPL look for the next stage, and the types by which they know it
# (U-Boot, doc/board/starfive/visionfive2.rst).
SPL_LBA, UBOOT_LBA, SYSTEM_LBA = 4096, 8192, 16384
SPL_TYPE = "2E54B353-1271-4842-806F-E436D6AF6985"
UBOOT_TYPE = "BC13C2FF-59E6-4262-A352-B275FD6F7172"
DATA_TYPE = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
SYSTEM_SECTORS = (64 << 20) // gpt.SECTOR_BYTES
CARD_SECTORS = SYSTEM_LBA + SYSTEM_SECTORS + 2048  # the end of the card is the second table's

DISK_GUID = "b6b3b0f2-6f0e-4f63-9c53-6265727900a0"
PARTITION_GUID = "b6b3b0f2-6f0e-4f63-9c53-6265727900a{}"
FAT_SERIAL = "be79f1a5"
EPOCH = 1704067200  # the time of every file, 2024-01-01

# The names that firmware asks for below `fdtdir`: StarFive's U-Boot of the board's first years,
# StarFive's later one, mainline's for the two revisions of the board. A U-Boot that puts the
# size of the memory into the tree itself corrects the smallest board's, which the others survive.
BOARD_TREES = ("starfive_visionfive2.dtb", "jh7110-visionfive-v2.dtb",
               "jh7110-starfive-visionfive-2-v1.2a.dtb", "jh7110-starfive-visionfive-2-v1.3b.dtb")

EXTLINUX = """\
menu title Beryl
default beryl
prompt 0
timeout 20

label beryl
    menu label Beryl
    kernel /Image
    initrd /ramdisk.cpio
    fdtdir /dtbs
    append run=demo
"""
EXTLINUX_TREE = """
label beryl-{size}g
    menu label Beryl, VisionFive 2 with {size} GB
    kernel /Image
    initrd /ramdisk.cpio
    fdt /dtbs/beryl/visionfive2-{size}g.dtb
    append run=demo
"""
EXTLINUX_OWN = """
label beryl-uboot
    menu label Beryl, with the device tree of U-Boot
    kernel /Image
    initrd /ramdisk.cpio
    append run=demo
"""

# StarFive's U-Boot 2021.10 reads these two from partition 3 before it looks for extlinux.conf. It
# imports a fixed number of bytes, up to 512, whatever the file's size: comments fill them.
VF2_UENV = "boot2=sysboot mmc ${devnum}:3 fat ${scriptaddr} /extlinux/extlinux.conf\n"
UENV = "fdtfile=starfive/jh7110-visionfive-v2.dtb\n"
UENV_BYTES = 512


def padded(text):
    return text + "#" * (UENV_BYTES - len(text) - 1) + "\n"


def card_files(image, ramdisk, trees, fit):
    """{path on the card: bytes}; trees: {gigabytes: bytes}."""
    conf = EXTLINUX + "".join(EXTLINUX_TREE.format(size=size) for size in sorted(trees))
    files = {"Image": image, "ramdisk.cpio": ramdisk,
             "extlinux/extlinux.conf": (conf + EXTLINUX_OWN).encode(),
             "vf2_uEnv.txt": padded(VF2_UENV).encode(), "uEnv.txt": padded(UENV).encode()}
    for size, tree in trees.items():
        files[f"dtbs/beryl/visionfive2-{size}g.dtb"] = tree
    for name in BOARD_TREES:
        files[f"dtbs/starfive/{name}"] = trees[min(trees)]
    if fit is not None:
        files["beryl.itb"] = fit
    return files


def make_fat(path, files):
    """A FAT32 file system of SYSTEM_SECTORS in the file `path`."""
    env = dict(os.environ, MTOOLS_SKIP_CHECK="1", SOURCE_DATE_EPOCH=str(EPOCH), TZ="UTC",
               MTOOLSRC=os.devnull)
    run = machine.run_tool
    run(["mformat", "-i", path, "-C", "-F", "-c", "1", "-T", str(SYSTEM_SECTORS), "-h", "255",
         "-s", "63", "-H", str(SYSTEM_LBA), "-N", FAT_SERIAL, "-v", "BERYL", "::"], env=env)
    folders = set()
    for name in files:
        parts = name.split("/")[:-1]
        folders |= {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
    for folder in sorted(folders):
        run(["mmd", "-i", path, f"::/{folder}"], env=env)
    with tempfile.TemporaryDirectory() as scratch:
        source = os.path.join(scratch, "file")
        for name in sorted(files):
            with open(source, "wb") as file:
                file.write(files[name])
            os.utime(source, (EPOCH, EPOCH))
            run(["mcopy", "-m", "-i", path, source, f"::/{name}"], env=env)


def make_card(out, files):
    """Writes the whole card; `out` appears only when it is complete."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(out) or ".") as scratch:
        fat, card = os.path.join(scratch, "fat"), os.path.join(scratch, "card")
        make_fat(fat, files)
        with open(card, "wb+") as file:
            file.truncate(CARD_SECTORS * gpt.SECTOR_BYTES)
            gpt.write(file, CARD_SECTORS, DISK_GUID, [
                (SPL_TYPE, PARTITION_GUID.format(1), SPL_LBA, UBOOT_LBA - 1, 0, "spl"),
                (UBOOT_TYPE, PARTITION_GUID.format(2), UBOOT_LBA, SYSTEM_LBA - 1, 0, "uboot"),
                (DATA_TYPE, PARTITION_GUID.format(3), SYSTEM_LBA, SYSTEM_LBA + SYSTEM_SECTORS - 1,
                 gpt.LEGACY_BOOTABLE, "beryl")])
            file.seek(SYSTEM_LBA * gpt.SECTOR_BYTES)
            with open(fat, "rb") as source:
                copy_sparse(source, file)
        shutil.move(card, out)


def copy_sparse(source, target):
    """Copies, leaving holes where there is nothing but zeros."""
    while chunk := source.read(1 << 16):
        if chunk.count(0) == len(chunk):
            target.seek(len(chunk), os.SEEK_CUR)
        else:
            target.write(chunk)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    out, image, ramdisk = sys.argv[1:4]
    trees = dict(zip((2, 4, 8), map(read, sys.argv[4:7])))
    fit = read(sys.argv[7]) if len(sys.argv) > 7 else None
    try:
        make_card(out, card_files(read(image), read(ramdisk), trees, fit))
    except machine.SetupError as error:
        sys.exit(f"sdcard: {error}")


if __name__ == "__main__":
    main()
