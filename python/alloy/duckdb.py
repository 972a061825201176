# SPDX-License-Identifier: MIT
"""Functions of Alloy as scalar functions of DuckDB.

    cursor = con.cursor()  # a connection runs one query at a time
    scored = score.score.stream(cursor.sql("select x, y from 'points.parquet'"))
    con.sql("select count(*), avg(score) from scored")  # an Alloy Stream is a table
    alloy.duckdb.register(con, score.score)
    con.sql("select score(x, y) from points")

Use a stream if you can. DuckDB calls a scalar function for at most 2,048 rows, copies them
both ways, and runs one call at a time.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ._batches import Batches
from ._errors import InvalidError
from ._scalar import column_names, require_rowwise

# The name of this module hides no other: imports are absolute.
import duckdb

if TYPE_CHECKING:
    from . import Array, Function, Schema

# The type of DuckDB that it passes in this format of Arrow.
_TYPES = {
    "b": "BOOLEAN", "c": "TINYINT", "C": "UTINYINT", "s": "SMALLINT", "S": "USMALLINT",
    "i": "INTEGER", "I": "UINTEGER", "l": "BIGINT", "L": "UBIGINT", "f": "FLOAT",
    "g": "DOUBLE", "u": "VARCHAR", "U": "VARCHAR", "vu": "VARCHAR", "z": "BLOB", "Z": "BLOB",
    "vz": "BLOB", "tdD": "DATE", "ttu": "TIME", "tss:": "TIMESTAMP_S", "tsm:": "TIMESTAMP_MS",
    "tsu:": "TIMESTAMP", "tsn:": "TIMESTAMP_NS"}
_DECIMAL = re.compile(r"d:(\d+),(\d+)(,128)?")


def register(connection: duckdb.DuckDBPyConnection, function: Function, *,
             name: str | None = None, parameters: Sequence[Any] | None = None,
             options: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Make the function a scalar function of a connection.

    `parameters` are types of DuckDB, such as "DOUBLE". They are needed if the function
    accepts several types for a column. It raises UnsupportedError if the function is not
    ROWWISE, and NoMatchError if it does not accept the types. In queries, the exception of
    DuckDB has the text of Alloy's error: see `alloy.error_from`.

    >>> import alloy, duckdb
    >>> con = duckdb.connect()
    >>> echo = alloy.Bridge(alloy.Host(log_mode="never")).echo
    >>> alloy.duckdb.register(con, echo, name="same", parameters=["BIGINT"])
    >>> con.sql("select same(42)").fetchall()
    [(42,)]
    """
    require_rowwise(function, "pass function.stream(relation) to DuckDB as a table")
    wanted = [str(t) for t in parameters] if parameters is not None else _declared(function)
    refused = [t for t in wanted if t.upper() in ("BIT", "BITSTRING", "VARINT", "BIGNUM")]
    if refused:
        raise InvalidError(f"{function.name}: DuckDB passes {refused[0]} as bytes of its own "
                           "format; cast it to another type", side="caller")
    names = column_names(function, len(wanted))

    def call(*arrays: Any) -> Array:
        return function.columns(*arrays, **options)

    # DuckDB counts the parameters of the callable.
    kind = inspect.Parameter.POSITIONAL_ONLY
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(f"column{i}", kind) for i in range(len(names))])
    output = _output(connection, function, names, wanted, options)
    # DuckDB's stubs know neither names of types that are strings, nor arrays of Arrow.
    connection.create_function(  # type: ignore[call-overload]
        name if name is not None else function.name, call, list(parameters or wanted),
        _type_of(connection, output), type="arrow", null_handling="special")


def _declared(function: Function) -> list[str]:
    """The only type of DuckDB that each column accepts."""
    types = [_accepted(one) for one in (function._accepts or ((),))[0]]
    if not types or not all(types):
        raise InvalidError(
            f"{function.name} accepts several types; give those of DuckDB for its columns "
            f"({', '.join(function.inputs[0]) if function.inputs else 'any'}), such as parameters=[\"DOUBLE\"]",
            side="caller")
    return [t for t in types if t is not None]


def _accepted(formats: str | None) -> str | None:
    """The type for a list of formats; None: there is no type, or there are several."""
    found: set[str | None] = set()
    for one in (formats or "*").split():
        if one.startswith("?:"):
            continue  # dictionaries of a type that is in the list too
        decimal = _DECIMAL.fullmatch(one)
        found.add(f"DECIMAL({decimal[1]},{decimal[2]})" if decimal else _TYPES.get(one))
    return found.pop() if len(found) == 1 else None


def _output(connection: duckdb.DuckDBPyConnection, function: Function, names: Sequence[str],
            types: Sequence[str], options: Mapping[str, Any]) -> Schema:
    """Bind to what DuckDB passes for these types. Nothing runs."""
    columns = ", ".join('null::{} as "{}"'.format(t, n.replace('"', '""'))
                        for n, t in zip(names, types, strict=True))
    with function.stream(connection.sql(f"select {columns} where false"), **options) as stream:
        return stream.schema


def _type_of(connection: duckdb.DuckDBPyConnection, output: Schema) -> Any:
    """DuckDB's type for the only column, or for all columns as a struct."""
    relation = connection.from_arrow(Batches([], output))
    if len(relation.types) == 1:
        return relation.types[0]
    return connection.struct_type(dict(zip(relation.columns, relation.types, strict=True)))
