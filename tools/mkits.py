#!/usr/bin/env python3
"""The source of a FIT image for U-Boot's bootm: mkits.py LOAD-ADDRESS IMAGE RAMDISK [NAME=DTB]...

The first tree is the default configuration; without one, bootm takes the tree it is given or
U-Boot's own. Trees are copied out of the image, where they are aligned to 4 bytes only. The ramdisk
has no load address: U-Boot moves it where there is room, or leaves it where it is.
"""
import os
import sys

# From the kernel's place to the trees': on JH7110 that is U-Boot's own $fdt_addr_r, 0x46000000.
TREE_OFFSET_BYTES = 0x5E00000
HASH = "hash-1 { algo = \"sha256\"; };"


def quoted(path):
    return '"' + os.path.abspath(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def cells(address):
    return f"<{address >> 32:#x} {address & 0xffffffff:#x}>"


def image_node(name, kind, path, more):
    return (f"        {name} {{\n            description = \"{name}\";\n"
            f"            data = /incbin/({quoted(path)});\n            type = \"{kind}\";\n"
            f"            arch = \"riscv\";\n            compression = \"none\";\n"
            f"            {more}{HASH}\n        }};\n")


def configuration(name, tree):
    fdt = f"            fdt = \"{tree}\";\n" if tree else ""
    return (f"        {name} {{\n            description = \"{name}\";\n"
            "            kernel = \"kernel\";\n            ramdisk = \"ramdisk\";\n"
            f"{fdt}        }};\n")


def main():
    load, image, ramdisk = int(sys.argv[1], 0), sys.argv[2], sys.argv[3]
    trees = dict(arg.split("=", 1) for arg in sys.argv[4:])
    address, tree_address = cells(load), cells(load + TREE_OFFSET_BYTES)
    nodes = image_node("kernel", "kernel", image,
                       f'os = "linux"; load = {address}; entry = {address}; ')
    nodes += image_node("ramdisk", "ramdisk", ramdisk, 'os = "linux"; ')
    nodes += "".join(image_node(name, "flat_dt", path, f"load = {tree_address}; ")
                     for name, path in trees.items())
    if trees:
        configurations = "".join(configuration(f"conf-{name}", name) for name in trees)
    else:
        configurations = configuration("conf-1", None)
    default = f"conf-{next(iter(trees), 1)}"
    print("/dts-v1/;\n\n/ {\n    description = \"Beryl\";\n    #address-cells = <2>;\n"
          f"    images {{\n{nodes}    }};\n    configurations {{\n"
          f"        default = \"{default}\";\n{configurations}    }};\n}};")


if __name__ == "__main__":
    main()
