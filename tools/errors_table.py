#!/usr/bin/env python3
"""Which test provokes which documented error. Reads the error tables of docs/syscalls and the tests
and writes docs/errors.md; with --check it says what is missing instead: an error without a test, a
table that is out of date, a COVERS mark for an error that no page documents.

A test provokes an error when it asserts a call's status in the plain form

    EXPECT_STATUS(zx_vmar_map(...), ZX_ERR_BAD_STATE)

(ASSERT_STATUS, EXPECT_NO_CHANGE, by_abi(A, B) and the macros of ASSERTS too; the call may hide in a
function of the same file that returns its status, the assertion in one that is given the status),
or, where an assertion has another form, says COVERS(vmar_map, ZX_ERR_BAD_STATE) beside it. An error
that cannot occur, or that no test can bring about at will, says so in its page, in a row that
begins with "Cannot occur:" or "Not provoked:" and the reason. The table counts both.
"""
import os
import re
import sys

import sources

PAGES = "docs/syscalls"
TABLE = "docs/errors.md"
CANNOT = "Cannot occur:"
NOT_PROVOKED = "Not provoked:"

# Macros of the suite: the place of the call whose status they assert, or the call itself.
STATUS_ASSERTS = ("EXPECT_STATUS", "ASSERT_STATUS", "EXPECT_NO_CHANGE")
ASSERTS = {name: 0 for name in STATUS_ASSERTS} | {
    "EXPECT_MAP_FAILS": {"vmar_map"},
    "EXPECT_ALLOCATE_FAILS": {"vmar_allocate"},
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
    """[(error, why it has no test, with its mark, or None)] of a page."""
    section = ERRORS_SECTION.search(text)
    rows = ROW.findall(section.group(1)) if section else []
    return [(error, when if when.startswith((CANNOT, NOT_PROVOKED)) else None)
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
    """{function or macro: calls} of those that assert that calls have the status they are given;
    for a macro that is given the call itself, the place of that argument."""
    bodies = [(m.group(3), m.group(4), m.group(5)) for m in FUNCTION.finditer(code) if m.group(3)]
    bodies += [(m.group(1), m.group(2), m.group(3)) for m in MACRO.finditer(code)]
    found = {}
    for name, parameters, body in bodies:
        names = [parameter.split()[-1].strip("*") for parameter in parameters.split(",")
                 if parameter.strip()]
        for match in ASSERTION.finditer(body):
            args = [arg.strip("()") if re.fullmatch(r"\(\w+\)", arg) else arg
                    for arg in arguments(body, match.end() - 1)]
            call = re.match(r"zx_(\w+)\(", args[0])
            if args[-1] not in names:
                continue
            if call:
                found.setdefault(name, set()).add(call.group(1))
            elif args[0] in names:
                found[name] = names.index(args[0])
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


def calls_of(expression, helpers):
    """The calls whose status an expression is."""
    callee = re.match(r"(\w+)\(", expression)
    if not callee:
        return set()
    if callee.group(1).startswith("zx_"):
        return {callee.group(1)[len("zx_"):]}
    return {helpers[callee.group(1)]} if callee.group(1) in helpers else set()


def assertions(body, helpers, asserts):
    """{(call, error)} that a function's body asserts; helpers and asserts as returning() and
    asserting() give them."""
    found = set()
    for match in re.finditer(r"\b(\w+)\(", body):
        macro = match.group(1)
        if macro != "COVERS" and macro not in asserts:
            continue
        args = arguments(body, match.end() - 1)
        about = asserts.get(macro)
        if macro == "COVERS":
            found.add((args[0], args[1]))
        elif isinstance(about, int):
            found |= {(call, error) for call in calls_of(args[about], helpers)
                      for error in errors_in(args[-1], body)}
        else:
            found |= {(call, error) for call in about for error in ERROR.findall(" ".join(args))}
    return found


def name_of(path, function, functions):
    """What to call a test: its own name; for a helper that of the first function that uses it."""
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
    counts = {"tested": 0, CANNOT: 0, NOT_PROVOKED: 0}
    rows = []
    for call in sorted(pages):
        for error, why_not in pages[call]:
            test = tests.get((call, error))
            if why_not is not None:
                counts[why_not[:why_not.index(":") + 1]] += 1
                what = why_not
            else:
                counts["tested"] += test is not None
                what = f"`{test}`" if test else "none"
            rows.append(f"| [zx_{call}](syscalls/{call}.md) | `{error}` | {what} |\n")
    head = ("# Documented errors and their tests\n\n"
            "Made by `tools/errors_table.py` from the pages of [syscalls/](syscalls/) and the "
            "tests; `make errors` makes it again and `make check` refuses one that is out of date "
            "or that lacks a test.\n\n"
            f"{len(rows)} documented errors: {counts['tested']} provoked by a test, "
            f"{counts[CANNOT]} that cannot occur, {counts[NOT_PROVOKED]} that no test can "
            "bring about at will.\n\n"
            "| Call | Error | Test |\n|---|---|---|\n")
    return head + "".join(rows)


def problems_of(pages, tests, table):
    for call in sorted(pages):
        for error, why_not in pages[call]:
            if why_not is None and (call, error) not in tests:
                yield f"{PAGES}/{call}.md documents {error}, which no test provokes"
            if why_not is not None and (call, error) in tests:
                test = tests[call, error]
                yield f"{PAGES}/{call}.md says that {error} has no test; {test} has it"
            if why_not is not None and len(why_not) < len(CANNOT) + 20:
                yield f"{PAGES}/{call}.md does not say why {error} has no test"
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
