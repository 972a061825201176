# SPDX-License-Identifier: MIT
"""Dask: `ddf.map_partitions(stage, meta=alloy.dask.meta(stage, ddf))`."""

import sys
from types import FrameType
from typing import Any

from ._errors import InvalidError
from ._kinds import as_input, in_kind_of
from ._stage import Stage


def meta(stage: Stage, frame: Any) -> Any:
    """Return the empty pandas frame that describes the output for a Dask frame. Nothing runs.

    It raises NoMatchError if the function does not accept the columns of `frame`. It raises
    InvalidError if Dask knows where each index value is, and the function moves rows.
    """
    import pyarrow as pa
    if not stage.rowwise and frame.known_divisions:
        raise InvalidError(
            f"{stage!r} may move or drop rows, but Dask would go on to look for them by the "
            "divisions of its input. Use frame.clear_divisions()", side="caller")
    # Dask's two invented rows give columns of Python objects their type.
    given = as_input(frame._meta_nonempty, stage.rowwise)
    output = pa.schema(stage.output(given.schema))
    return in_kind_of(frame._meta, output.empty_table(), stage.rowwise)


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
