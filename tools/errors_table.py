#!/usr/bin/env python3
"""Which test provokes which documented error. Reads the error tables of docs/syscalls and the tests
and writes docs/errors.md; with --check it says what is missing instead: an error without a test, a
table that is out of date, a COVERS mark for an error that no page documents.

A test provokes an error when it asserts a call's status in the plain form

    EXPECT_STATUS(zx_vmar_map(...), ZX_ERR_BAD_STATE)

(ASSERT_STATUS, EXPECT_NO_CHANGE, by_abi(A, B) and the macros of ASSERTS too; the call may hide in a
function of the same file that returns its status), or, where an assertion has another form, says
COVERS(vmar_map, ZX_ERR_BAD_STATE) beside it. An error that cannot occur says so in its page, in a
row that begins with "Cannot occur:" and the reason.
"""
import os
import re
import sys

import sources

PAGES = "docs/syscalls"
TABLE = "docs/errors.md"
CANNOT = "Cannot occur:"

STATUS_ASSERTS = ("EXPECT_STATUS", "ASSERT_STATUS", "EXPECT_NO_CHANGE")
# Macros of the suite that assert how one call fails.
ASSERTS = {
    "EXPECT_MAP_FAILS": "vmar_map",
    "EXPECT_ALLOCATE_FAILS": "vmar_allocate",
    "EXPECT_CREATE_FAILS": "iob_create",
}

ERROR = re.compile(r"\bZX_ERR_[A-Z_]+\b")
ROW = re.compile(r"^\| *`(ZX_ERR_[A-Z_]+)` *\| *(.*?) *\|$", re.M)
ERRORS_SECTION = re.compile(r"^## Errors\n(.*?)(?=^## |\Z)", re.M | re.S)
FUNCTION = re.compile(r"^(?:TEST\((\w+),\s*(\w+)\)|(?!typedef|struct \w+ \{|#)[\w \*]*?\b(\w+)"
                      r"\(([^;{}]*)\))\s*\{\n(.*?)^\}", re.M | re.S)
CALL = re.compile(r"\bzx_(\w+)\(")
MACRO = re.compile(r"^#define (\w+)\(([^)]*)\)((?:.*\\\n)*.*)$", re.M)
# Calls that helpers make beside the one they are about.
CLEAN_UP = {"handle_close", "vmar_unmap", "vmar_destroy"}
ASSERTION = re.compile(r"\b(" + "|".join(STATUS_ASSERTS) + r")\(")


def documented(text):
    """[(error, why it cannot occur or None)] of a page."""
    section = ERRORS_SECTION.search(text)
    rows = ROW.findall(section.group(1)) if section else []
    return [(error, when[len(CANNOT):].strip() if when.startswith(CANNOT) else None)
            for error, when in rows]


def arguments(code, at):
    """The arguments of the call whose opening parenthesis is at |at|."""
    found, depth, begin = [], 0, at + 1
    for i in range(at, len(code)):
        if code[i] in "([{":
            depth += 1
        elif code[i] in ")]}":
            depth -= 1
        if (code[i] == "," and depth == 1) or depth == 0:
            found.append(code[begin:i].strip())
            begin = i + 1
            if depth == 0:
                break
    return found


def only_call(body):
    """The one call that a helper makes, other than to clean up; None if there are others."""
    found = set(CALL.findall(body)) - CLEAN_UP
    return found.pop() if len(found) == 1 else None


def returning(code):
    """{function: call} of those that make one call and return its status."""
    found = {}
    for match in FUNCTION.finditer(code):
        if match.group(3) and "zx_status_t" in match.group(0).split("(")[0]:
            call = only_call(match.group(5))
            if call:
                found[match.group(3)] = call
    return found


def asserting(code):
    """{function or macro: call} of those that assert that one call has the status they are given."""
    bodies = [(m.group(3), m.group(4), m.group(5)) for m in FUNCTION.finditer(code) if m.group(3)]
    bodies += [(m.group(1), m.group(2), m.group(3)) for m in MACRO.finditer(code)]
    found = {}
    for name, parameters, body in bodies:
        for match in ASSERTION.finditer(body):
            args = arguments(body, match.end() - 1)
            if re.search(rf"\b{re.escape(args[-1])}\b", parameters) and len(args) == 2:
                call = re.match(r"zx_(\w+)\(", args[0])
                if call:
                    found[name] = call.group(1)
    return found


def errors_in(expression, body):
    """The errors an expected status can be: named in it, or in what its variable is set to."""
    found = ERROR.findall(expression)
    root = re.match(r"(\w+)", expression)
    if not found and root:
        for value in re.findall(rf"\b{root.group(1)}\b(?:\[\w*\])?\s*=\s*([^;]*);", body):
            found += ERROR.findall(value)
    return found


def functions_of(code):
    """[(function or "family.behaviour", body)]"""
    return [(f"{m.group(1)}.{m.group(2)}" if m.group(1) else m.group(3), m.group(5))
            for m in FUNCTION.finditer(code)]


def assertions(body, helpers, asserts):
    """{(call, error)} that a function's body asserts; helpers and asserts as returning() and
    asserting() give them."""
    found = set()
    for match in re.finditer(r"\b(\w+)\(", body):
        macro = match.group(1)
        if macro != "COVERS" and macro not in STATUS_ASSERTS and macro not in asserts:
            continue
        args = arguments(body, match.end() - 1)
        if macro == "COVERS":
            found.add((args[0], args[1]))
            continue
        callee = re.match(r"(\w+)\(", args[0])
        if macro in asserts:
            call, errors = asserts[macro], ERROR.findall(" ".join(args))
        elif callee and callee.group(1).startswith("zx_"):
            call, errors = callee.group(1)[len("zx_"):], errors_in(args[-1], body)
        else:
            call = helpers.get(callee.group(1)) if callee else None
            errors = errors_in(args[-1], body)
        if call:
            found |= {(call, error) for error in errors}
    return found


def name_of(path, function, functions):
    """What to call a test: its own name, or for a helper that of the first function that uses it."""
    seen = set()
    while path.startswith("tests/conformance/") and "." not in function and function not in seen:
        seen.add(function)
        users = [name for name, body in functions
                 if name != function and re.search(rf"\b{function}\b", body)]
        if not users:
            break
        function = next((name for name in users if "." in name), users[0])
    if path.startswith("tests/host/"):
        return f"{os.path.basename(path)[:-2]}: {function} (host)"
    return function


def provoked(path, text):
    """{(call, error): test} of a file."""
    code = sources.without_comments(text)
    functions = functions_of(code)
    helpers, asserts = returning(code), ASSERTS | asserting(code)
    found = {}
    for function, body in functions:
        for pair in assertions(body, helpers, asserts):
            found.setdefault(pair, name_of(path, function, functions))
    return found


def collect():
    pages = {os.path.basename(path)[:-3]: documented(sources.read(path))
             for path in sources.tracked(".md") if os.path.dirname(path) == PAGES}
    tests = {}
    for path in sources.tracked(".c"):
        if path.startswith(("tests/conformance/", "tests/host/")):
            for pair, test in provoked(path, sources.read(path)).items():
                tests.setdefault(pair, test)
    return pages, tests


def render(pages, tests):
    counts = {"tested": 0, "cannot": 0}
    rows = []
    for call in sorted(pages):
        for error, why_not in pages[call]:
            test = tests.get((call, error))
            if why_not is not None:
                counts["cannot"] += 1
                what = f"cannot occur: {why_not}"
            else:
                counts["tested"] += test is not None
                what = f"`{test}`" if test else "none"
            rows.append(f"| [zx_{call}](syscalls/{call}.md) | `{error}` | {what} |\n")
    head = ("# Documented errors and their tests\n\n"
            "Made by `tools/errors_table.py` from the pages of [syscalls/](syscalls/) and the tests; "
            "`make errors` makes it again and `make check` refuses one that is out of date or that "
            "lacks a test.\n\n"
            f"{len(rows)} documented errors: {counts['tested']} provoked by a test, "
            f"{counts['cannot']} that cannot occur.\n\n"
            "| Call | Error | Test |\n|---|---|---|\n")
    return head + "".join(rows)


def problems_of(pages, tests, table):
    for call in sorted(pages):
        for error, why_not in pages[call]:
            if why_not is None and (call, error) not in tests:
                yield f"{PAGES}/{call}.md documents {error}, which no test provokes"
            if why_not is not None and (call, error) in tests:
                yield f"{PAGES}/{call}.md says that {error} cannot occur; {tests[call, error]} has it"
            if why_not == "":
                yield f"{PAGES}/{call}.md does not say why {error} cannot occur"
    for (call, error), test in sorted(tests.items()):
        if call in pages and error not in dict(pages[call]):
            yield f"{PAGES}/{call}.md does not document {error}, which {test} provokes"
    if table != render(pages, tests):
        yield f"{TABLE} is out of date: make errors"


def main():
    pages, tests = collect()
    if sys.argv[1:] != ["--check"]:
        with open(TABLE, "w", encoding="utf-8") as out:
            out.write(render(pages, tests))
        return 0
    table = sources.read(TABLE) if os.path.exists(TABLE) else ""
    problems = list(problems_of(pages, tests, table))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
