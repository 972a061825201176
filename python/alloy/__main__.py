# SPDX-License-Identifier: MIT
"""`python -m alloy` prints the ten lines of the echo, and `python -m alloy doctor` a report."""

import ctypes
import importlib.metadata
import os
import pathlib
import sys

import alloy
from alloy import _alloy


def echo() -> None:
    host = alloy.Host(log=1)
    arrays = [_alloy.int32(v) for v in ([1, 2, 3, -4], [2, 3, 4, 5], [3, 4, 5, 6])]
    count = alloy.Bridge(host).from_chunks(arrays)
    host.info(f"Python counted {count} arrays sent through ffi")


def doctor() -> int:
    owners = importlib.metadata.packages_distributions().get("alloy", [])
    print(f"alloy {alloy.version} on Python {sys.version.split()[0]}")
    print(f"the package alloy belongs to: {', '.join(sorted(set(owners))) or 'no distribution'}")
    good = set(owners) <= {"arrowalloy"}
    if not good:
        print("  another distribution also has a package alloy: uninstall it, then install "
              "arrowalloy again")
    try:
        ctypes.CDLL("libcrypto.so.3")
        print("libcrypto.so.3: found")
    except OSError:
        good = False
        print("libcrypto.so.3: not found, so no certificate works; install OpenSSL 3")
    worker = pathlib.Path(_alloy.__file__).with_name("alloy-worker")
    if os.access(worker, os.X_OK):
        print(f"worker program: {worker}")
    else:
        good = False
        why = "no permission to run it, or a mount with noexec" if worker.exists() else "missing"
        print(f"worker program: {worker}: {why}, so isolated=True does not work; install "
              "arrowalloy again, or pass alloy.Host(worker=PATH)")
    return 0 if good else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["doctor"]:
        sys.exit(doctor())
    if sys.argv[1:]:
        sys.exit("usage: python -m alloy [doctor]")
    echo()
