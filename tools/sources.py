"""The tracked files of the tree, and C text without comments or strings, for the checks."""
import re
import subprocess

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def tracked(*suffixes):
    """Paths of the tracked and the new, not ignored files with one of the suffixes (all: none)."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            stdout=subprocess.PIPE, check=True).stdout.decode()
    existing = subprocess.run(["git", "ls-files", "-z", "--deleted"],
                              stdout=subprocess.PIPE, check=True).stdout.decode()
    gone = set(existing.split("\0"))
    return sorted(path for path in set(listed.split("\0")) - gone
                  if path and (not suffixes or path.endswith(suffixes)))


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def blank(text):
    """As many line ends as in text, so that line numbers stay."""
    return " " + "\n" * text.count("\n")


def without_comments(text):
    return TOKEN.sub(lambda m: blank(m.group()) if m.group()[0] == "/" else m.group(), text)


def without_strings(text):
    return TOKEN.sub(lambda m: '""' if m.group()[0] == '"' else m.group(), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
