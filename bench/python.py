#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Calls from Python and in data engines, next to the ways that people use today.

    tools/bench --python [FILTER]    builds all that it needs, and runs this
    .venv/bin/python bench/python.py [--only calls|engines|processes] [--seconds 2] [--json FILE]

Peers and Alloy take turns in one run, in samples of 0.3 ms, so a busy moment meets all of
them. Ratio and target compare minima; the table also has the medians. With --check the exit
status is 1 if a target is missed.
"""

import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build"
# Next to this file is a copy.py, which would hide a module of Python.
sys.path[0] = str(HERE / "python_peers")
VENV = BUILD / "bench/venv"
if pathlib.Path(sys.prefix) != VENV and (VENV / "bin/python").exists():
    os.execv(VENV / "bin/python", [str(VENV / "bin/python"), *sys.argv])

import argparse  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import platform  # noqa: E402

import table  # noqa: E402

SECTIONS = ("calls", "engines", "processes")
PACKAGES = ("pyarrow", "polars", "duckdb", "datafusion", "pandas", "numba", "cffi", "ray",
            "adbc-driver-sqlite")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=SECTIONS)
    parser.add_argument("--seconds", type=float, default=2, help="for each group of programs")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    try:
        sections = [importlib.import_module(name) for name in SECTIONS
                    if arguments.only in (None, name)]
    except ModuleNotFoundError as error:
        sys.exit(f"bench/python.py: {error}; tools/bench --python installs all of it")
    from importlib.metadata import version
    found = {"machine": table.machine(), "python": platform.python_version(),
             "packages": {name: version(name) for name in PACKAGES}, "rows": []}
    print(table.machine_text(found["machine"]))
    for section in sections:
        found["rows"] += section.measured(BUILD, arguments.seconds)
    found["rows"].sort(key=lambda one: int(one["number"]) if one["number"] != "-" else 99)
    lines = [table.HEADING, *(table.cells(one) for one in found["rows"])]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    results = [table.reached(one) for one in found["rows"]]
    print(f"{results.count(True)} targets reached, {results.count(False)} missed")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    return 1 if arguments.check and False in results else 0


if __name__ == "__main__":
    sys.exit(main())
