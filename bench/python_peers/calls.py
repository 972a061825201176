# SPDX-License-Identifier: MIT
"""Rows 1 to 6 and 9: one call from Python, next to other ways from Python to native code."""

from collections.abc import Callable
from typing import Any

import adbc_driver_sqlite.dbapi
import numba
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from by_hand import by_cffi, by_ctypes
from table import ABOVE, AT_MOST, CHEAPER, COST, measure, row

import alloy

ROWS = 1_024
Programs = dict[str, Callable[[], object]]


class Capsules:
    """The batch as a stranger's object: pyarrow must import what it exports."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return self._batch.__arrow_c_array__(requested_schema)


def numbers(columns: int) -> pa.RecordBatch:
    return pa.record_batch({f"column{c}": pa.array(range(ROWS), pa.int64())
                            for c in range(columns)})


def points(*, nulls: bool) -> pa.RecordBatch:
    x = [None if nulls and i % 7 == 0 else i / 4 for i in range(ROWS)]
    return pa.record_batch({"x": pa.array(x, pa.float64()), "y": pa.array(range(ROWS), pa.int64())})


def round_trips(identity: alloy.Function, seconds: float) -> list[dict[str, Any]]:
    rows = []
    for columns in (1, 10, 100):
        batch = numbers(columns)
        foreign = Capsules(batch)
        programs: Programs = {"peer": lambda f=foreign: pa.record_batch(f),
                              "alloy": lambda b=batch: pa.record_batch(identity(b))}
        for main in (True, False) if columns == 1 else (True,):
            times = measure(seconds, programs, on_main_thread=main)
            where = "" if main else ", not on the main thread"
            plural = "column" if columns == 1 else "columns"
            rows.append(row("1", f"identity, {columns} {plural}, pyarrow in and out{where}",
                            times["alloy"], "pyarrow's capsules, no function", times["peer"],
                            AT_MOST, 1.3))
    return rows


def whole_calls(identity: alloy.Function, seconds: float) -> list[dict[str, Any]]:
    batch = numbers(1)
    ours = identity(batch)
    ctypes_call, cffi_call = by_ctypes(batch), by_cffi(batch)
    programs: Programs = {
        "export": batch.__arrow_c_array__, "alloy": lambda: identity(batch),
        "ours": lambda: identity(ours), "ctypes": ctypes_call, "cffi": cffi_call}
    rows = []
    for main, most in ((True, 1.2), (False, 0.4)):
        times = measure(seconds, programs, on_main_thread=main)
        where = "main thread" if main else "another thread"
        rows += [
            row("5", f"identity, 1 column, to a Batch, {where}", times["alloy"],
                "Alloy's C ABI by ctypes, by hand", times["ctypes"], CHEAPER, 3),
            row("5", f"identity, 1 column, to a Batch, {where}", times["alloy"],
                "Alloy's C ABI by cffi, by hand", times["cffi"], CHEAPER, 3),
            row("-", f"identity, 1 column, to a Batch, above the export, {where}", times["alloy"],
                "pyarrow exports and drops", times["export"], ABOVE, most)]
        if not main:
            rows.append(row("-", f"identity of a Batch of Alloy, {where}", times["ours"],
                            "-", None, COST, 0.4))
    return rows


def products(score: alloy.Function, seconds: float) -> list[dict[str, Any]]:
    batch, whole = points(nulls=True), points(nulls=False)

    def multiply(_context: object, x: pa.Array, y: pa.Array) -> pa.Array:
        return pc.multiply(x, pc.cast(y, pa.float64()))

    def same(_context: object, x: pa.Array) -> pa.Array:
        return x

    one, both = {"x": pa.float64()}, {"x": pa.float64(), "y": pa.int64()}
    doc = {"summary": "a peer", "description": "a peer"}
    pc.register_scalar_function(same, "peer_same", doc, one, pa.float64())
    pc.register_scalar_function(multiply, "peer_multiply", doc, both, pa.float64())
    x, y = batch.columns
    whole_x, whole_y = whole.columns

    @numba.njit
    def njit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        out = np.empty(len(x))
        for i in range(len(x)):
            out[i] = x[i] * y[i]
        return out

    numpy_x, numpy_y = whole_x.to_numpy(), whole_y.to_numpy()
    times = measure(seconds, {
        "udf_same": lambda: pc.call_function("peer_same", [x]),
        "udf": lambda: pc.call_function("peer_multiply", [x, y]),
        "native": lambda: pc.multiply(x, pc.cast(y, pa.float64())),
        "njit": lambda: njit(numpy_x, numpy_y),
        "njit_arrow": lambda: pa.array(njit(whole_x.to_numpy(), whole_y.to_numpy())),
        "batch": lambda: score(batch), "pyarrow": lambda: pa.record_batch(score(batch))})
    to_batch, to_pyarrow = "score, x*y with nulls, to a Batch", "score, x*y with nulls, to pyarrow"
    return [
        row("2", to_batch, times["batch"], "pyarrow UDF, x*cast(y)", times["udf"], CHEAPER, 3),
        row("2", to_batch, times["batch"], "pyarrow UDF, identity", times["udf_same"], CHEAPER),
        row("3", to_pyarrow, times["pyarrow"], "pyarrow's own multiply and cast",
            times["native"], AT_MOST, 1),
        row("4", to_pyarrow, times["pyarrow"], "numba, from and to Arrow, no nulls",
            times["njit_arrow"], AT_MOST, 1.2),
        row("4", to_pyarrow, times["pyarrow"], "numba on numpy arrays, no nulls",
            times["njit"], AT_MOST)]


def queries(score: alloy.Function, seconds: float) -> list[dict[str, Any]]:
    batch = points(nulls=True)
    with adbc_driver_sqlite.dbapi.connect() as connection, connection.cursor() as cursor:

        def table() -> object:
            cursor.execute("select 1")
            return cursor.fetch_arrow_table()

        def capsule() -> object:
            cursor.execute("select 1")
            return cursor.fetch_arrow().__arrow_c_stream__()

        times = measure(seconds, {"table": table, "capsule": capsule,
                                  "alloy": lambda: score(batch)})
    return [row("6", "score, to a Batch", times["alloy"], "ADBC, SQLite, select 1, capsule",
                times["capsule"], CHEAPER),
            row("6", "score, to a Batch", times["alloy"], "ADBC, SQLite, select 1, table",
                times["table"], CHEAPER)]


def streams(identity: alloy.Function, seconds: float) -> list[dict[str, Any]]:
    count, rows = 64, []
    for columns in (10, 100):
        batches = [numbers(columns)] * count

        class Foreign:
            def __arrow_c_stream__(self, requested_schema: object = None,
                                   *, batches: list[pa.RecordBatch] = batches) -> object:
                reader = pa.RecordBatchReader.from_batches(batches[0].schema, iter(batches))
                return reader.__arrow_c_stream__(requested_schema)

        def read(stream: object) -> None:
            for _ in pa.RecordBatchReader.from_stream(stream):
                pass

        times = measure(seconds, {
            "peer": lambda make=Foreign: read(make()),
            "alloy": lambda make=Foreign: read(identity.stream(make()))})
        each = {name: {k: v / count for k, v in one.items()} for name, one in times.items()}
        rows.append(row("9", f"identity as a stream, {columns} columns, each batch", each["alloy"],
                        "pyarrow reader to reader, no function", each["peer"], AT_MOST, 1.05))
    return rows


def frames(score: alloy.Function, seconds: float) -> list[dict[str, Any]]:
    frame = points(nulls=False).to_pandas()
    times = measure(seconds, {"alloy": lambda: pd.DataFrame.from_arrow(score(frame)),
                              "peer": lambda: pd.DataFrame.from_arrow(pa.table(frame))})
    return [row("-", "score, pandas in and out", times["alloy"],
                "pandas to pyarrow and back, no function", times["peer"], AT_MOST)]


def measured(build: Any, seconds: float) -> list[dict[str, Any]]:
    host = alloy.Host(allow_unsigned=True, log_mode="never")
    with alloy.open(build / "backends/tests/identity.so", host=host) as tests, \
            alloy.open(build / "backends/score_cpp.so", f"@{build}/dev.crt") as scores:
        return [*round_trips(tests.identity, seconds), *products(scores.score, seconds),
                *whole_calls(tests.identity, seconds), *queries(scores.score, seconds),
                *streams(tests.identity, seconds), *frames(scores.score, seconds)]
