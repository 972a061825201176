# SPDX-License-Identifier: MIT
"""Objects that break the PyCapsule protocol: each is an exception and never a crash."""

import ctypes
import os
import pathlib

import pyarrow as pa
import pytest
from capsule import Offers, Stream
from capsule import capsule as capsule_at

import alloy

ZEROS = ctypes.create_string_buffer(256)


def capsule(name):
    return capsule_at(name, ctypes.addressof(ZEROS))


def batch():
    return pa.record_batch({"x": pa.array([1.0]), "y": pa.array([2], pa.int64())})


def parts():
    return batch().__arrow_c_array__()


NOT_PAIRS = {
    "None": lambda: None, "int": lambda: 1, "str": lambda: "ab", "list": lambda: list(parts()),
    "empty tuple": lambda: (), "one": lambda: parts()[:1], "three": lambda: (*parts(), None),
    "two ints": lambda: (1, 2), "schema twice": lambda: (parts()[0], parts()[0]),
    "swapped": lambda: parts()[::-1], "None second": lambda: (parts()[0], None),
    "wrong name of the schema": lambda: (capsule(b"wrong"), parts()[1]),
    "wrong name of the array": lambda: (parts()[0], capsule(b"wrong")),
    "empty name": lambda: (parts()[0], capsule(b"")),
    "released schema": lambda: (capsule(b"arrow_schema"), parts()[1]),
    "released array": lambda: (parts()[0], capsule(b"arrow_array")),
    "a stream for a pair": lambda: pa.table(batch()).__arrow_c_stream__(),
}
NOT_STREAMS = {
    "None": lambda: None, "int": lambda: 1, "a pair": parts, "tuple": lambda: (),
    "wrong name": lambda: capsule(b"wrong"), "released": lambda: capsule(b"arrow_array_stream"),
    "a schema": lambda: batch().schema.__arrow_c_schema__(),
}
NOT_SCHEMAS = {
    "None": lambda: None, "int": lambda: 1, "a pair": parts,
    "wrong name": lambda: capsule(b"wrong"), "released": lambda: capsule(b"arrow_schema"),
}
REFUSALS = (TypeError, ValueError, alloy.AlloyError)


@pytest.fixture(params=["in process", "isolated"])
def echo(request):
    with alloy.Bridge(alloy.Host(log_mode="never")) as bridge:
        if request.param == "in process":
            yield bridge.echo
            return
    build = pathlib.Path(os.environ["ALLOY_BUILD"])
    with alloy.open(build / "backends/score_cpp.so", f"@{build}/dev.crt",
                    isolated=True) as bridge:
        yield bridge.score


@pytest.mark.parametrize("what", NOT_PAIRS)
def test_what_is_no_array(echo, what):
    with pytest.raises(REFUSALS):
        echo(Offers(array=NOT_PAIRS[what]))
    with pytest.raises(REFUSALS):
        alloy.describe(Offers(array=NOT_PAIRS[what]))
    with pytest.raises(REFUSALS):
        list(echo.stream(iter([batch(), Offers(array=NOT_PAIRS[what])])))
    assert len(echo(batch())) == 1


@pytest.mark.parametrize("what", NOT_STREAMS)
def test_what_is_no_stream(echo, what):
    with pytest.raises(REFUSALS):
        echo(Offers(stream=NOT_STREAMS[what]))
    with pytest.raises(REFUSALS):
        echo.stream(Offers(stream=NOT_STREAMS[what]))
    with pytest.raises(REFUSALS):
        list(echo.stream(iter([batch(), Offers(stream=NOT_STREAMS[what])])))
    assert len(echo(batch())) == 1


@pytest.mark.parametrize("what", NOT_SCHEMAS)
def test_what_is_no_schema(echo, what):
    for use in (echo.output, lambda schema: echo.using(schema=schema)):
        with pytest.raises(REFUSALS):
            use(Offers(schema=NOT_SCHEMAS[what]))
    result = echo(batch())
    if what != "None":  # no request at all
        with pytest.raises(REFUSALS):
            result.__arrow_c_array__(NOT_SCHEMAS[what]())
    with pytest.raises(REFUSALS):
        assert result.schema == Offers(schema=NOT_SCHEMAS[what])


class Odd(BaseException):
    """Not even an Exception."""


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, MemoryError, Odd])
@pytest.mark.parametrize("method", ["array", "stream"])
def test_what_a_method_raises_is_raised_as_it_is(echo, method, kind):
    failure = kind("from the object")
    broken = Offers(**{method: failure})
    for use in (echo, echo.stream, lambda x: list(echo.stream(iter([batch(), x])))):
        with pytest.raises(kind) as caught:
            use(broken)
        assert caught.value is failure
    assert len(echo(batch())) == 1


def test_the_input_of_a_refused_call_is_released(echo):
    before = pa.total_allocated_bytes()
    for _ in range(50):
        array = pa.record_batch({"s": pa.array(["x" * 1000] * 100)})
        with pytest.raises(REFUSALS):
            echo(array, Offers(array=None), nothing=object())
        del array
    assert pa.total_allocated_bytes() <= before


@pytest.mark.parametrize("wrong", [1, None, "abc", b"abc", {}, object(), int, [1], [[]], []])
def test_what_is_no_input(echo, wrong):
    for use in (echo, echo.stream, lambda x: list(echo.stream(x))):
        with pytest.raises(REFUSALS):
            use(wrong)


def test_a_request_is_best_effort(echo):
    result = echo(batch())
    columns = pa.record_batch(result).schema
    narrow = pa.schema([pa.field(f.name, pa.int8()) for f in columns])
    for request in (columns, narrow, None):
        asked = None if request is None else request.__arrow_c_schema__()
        schema, _ = result.__arrow_c_array__(asked)
        assert pa.Schema._import_from_c_capsule(schema) == columns  # its own: no casts
    wide = pa.schema([*columns, pa.field("more", pa.int8())]).__arrow_c_schema__()
    for give in (result.__arrow_c_array__, result.__arrow_c_stream__,
                 echo.stream(batch()).__arrow_c_stream__, echo(pa.table(batch())).__arrow_c_stream__):
        with pytest.raises(ValueError, match="does not cast"):
            give(wide)


def test_alloy_asks_for_no_schema(echo):
    asked = []

    class Asked:
        def __arrow_c_array__(self, requested_schema=None):
            asked.append(requested_schema)
            return parts()

    echo(Asked())
    list(echo.stream(iter([Asked()])))
    assert asked == [None, None]


@pytest.mark.parametrize("how", ["batches", "columns", "iterable"])
def test_what_a_failed_stream_leaves_in_the_struct_is_not_released(how):
    releases = []

    @ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    def release(array):
        releases.append(array)
        ctypes.c_void_p.from_address(array + 64).value = None

    def get_next(_, out):
        ctypes.memset(out, 0, 80)
        ctypes.c_void_p.from_address(out + 64).value = ctypes.cast(release, ctypes.c_void_p).value
        return 5

    schema = ctypes.create_string_buffer(72)
    batch().schema._export_to_c(ctypes.addressof(schema))
    stream = Stream(schema, [])
    stream.get_next = type(stream.get_next)(get_next)
    offer = Offers(stream=stream.capsule())
    echo = alloy.Bridge(alloy.Host(allow_unsigned=True, log_mode="never")).echo
    with pytest.raises(alloy.AlloyError, match="5|Input/output"):
        if how == "columns":
            echo.columns(offer)
        else:
            echo([offer] if how == "iterable" else offer)
    assert releases == []
    assert stream.releases == 1


@pytest.mark.parametrize("how", ["batches", "columns", "iterable"])
def test_what_a_failed_stream_leaves_in_the_schema_is_not_released(how):
    releases = []

    @ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    def release(schema):
        releases.append(schema)
        ctypes.c_void_p.from_address(schema + 56).value = None

    def get_schema(_, out):
        ctypes.memset(out, 0, 72)
        ctypes.c_void_p.from_address(out + 56).value = ctypes.cast(release, ctypes.c_void_p).value
        return 5

    stream = Stream(ZEROS, [])
    stream.get_schema = type(stream.get_schema)(get_schema)
    offer = Offers(stream=stream.capsule())
    echo = alloy.Bridge(alloy.Host(allow_unsigned=True, log_mode="never")).echo
    with pytest.raises(alloy.AlloyError, match="errno 5"):
        if how == "columns":
            echo.columns(offer)
        else:
            echo([offer] if how == "iterable" else offer)
    assert releases == []
    assert stream.releases == 1
