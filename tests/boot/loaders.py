"""U-Boot's ways to load Beryl: the card image untouched, booti, and bootm of a FIT image."""
import os
import subprocess
import sys

import machine
import mkits
import run
import sdcard
import shell

LIMIT_SECONDS = 90
TOOLS = os.path.dirname(os.path.abspath(sdcard.__file__))
HARTS, MEM = 2, "1G"
# RAM of virt begins at 0x80000000; the script loads here what it then boots.
LOAD_AT = 0x98000000
ODD_INITRD = 0xA0000403
BOOTARGS = "setenv bootargs run=demo poweroff\n"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def script_disk(build, name, script, files):
    """A card whose boot.scr is `script`; U-Boot runs it as there is no extlinux.conf."""
    base = os.path.join(build, "uboot", name)
    os.makedirs(os.path.dirname(base), exist_ok=True)
    with open(base + ".cmd", "w", encoding="ascii") as file:
        file.write(script)
    machine.run_tool(["mkimage", "-A", "riscv", "-T", "script", "-C", "none", "-d", base + ".cmd",
                      base + ".scr"])
    files = dict(files, **{"boot.scr": read(base + ".scr")})
    sdcard.make_card(base + ".img", files)
    return base + ".img"


def boot_script(build, name, script, files, words):
    """Boots by the script to the end of the demo; each of `words` must be in the log."""
    disk = script_disk(build, name, script, files)
    argv = machine.qemu_command(build, "uboot", HARTS, MEM, disk=disk)
    problem, lines = run.run_to_end(argv, LIMIT_SECONDS, True,
                                    os.path.join(build, "log", f"boot-{name}.log"), echo=False)
    os.remove(disk)
    for word in words:
        if not problem and not any(word in line for line in lines):
            problem = f"no line says `{word}`"
    return problem, lines


def boot_card(build):
    """The card of `make sdcard`, with nothing typed before the shell's prompt."""
    disk = os.path.join(build, "sdcard.img")
    if not os.path.exists(disk):
        return f"{disk} is not built", []
    argv = machine.qemu_command(build, "uboot", HARTS, MEM, disk=disk)
    problem, lines = shell.boot_to_shell(argv, LIMIT_SECONDS,
                                         os.path.join(build, "log", "boot-sdcard.log"))
    if not problem and any("no cpio" in line for line in lines):
        problem = "the card's ramdisk was not taken"
    return problem, lines


def boot_menu(build):
    """The last entry of the card's menu, whose number is typed while the loader waits."""
    argv = machine.qemu_command(build, "uboot", HARTS, MEM, disk=os.path.join(build, "sdcard.img"))
    problem, lines = shell.boot_to_shell(argv, LIMIT_SECONDS,
                                         os.path.join(build, "log", "boot-menu.log"),
                                         loader=("/extlinux/extlinux.conf\r\nRetrieving", b"5\r"))
    if not problem and not any("Enter choice: 5" in line for line in lines):
        problem = "the loader did not ask"
    return problem, lines


def boot_booti(build):
    """booti with an initrd in place, at an address that is aligned to nothing."""
    ramdisk = read(os.path.join(build, "ramdisk.cpio"))
    script = (BOOTARGS + "setenv initrd_high 0xffffffffffffffff\n"
              f"load ${{devtype}} ${{devnum}}:${{distro_bootpart}} {LOAD_AT:#x} /ramdisk.cpio\n"
              f"cp.b {LOAD_AT:#x} {ODD_INITRD:#x} ${{filesize}}\n"
              "setenv ramdisk_bytes ${filesize}\n"
              f"mw.b {LOAD_AT:#x} 0 ${{filesize}}\n"
              f"load ${{devtype}} ${{devnum}}:${{distro_bootpart}} {LOAD_AT:#x} /Image\n"
              f"booti {LOAD_AT:#x} {ODD_INITRD:#x}:${{ramdisk_bytes}} ${{fdtcontroladdr}}\n")
    files = {"Image": read(os.path.join(build, "Image")), "ramdisk.cpio": ramdisk}
    return boot_script(build, "booti", script, files, [f"ramdisk: {len(ramdisk)} bytes at "
                                                       f"{ODD_INITRD:#x}"])


def make_fit(build, name, address, tree):
    """A FIT image, with QEMU's own tree in it if so wished: (its bytes, bootm's arguments)."""
    base = os.path.join(build, "uboot", name)
    os.makedirs(os.path.dirname(base), exist_ok=True)
    parts = [os.path.join(build, "Image"), os.path.join(build, "ramdisk.cpio")]
    if tree:
        machine.run_tool([machine.QEMU, "-machine", f"virt,dumpdtb={base}.dtb", "-display", "none",
                          "-smp", str(HARTS), "-m", MEM])
        parts.append(f"fdt-virt={base}.dtb")
    source = subprocess.run([sys.executable, os.path.join(TOOLS, "mkits.py"), hex(address)] + parts,
                            stdout=subprocess.PIPE, check=True).stdout
    with open(base + ".its", "wb") as file:
        file.write(source)
    machine.run_tool(["mkimage", "-f", base + ".its", base + ".itb"])
    if tree:
        return read(base + ".itb"), f"{LOAD_AT:#x}#conf-fdt-virt"
    return read(base + ".itb"), f"{LOAD_AT:#x} {LOAD_AT:#x} ${{fdtcontroladdr}}"


def boot_fit(build, address, tree):
    """A FIT image that wants its kernel at `address`."""
    name = f"fit-{address:x}"
    fit, where = make_fit(build, name, address, tree)
    script = (BOOTARGS +
              f"load ${{devtype}} ${{devnum}}:${{distro_bootpart}} {LOAD_AT:#x} /beryl.itb\n"
              f"bootm {where}\n")
    words = [f"image: {address:#x}-", "ramdisk: "]
    if tree:
        words.append(f"device tree at {address + mkits.TREE_OFFSET_BYTES:#x}")
    return boot_script(build, name, script, {"beryl.itb": fit}, words)


# (name, test, its arguments beyond the build folder)
CASES = [
    ("sdcard.img, nothing typed", boot_card, ()),
    ("sdcard.img, entry 5 of the menu", boot_menu, ()),
    ("booti, initrd at an odd address", boot_booti, ()),
    ("FIT, kernel at 0x80400000", boot_fit, (0x80400000, False)),
    ("FIT with a tree, kernel at 0x90a00000", boot_fit, (0x90A00000, True)),
]
