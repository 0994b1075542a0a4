#!/usr/bin/env python3
"""What no tracked text may hold: paths of somebody's machine, notes to oneself, stray blanks."""
import re
import sys

import sources

# clang-format decides the width of C.
C_SUFFIXES = (".c", ".h")
CODE = (".c", ".h", ".S", ".ld", ".def", ".py", ".sh", ".mk", ".gdb", "Makefile")
BINARY = (".dtb", ".bin", ".img", ".png")
CORPUS = "tests/host/corpus/"  # what the fuzzers begin with: bytes, whatever they look like
# A folder that belongs to one machine or one user.
MACHINE_PATH = re.compile(r"(?<![\w./$})-])/(?:home|root|Users|tmp|mnt|opt|srv|work)/[\w.]")
NOTES = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MAX_COLUMNS = 100


def check_lines(path, text):
    """Yields (line, problem)."""
    code = path.endswith(CODE)
    for number, line in enumerate(text.split("\n"), 1):
        if MACHINE_PATH.search(line):
            yield number, "path of one machine"
        if code and NOTES.search(line):
            yield number, "note to oneself"
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
        if path.endswith((".c", ".h", ".S", ".py", ".sh")) and "\t" in line:
            yield number, "tab"
        if code and not path.endswith(C_SUFFIXES) and len(line) > MAX_COLUMNS:
            yield number, f"more than {MAX_COLUMNS} columns"
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no line end at the end of the file"


def main():
    bad = 0
    for path in sources.tracked():
        if path.endswith(BINARY) or path.startswith(CORPUS):
            continue
        for line, problem in check_lines(path, sources.read(path)):
            print(f"{path}:{line}: {problem}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
