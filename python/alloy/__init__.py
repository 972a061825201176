# SPDX-License-Identifier: MIT
"""Call functions of a native library on Apache Arrow data. Only pointers cross.

    with alloy.open("score_cpp.so", certificate="@dev.crt") as score:
        print(score.score(batch))

`batch` is any object with `__arrow_c_array__` or `__arrow_c_stream__`, and so is the result.
"""

import builtins
import importlib
import json
import os
from typing import TYPE_CHECKING, Any

from . import _alloy
from ._alloy import Array, Batch, Field, Schema, Stream
from ._batches import Batches
from ._bridge import Bridge, Level, open
from ._errors import (
    AlloyError, BackendError, BadDataError, BusyError, CancelledError, ClosedError,
    DeadlineError, ExhaustedError, InternalError, InvalidError, NoMatchError, NotFoundError,
    RefusedError, RetryError, UnsupportedError, WorkerLostError, error_from)
from ._function import Function
from ._host import Host, Limits, read_certificate
from ._stage import Stage

version: str = _alloy.version


def inspect(library: str | os.PathLike[str], certificate: str | None = None, *,
            host: Host | None = None) -> dict[str, Any]:
    """Describe a library without running any of it, and what open would say."""
    core = (host if host is not None else Host())._core
    found: dict[str, Any] = json.loads(
        _alloy.inspect(core, os.fspath(library), read_certificate(certificate)))
    return found


def link(archive: str | os.PathLike[str], library: str | os.PathLike[str]) -> None:
    """Link a static archive into a library for open. No code of it runs."""
    _alloy.link(os.fspath(archive), os.fspath(library))


def describe(obj: Any) -> builtins.str:
    """Write an array or a batch as every Alloy program prints it.

    >>> import alloy
    >>> from alloy import _alloy
    >>> alloy.describe(_alloy.int32([1, 2]))
    'Int32[1, 2]'
    """
    return _alloy.describe(obj)


# They import their engines, so they are imported when they are first used. Type checkers see
# them and nothing else, so that a wrong name is an error for them.
_ADAPTERS = frozenset({"dask", "datafusion", "duckdb", "polars", "ray", "spark"})
if TYPE_CHECKING:
    from . import dask as dask, datafusion as datafusion, duckdb as duckdb
    from . import polars as polars, ray as ray, spark as spark
else:
    def __getattr__(name: str) -> Any:
        if name in _ADAPTERS:
            return importlib.import_module(f"alloy.{name}")
        raise AttributeError(f"module 'alloy' has no attribute {name!r}")


__all__ = [
    "AlloyError", "Array", "BackendError", "BadDataError", "Batch", "Batches", "Bridge",
    "BusyError", "CancelledError", "ClosedError", "DeadlineError", "ExhaustedError", "Field",
    "Function", "Host", "InternalError", "InvalidError", "Level", "Limits", "NoMatchError",
    "NotFoundError", "RefusedError", "RetryError", "Schema", "Stage", "Stream",
    "UnsupportedError", "WorkerLostError", "describe", "error_from", "inspect", "link", "open",
    "version"]
