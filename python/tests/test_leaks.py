# SPDX-License-Identifier: MIT
"""Ten thousand uses of each kind leave neither objects nor memory behind."""

import gc
import os
import pathlib
import pickle
import sys

import pyarrow as pa
import pytest

import alloy

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])
BATCH = pa.record_batch({"x": pa.array([1.5, None]), "y": pa.array([2, 3], pa.int64())})
TIMES, ROUNDS = 10_000, 5


class Broken:
    def __arrow_c_array__(self, requested_schema=None):
        raise RuntimeError("broken")


def refuse(function, *inputs, **options):
    try:
        function(*inputs, **options)
    except Exception as error:
        return error
    raise AssertionError("it must fail")


def drain(function, data):
    for _ in function.stream(data):
        pass


USES = {
    "a call": lambda f: f(BATCH),
    "a call with a result of ours": lambda f: f(f(BATCH)) if f.name == "echo" else f(BATCH),
    "options": lambda f: refuse(f, BATCH, nothing=1),
    "a wrong input": lambda f: refuse(f, 1),
    "a broken object": lambda f: refuse(f, Broken()),
    "an error that is pickled": lambda f: pickle.loads(pickle.dumps(refuse(f, 1))),
    "a stream": lambda f: drain(f, iter([BATCH, BATCH])),
    "a stream that is not read": lambda f: f.stream(iter([BATCH, BATCH])),
    "a stream that is exported": lambda f: f.stream(BATCH).__arrow_c_stream__(),
    "exports": lambda f: (f(BATCH).__arrow_c_array__(), f(BATCH).__arrow_c_stream__()),
    "schemas": lambda f: f.output(BATCH.schema) == BATCH.schema,
    "fields and values": lambda f: [repr(c) for c in f(BATCH).schema],
    "a copy": lambda f: f.using(timeout=5.0, schema=BATCH.schema),
    "columns": lambda f: f.columns(BATCH.column(0), BATCH.column(1)),
    "a name that is not there": lambda f: refuse(f(BATCH).__getitem__, "no"),
}


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def score():
    with alloy.open(BUILD / "backends/score_cpp.so", f"@{BUILD}/dev.crt") as bridge:
        yield bridge.score


@pytest.mark.parametrize("use", USES)
def test_nothing_stays(score, use):
    once = USES[use]
    for _ in range(500):
        once(score)
    gc.collect()
    blocks, objects, arrow = (
        sys.getallocatedblocks(), len(gc.get_objects()), pa.total_allocated_bytes())
    # Allocators take memory in steps, but a leak grows in each round.
    grown = []
    for _ in range(ROUNDS):
        memory = resident()
        for _ in range(TIMES // ROUNDS):
            once(score)
        score(BATCH)  # gives up what iterators left
        gc.collect()
        grown.append(resident() - memory)
    assert sys.getallocatedblocks() - blocks < TIMES // 20
    assert len(gc.get_objects()) - objects < TIMES // 20
    assert pa.total_allocated_bytes() <= arrow
    assert min(grown) < 32 * TIMES // ROUNDS  # the smallest piece that malloc gives
