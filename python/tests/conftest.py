# SPDX-License-Identifier: MIT
"""The backends of the build, and hosts that allow those of the tests, which are not signed."""

import os
import pathlib

import pytest

import alloy

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])


@pytest.fixture(scope="session")
def host():
    return alloy.Host(allow_unsigned=True, log_mode="never")


@pytest.fixture
def score():
    with alloy.open(BUILD / "backends/score_cpp.so", f"@{BUILD}/dev.crt") as bridge:
        yield bridge


@pytest.fixture
def streams(host):
    with alloy.open(BUILD / "backends/tests/streams.so", host=host) as bridge:
        yield bridge
