#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Parquet through `arrowalloy run` and a function that returns its input: next to pyarrow.

    .venv/bin/python bench/copy.py [--scale 3] [--runs 5]

The file is lineitem of TPC-H, about 220 MB for each unit of scale. It takes what
`cmake --build build --target arrowalloy arrowalloy_run echo_c` builds. Each copy is a
process, all in one run and in turn, so that what else the machine does hits all alike.
`pyarrow, batches` copies as `arrowalloy run` does, batch by batch in bounded memory;
`pyarrow, table` reads the whole file into memory first. Medians, and ratios to it.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/tpch"))

from lineitem import BUILD, lineitem  # noqa: E402

TABLE = """
import sys, pyarrow.parquet as pq
pq.write_table(pq.read_table(sys.argv[1]), sys.argv[2])
"""

BATCHES = """
import sys, pyarrow.parquet as pq
source = pq.ParquetFile(sys.argv[1])
with pq.ParquetWriter(sys.argv[2], source.schema_arrow) as target:
    for batch in source.iter_batches():
        target.write_batch(batch, row_group_size=1 << 20)
"""

CHECK = """
import sys, pyarrow.parquet as pq
one, other = (pq.ParquetFile(file) for file in sys.argv[1:])
assert one.schema_arrow == other.schema_arrow, other.schema_arrow
assert one.metadata.num_rows == other.metadata.num_rows
columns = one.schema_arrow.names[:4]
assert one.read(columns) == other.read(columns)
"""


def commands(source, folder):
    program = BUILD / "bin/arrowalloy"
    backend = BUILD / "backends/echo_c.so"
    for path in (program, BUILD / "bin/arrowalloy-run", backend):
        if not path.exists():
            sys.exit(f"bench/copy.py: {path} is missing; build it by: cmake --build build "
                     "--target arrowalloy arrowalloy_run echo_c")
    python = [sys.executable, "-c"]
    return {
        "arrowalloy run": [program, "run", backend, "echo", "--allow-unsigned", "-q",
                           "--progress", "none", "-i", source, "-o", folder / "a.parquet"],
        "pyarrow, table": [*python, TABLE, source, folder / "t.parquet"],
        "pyarrow, batches": [*python, BATCHES, source, folder / "b.parquet"],
    }


def measure(command):
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
        errors = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{command[0]} failed: {errors.decode(errors='replace')[-2000:]}")
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=3)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    scale = int(arguments.scale) if arguments.scale.is_integer() else arguments.scale
    source = lineitem(scale)
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        folder = pathlib.Path(folder)
        contestants = commands(source, folder)
        measured = {name: [] for name in contestants}
        for _ in range(arguments.runs):
            for name, command in contestants.items():
                measured[name].append(measure(command))
        subprocess.run([sys.executable, "-c", CHECK, source, folder / "a.parquet"], check=True)
        medians = {name: [statistics.median(values) for values in zip(*runs)]
                   for name, runs in measured.items()}
        print(f"lineitem at scale factor {scale}: {source.stat().st_size / 1e6:.0f} MB; medians "
              f"of {arguments.runs} runs\n{'':20}{'seconds':>9}{'ratio':>7}{'CPU s':>8}"
              f"{'peak MB':>9}{'file MB':>9}")
        for (name, (seconds, cpu, peak)), file in zip(medians.items(), "atb"):
            size = (folder / f"{file}.parquet").stat().st_size / 1e6
            print(f"{name:20}{seconds:9.2f}{seconds / medians['pyarrow, table'][0]:7.2f}"
                  f"{cpu:8.2f}{peak:9.0f}{size:9.0f}")


if __name__ == "__main__":
    main()
