# SPDX-License-Identifier: MIT
"""The backends that the tests of cluster engines use."""

import os
import pathlib
import shutil

import pytest

import alloy

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])
SCORE = BUILD / "backends/score_cpp.so"
STREAMS = BUILD / "backends/tests/streams.so"
CRASH = BUILD / "backends/tests/crash.so"
TRIES = BUILD / "backends/tests/tries.so"
CERTIFICATE = f"@{BUILD}/dev.crt"


@pytest.fixture(scope="session")
def host():
    return alloy.Host(allow_unsigned=True, log_mode="never")


def copy_of(library, folder):
    """A copy of a signed library, with its sidecar."""
    shutil.copy(f"{library}.alloysig", folder)
    return pathlib.Path(shutil.copy(library, folder))


def tamper(path):
    """Flip the last byte of a file."""
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last ^ 1]))
