# SPDX-License-Identifier: MIT
"""The examples in the docstrings of the package run."""

import doctest
import importlib

import pytest

MODULES = {"alloy": 2, "alloy._errors": 1, "alloy.datafusion": 1, "alloy.duckdb": 1,
           "alloy.polars": 2}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0 and result.attempted >= MODULES[name]
