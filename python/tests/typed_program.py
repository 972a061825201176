# SPDX-License-Identifier: MIT
"""A program of a user with types. test_typing.py gives it to mypy, and runs it."""

import pathlib
import sys
from collections.abc import Iterator
from typing import Any, assert_type

import pyarrow as pa

import alloy


def run(build: pathlib.Path) -> None:
    certificate = f"@{build}/dev.crt"
    batch = pa.record_batch({"x": [1.5, 2, None], "y": [10, 20, 30]})
    with alloy.open(build / "backends/score_cpp.so", certificate, isolated=False,
                    limits=alloy.Limits(max_workers=2)) as bridge:
        assert_type(bridge, alloy.Bridge)
        score = bridge.score
        assert_type(score, alloy.Function)
        assert_type(bridge["score"].using(timeout=2.0), alloy.Function)
        assert_type(score.output(batch.schema), alloy.Schema)
        made = score(batch)
        assert_type(made, alloy.Batch | alloy.Batches)
        assert isinstance(made, alloy.Batch)
        assert_type(made["score"], alloy.Array)
        assert_type(made.schema[0], alloy.Field)
        assert_type([field.name for field in made.schema], list[str])
        with score.stream(iter([batch, batch])) as stream:
            assert_type(next(stream), alloy.Batch)
            assert_type(stream.progress, tuple[int, int | None])
        assert_type(stage(score)(batch), Any)  # pyarrow has no types
    assert_type(alloy.error_from(ValueError()), alloy.AlloyError | None)
    try:
        alloy.open("no.so")
    except alloy.RefusedError as error:
        assert_type(error.column, int | None)
        assert_type(error.retryable, bool)


def stage(function: alloy.Function) -> alloy.Stage:
    return function.stage()


def numbers(made: alloy.Stage, tables: list[str]) -> Iterator[str]:
    """A stage returns the kind of table that it gets."""
    result = made.batches(tables)
    assert_type(result, Iterator[str])
    return result


if __name__ == "__main__":
    run(pathlib.Path(sys.argv[1]))
