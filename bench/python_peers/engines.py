# SPDX-License-Identifier: MIT
"""Rows 7, 8 and 10: Alloy in data engines, next to what the engines offer themselves."""

import pathlib
from typing import Any

import datafusion
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from polars.plugins import register_plugin_function
from table import AT_MOST, CHEAPER, measure, row

import alloy


def in_duckdb(score: alloy.Function, seconds: float) -> list[dict[str, Any]]:
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

    def reader() -> object:
        out = pa.RecordBatchReader.from_stream(cursor.sql("select x, y from points"))
        return con.execute("select sum(x) from out").fetchall()

    times = measure(4 * seconds, {
        "native": lambda: con.execute("select sum(x * y) from points").fetchall(),
        "udf": lambda: con.execute("select sum(peer(x, y)) from points").fetchall(),
        "scalar": lambda: con.execute("select sum(score(x, y)) from points").fetchall(),
        "reader": reader, "stream": stream})
    what = "DuckDB, sum of 2,000,000 scores"
    return [
        row("7", f"{what}, stream in SQL", times["stream"], "DuckDB's arrow UDF", times["udf"],
            CHEAPER, 10),
        row("7", f"{what}, stream in SQL", times["stream"],
            "DuckDB out to Arrow and in again, no function", times["reader"], AT_MOST),
        row("7", f"{what}, stream in SQL", times["stream"], "DuckDB's own x * y",
            times["native"], AT_MOST),
        row("7", f"{what}, scalar function", times["scalar"], "DuckDB's arrow UDF",
            times["udf"], AT_MOST, 1.2)]


def in_polars(score: alloy.Function, plugin: pathlib.Path,
              seconds: float) -> list[dict[str, Any]]:
    table = []
    for rows, size in ((1_024, "1,024 rows"), (2_000_000, "2,000,000 rows")):
        i = pl.int_range(rows)
        df = pl.select(x=pl.when(i % 7 == 0).then(None).otherwise(i / 4), y=i)
        lazy = df.lazy()
        ours = lazy.select(alloy.polars.expr(score, "x", "y"))
        native = lazy.select(pl.col("x") * pl.col("y"))
        bare = lazy.select(register_plugin_function(
            plugin_path=plugin, function_name="product", args=["x", "y"], is_elementwise=True,
            use_abs_path=True).alias("score"))

        def multiply(both: list[pl.Series]) -> pl.Series:
            return pl.Series(score.columns(both[0].rechunk(), both[1].rechunk()))

        mapped = lazy.select(pl.map_batches(["x", "y"], multiply, return_dtype=pl.Float64))
        if not ours.collect().equals(bare.collect()):
            raise RuntimeError("the plugin of the peer is wrong")
        times = measure(2 * seconds, {"native": native.collect, "mapped": mapped.collect,
                                      "bare": bare.collect, "ours": ours.collect})
        what = f"Polars, score as an expression, {size}"
        if rows < 10_000:
            above = {name: {k: max(v - times["native"][k], 0.01) for k, v in one.items()}
                     for name, one in times.items()}
            table += [
                row("8", f"{what}, above native", above["ours"],
                    "map_batches with Alloy, above native", above["mapped"], AT_MOST, 0.25),
                row("8", what, times["ours"], "Polars' own x * y", times["native"], AT_MOST)]
        else:
            table.append(row("8", what, times["ours"], "Polars' own x * y", times["native"],
                             AT_MOST, 1.4))
        table.append(row("10", what, times["ours"], "the same function as a plugin in C++",
                         times["bare"], AT_MOST, 1.1))
    return table


def in_datafusion(score: alloy.Function, seconds: float) -> list[dict[str, Any]]:
    rows = 1_000_000
    ctx = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(1))
    ctx.from_arrow(pa.table({"x": pa.array([i / 4 for i in range(rows)]),
                             "y": pa.array(range(rows), pa.int64())}), name="points")

    def multiply(x: pa.Array, y: pa.Array) -> pa.Array:
        return pc.multiply(x, pc.cast(y, pa.float64()))

    types = [pa.float64(), pa.int64()]
    ctx.register_udf(datafusion.udf(multiply, types, pa.float64(), "immutable", "peer"))
    ctx.register_udf(alloy.datafusion.udf(score, types))
    times = measure(2 * seconds, {
        "udf": lambda: ctx.sql("select sum(peer(x, y)) from points").collect(),
        "ours": lambda: ctx.sql("select sum(score(x, y)) from points").collect()})
    return [row("-", "DataFusion, sum of 1,000,000 scores", times["ours"],
                "a UDF with pyarrow.compute", times["udf"], AT_MOST, 1.2)]


def measured(build: pathlib.Path, seconds: float) -> list[dict[str, Any]]:
    with alloy.open(build / "backends/score_cpp.so", f"@{build}/dev.crt") as scores:
        return [*in_duckdb(scores.score, seconds),
                *in_polars(scores.score, build / "bench/bare_plugin.so", seconds),
                *in_datafusion(scores.score, seconds)]
