#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The functions of backends/aggregate_rust next to DuckDB, on lineitem in memory.

    .venv/bin/python bench/aggregate.py [--scale 1] [--runs 5] [--library FILE]

It needs what `tools/test tpch` builds.
Both get the same Arrow batches in memory, and both results are read to their end, batch by
batch. The backend works on the thread of its caller, so DuckDB gets one thread. DuckDB
reads its own table in memory, which was made before; "scan" is its time when it reads the
Arrow batches instead.
The times are CPU times of the process, so that other programs on the machine disturb them
little. The runs take turns. The table shows medians, and ratios to DuckDB.
"""

import argparse
import ctypes
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/tpch"))

from lineitem import BUILD, lineitem  # noqa: E402

BATCH_ROWS = 1 << 16
COLUMNS = ("l_orderkey", "l_partkey", "l_suppkey", "l_quantity", "l_extendedprice",
           "l_discount", "l_returnflag", "l_linestatus", "l_shipdate", "l_shipmode")

# Name: the function, its options, and the same in SQL. The keys: 100,000 parts at scale 0.5,
# 4 groups of two texts, 1,500,000 orders at scale 1.
WORK = {
    "group_by, few keys": (
        "group_by", {"keys": "l_returnflag,l_linestatus",
                     "aggregates": "count,sum(l_quantity) as s,mean(l_discount) as m"},
        "SELECT l_returnflag, l_linestatus, count(*), sum(l_quantity), avg(l_discount) "
        "FROM t GROUP BY ALL"),
    "group_by, 100,000 keys": (
        "group_by", {"keys": "k", "aggregates": "count,sum(l_quantity) as s,max(l_shipdate) as d"},
        "SELECT k, count(*), sum(l_quantity), max(l_shipdate) FROM t GROUP BY ALL"),
    "group_by, 2 keys, many groups": (
        "group_by", {"keys": "l_suppkey,l_shipmode", "aggregates": "count,sum(l_extendedprice) as s"},
        "SELECT l_suppkey, l_shipmode, count(*), sum(l_extendedprice) FROM t GROUP BY ALL"),
    "sort by a date": (
        "sort", {"by": "l_shipdate"}, "SELECT * FROM t ORDER BY l_shipdate"),
    "sort by a price, a number": (
        "sort", {"by": "l_extendedprice,l_orderkey", "descending": "true,false"},
        "SELECT * FROM t ORDER BY l_extendedprice DESC, l_orderkey"),
    "sort by a text, a date": (
        "sort", {"by": "l_shipmode,l_shipdate"},
        "SELECT * FROM t ORDER BY l_shipmode, l_shipdate"),
}


class HostOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("flags", ctypes.c_uint32),
                ("rest", ctypes.c_byte * 48)]


class BridgeOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("rest", ctypes.c_byte * 76)]


class Backend:
    """A backend behind the C ABI, in this process."""

    def __init__(self, library):
        self.alloy = ctypes.CDLL(str(BUILD / "lib/liballoy.so"))
        self.alloy.alloy_call_free.restype = None
        self.alloy.alloy_call_free.argtypes = [ctypes.c_void_p]
        self.error = ctypes.create_string_buffer(1024)
        host, self.bridge = ctypes.c_void_p(), ctypes.c_void_p()
        # 1: libraries without a signature may be loaded.
        self.check(self.alloy.alloy_host_new(
            ctypes.byref(HostOptions(struct_size=ctypes.sizeof(HostOptions), flags=1)),
            ctypes.byref(host), self.error))
        self.check(self.alloy.alloy_bridge_new(
            host, ctypes.byref(BridgeOptions(struct_size=ctypes.sizeof(BridgeOptions))),
            ctypes.byref(self.bridge), self.error))
        self.check(self.alloy.alloy_bridge_load(
            self.bridge, str(library).encode(), None, self.error))

    def check(self, code):
        if code != 0:
            sys.exit(f"bench/aggregate.py: {self.error.raw[20:].split(bytes(1))[0].decode()}")

    def run(self, function, options, table):
        """Call a stream function on a table. Return how many rows came out."""
        import pyarrow as pa

        schema = ctypes.create_string_buffer(72)  # sizeof(ArrowSchema)
        table.schema._export_to_c(ctypes.addressof(schema))
        words = [word.encode() for pair in options.items() for word in pair]
        call = ctypes.c_void_p()
        self.check(self.alloy.alloy_call_bind(
            self.bridge, function.encode(), schema, 1,
            (ctypes.c_char_p * (len(words) + 1))(*words, None), ctypes.byref(call), self.error))
        streams = [ctypes.create_string_buffer(40) for _ in range(2)]  # ArrowArrayStream
        table.to_reader(BATCH_ROWS)._export_to_c(ctypes.addressof(streams[0]))
        self.check(self.alloy.alloy_call_stream(
            call, streams[0], 1, streams[1], ctypes.c_int64(0), ctypes.c_uint64(1), self.error))
        reader = pa.RecordBatchReader._import_from_c(ctypes.addressof(streams[1]))
        count = sum(batch.num_rows for batch in reader)
        del reader
        self.alloy.alloy_call_free(call)
        return count


def cpu_seconds(work):
    begin = time.process_time()
    count = work()
    return time.process_time() - begin, count


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="a part of the names to run")
    parser.add_argument("--library", default=BUILD / "backends/aggregate_rust.so")
    arguments = parser.parse_args()

    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet

    scale = int(arguments.scale) if arguments.scale.is_integer() else arguments.scale
    arrow = pyarrow.parquet.read_table(lineitem(scale), columns=list(COLUMNS))
    keys = pc.subtract(arrow["l_partkey"], pc.multiply(
        pc.divide(arrow["l_partkey"], 100_000), 100_000))
    arrow = arrow.append_column("k", keys).combine_chunks()
    arrow = pa.Table.from_batches(arrow.to_batches(max_chunksize=BATCH_ROWS))
    backend = Backend(arguments.library)
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET preserve_insertion_order = true")
    connection.register("batches", arrow)
    connection.execute("CREATE TABLE own AS SELECT * FROM batches")

    def duck(sql, name):
        result = connection.sql(sql.replace("FROM t", f"FROM {name}"))
        return sum(batch.num_rows for batch in result.to_arrow_reader(BATCH_ROWS))

    print(f"lineitem at scale factor {scale}: {arrow.num_rows} rows; CPU seconds, medians of "
          f"{arguments.runs} runs\n{'':32} {'alloy':>7} {'duckdb':>7} {'ratio':>6} "
          f"{'scan':>7} {'ratio':>6}")
    for name, (function, options, sql) in WORK.items():
        if arguments.only not in name:
            continue
        contestants = (lambda: backend.run(function, options, arrow),
                       lambda: duck(sql, "own"), lambda: duck(sql, "batches"))
        seconds = [[] for _ in contestants]
        for _ in range(arguments.runs):
            answers = [cpu_seconds(work) for work in contestants]
            if len({count for _, count in answers}) != 1:
                sys.exit(f"bench/aggregate.py: {name}: different numbers of rows: {answers}")
            for one, (spent, _) in zip(seconds, answers):
                one.append(spent)
        ours, own, scan = map(statistics.median, seconds)
        print(f"{name:32} {ours:7.2f} {own:7.2f} {ours / own:6.2f} {scan:7.2f} "
              f"{ours / scan:6.2f}", flush=True)


if __name__ == "__main__":
    main()
