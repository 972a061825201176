# SPDX-License-Identifier: MIT
"""Dask: `ddf.map_partitions(stage, meta=alloy.dask.meta(stage, ddf))`."""

import sys
from types import FrameType
from typing import Any

from ._errors import InvalidError
from ._stage import Stage


def meta(stage: Stage, frame: Any) -> Any:
    """Return the empty pandas frame that describes the output for a Dask frame. Nothing runs.

    It raises NoMatchError if the function does not accept the columns of `frame`.
    """
    import pyarrow as pa
    # Dask's two invented rows give columns of Python objects their type.
    known = getattr(frame, "_meta_nonempty", frame._meta)
    schema = pa.schema(stage.output(pa.Schema.from_pandas(known, preserve_index=False)))
    empty = schema.empty_table().to_pandas()
    if stage.rowwise:  # the result has the index of its partition
        empty.index = frame._meta.index
    return empty


def refuse_guesses(data: Any) -> None:
    """Raise InvalidError while Dask tries a function on rows that it invented."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if (frame.f_code.co_name == "emulate"
                and frame.f_globals.get("__name__", "").startswith("dask.")):
            raise InvalidError(
                "Dask called the function on rows that it invented, to learn the columns of "
                "the output. Pass meta=alloy.dask.meta(stage, ddf)", side="caller")
        frame = frame.f_back
