# SPDX-License-Identifier: MIT
"""The kinds of tables of other libraries, so that a result is what the caller's data was."""

import sys
from typing import Any

from . import _alloy
from ._batches import Batches


def _is(data: Any, module: str, name: str) -> bool:
    # An object of a library exists only after its import, so nothing is imported for it.
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(data, kind)


def as_input(data: Any, rowwise: bool) -> Any:
    """What a function reads for `data`."""
    if _is(data, "pandas", "DataFrame"):
        import pyarrow as pa
        # A result without an own index gets that of the data; see `in_kind_of`.
        return pa.Table.from_pandas(data, preserve_index=False if rowwise else None)
    if _is(data, "polars", "DataFrame"):
        for name, dtype in data.schema.items():
            if dtype == sys.modules["polars"].Object:
                raise TypeError(f"column {name!r} has the dtype Object, which are pointers "
                                "into Python; cast it, for example to pl.String")
        return data
    if (isinstance(data, _alloy.Batch | Batches) or _is(data, "pyarrow", "RecordBatch")
            or _is(data, "pyarrow", "Table") or _is(data, "pyarrow", "RecordBatchReader")):
        return data
    advice = "; with Ray Data, pass batch_format='pyarrow'" if isinstance(data, dict) else ""
    raise TypeError("a Stage takes and returns a table of pyarrow, polars or pandas, not "
                    f"{type(data).__name__}{advice}. A function takes any Arrow object")


def in_kind_of(data: Any, result: Any, rowwise: bool) -> Any:
    """The result as the kind of table that `data` is."""
    if _is(data, "pyarrow", "Table"):
        return sys.modules["pyarrow"].table(result)
    if _is(data, "pyarrow", "RecordBatch"):
        return _record_batch(result)
    if _is(data, "polars", "DataFrame"):
        return sys.modules["polars"].DataFrame(result)
    if _is(data, "pandas", "DataFrame"):
        return _frame(data, result, rowwise)
    if isinstance(data, Batches) and isinstance(result, _alloy.Batch):
        return Batches([result], result.schema)
    return result


def is_lazy(data: Any) -> bool:
    """Is it a reader, whose result is a reader too?"""
    return _is(data, "pyarrow", "RecordBatchReader")


def _record_batch(result: _alloy.Batch | Batches) -> Any:
    import pyarrow as pa
    if isinstance(result, _alloy.Batch):
        return pa.record_batch(result)
    batches = pa.table(result).combine_chunks().to_batches()
    if len(batches) > 1:
        raise ValueError("the result is too large for one RecordBatch; pass a pyarrow.Table")
    return batches[0] if batches else pa.schema(result.schema).empty_table().to_batches()[0]


def _frame(data: Any, result: Any, rowwise: bool) -> Any:
    import pyarrow as pa
    frame = pa.table(result).to_pandas()
    if rowwise:
        frame.index = data.index
        return frame
    stored = [f"__index_level_{i}__" for i in range(data.index.nlevels)]
    if all(name in frame.columns for name in stored):
        frame = frame.set_index(stored)
        frame.index.names = data.index.names
    return frame
