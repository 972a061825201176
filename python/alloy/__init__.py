# SPDX-License-Identifier: MIT
"""Call functions of a native library on Apache Arrow data. Only pointers cross.

    with alloy.open("score_cpp.so", certificate="@dev.crt") as score:
        print(score.score(batch))

`batch` is any object with `__arrow_c_array__` or `__arrow_c_stream__`, and so is the result.
"""

import builtins
import importlib
import inspect as _inspect
import json
import math
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self

from . import _alloy
from ._alloy import Array, Batch, Field, Schema, Stream
from ._batches import Batches
from ._errors import (
    AlloyError, BackendError, BadDataError, BusyError, CancelledError, ClosedError,
    DeadlineError, ExhaustedError, InternalError, InvalidError, NoMatchError, NotFoundError,
    RefusedError, RetryError, UnsupportedError, WorkerLostError, error_from)
from ._log import Lines
from ._progress import Reporter, reporter, watching
from ._reference import Reference
from ._scalar import column_names
from ._stage import Stage, reduce_function, stage_of

Level = Literal["shape", "safe", "full"]
version: str = _alloy.version

_LEVELS = {"shape": 1, "safe": 2, "full": 3}
_IDEMPOTENT, _ROWWISE, _STREAM = 1, 2, 4


class Host:
    """The policy of this process: which libraries may be loaded, and where log lines go.

    `log` is a file descriptor, or a callable that gets each line as a str; None is standard
    error. A thread of Python calls it, never a thread of the engine. Lines are dropped, and
    nothing waits, while a megabyte of them is not yet read.

    >>> import alloy
    >>> host = alloy.Host(log=1)
    >>> alloy.Bridge(host).echo.name
    'echo'
    """

    def __init__(self, *, allow_unsigned: bool = False, load_plainly: bool = False,
                 may_need: Sequence[str] = (), worker: str | None = None,
                 log: Callable[[str], object] | int | None = None,
                 log_mode: Literal["echo", "always", "never"] = "echo") -> None:
        if isinstance(may_need, str):
            raise TypeError("may_need must be a sequence of str, not one str")
        flags = (1 if allow_unsigned else 0) | (2 if load_plainly else 0)
        if log_mode not in ("echo", "always", "never"):
            raise ValueError(f"log_mode must be echo, always or never, not {log_mode!r}")
        # What other processes need to open the same libraries; see Stage.
        self._policy = (("allow_unsigned", allow_unsigned), ("load_plainly", load_plainly),
                        ("may_need", tuple(may_need)), ("worker", worker))
        if worker is None:
            beside = pathlib.Path(_alloy.__file__).with_name("alloy-worker")
            worker = str(beside) if beside.exists() else None
        owns_fd = callable(log)
        fd = Lines(log).fd if callable(log) else 0 if log is None else log
        self._core = _alloy.make_host(
            flags, list(may_need), worker, ("echo", "always", "never").index(log_mode), fd,
            owns_fd)

    def info(self, text: str) -> None:
        """Write a log line with the label Python."""
        self._core.info(text)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of the isolated mode, ignored in process. 0 is the engine's default.

    `grace` is how many seconds a worker has to end a call that was cancelled. `setup` is how
    many seconds it has to load the library, to bind a function, and to open a stream, each;
    then it is killed and the call raises WorkerLostError.

    >>> import alloy
    >>> alloy.Limits(max_workers=2).max_workers
    2
    """

    max_workers: int = 1
    input_bytes: int = 0
    output_bytes: int = 0
    heap_bytes: int = 0
    grace: float = 0.5
    setup: float = 60.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < 2**62:
                raise ValueError(f"{name} must not be negative or above 2**62, but is {value}")
        if self.grace > 1e9:
            raise ValueError(f"grace must be at most 1e9 seconds, but is {self.grace}")
        if self.setup > 4e6:
            raise ValueError(f"setup must be at most 4e6 seconds, but is {self.setup}")


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
    __signature__: _inspect.Signature
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


def _make_function(bridge: _alloy.Bridge, row: tuple[Any, ...],
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
    kind = _inspect.Parameter
    parameters = [kind("inputs", kind.VAR_POSITIONAL)]
    if least == most:
        parameters = [kind(f"input{i}", kind.POSITIONAL_ONLY) for i in range(least)]
    parameters += [kind(o[0], kind.KEYWORD_ONLY,
                        default=kind.empty if o[2] is None else o[2])
                   for o in options if o[0].isidentifier()]
    function.__signature__ = _inspect.Signature(parameters)
    return function


def _certificate(text: str | None) -> str | None:
    """Base64 text, or @FILE of PEM or of base64."""
    if text is not None and not isinstance(text, str):
        raise TypeError("certificate must be a str, base64 text or @FILE, not "
                        f"{type(text).__name__}")
    if text is None or not text.startswith("@"):
        return text
    lines = pathlib.Path(text[1:]).read_text().splitlines()
    return "".join(line.strip() for line in lines if not line.startswith("-----"))


class Bridge:
    """An open backend. A new bridge has the built-in echo; set_impl_lib loads a library.

    A load that fails leaves a sticky error: every use raises it until a load succeeds.
    """

    name: str
    version: str
    language: str
    path: str | None
    sha256: str | None
    signer: Mapping[str, Any] | None
    functions: Mapping[str, Function]

    def __init__(self, host: Host | None = None, *, isolated: bool = False,
                 name: str | None = None, min_sequence: int = 0, sha256: str | None = None,
                 sidecar: str | None = None, check_inputs: Level = "shape",
                 check_results: Level = "safe", limits: Limits | None = None) -> None:
        limits = limits if limits is not None else Limits()
        self.isolated = isolated
        if host is not None and not isinstance(host, Host):
            raise TypeError(f"host must be an alloy.Host, not {type(host).__name__}")
        self._host = host if host is not None else Host()
        self._limits = limits
        self._checks = (check_inputs, check_results)
        self._core = _alloy.make_bridge(
            self._host._core, 1 if isolated else 0, _LEVELS[check_inputs],
            _LEVELS[check_results], limits.max_workers, limits.input_bytes,
            limits.output_bytes, limits.heap_bytes, int(limits.grace * 1e9),
            math.ceil(limits.setup * 1e3), name, min_sequence, sidecar, sha256)
        self._read()

    def _read(self, loaded: tuple[str, str | None] | None = None) -> None:
        identity = json.loads(self._core.identity())
        self.name = identity["name"]
        self.version = identity["version"]
        self.language = identity["language"]
        self.path = identity["library"]
        self.sha256 = identity["sha256"]
        self.signer = identity["signer"]
        origin = None
        if loaded is not None:
            path, certificate = loaded
            origin = Reference(
                os.path.abspath(path), path, None, None, None, certificate,
                isolated=self.isolated, checks=self._checks, policy=self._host._policy,
                limits=tuple(sorted(vars(self._limits).items()))).of(self)
        made: dict[str, Function] = {}
        for row in self._core.functions():
            if row[0] in made:  # an overload; the backend finds the right one
                made[row[0]]._accepts = None
            else:
                made[row[0]] = _make_function(self._core, row, origin)
        self.functions = MappingProxyType(made)

    def set_impl_lib(self, library: str | os.PathLike[str],
                     certificate: str | None = None) -> None:
        """Load a library, which replaces the backend."""
        self.functions = MappingProxyType({})
        loaded = os.fspath(library), _certificate(certificate)
        self._core.load(*loaded)
        self._read(loaded)

    def from_chunks(self, arrays: Sequence[Any]) -> int:
        """Send arrays of any types and lengths to `from_chunks`; return their number."""
        batches = [_alloy.as_batch(a) for a in arrays]
        made = self["from_chunks"](*batches)
        counted = made if isinstance(made, Batch) else made[0]
        return int(counted[counted.schema[0].name].to_pylist()[0])

    def __getitem__(self, name: str) -> Function:
        found = self.functions.get(name)
        if found is None:
            self._core.functions()  # raises the sticky error
            raise NotFoundError(f"the backend {self.name} has no function {name!r}; it has "
                                f"{', '.join(sorted(self.functions))}", side="caller")
        return found

    def __getattr__(self, name: str) -> Function:
        if name.startswith("_") or "functions" not in self.__dict__:
            raise AttributeError(name)
        try:
            return self[name]
        except NotFoundError as error:
            raise AttributeError(str(error)) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.functions]

    def close(self) -> None:
        """Close the bridge: calls raise ClosedError from now on. Results stay valid."""
        self._core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def open(library: str | os.PathLike[str], certificate: str | None = None, *,
         host: Host | None = None, isolated: bool = False, name: str | None = None,
         min_sequence: int = 0, sha256: str | None = None, sidecar: str | None = None,
         check_inputs: Level = "shape", check_results: Level = "safe",
         limits: Limits | None = None) -> Bridge:
    """Open a library that the owner of `certificate` signed.

    `certificate` is base64 text or @FILE. `sha256` is the digest that the file must have.
    It raises RefusedError if the library may not be loaded; its `reason` is why.
    """
    bridge = Bridge(host, isolated=isolated, name=name, min_sequence=min_sequence,
                    sha256=sha256, sidecar=sidecar, check_inputs=check_inputs,
                    check_results=check_results, limits=limits)
    bridge.set_impl_lib(library, certificate)
    return bridge


def inspect(library: str | os.PathLike[str], certificate: str | None = None, *,
            host: Host | None = None) -> dict[str, Any]:
    """Describe a library without running any of it, and what open would say."""
    core = (host if host is not None else Host())._core
    found: dict[str, Any] = json.loads(
        _alloy.inspect(core, os.fspath(library), _certificate(certificate)))
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
