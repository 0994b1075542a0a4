#!/usr/bin/env python3
"""The checks of `make check`, tried on texts that they must refuse and on ones they must pass."""
import io
import os
import subprocess
import sys
import unittest

import check_docs
import check_headers
import check_layers
import check_text
import errors_table
import ksyms
import mkcpio


ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def layers(path, text):
    return [problem for _, problem in check_layers.check_file(path, text)]


class LayersTest(unittest.TestCase):
    def good(self, path, text):
        self.assertEqual(layers(path, text), [])

    def bad(self, path, text, expected):
        found = layers(path, text)
        self.assertEqual(len(found), 1, found)
        self.assertIn(expected, found[0])

    def test_along_the_arrows(self):
        self.good("kernel/syscall/vm.c", '#include "kernel/object/vm_obj.h"\n'
                  '#include "kernel/lib/list.h"\n#include "arch/arch.h"\n'
                  "#include <zircon/types.h>\n")
        self.good("kernel/main.c", '#include "platform/boot_info.h"\n#include "kernel/vm/pmm.h"\n')
        self.good("arch/riscv/trap.c", '#include "arch/riscv/csr.h"\n#include "arch/mmu.h"\n')
        self.good("arch/riscv/mmu.c", '#include "kernel/vm/pmm.h"\n')
        self.good("userland/libzx/load.h", '#include "formats/elf.h"\n')
        self.good("kernel/object/vdso.c", '#include "formats/elf.h"\n')
        self.good("formats/elf.c", '#include "formats/elf.h"\n#include <zircon/errors.h>\n')
        self.good("userland/programs/init/main.c",
                  "#include <stdio.h>\n#include <zircon/types.h>\n")
        self.good("tests/host/test_vmo.c", '#include "kernel/vm/vmo.h"\n#include <cmocka.h>\n')

    def test_against_the_arrows(self):
        self.bad("kernel/vm/vmo.c", '#include "kernel/object/handle.h"\n', "does not reach")
        self.bad("kernel/lib/list.c", '#include "kernel/vm/pmm.h"\n', "does not reach")
        self.bad("drivers/uart/uart.c", '#include "platform/fdt.h"\n', "does not reach")
        self.bad("arch/riscv/trap.c", '#include "kernel/vm/aspace.h"\n', "does not reach")
        self.bad("kernel/vm/vmo.c", '#include "arch/riscv/csr.h"\n', "does not reach arch")
        self.bad("userland/libzx/a.c", '#include "kernel/lib/list.h"\n', "does not reach")
        self.bad("formats/elf.c", '#include "kernel/lib/string.h"\n', "does not reach")
        self.bad("kernel/vm/vmo.c", '#include "formats/elf.h"\n', "does not reach")
        self.bad("kernel/vm/vmo.c", '#include "kernel/main.h"\n', "does not reach")
        self.bad("tests/conformance/a.c", '#include "tests/host/fake.h"\n', "does not reach")

    def test_no_machine_is_named(self):
        self.bad("kernel/main.c", "/* For the VisionFive 2. */\n", "names a machine")
        self.bad("kernel/vm/pmm.c", "int qemu;\n", "names a machine")
        self.bad("arch/riscv/tlb.c", "/* The U74 has none. */\n", "names a machine")
        self.good("platform/quirk_a.c", "/* For the VisionFive 2. */\n")
        self.good("arch/riscv/errata.c", "#define VENDOR_SIFIVE 0x489\n")

    def test_registers_have_a_source(self):
        self.bad("drivers/uart/a.c", "#define REG_A 0x04u\n", "names no source")
        self.bad("drivers/uart/a.c", "#define ON BIT(3)\n", "names no source")
        self.good("drivers/uart/a.c", "// Source: A Manual, chapter 3.\n#define REG_A 0x04u\n")
        self.good("drivers/uart/a.c", "#define COUNT 3u\n")

    def test_names_from_the_root(self):
        self.bad("kernel/vm/vmo.c", '#include "vmo.h"\n', "from the root")
        self.bad("kernel/vm/vmo.c", '#include "kernel/vm/../object/handle.h"\n', "from the root")
        self.bad("kernel/vm/vmo.c", '#include "kernel/new/a.h"\n', "in no layer")
        self.bad("elsewhere/a.c", "", "has no layer for")

    def test_internal_headers(self):
        self.good("kernel/vm/vmo.c", '#include "kernel/vm/vmo_internal.h"\n')
        self.bad("kernel/object/a.c", '#include "kernel/vm/vmo_internal.h"\n', "is internal to")
        self.bad("tests/host/test_a.c", '#include "kernel/vm/vmo_internal.h"\n', "is internal to")

    def test_assembly(self):
        self.good("arch/riscv/a.c", 'void f(void) { __asm__ volatile("wfi"); }\n')
        self.good("kernel/lib/a.c", '/* asm("x") */ // asm("y")\nconst char *s = "asm(";\n')
        self.bad("kernel/lib/a.c", 'void f(void) { asm volatile("wfi"); }\n', "assembly")
        self.bad("kernel/lib/a.c", 'void f(void) { __asm__("wfi"); }\n', "assembly")
        self.bad("kernel/lib/a.S", "wfi\n", "assembly")

    def test_linker_symbols(self):
        self.good("arch/riscv/a.c", "extern char __text_start[];\n")
        self.bad("kernel/vm/a.c", "extern char __text_start[];\n", "linker symbol")
        self.bad("kernel/vm/a.c", "extern const char kernel_end[];\n", "linker symbol")

    def test_line_numbers_survive_comments(self):
        text = '/* one\n two */\n#include "vmo.h"\n'
        self.assertEqual([line for line, _ in check_layers.check_file("kernel/vm/a.c", text)], [3])


class DocsTest(unittest.TestCase):
    TABLE = ("SYSCALL(0, vmo_create, zx_status_t, 1, int, a)\n"
             "SYSCALL(1, iob_create, zx_status_t,\n        1, int, a)\n"
             "VDSOCALL(ticks_get, zx_ticks_t, 0, void)\n")

    def test_implemented_or_refused(self):
        found = check_docs.bodies(
            "zx_status_t sys_vmo_create(int a)\n{\n    if (a) {\n        return 1;\n    }\n"
            "    return 0;\n}\nzx_status_t sys_iob_create(int a)\n{\n    (void)a;\n"
            "    return ZX_ERR_NOT_SUPPORTED;\n}\n")
        refused = {name for name, body in found.items() if check_docs.REFUSES.match(body)}
        self.assertEqual((set(found), refused), ({"vmo_create", "iob_create"}, {"iob_create"}))

    def test_pages(self):
        def problems(done, pages):
            return list(check_docs.check_pages(self.TABLE, done, pages))
        self.assertEqual(problems({"vmo_create"}, {"vmo_create", "ticks_get"}), [])
        self.assertIn("vmo_create.md is missing", problems({"vmo_create"}, set())[0])
        self.assertIn("describes no call", problems(set(), {"vmo_destroy"})[0])

    def test_links(self):
        def problems(text):
            return list(check_docs.check_links("docs/a.md", text, {"docs/b.md", "README.md"}
                                               .__contains__))
        self.assertEqual(problems("[b](b.md#x) [r](../README.md) [w](https://riscv.org)"), [])
        self.assertEqual(len(problems("[c](c.md)")), 1)


class TextTest(unittest.TestCase):
    def count(self, path, text):
        return len(list(check_text.check_lines(path, text)))

    def test_refused(self):
        for line in ("see /ho" "me/ann/beryl\n", "blank \n", "// TO" "DO: this\n", "\tint a;\n",
                     "no end"):
            self.assertEqual(self.count("kernel/a.c", line), 1, line)
        self.assertEqual(self.count("Makefile", "x" * 101 + "\n"), 1)

    def test_passed(self):
        for line in ("int a;\n", "/usr/share/qemu /dev/ttyUSB0\n", "$(BUILD)/m" "nt/x\n", ""):
            self.assertEqual(self.count("kernel/a.c", line), 0, line)


class SetUpTest(unittest.TestCase):
    """Packages that are missing are installed before anything is built: on a machine that has them
    all nothing else would notice if that step were skipped."""

    def runs_set_up(self, *args):
        env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        env.pop("MFLAGS", None)
        done = subprocess.run(["make", *args, "SETUP=sh -c 'echo set-up was called; exit 3'"],
                              cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        return b"set-up was called" in done.stdout

    def test_before_whatever_builds(self):
        for args in ([], ["run"], ["test"], ["-k", "run"], ["-j4", "run"], ["-s"],
                     ["--no-print-directory", "test"]):
            self.assertTrue(self.runs_set_up(*args), args)

    def test_not_otherwise(self):
        for args in (["help"], ["-n", "run"], ["-q"]):
            self.assertFalse(self.runs_set_up(*args), args)


class HeadersTest(unittest.TestCase):
    def test_compilers_find_what_is_wrong(self):
        layouts = f'#include "{check_headers.LAYOUTS}"\n'
        for _, command in check_headers.COMPILERS[:4]:
            self.assertIsNone(check_headers.compile_text(command, layouts))
            for wrong in ("HOLDS(ZX_ERR_NO_MEMORY == -3);", "SIZE(zx_iob_region_t, 112);",
                          "PLACE(zx_info_maps_t, type, 52);", "PLACE(zx_wait_item_t, nothing, 0);"):
                self.assertIsNotNone(check_headers.compile_text(command, layouts + wrong))

    def test_names_that_cxx_changes(self):
        found = list(check_headers.check_names(["vmar_map", "no_such_call"]))
        self.assertEqual(len(found), 2, found)


class ErrorsTest(unittest.TestCase):
    PAGE = ("## Errors\n| Status | When |\n|---|---|\n| `ZX_ERR_BAD_HANDLE` | It is none. |\n"
            "| `ZX_ERR_NO_MEMORY` | Cannot occur: no memory is needed for it. |\n\n## Notes\n"
            "| `ZX_ERR_CANCELED` | no row of errors |\n")

    def test_pages(self):
        rows = dict(errors_table.documented(self.PAGE))
        self.assertEqual(set(rows), {"ZX_ERR_BAD_HANDLE", "ZX_ERR_NO_MEMORY"})
        self.assertIsNone(rows["ZX_ERR_BAD_HANDLE"])

    def found(self, body, before=""):
        return errors_table.provoked("tests/conformance/x.c",
                                     f"{before}\nTEST(vmo, x)\n{{\n{body}\n}}\n")

    def test_assertions(self):
        pair = ("vmo_read", "ZX_ERR_BAD_HANDLE")
        helper = "static zx_status_t rd(zx_handle_t h)\n{\n    return zx_vmo_read(h, 0, 1);\n}\n"
        expect = ("static void no(zx_status_t want)\n{\n    "
                  "EXPECT_STATUS(zx_vmo_read(0), want);\n}\n")
        for text, before in (("EXPECT_STATUS(zx_vmo_read(0, f(1, 2)), ZX_ERR_BAD_HANDLE);", ""),
                             ("ASSERT_STATUS(zx_vmo_read(0),\n"
                              " by_abi(ZX_OK, ZX_ERR_BAD_HANDLE));", ""),
                             ("COVERS(vmo_read, ZX_ERR_BAD_HANDLE);", ""),
                             ("EXPECT_STATUS(rd(3), ZX_ERR_BAD_HANDLE);", helper),
                             ("no(ZX_ERR_BAD_HANDLE);", expect)):
            self.assertEqual(self.found(text, before).get(pair), "vmo.x", text)
        for text in ("EXPECT_OK(zx_vmo_read(0));", "if (zx_vmo_read(0) == ZX_ERR_BAD_HANDLE) f();",
                     "EXPECT_STATUS(zx_vmo_write(0), ZX_ERR_BAD_HANDLE);",
                     "/* EXPECT_STATUS(zx_vmo_read(0), ZX_ERR_BAD_HANDLE); */"):
            self.assertNotIn(pair, self.found(text), text)

    def test_problems(self):
        pages = {"vmo_read": errors_table.documented(self.PAGE)}
        pair = ("vmo_read", "ZX_ERR_BAD_HANDLE")
        tests = {pair: "vmo.x"}
        table = errors_table.render(pages, tests)
        self.assertEqual(list(errors_table.problems_of(pages, tests, table)), [])
        without = list(errors_table.problems_of(pages, {}, errors_table.render(pages, {})))
        self.assertEqual(len(without), 1, without)
        self.assertIn("no test provokes", without[0])
        more = tests | {("vmo_read", "ZX_ERR_CANCELED"): "vmo.y"}
        self.assertIn("does not document", next(errors_table.problems_of(pages, more, table)))
        impossible = tests | {("vmo_read", "ZX_ERR_NO_MEMORY"): "vmo.y"}
        self.assertTrue(list(errors_table.problems_of(pages, impossible, table)))


class BuildToolsTest(unittest.TestCase):
    def test_cpio_header(self):
        entry = mkcpio.header(1, 0o100755, 1, 5, "init")
        self.assertEqual(len(entry) % 4, 0)
        self.assertEqual((entry[:6], entry[54:62], entry[94:102]),
                         (b"070701", b"00000005", b"00000005"))

    def test_ksyms_prefers_functions_to_marks(self):
        listing = ("0000000080200000 T text_start\n0000000080200000 0000000000000010 T start\n"
                   "0000000080200010 0000000000000004 t helper\n0000000080200014 t .L1\n"
                   "0000000080300000 0000000000000008 D data\n                 w weak\n")
        self.assertEqual(ksyms.parse_functions(io.StringIO(listing)),
                         [(0x80200000, 16, "start"), (0x80200010, 4, "helper")])


def main():
    result = unittest.TextTestRunner(stream=io.StringIO(), verbosity=0).run(
        unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    for case, trace in result.failures + result.errors:
        print(f"  FAIL  {case}\n{trace}")
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    return 1 if bad or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
