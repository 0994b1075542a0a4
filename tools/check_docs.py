#!/usr/bin/env python3
"""Documentation is complete: a page for each system call the kernel implements, no page without a
call, and no link between the documents that leads nowhere."""
import os
import re
import sys

import sources

TABLE = "abi/zircon/syscalls.def"
PAGES = "docs/syscalls"
ROW = re.compile(r"^(SYSCALL|SYSCALL_VOID|SYSCALL_NORETURN)\(\s*\d+\s*,\s*(\w+)", re.M)
VDSO_ROW = re.compile(r"^(VDSOCALL|VDSOCALL_NORETURN)\(\s*(\w+)", re.M)
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")
REFUSES = re.compile(r"\s*(?:\(void\)\s*\w+\s*;\s*)*return\s+ZX_ERR_NOT_SUPPORTED\s*;\s*\Z")


def bodies(text):
    """{name: body} of the functions sys_NAME defined in C text without comments."""
    found = {}
    for match in re.finditer(r"\bsys_(\w+)\s*\([^;{}]*\)\s*\{", text):
        depth, at = 1, match.end()
        while depth and at < len(text):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        found[match.group(1)] = text[match.end():at - 1]
    return found


def implemented(paths):
    """Names of the calls whose kernel function does more than refuse."""
    names = set()
    for path in paths:
        code = sources.without_strings(sources.without_comments(sources.read(path)))
        names |= {name for name, body in bodies(code).items() if not REFUSES.match(body)}
    return names


def check_pages(table, done, pages):
    """Yields what is wrong: table is the text of the .def file, pages the names of the pages."""
    rows = {match.group(2) for match in ROW.finditer(table)}
    others = {match.group(2) for match in VDSO_ROW.finditer(table)}
    for name in sorted(done & rows - pages):
        yield f"{PAGES}/{name}.md is missing: the kernel implements zx_{name}"
    for name in sorted(pages - rows - others):
        yield f"{PAGES}/{name}.md describes no call of {TABLE}"


def check_links(path, text, exists=os.path.exists):
    for match in LINK.finditer(text):
        target = match.group(1)
        if re.match(r"[a-z]+:", target):
            continue
        if not exists(os.path.normpath(os.path.join(os.path.dirname(path), target))):
            yield f"{path}: link to {target}, which does not exist"


def main():
    problems = []
    if os.path.exists(TABLE):
        code = [path for path in sources.tracked(".c") if path.startswith("kernel/syscall/")]
        pages = {os.path.basename(path)[:-3] for path in sources.tracked(".md")
                 if os.path.dirname(path) == PAGES} - {"README"}
        problems += check_pages(sources.read(TABLE), implemented(code), pages)
        import coverage  # it needs this module
        if sources.read(coverage.PATH) != coverage.current():
            problems.append(f"{coverage.PATH} is out of date: "
                            f"python3 tools/coverage.py > {coverage.PATH}")
    for path in sources.tracked(".md"):
        problems += check_links(path, sources.read(path))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
