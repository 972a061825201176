# SPDX-License-Identifier: MIT
"""Stage: one function of a library, as a value that travels to other processes."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ._errors import InvalidError
from ._kinds import as_input, in_kind_of, is_lazy
from ._reference import Reference, bridge_of, first_open

if TYPE_CHECKING:
    from . import Function, Host, Limits
    from ._alloy import Array, Schema

T = TypeVar("T")


class Stage:
    """One function of a library. It pickles by reference: paths, names and digests, no code.

    The constructor opens the library, so a wrong certificate fails there. Another process
    opens its own copy at the first batch, and only if the bytes have the same digest and the
    same signer. `stage(data)` returns the same kind of table that it gets. Of `host`, only
    the policy travels: allow_unsigned, load_plainly, may_need and worker.

    Any number of threads may call it. It raises RefusedError if no copy may be loaded.
    """

    def __init__(self, library: str | os.PathLike[str], function: str,
                 certificate: str | None = None, *,
                 options: Mapping[str, Any] = MappingProxyType({}), isolated: bool = False,
                 limits: "Limits | None" = None, package: str | None = None,
                 name: str | None = None, sha256: str | None = None,
                 host: "Host | None" = None) -> None:
        from ._host import Host, read_certificate

        path = os.fspath(library)
        reference = first_open(Reference(
            path=os.path.abspath(path), given=path, package=package, sha256=sha256,
            signer=None, certificate=read_certificate(certificate), isolated=isolated,
            limits=() if limits is None else tuple(sorted(vars(limits).items())),
            policy=(host if host is not None else Host())._policy))
        if name is not None and reference.name != name:
            raise InvalidError(f"{path} is {reference.name}, not {name}", side="caller")
        self._set(reference, function, dict(options), None)
        unknown = sorted(set(options) - set(self._function.options))
        if unknown:
            raise InvalidError(f"{function} has no option {unknown[0]!r}; it has "
                               f"{sorted(self._function.options)}", side="caller")

    def _set(self, reference: Reference, function: str, options: dict[str, Any],
             timeout: float | None) -> None:
        self._reference = reference
        self._name = function
        self._options = options
        self._timeout = timeout

    @property
    def _function(self) -> "Function":
        return _function_of(self._reference, self._name, self._timeout)

    @property
    def rowwise(self) -> bool:
        """Is row n of the output made from row n of the input only?"""
        return self._function.rowwise

    def open(self) -> None:
        """Open the library in this process now, and not at the first batch."""
        bridge_of(self._reference)

    def __call__(self, data: T) -> T:
        """Run the function on a table, and return a table of the same library."""
        _refuse_guesses(data)
        function = self._function
        given = as_input(data, function.rowwise)
        if is_lazy(data):
            import pyarrow as pa
            stream = function.stream(given, **self._options)
            return cast(T, pa.RecordBatchReader.from_stream(stream))
        made = function(given, **self._options)
        return cast(T, in_kind_of(data, made, function.rowwise))

    def batches(self, iterator: Iterable[T]) -> Iterator[T]:
        """Run the function on each table of an iterator, lazily.

        A stream function reads all of them as one input. Without any table there is no
        schema, so nothing runs and nothing is returned.
        """
        function = self._function
        if not function.streaming:
            yield from map(self, iterator)
            return
        rest = iter(iterator)
        for first in islice(rest, 1):
            tables = (as_input(one, False) for one in chain((first,), rest))
            with function.stream(tables, **self._options) as stream:
                for batch in stream:
                    yield in_kind_of(first, batch, False)

    def columns(self, *arrays: Any) -> "Array":
        """Run the function on columns instead of a table; see Function.columns."""
        return self._function.columns(*arrays, **self._options)

    def output(self, schema: Any) -> "Schema":
        """Return the schema of the output for tables of this schema. Nothing runs."""
        return self._function.output(schema, **self._options)

    def __reduce__(self) -> tuple[Any, ...]:
        return _stage_of, (self._reference, self._name, self._options, self._timeout)

    def __repr__(self) -> str:
        return f"<alloy.Stage {self._name} of {self._reference.name} {self._reference.version}>"


def _stage_of(reference: Reference, function: str, options: dict[str, Any],
              timeout: float | None) -> Stage:
    stage = Stage.__new__(Stage)
    stage._set(reference, function, options, timeout)
    return stage


def _function_of(reference: Reference, name: str, timeout: float | None) -> "Function":
    function = bridge_of(reference)[name]
    return function if timeout is None else function.using(timeout=timeout)


def stage_of(function: "Function", options: dict[str, Any]) -> Stage:
    """The Stage of a function that is open here."""
    return _stage_of(_travels(function), function.name, options, function._timeout)


def reduce_function(function: "Function") -> tuple[Any, ...]:
    """What `Function.__reduce__` returns."""
    return _function_of, (_travels(function), function.name, function._timeout)


def _travels(function: "Function") -> Reference:
    if function._stays is not None:
        raise TypeError(f"{function._stays} stays in its process: pickle the function "
                        "without it")
    if function._origin is None:
        raise TypeError("functions of the built-in echo do not pickle: they have no file")
    return function._origin


def _refuse_guesses(data: Any) -> None:
    """Dask calls a function on rows that it invents, to learn what comes back."""
    if "dask.dataframe" not in sys.modules:
        return
    from .dask import refuse_guesses
    refuse_guesses(data)
