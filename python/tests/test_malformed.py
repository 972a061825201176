# SPDX-License-Identifier: MIT
"""Every malformed struct of tests/faults, in capsules, as an input and as a result.

Each is a BadDataError with the reason and the column of the table, and prints nothing. Then the
same function serves a good batch, and each struct was released once.
"""

import ctypes
import os
import pathlib
import sys

import pyarrow as pa
import pytest
from capsule import Offers, Stream, capsule

import alloy
from alloy import _alloy

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests/faults"))
from fault_cases import ANY_COLUMN, ARRAY, CASES, SCHEMA, Tree  # noqa: E402

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])
LEVELS = {1: "shape", 2: "safe", 3: "full"}
MODES = ["in process", "isolated"]
BATCH = pa.record_batch({"n": pa.array([1], pa.int64())})


def named(kind):
    cases = [case for case in CASES if case.kind == kind]
    return pytest.mark.parametrize("case", cases, ids=[c.name.decode() for c in cases])


@pytest.fixture(scope="module")
def opened(host):
    bridges = {}

    def open_once(library, mode, level):
        key = library, mode, level
        if key not in bridges:
            bridges[key] = alloy.open(
                BUILD / f"backends/tests/{library}.so", host=host, isolated=mode == "isolated",
                check_inputs=LEVELS[level], check_results=LEVELS[max(level, 2)])
        return bridges[key]

    yield open_once
    for bridge in bridges.values():
        bridge.close()


@pytest.fixture(autouse=True)
def silence(capfd):
    yield
    assert capfd.readouterr() == ("", "")


class Struct:
    """A tree whose owner is a test: it releases what Alloy did not take."""

    def __init__(self, case=None):
        self.tree = Tree(case)
        self.array = ctypes.addressof(self.tree.array().contents)
        self.schema = self.tree.schema().value

    def pair(self):
        return Offers(array=lambda: (capsule(b"arrow_schema", self.schema),
                                     capsule(b"arrow_array", self.array)))

    def only_schema(self):
        return Offers(schema=lambda: capsule(b"arrow_schema", self.schema))

    def end(self):
        """What was not taken is released here, so a count of two means twice."""
        array = self.tree.array().contents
        if array.release:
            array.release(self.array)
        assert self.tree.releases() == 1
        self.tree.free()


def expect(case, side, use, *, input=None, column=0):
    """What `use` gives for a case; columns are counted from `column`."""
    if not case.code:
        return use()
    error = None
    try:
        use()
    except alloy.BadDataError as found:
        error = found.with_traceback(None)  # whose frames hold structs
    assert type(error) is alloy.BadDataError and isinstance(error, ValueError)
    assert (error.code, error.side, error.input) == ("BAD_DATA", side, input), error
    assert error.reason in case.reasons, error
    if case.column != ANY_COLUMN:
        where = case.column + column
        assert error.column == (where if where >= 0 else None), error
    assert str(error).startswith(f"[ALLOY BAD_DATA/{error.reason} {side}")
    return None


def serves(function):
    good = Struct()
    assert len(function(good.pair())) == 4
    good.end()


def two_batches(case):
    """A stream of a good batch and of a bad one, and its owners."""
    good, bad = Struct(), Struct(case)
    return good, bad, Stream(good.schema, [good.array, bad.array])


@pytest.mark.parametrize("mode", MODES)
@named(ARRAY)
def test_an_array_as_an_input(opened, mode, case):
    identity = opened("identity", mode, case.level).identity
    bad = Struct(case)
    expect(case, "caller", lambda: identity(bad.pair()), input=0)
    bad.end()
    serves(identity)


@named(ARRAY)
def test_an_array_of_a_stream(opened, case):
    identity = opened("identity", "in process", case.level).identity
    for read in (identity, lambda x: list(identity.stream(x))):
        good, bad, stream = two_batches(case)
        if case.name == b"array_released":  # the end of a stream
            assert len(read(stream.capsule())) == 1
        else:
            expect(case, "caller", lambda: read(stream.capsule()), input=0)
        assert stream.releases == 1
        good.end()
        bad.end()
    serves(identity)


@named(ARRAY)
def test_an_array_of_an_iterable(opened, case):
    identity = opened("identity", "in process", case.level).identity
    good, bad = Struct(), Struct(case)
    made = identity.stream(one.pair() for one in (good, bad))
    assert len(next(made)) == 4
    expect(case, "caller", lambda: next(made), input=0)
    made.close()
    good.end()
    bad.end()
    serves(identity)


@named(ARRAY)
def test_an_array_among_columns(opened, case):
    """A batch as the only column of another one: what is wrong is one level deeper."""
    echo = opened("identity", "in process", case.level).identity
    bad = Struct(case)
    of_the_root = case.column == -1 or case.reasons[0] == "CHILD_LENGTH"
    if of_the_root:  # a struct may have what a batch may not
        try:
            echo.columns(bad.pair())
        except alloy.BadDataError as error:
            assert error.side == "caller"
    else:
        expect(case, "caller", lambda: echo.columns(bad.pair()), input=0, column=1)
    bad.end()


@named(ARRAY)
def test_an_array_that_is_described(case):
    """It reads values only to print them, so it finds less than a call."""
    for use in (alloy.describe, _alloy.as_batch):
        bad = Struct(case)
        try:
            use(bad.pair())
            may = case.level > 1 or "BATCH_NULLS" in case.reasons  # a struct may have nulls
            assert may or not case.code
        except alloy.BadDataError as error:
            assert case.code and error.reason in case.reasons
            assert error.column == (case.column if case.column >= 0 else None)
        bad.end()


@pytest.mark.parametrize("mode", MODES)
@named(ARRAY)
def test_an_array_as_a_result(opened, mode, case):
    lie = opened("lie", mode, case.level)
    fault = case.name.decode()
    expect(case, "backend", lambda: lie.lie(BATCH, fault=fault))
    if mode == "in process":
        stream = lie.lie_in_stream.stream(fault=fault)
        assert len(next(stream)) == 4
        if case.name != b"array_released":
            expect(case, "backend", lambda: next(stream))
        stream.close()
    assert len(lie.lie(BATCH, fault="untouched")) == 4
    counts = lie.ledger(BATCH)
    assert [counts[name].to_pylist() for name in ("trees", "twice")][1] == [False]


@pytest.mark.parametrize("mode", MODES)
@named(SCHEMA)
def test_a_schema_as_an_input(opened, mode, case):
    identity = opened("identity", mode, 1).identity
    uses = [lambda s: identity(s.pair()), lambda s: identity.output(s.only_schema()),
            lambda s: list(identity.stream(iter([s.pair()]))),
            lambda s: identity(Stream(s.schema, [s.array]).capsule())]
    for use in uses:
        bad = Struct(case)
        if case.name == b"not_a_batch" and use is not uses[1]:
            with pytest.raises(alloy.InvalidError, match="not a batch"):
                use(bad)
        else:
            expect(case, "caller", lambda: use(bad), input=0)
        bad.end()
    serves(identity)


@named(SCHEMA)
def test_a_schema_that_is_only_read(opened, case):
    """Where no function decides: it is an error or a value, and never a crash."""
    identity = opened("identity", "in process", 1).identity
    plain = identity(BATCH)
    for use in (lambda s: identity.using(schema=s.only_schema()).stream(iter([BATCH])),
                lambda s: plain.schema == s.only_schema(),
                lambda s: plain.__arrow_c_array__(s.only_schema().__arrow_c_schema__()),
                lambda s: alloy.describe(s.pair()), lambda s: _alloy.as_batch(s.pair()),
                lambda s: identity.columns(s.pair()),
                lambda s: OfPolars(s).read(identity)):
        bad = Struct(case)
        try:
            use(bad)
        except (alloy.AlloyError, ValueError) as error:
            assert str(error)
        bad.end()
    serves(identity)


class OfPolars:
    """Its streams are searched for pointers that are hidden as bytes."""

    def __init__(self, struct):
        self.stream = Stream(struct.schema, [struct.array])

    def __arrow_c_stream__(self, requested_schema=None):
        return self.stream.capsule()

    def read(self, function):
        return function(self)


OfPolars.__module__ = "polars.dataframe"


@pytest.mark.parametrize("mode", MODES)
@named(SCHEMA)
def test_a_schema_as_a_result(opened, mode, case):
    lie = opened("lie", mode, 1)
    fault = case.name.decode()
    if not case.code:
        assert len(lie.lie_in_schema.output(BATCH.schema, fault=fault)) > 0
        return
    for use in (lambda: lie.lie_in_schema.output(BATCH.schema, fault=fault),
                lambda: lie.lie_in_schema(BATCH, fault=fault)):
        expect(case, "backend", use)
    assert len(lie.lie(BATCH, fault="untouched")) == 4


@pytest.mark.parametrize("callback", ["get_schema", "get_next", "get_last_error", "release"])
def test_a_stream_without_a_callback(opened, callback):
    identity = opened("identity", "in process", 1).identity
    reason = "STREAM_RELEASED" if callback == "release" else "STREAM_CALLBACK"
    for use in (identity, identity.stream, identity.columns, alloy.describe,
                lambda x: list(identity.stream(iter([BATCH, x])))):
        good = Struct()
        stream = Stream(good.schema, [good.array], without=callback)
        with pytest.raises(alloy.BadDataError, match=f"BAD_DATA/{reason} caller") as caught:
            use(stream.capsule())
        assert caught.value.input == 0
        del caught
        assert stream.releases == (0 if callback == "release" else 1)
        good.end()
    serves(identity)


def test_there_are_as_many_cases_as_were_promised():
    assert sum(case.code != 0 for case in CASES) >= 60


def test_an_exception_outlives_the_release_of_structs(opened):
    """Python drops what an expression holds while its exception is set."""
    identity = opened("identity", "in process", 1).identity
    good = Struct()
    stream = Stream(good.schema, [good.array])  # its release is Python code
    with pytest.raises(ZeroDivisionError):
        print(identity.stream(stream.capsule()), 1 / 0)
    assert stream.releases == 1
    good.end()
