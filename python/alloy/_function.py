# SPDX-License-Identifier: MIT
"""The functions of a bridge."""

import inspect
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from . import _alloy
from ._alloy import Array, Batch, Stream
from ._batches import Batches
from ._errors import InvalidError
from ._progress import Reporter, reporter, watching
from ._reference import Reference
from ._scalar import column_names
from ._stage import Stage, reduce_function, stage_of

_IDEMPOTENT, _ROWWISE, _STREAM = 1, 2, 4


class Function(_alloy.Function):
    """A function of a bridge: call it on batches, tables or streams.

    The keyword arguments are the options of the function. A batch gives a Batch; a table or
    a stream gives Batches. Any number of threads may call it.
    """

    name: str
    summary: str
    inputs: Sequence[Any]
    options: Mapping[str, Any]
    rowwise: bool
    idempotent: bool
    streaming: bool
    _accepts: Sequence[Sequence[str | None]] | None  # by input; None: overloads differ
    __signature__: inspect.Signature
    _origin: Reference | None = None
    _timeout: float | None = None
    _stays: str | None = None  # what does not pickle

    def using(self, *, timeout: float | None = None, progress: Any = None,
              schema: Any = None) -> "Function":
        """Return a copy with a time limit in seconds, a progress, or the schema of iterables.

        `progress` is a callable that gets (done, total or None), a tqdm bar, or a tuple of a
        rich Progress and a task. It hears of a call ten times a second, and of a stream
        after each batch. For a stream the time limit is that of each batch.
        """
        if timeout is not None and not 0 < timeout < 1e9:
            raise ValueError("timeout must be a number of seconds above 0")
        report = None if progress is None else reporter(progress)
        copy = _alloy.copy_function(
            self, -1 if timeout is None else max(1, int(timeout * 1e9)), schema)
        copy.__dict__.update(self.__dict__)
        if timeout is not None:
            copy._timeout = timeout
        if schema is not None:
            copy._stays = "the schema of using(schema=...)"
        if report is not None:
            copy.__class__ = _Watched
            copy.__dict__["_report"] = report
            copy._stays = "the progress of using(progress=...)"
        return copy

    def stage(self, /, **options: Any) -> Stage:
        """Return this function, with these options, as a value for other processes."""
        return stage_of(self, options)

    def __reduce__(self) -> tuple[Any, ...]:
        return reduce_function(self)

    def columns(self, /, *arrays: Any, **options: Any) -> Array:
        """Run the function on columns, in the order in which it declares them.

        An array is any object with `__arrow_c_array__`, or a stream of exactly one. Returns
        the only column of the output, or all of them as an array of structs. It raises
        InvalidError if the number of arrays or of their rows is wrong.

        >>> import alloy
        >>> from alloy import _alloy
        >>> alloy.Bridge(alloy.Host(log_mode="never")).echo.columns(_alloy.int32([1, 2]))
        Int32[1, 2]
        """
        if self.streaming:
            raise InvalidError(f"{self.name} is a stream function: it runs on batches, not on "
                               "columns; use its method stream", side="caller")
        return _alloy.run_columns(self, column_names(self, len(arrays)), arrays, options)

    def __repr__(self) -> str:
        return f"<alloy.Function {self.name}>"


class _Watched(Function):
    """What using(progress=...) returns."""

    _report: Reporter

    def __call__(self, /, *inputs: Any, **options: Any) -> Batch | Batches:
        with watching(self, self._report):
            return super().__call__(*inputs, **options)

    def columns(self, /, *arrays: Any, **options: Any) -> Array:
        with watching(self, self._report):
            return super().columns(*arrays, **options)

    def stream(self, /, *inputs: Any, **options: Any) -> Stream:
        stream = super().stream(*inputs, **options)
        _alloy.watch_stream(stream, self._report)
        return stream


def make_function(bridge: _alloy.Bridge, row: tuple[Any, ...],
                   origin: Reference | None) -> Function:
    name, summary, options, inputs, flags, least, most = row
    function: Function = _alloy.make_function(Function, bridge, name, flags)
    function.name = name
    function._origin = origin
    function.summary = summary or ""
    function.inputs = tuple(tuple(column[0] for column in columns) for columns in inputs)
    function.options = MappingProxyType({o[0]: o[2] for o in options})
    function.rowwise = bool(flags & _ROWWISE)
    function.idempotent = bool(flags & _IDEMPOTENT)
    function._accepts = tuple(tuple(column[2] for column in columns) for columns in inputs)
    function.streaming = bool(flags & _STREAM)
    function.__doc__ = summary
    kind = inspect.Parameter
    parameters = [kind("inputs", kind.VAR_POSITIONAL)]
    if least == most:
        parameters = [kind(f"input{i}", kind.POSITIONAL_ONLY) for i in range(least)]
    parameters += [kind(o[0], kind.KEYWORD_ONLY,
                        default=kind.empty if o[2] is None else o[2])
                   for o in options if o[0].isidentifier()]
    function.__signature__ = inspect.Signature(parameters)
    return function
