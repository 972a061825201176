#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TPC-H Q1 and Q6 on lineitem as Parquet: Alloy beside DuckDB and pyarrow.

    .venv/bin/python bench/tpch.py [--scale 1] [--runs 5]

It takes what `tools/test tpch` builds.
Each is a process that reads the file and answers the query, all in one run and in turn,
so that what else the machine does hits all alike. Medians, and ratios to DuckDB with as
many threads as there are cores, and with one. Memory is the peak of the resident set, and
how much that is above the same program's peak on a file without rows.
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

from lineitem import BUILD, QUERIES, lineitem  # noqa: E402

DUCKDB = """
import sys, duckdb
connection = duckdb.connect(config={"threads": int(sys.argv[1])})
print(connection.execute(sys.argv[2]).fetchall())
"""

# What pyarrow itself offers for a query over a file: a dataset, scanned batch by batch
# into Acero.
PYARROW = """
import sys, datetime, decimal
import pyarrow as pa, pyarrow.compute as pc, pyarrow.dataset as ds
from pyarrow.acero import Declaration, ScanNodeOptions, FilterNodeOptions
from pyarrow.acero import ProjectNodeOptions, AggregateNodeOptions, OrderByNodeOptions
query, file = sys.argv[1:]
f, day = pc.field, lambda *d: pa.scalar(datetime.date(*d), pa.date32())
one = pc.scalar(pa.scalar(decimal.Decimal(1), pa.decimal128(1, 0)))
# The flags are views in the file, which no kernel filters or groups by.
views = ds.dataset(file).schema
data = ds.dataset(file, schema=pa.schema(
    [column.with_type(pa.string()) if column.type == pa.string_view() else column
     for column in views]))
read = ["l_quantity", "l_extendedprice", "l_discount", "l_shipdate"]
def number(text): return pa.scalar(decimal.Decimal(text), pa.decimal128(15, 2))
if query == "q6":
    keep = ((f("l_shipdate") >= day(1994, 1, 1)) & (f("l_shipdate") < day(1995, 1, 1))
            & (f("l_discount") >= number("0.05")) & (f("l_discount") <= number("0.07"))
            & (f("l_quantity") < number("24.00")))
    plan = [Declaration("project", ProjectNodeOptions(
                [f("l_extendedprice") * f("l_discount")], ["revenue"])),
            Declaration("aggregate", AggregateNodeOptions(
                [("revenue", "sum", None, "revenue")]))]
else:
    read += ["l_tax", "l_returnflag", "l_linestatus"]
    keep = f("l_shipdate") <= day(1998, 9, 2)
    # Narrow rates: products of three columns of 15 digits have more than 38.
    rate = pa.decimal128(3, 2)
    price, discount, tax = f("l_extendedprice"), f("l_discount").cast(rate), f("l_tax").cast(rate)
    net = price * (one - discount)
    plan = [Declaration("project", ProjectNodeOptions(
                [f("l_returnflag"), f("l_linestatus"), f("l_quantity"), price, net,
                 net * (one + tax), discount],
                ["flag", "status", "qty", "price", "net", "charge", "discount"])),
            Declaration("aggregate", AggregateNodeOptions(
                [("qty", "hash_sum", None, "sum_qty"), ("price", "hash_sum", None, "sum_price"),
                 ("net", "hash_sum", None, "sum_net"), ("charge", "hash_sum", None, "sum_charge"),
                 ("qty", "hash_mean", None, "avg_qty"), ("price", "hash_mean", None, "avg_price"),
                 ("discount", "hash_mean", None, "avg_disc"), ("qty", "hash_count", None, "n")],
                keys=["flag", "status"])),
            Declaration("order_by", OrderByNodeOptions(
                [("flag", "ascending"), ("status", "ascending")]))]
scan = Declaration("scan", ScanNodeOptions(data, columns=read, filter=keep))
table = Declaration.from_sequence(
    [scan, Declaration("filter", FilterNodeOptions(keep)), *plan]).to_table()
print(table.num_rows)
"""


NO_ROWS = """
import sys, pyarrow.parquet as pq
pq.write_table(pq.read_schema(sys.argv[1]).empty_table(), sys.argv[2])
"""


def measure(command):
    """Seconds and peak resident bytes of a process."""
    with tempfile.TemporaryFile() as said:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            sys.exit(f"{command[0]} failed: {said.read().decode(errors='replace')[-2000:]}")
    return seconds, usage.ru_maxrss * 1024


def run(backend, query, file, out):
    return [BUILD / "bin/arrowalloy", "run", library(backend), query, "-i", file, "-o", out,
            "--allow-unsigned", "-q"]


def host(program):
    def command(backend, query, file, out):
        return [BUILD / f"bin/{program}", library(backend), query, file, out]
    return command


def library(backend):
    return BUILD / f"backends/{backend}.so"


BACKENDS = ("tpch_rust", "tpch_cpp")

# Each host with each backend.
ALLOY = {
    f"{host_name}, {backend}": (command, backend)
    for host_name, command in (("arrowalloy run", run), ("C++ host", host("query_cpp")),
                               ("Go host", host("query_go")))
    for backend in BACKENDS
}


def contestants(query, file, out):
    text = QUERIES[query].format(file=file)
    return {
        **{name: command(backend, query, file, out)
           for name, (command, backend) in ALLOY.items()},
        f"duckdb, {os.cpu_count()} threads": [sys.executable, "-c", DUCKDB,
                                              str(os.cpu_count()), text],
        "duckdb, 1 thread": [sys.executable, "-c", DUCKDB, "1", text],
        "pyarrow": [sys.executable, "-c", PYARROW, query, file],
    }


def without_rows(file, folder):
    """The same columns and no row, to see what a program takes before it reads."""
    empty = pathlib.Path(folder) / "lineitem.parquet"
    # In a process of its own: a child's peak is at least that of whoever starts it.
    subprocess.run([sys.executable, "-c", NO_ROWS, file, empty], check=True)
    return empty


def race(query, file, runs):
    """Seconds and peak bytes of each, a list each."""
    with tempfile.TemporaryDirectory() as folder:
        commands = contestants(query, file, pathlib.Path(folder) / "out.arrow")
        measured = {name: [] for name in commands}
        for _ in range(runs):
            for name, command in commands.items():
                measured[name].append(measure(command))
    return {name: tuple(zip(*pairs)) for name, pairs in measured.items()}


def report(query, file, runs):
    measured = race(query, file, runs)
    with tempfile.TemporaryDirectory() as folder:
        starts = {name: peaks[0] for name, (_, peaks)
                  in race(query, without_rows(file, folder), 1).items()}
    seconds = {name: statistics.median(all) for name, (all, _) in measured.items()}
    several, one = [all for name, all in seconds.items() if name.startswith("duckdb")]
    print(f"\n{query}: medians of {runs} runs, each a whole process\n"
          f"{'':26} {'seconds':>8} {'of duckdb':>10} {'of 1 thread':>12} {'peak MB':>8} "
          f"{'above start':>12}")
    for name, median in seconds.items():
        peak = statistics.median(measured[name][1])
        print(f"{name:26} {median:8.2f} {median / several:10.2f} {median / one:12.2f} "
              f"{peak / 1e6:8.0f} {(peak - starts[name]) / 1e6:12.0f}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    missing = [path for path in (BUILD / "bin/arrowalloy", BUILD / "bin/query_cpp",
                                 BUILD / "bin/query_go", *map(library, BACKENDS))
               if not path.exists()]
    if missing:
        sys.exit(f"bench/tpch.py: {missing[0]} is missing; build it by: tools/test tpch")
    scale = int(arguments.scale) if arguments.scale.is_integer() else arguments.scale
    file = lineitem(scale)
    print(f"lineitem at scale factor {scale}: {file.stat().st_size / 1e6:.0f} MB")
    for query in QUERIES:
        report(query, file, arguments.runs)


if __name__ == "__main__":
    main()
