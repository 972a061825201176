# SPDX-License-Identifier: MIT
"""Which library a function comes from, so that another process finds and verifies it.

A Reference holds names and digests, never code and never a pointer. The process that uses it
searches for the file, and opens the first one whose sealed bytes have the digest.
"""

import dataclasses
import importlib.util
import os
import pathlib
import platform
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ._errors import RefusedError

if TYPE_CHECKING:
    from . import Bridge, Host

# Packages that bring a backend name the module whose folder has the library.
GROUP = "arrowalloy.backends"


@dataclasses.dataclass(frozen=True)
class Reference:
    """A library, and how it is opened. `path` is that of the process that opened it first."""

    path: str
    given: str  # as the user wrote it
    package: str | None
    sha256: str | None  # None: not opened yet
    signer: str | None  # the digest of the certificate that signed it
    certificate: str | None
    name: str = ""
    version: str = ""
    isolated: bool = False
    checks: tuple[str, str] = ("shape", "safe")  # of inputs and of results
    limits: tuple[tuple[str, Any], ...] = ()
    policy: tuple[tuple[str, Any], ...] = ()  # of the host

    def of(self, bridge: "Bridge") -> "Reference":
        """The same, for the library that `bridge` opened."""
        signer = bridge.signer
        return dataclasses.replace(
            self, name=bridge.name, version=bridge.version, sha256=bridge.sha256,
            signer=None if signer is None else signer["sha256"])

    @property
    def key(self) -> tuple[Any, ...]:
        """What two references have in common that may share a bridge."""
        return (self.sha256, self.signer, self.certificate, self.isolated, self.checks,
                self.limits, self.policy)


# A log callback may use a stage while a library is opened.
_lock = threading.RLock()
_hosts: dict[tuple[Any, ...], "Host"] = {}
_bridges: dict[tuple[Any, ...], "Bridge"] = {}
# Bridges of the parent process. Workers belong to it, so nothing here may end them.
_of_parent: list["Bridge"] = []


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()  # another thread may have held it
    for key in [k for k, bridge in _bridges.items() if bridge.isolated]:
        _of_parent.append(_bridges.pop(key))


os.register_at_fork(after_in_child=_after_fork)


def bridge_of(reference: Reference) -> "Bridge":
    """The one bridge of this process for a reference. It is opened at the first use."""
    bridge = _bridges.get(reference.key)
    if bridge is not None:
        return bridge
    with _lock:
        bridge = _bridges.get(reference.key)
        if bridge is None:
            bridge = _bridges[reference.key] = _search(reference)[0]
    return bridge


def first_open(reference: Reference) -> Reference:
    """Open a library whose digest is not known yet, or which must have one."""
    with _lock:
        bridge, path = _search(reference)
        opened = dataclasses.replace(reference, path=path).of(bridge)
        _bridges.setdefault(opened.key, bridge)
    return opened


def _search(reference: Reference) -> tuple["Bridge", str]:
    found: list[tuple[str, str]] = []  # places, and why not
    refusal: RefusedError | None = None
    for place in _places(reference):
        if not os.path.exists(place):
            found.append((place, "no such file"))
            continue
        try:
            return _open(reference, place), place
        except RefusedError as error:
            if reference.sha256 is None:
                raise  # nothing says that another file is meant
            if refusal is None or error.reason == "DIGEST":
                refusal = error
            # The text of the engine begins with the path.
            found.append((place, error.text.removeprefix(f"{place}: ")))
    what = reference.name or os.path.basename(reference.path)
    digest = f" with SHA-256 {reference.sha256}" if reference.sha256 else ""
    raise RefusedError(
        f"node {platform.node()} has no copy of {what} {reference.version}{digest} that may be "
        f"loaded. {'; '.join(f'{place}: {why}' for place, why in found)}. Put the library and "
        f"its .alloysig at one of these paths on this node, or install a package with an entry "
        f"point in the group {GROUP}".replace("  ", " "),
        reason="CANNOT_OPEN" if refusal is None else refusal.reason) from refusal


def _open(reference: Reference, place: str) -> "Bridge":
    import alloy

    host = _hosts.get(reference.policy)
    if host is None:
        # One for all: a library is loaded once for each host.
        host = _hosts[reference.policy] = alloy.Host(**dict(reference.policy))
    inputs, results = reference.checks
    bridge = alloy.open(
        place, reference.certificate, host=host, isolated=reference.isolated,
        sha256=reference.sha256, limits=alloy.Limits(**dict(reference.limits)),
        check_inputs=inputs, check_results=results)  # type: ignore[arg-type]
    signer = None if bridge.signer is None else bridge.signer["sha256"]
    if reference.signer is not None and signer != reference.signer:
        bridge.close()
        raise RefusedError(
            f"{place}: it is signed by the certificate {signer}, not by {reference.signer}",
            reason="CERTIFICATE_UNTRUSTED")
    return bridge


def _places(reference: Reference) -> Iterator[str]:
    seen = set()
    for place in _all_places(reference):
        if place not in seen:
            seen.add(place)
            yield place


def _all_places(reference: Reference) -> Iterator[str]:
    name = os.path.basename(reference.path)
    yield reference.path
    for folder in _package_folders(reference.package):
        yield str(folder / name)
    if "pyspark" in sys.modules:
        from pyspark import SparkFiles
        try:
            yield SparkFiles.get(name)
        except Exception:  # outside of a Spark task there is no such folder
            pass
    # Ray's working_dir, and wherever else a job was unpacked.
    yield os.path.abspath(reference.given)
    yield os.path.abspath(name)


def _package_folders(package: str | None) -> Iterator[pathlib.Path]:
    # It imports datetime, whose module in C ends a process of Python 3.12 that imports it in
    # several interpreters at once.
    from importlib.metadata import entry_points
    for entry in entry_points(group=GROUP):
        if package in (None, entry.name):
            try:
                spec = importlib.util.find_spec(entry.module)
            except ImportError:
                continue  # its parent package is not there
            for folder in (spec and spec.submodule_search_locations) or ():
                yield pathlib.Path(folder)
