#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the tables of docs/boundary.md from the fault cases; with --check, compares only.

The cases are in tests/faults/*_cases.h, the meaning of a reason in include/alloy/reason.h.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/boundary.md"
LEVELS = {1: "shape", 2: "safe", 3: "full"}
# {"name", ALLOY_REASON_X, column, function}, or with a level behind the function.
CASE = re.compile(r'^ {6}\{"(\w+)", (?:ALLOY_REASON_)?(\w+), [^\n]*?(.*?)(?=^ {6}\{"|^  \};)',
                  re.MULTILINE | re.DOTALL)
LEVEL = re.compile(r"(\d)\},\s*(?://[^\n]*\n\s*)?\Z")
REASON = re.compile(r'X\((\w+), \d+,\s*"([^"]*)"\)')


def cases():
    """(name, reason, level, is_schema) of every case, in the order of the tables."""
    for table in ("shape", "row", "schema"):
        text = (ROOT / f"tests/faults/{table}_cases.h").read_text()
        for name, reason, rest in CASE.findall(text):
            level = LEVEL.search(rest)
            reason = "FORMAT_PARAMETER" if reason == "kAnyFormatReason" else reason
            yield name, reason, int(level[1]) if level else 1, table == "schema"


def tables():
    """The text of each table, by the name in its marker."""
    text = (ROOT / "include/alloy/reason.h").read_text().replace("\\\n", "\n")
    meanings = dict(REASON.findall(text))
    faults, valid = {}, []
    for name, reason, level, is_schema in cases():
        if reason == "NONE":
            valid.append(name)
        else:
            where = "schema" if is_schema else LEVELS[level]
            names, found = faults.setdefault(reason, ([], {}))
            names.append(f"`{name}`")
            found[where] = True  # a set that keeps the order
    rows = [f"| {reason} | {meaning} | {', '.join(faults[reason][1])} | {', '.join(faults[reason][0])} |"
            for reason, meaning in meanings.items() if reason in faults]
    head = ["| reason | what is wrong | found by | cases |", "|---|---|---|---|"]
    return {"faults": "\n".join(head + rows),
            "valid": "\n".join(f"- `{name}`" for name in valid)}


def main():
    page = PAGE.read_text()
    new = page
    for name, text in tables().items():
        block = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        new = block.sub(lambda found: found[1] + text + found[2], new)
    if sys.argv[1:] == ["--check"]:
        if new != page:
            sys.exit("docs/boundary.md: the tables differ from the cases; "
                     "run tests/faults/boundary.py")
        return
    PAGE.write_text(new)


if __name__ == "__main__":
    main()
