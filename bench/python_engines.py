# SPDX-License-Identifier: MIT
"""Alloy inside of data engines, next to what the engines offer themselves.

    make wheel && build/python/venv/bin/python -P bench/python_engines.py

-P keeps bench/copy.py from standing for a module of Python.

Each line is a ratio of one run, with its target. Peers and Alloy take turns, so that a busy
machine disturbs both. A time is the minimum; the median is in parentheses.
"""

import pathlib
import statistics
import sys
import time
from collections.abc import Callable

import datafusion
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

import alloy

BUILD = pathlib.Path(__file__).resolve().parents[1] / "build"
missed = []


def measure(seconds: float, **programs: Callable[[], object]) -> dict[str, float]:
    """The shortest time of each program in microseconds; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in programs}
    for program in programs.values():
        program()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(times.values()))) < 5:
        for name, program in programs.items():
            start = time.perf_counter()
            program()
            times[name].append((time.perf_counter() - start) * 1e6)
    for name, samples in times.items():
        print(f"  {name:<28}{min(samples):>12,.1f} us  ({statistics.median(samples):,.1f})")
    return {name: min(samples) for name, samples in times.items()}


def show(what: str, ratio: float, target: float, *, at_least: bool) -> None:
    good = ratio >= target if at_least else ratio <= target
    sign = ">=" if at_least else "<="
    print(f"  {what}: {ratio:.2f} (target {sign} {target}){'' if good else '  MISSED'}")
    if not good:
        missed.append(what)


def in_duckdb(score: alloy.Function) -> None:
    rows = 2_000_000
    con = duckdb.connect()
    con.execute("set threads = 1")
    con.execute(f"create table points as select range / 4.0::double x, range y from range({rows})")

    def multiply(x: pa.ChunkedArray, y: pa.ChunkedArray) -> pa.ChunkedArray:
        return pc.multiply(x, pc.cast(y, pa.float64()))

    con.create_function("peer", multiply, ["DOUBLE", "BIGINT"], "DOUBLE", type="arrow")
    alloy.duckdb.register(con, score)
    cursor = con.cursor()

    def stream() -> object:
        scored = score.stream(cursor.sql("select x, y from points"))
        return con.execute("select sum(score) from scored").fetchall()

    print(f"DuckDB, sum of {rows:,} rows")
    times = measure(
        8, native=lambda: con.execute("select sum(x * y) from points").fetchall(),
        arrow_udf=lambda: con.execute("select sum(peer(x, y)) from points").fetchall(),
        alloy_scalar=lambda: con.execute("select sum(score(x, y)) from points").fetchall(),
        alloy_stream=stream)
    show("arrow UDF / Alloy stream, per row", times["arrow_udf"] / times["alloy_stream"], 10,
         at_least=True)
    show("Alloy scalar / arrow UDF", times["alloy_scalar"] / times["arrow_udf"], 1.2,
         at_least=False)


def in_polars(score: alloy.Function) -> None:
    for rows, seconds in ((1_024, 2), (2_000_000, 6)):
        i = pl.int_range(rows)
        df = pl.select(x=pl.when(i % 7 == 0).then(None).otherwise(i / 4), y=i)
        lazy = df.lazy()
        ours = lazy.select(alloy.polars.expr(score, "x", "y"))
        native = lazy.select(pl.col("x") * pl.col("y"))

        def multiply(both: list[pl.Series]) -> pl.Series:
            return pl.Series(score.columns(both[0].rechunk(), both[1].rechunk()))

        mapped = lazy.select(pl.map_batches(["x", "y"], multiply, return_dtype=pl.Float64))
        print(f"Polars, {rows:,} rows")
        times = measure(seconds, native=native.collect, map_batches=mapped.collect,
                        alloy_expression=ours.collect)
        if rows < 10_000:
            above = {name: value - times["native"] for name, value in times.items()}
            show("above native: expression / map_batches",
                 above["alloy_expression"] / above["map_batches"], 0.25, at_least=False)
        else:
            show("expression / native", times["alloy_expression"] / times["native"], 1.4,
                 at_least=False)


def in_datafusion(score: alloy.Function) -> None:
    rows = 1_000_000
    ctx = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(1))
    ctx.from_arrow(pa.table({"x": pa.array([i / 4 for i in range(rows)]),
                             "y": pa.array(range(rows), pa.int64())}), name="points")

    def multiply(x: pa.Array, y: pa.Array) -> pa.Array:
        return pc.multiply(x, pc.cast(y, pa.float64()))

    types = [pa.float64(), pa.int64()]
    ctx.register_udf(datafusion.udf(multiply, types, pa.float64(), "immutable", "peer"))
    ctx.register_udf(alloy.datafusion.udf(score, types))
    print(f"DataFusion, sum of {rows:,} rows")
    times = measure(
        6, native=lambda: ctx.sql("select sum(x * y) from points").collect(),
        pyarrow_udf=lambda: ctx.sql("select sum(peer(x, y)) from points").collect(),
        alloy_udf=lambda: ctx.sql("select sum(score(x, y)) from points").collect())
    show("Alloy / pyarrow UDF", times["alloy_udf"] / times["pyarrow_udf"], 1.2, at_least=False)


def main() -> int:
    with alloy.open(BUILD / "backends/score_cpp.so", f"@{BUILD}/dev.crt") as bridge:
        for engine in (in_duckdb, in_polars, in_datafusion):
            engine(bridge.score)
    print(f"{len(missed)} targets missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
