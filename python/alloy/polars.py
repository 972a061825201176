# SPDX-License-Identifier: MIT
"""Functions of Alloy in Polars: native expressions, and lazy frames of their output.

    df.select(alloy.polars.expr(score.score, "x", "y"))
    alloy.polars.scan(totals.totals, df).collect()
"""

from __future__ import annotations

import base64
import contextlib
import pickle
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from . import _alloy
from ._batches import Batches
from ._errors import ClosedError, UnsupportedError
from ._scalar import require_rowwise

# The name of this module hides no other: imports are absolute.
import polars as pl
from polars.io.plugins import register_io_source
from polars.plugins import register_plugin_function

if TYPE_CHECKING:
    from . import Function


def expr(function: Function, /, *columns: Any, **options: Any) -> pl.Expr:
    """Return an expression that runs the function on its threads, without the GIL.

    The columns are names or expressions, in the order in which the function declares them;
    a literal stands for every row. The expression has the name of the function. It raises
    UnsupportedError if the function is not ROWWISE. Polars raises ComputeError while it
    plans if the types do not match, and `alloy.error_from` finds the cause.

    >>> import alloy, polars as pl
    >>> echo = alloy.Bridge(alloy.Host(log_mode="never")).echo
    >>> pl.DataFrame({"x": [1, 2]}).select(alloy.polars.expr(echo, "x"))["echo"].to_list()
    [1, 2]
    """
    require_rowwise(function, "use alloy.polars.scan, or map_batches of a LazyFrame")
    if "_report" in vars(function):
        raise UnsupportedError(f"{function.name}: an expression runs without the GIL, so it "
                               "reports no progress; leave using(progress=...) out, or use "
                               "alloy.polars.scan", side="caller")
    if not columns:
        raise ValueError(f"{function.name} needs at least one column")
    token = _register(function, secrets.token_hex(16), options)
    arguments = f"alloy-expression:{token}"
    with contextlib.suppress(TypeError):  # a function without a file stays in its process
        reference = base64.b64encode(pickle.dumps((function, options))).decode()
        arguments += f" alloy-reference:{reference}."
    return register_plugin_function(
        plugin_path=_alloy.__file__, function_name="alloy", args=list(columns),
        kwargs={"function": arguments}, is_elementwise=True,
        use_abs_path=True).alias(function.name)


def _register(function: Function, token: str, options: dict[str, Any], *,
              is_of_another: bool = False) -> str:
    names = list(function.inputs[0]) if function.inputs else []
    return _alloy.polars_expression(function, token, names, options, is_of_another)


def _resolve(token: str, reference: str) -> None:
    """Open the function of an expression that another process made. The module calls it."""
    function, options = pickle.loads(base64.b64decode(reference))
    _register(function, token, options, is_of_another=True)


def scan(function: Function, source: Any, /, **options: Any) -> pl.LazyFrame:
    """Return the output of any function as a lazy frame, which runs for each collect.

    `source` is anything that the function takes, or a callable that returns it. A generator,
    a reader or a Stream can be read once: a second collect raises ComputeError, whose cause
    is a ClosedError.

    >>> import alloy, polars as pl
    >>> echo = alloy.Bridge(alloy.Host(log_mode="never")).echo
    >>> frame = alloy.polars.scan(echo, pl.DataFrame({"x": [1, 2]}))
    >>> frame.select(pl.col("x").sum()).collect().item()
    3
    """
    opened = _Source(function, source, options)

    def read(with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None,
             _batch_size: int | None) -> Iterator[pl.DataFrame]:
        with opened.take() as stream:
            for batch in stream:
                frame = pl.DataFrame(batch)
                if n_rows is not None:
                    frame = frame.head(n_rows)
                    n_rows -= frame.height
                if predicate is not None:
                    frame = frame.filter(predicate)
                yield frame if with_columns is None else frame.select(with_columns)
                if n_rows == 0:
                    return

    return register_io_source(read, schema=opened.schema)


class _Source:
    """Opens the stream of a scan: the schema needs one, and each collect another."""

    def __init__(self, function: Function, source: Any, options: dict[str, Any]) -> None:
        if isinstance(source, pl.LazyFrame):
            raise TypeError("alloy.polars.scan takes no LazyFrame, which Polars may only "
                            "collect outside of another frame; pass frame.collect, without "
                            "parentheses to collect it anew each time")
        self._once = isinstance(source, Iterator) or isinstance(source, _alloy.Stream)
        is_data = hasattr(source, "__arrow_c_stream__") or hasattr(source, "__iter__")
        make: Callable[[], Any] = source if callable(source) and not is_data else lambda: source
        self._open: Callable[[], _alloy.Stream] = lambda: function.stream(make(), **options)
        self._lock = threading.Lock()
        self._first: _alloy.Stream | None = self._open()
        # Of a frame, because older versions make no pl.Schema of a schema of Arrow.
        self.schema = pl.DataFrame(Batches([], self._first.schema)).schema
        if not self._once:
            self._first.close()
            self._first = None

    def take(self) -> _alloy.Stream:
        if not self._once:
            return self._open()
        with self._lock:
            stream, self._first = self._first, None
        if stream is None:
            raise ClosedError("the source of the scan was read before, and can be read once; "
                              "pass a table, or a callable that returns a new source",
                              side="caller")
        return stream
