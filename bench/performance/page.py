#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the tables and charts of docs/performance.md from what the benchmarks measured.

    bench/performance/page.py                  write them, from docs/performance/*.json
    bench/performance/page.py --check          fail if they are not what it would write
    bench/performance/page.py --boundary FILE  first keep the table that boundary_bench printed

`tools/bench --performance-page` measures all of it, and calls this.
"""

import argparse
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/python_peers"))

import table  # noqa: E402
from chart import Bar, svg  # noqa: E402

COLUMNS = ("columns", "today", "bound", "bind_each", "only_moves", "ratio", "target")
SERIES = {"today": "without Alloy: Arrow C++ and arrow-rs, exported and imported each time",
          "bind_each": "Alloy, bound for each call", "bound": "Alloy, bound once",
          "only_moves": "Alloy, a function that only moves its batch"}


def read_boundary(text):
    """The last table of boundary_bench: microseconds of processor time."""
    rows = []
    for line in text.splitlines():
        numbers = re.findall(r"(\d+(?:\.\d+)?)x?(?= |$)", line)
        if re.fullmatch(r" *\d+( +[\d.]+){4} +[\d.]+x +\d+x", line):
            rows.append(dict(zip(COLUMNS, (float(n) for n in numbers), strict=True)))
    if len(rows) != 3:
        sys.exit("bench/performance/page.py: this is no output of boundary_bench")
    # Google Benchmark prints both before it runs.
    begin = re.search(r"^(\d{4}-\d\d-\d\d)T.*?^Load Average: ([\d.]+)", text, re.M | re.S)
    if begin is None:
        sys.exit("bench/performance/page.py: keep what boundary_bench writes to standard error too")
    return {"machine": {**table.machine(), "date": begin[1], "load": float(begin[2])}, "rows": rows}


def markdown(lines):
    heading, *rows = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join("| " + " | ".join(line) + " |"
                     for line in (heading, ["---"] * len(heading), *rows)) + "\n"


def comparison(one):
    """Times cheaper than the peer, and the target in the same unit; None: no ratio."""
    if one["kind"] not in (table.AT_MOST, table.CHEAPER):
        return None
    ratio, target = one["peer"]["min"] / one["alloy"]["min"], one["target"]
    if target and one["kind"] == table.AT_MOST:
        target = 1 / target
    return ratio, target


def python_chart(found):
    bars, said = [], []
    for one in found["rows"]:
        compared = comparison(one)
        if compared is None:
            continue
        word = {True: "reached", False: "missed", None: "no target"}[table.reached(one)]
        kind = {True: "good", False: "bad", None: "plain"}[table.reached(one)]
        number = "" if one["number"] == "-" else one["number"] + "  "
        bars.append(Bar(number + one["what"], f"peer: {one['peer_name']}",
                        compared[0], f"{compared[0]:.2g}x, {word}", kind, compared[1]))
        said.append(f"{one['what']}, peer {one['peer_name']}: {table.value_text(one)}, {word}.")
    return svg("Alloy from Python: how many times cheaper than the peer",
               " ".join(said) + " A thick line is the target.",
               "time of the peer / time of Alloy; below 1 Alloy costs more; thick line: target",
               bars, start=1.0)


def boundary_chart(found):
    bars, said = [], []
    for one in found["rows"]:
        columns = f"{one['columns']:.0f} column{'s' if one['columns'] > 1 else ''}"
        for name, text in SERIES.items():
            kind = {"today": "plain", "bound": "good"}.get(name, "other")
            bars.append(Bar(columns, text, one[name], f"{one[name]:.2f} µs", kind))
            said.append(f"{columns}, {text}: {one[name]:.2f} µs.")
    return svg("A call from C++ to Rust and back, 1,024 rows", " ".join(said),
               "microseconds of processor time, median", bars, start=None)


def made(folder):
    """What each file must contain."""
    data = folder / "performance"
    python = json.loads((data / "python.json").read_text())
    boundary = json.loads((data / "boundary.json").read_text())
    results = [table.reached(one) for one in python["rows"]]
    versions = ", ".join(f"{name} {version}" for name, version in python["packages"].items())
    blocks = {
        "python": f"Machine: {table.machine_text(python['machine'])}. CPython {python['python']}; "
                  f"{versions}.\n\n"
                  + markdown([table.HEADING, *(table.cells(one) for one in python["rows"])])
                  + f"\n{results.count(True)} targets reached, {results.count(False)} missed.\n",
        "boundary": f"Machine: {table.machine_text(boundary['machine'])}.\n\n" + markdown(
            [("columns", *SERIES.values(), "without Alloy / bound once", "target", "reached"),
             *((f"{one['columns']:.0f}", *(f"{one[name]:.2f} µs" for name in SERIES),
                f"{one['today'] / one['bound']:.1f} times cheaper",
                f"at least {one['target']:g} times cheaper",
                "yes" if one["today"] / one["bound"] >= one["target"] else "no")
               for one in boundary["rows"])])}
    page = (folder / "performance.md").read_text()
    for name, block in blocks.items():
        page, count = re.subn(rf"(<!-- numbers: {name} -->\n).*?(<!-- end of {name} -->\n)",
                              lambda match, block=block: match[1] + block + match[2], page,
                              flags=re.S)
        if count != 1:
            sys.exit(f"{folder}/performance.md has {count} places for the numbers of {name}")
    return {folder / "performance.md": page, data / "python.svg": python_chart(python),
            data / "boundary.svg": boundary_chart(boundary)}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--boundary", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "docs")
    arguments = parser.parse_args()
    if arguments.boundary:
        kept = json.dumps(read_boundary(arguments.boundary.read_text()), indent=1)
        (arguments.folder / "performance/boundary.json").write_text(kept + "\n")
    files = made(arguments.folder)
    if arguments.check:
        stale = [str(path) for path, text in files.items()
                 if not path.exists() or path.read_text() != text]
        if stale:
            sys.exit(f"not made from the numbers: {', '.join(stale)}; "
                     "run bench/performance/page.py")
        return
    for path, text in files.items():
        path.write_text(text)


if __name__ == "__main__":
    main()
