# SPDX-License-Identifier: MIT
"""Functions of Alloy as scalar functions of DataFusion.

    ctx.register_udf(alloy.datafusion.udf(score.score, [pa.float64(), pa.int64()]))
    ctx.sql("select score(x, y) from t")
    ctx.from_arrow(score.score.stream(ctx.table("t"))).count()  # a Stream is a table
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ._scalar import column_names, require_rowwise

# The name of this module hides no other: imports are absolute.
import datafusion
import pyarrow as pa

if TYPE_CHECKING:
    from . import Array, Function


def udf(function: Function, types: Sequence[pa.DataType | pa.Field], *,
        name: str | None = None,
        options: Mapping[str, Any] = MappingProxyType({})) -> datafusion.ScalarUDF:
    """Return a scalar function for columns of these types, for `register_udf`.

    DataFusion calls it on several threads, for 8,192 rows, and copies nothing. It raises
    UnsupportedError if the function is not ROWWISE, and NoMatchError if it does not accept
    the types. In queries, the exception of DataFusion has the text of Alloy's error: see
    `alloy.error_from`.

    >>> import alloy, datafusion, pyarrow as pa
    >>> ctx = datafusion.SessionContext()
    >>> echo = alloy.Bridge(alloy.Host(log_mode="never")).echo
    >>> ctx.register_udf(alloy.datafusion.udf(echo, [pa.int64()], name="same"))
    >>> ctx.sql("select same(42) as x").to_pydict()
    {'x': [42]}
    """
    require_rowwise(function, "pass function.stream(frame) to ctx.from_arrow")
    names = column_names(function, len(types))
    fields = [t.with_name(n) if isinstance(t, pa.Field) else pa.field(n, t)
              for n, t in zip(names, types, strict=True)]
    output = pa.schema(function.output(pa.schema(fields), **options))

    def call(*arrays: Any) -> Array:
        return function.columns(*arrays, **options)

    return datafusion.udf(
        call, list(types), output.field(0) if len(output) == 1 else pa.struct(list(output)),
        "immutable", name if name is not None else function.name)
