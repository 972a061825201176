# SPDX-License-Identifier: MIT
"""An open backend."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, Self

from . import _alloy
from ._alloy import Batch
from ._errors import NotFoundError
from ._function import Function, make_function
from ._host import Host, Limits, read_certificate
from ._reference import Reference

Level = Literal["shape", "safe", "full"]

_LEVELS = {"shape": 1, "safe": 2, "full": 3}


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
                made[row[0]] = make_function(self._core, row, origin)
        self.functions = MappingProxyType(made)

    def set_impl_lib(self, library: str | os.PathLike[str],
                     certificate: str | None = None) -> None:
        """Load a library, which replaces the backend."""
        self.functions = MappingProxyType({})
        loaded = os.fspath(library), read_certificate(certificate)
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
