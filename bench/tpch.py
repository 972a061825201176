#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TPC-H Q1 and Q6 on lineitem as Parquet: Alloy beside DuckDB and pyarrow.

    bench/tpch.py [--scale 1] [--runs 5]

Each is a process that reads the file and answers the query, all in one run and in turn,
so that what else the machine does hits all alike. Medians, and ratios to DuckDB with as
many threads as there are cores, and with one. Memory is the peak of the resident set
above that of the same program when it has read nothing.
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
print(connection.execute(sys.argv[2]).fetchall()[0][0])
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


BACKENDS = ("tpch_rust", "tpch_cpp")


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


def alloy(backend, query, file, *more):
    return [str(BUILD / "bin/arrowalloy"), "run", str(BUILD / f"backends/{backend}.so"),
            query, "-i", str(file), "-o", "-", "--allow-unsigned", "-q", *more]


def contestants(query, file):
    text = QUERIES[query].format(file=file)
    python = sys.executable
    return {
        **{f"alloy, {backend}": alloy(backend, query, file) for backend in BACKENDS},
        f"duckdb, {os.cpu_count()} threads": [python, "-c", DUCKDB, str(os.cpu_count()), text],
        "duckdb, 1 thread": [python, "-c", DUCKDB, "1", text],
        "pyarrow": [python, "-c", PYARROW, query, str(file)],
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    scale = int(arguments.scale) if arguments.scale.is_integer() else arguments.scale
    file = lineitem(scale)
    print(f"lineitem at scale factor {scale}: {file.stat().st_size / 1e6:.0f} MB")
    for query in QUERIES:
        commands = contestants(query, file)
        seconds = {name: [] for name in commands}
        memory = {name: [] for name in commands}
        for _ in range(arguments.runs):
            for name, command in commands.items():
                took, peak = measure(command)
                seconds[name].append(took)
                memory[name].append(peak)
        starts = {backend: measure(alloy(backend, query, file, "--limit", "0"))[1]
                  for backend in BACKENDS}
        medians = {name: statistics.median(all) for name, all in seconds.items()}
        duckdb = [medians[name] for name in medians if name.startswith("duckdb")]
        print(f"\n{query}: median of {arguments.runs} runs, the whole process\n"
              f"{'':22} {'seconds':>8} {'of duckdb':>10} {'of 1 thread':>12} {'peak MB':>8}")
        for name, median in medians.items():
            peak = statistics.median(memory[name])
            print(f"{name:22} {median:8.2f} {median / duckdb[0]:10.2f} "
                  f"{median / duckdb[1]:12.2f} {peak / 1e6:8.0f}")
        for backend, start in starts.items():
            above = statistics.median(memory[f"alloy, {backend}"]) - start
            print(f"alloy, {backend}, above its start: {above / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
