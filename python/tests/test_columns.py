# SPDX-License-Identifier: MIT
"""Function.columns: a function on arrays instead of a batch."""

import os
import pathlib
import threading

import pyarrow as pa
import pytest

import alloy

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])
X = pa.array([1.5, 2.0, None])
Y = pa.array([10, 20, 30])


def test_columns_are_taken_by_position(score):
    result = score.score.columns(X, Y)
    assert isinstance(result, alloy.Array) and pa.array(result).to_pylist() == [15.0, 40.0, None]
    # Arrays of Alloy, slices, and streams of one array go in too.
    assert score.score.columns(score.score.columns(X, Y), Y).to_pylist() == [150.0, 800.0, None]
    assert score.score.columns(X[1:], Y[1:]).to_pylist() == [40.0, None]
    assert score.score.columns(pa.chunked_array([X]), pa.chunked_array([Y])).to_pylist() == [
        15.0, 40.0, None]
    assert score.score.columns(X[:0], Y[:0]).to_pylist() == []


def test_a_result_outlives_its_inputs(host):
    echo = alloy.Bridge(host).echo
    table = pa.array(range(100_000))
    address = table.buffers()[1].address
    result = echo.columns(table)
    del table
    again = pa.array(result)
    assert again.buffers()[1].address == address and again.to_pylist() == list(range(100_000))


def test_several_output_columns_are_structs(host):
    result = pa.array(alloy.Bridge(host).echo.columns(X, Y))
    assert result.type == pa.struct([("column0", pa.float64()), ("column1", pa.int64())])
    assert result.to_pylist()[2] == {"column0": None, "column1": 30}


def test_wrong_arrays_are_named(score, streams):
    with pytest.raises(alloy.InvalidError, match=r"takes 2 columns \(x, y\), not 1"):
        score.score.columns(X)
    with pytest.raises(alloy.InvalidError, match="array 1 has 2 rows, but array 0 has 3"):
        score.score.columns(X, Y[:2])
    with pytest.raises(alloy.InvalidError, match="combine its chunks"):
        score.score.columns(pa.chunked_array([X[:1], X[1:]]), Y)
    with pytest.raises(alloy.NoMatchError, match="wrong type"):
        score.score.columns(Y, X)
    with pytest.raises(TypeError, match="neither __arrow_c_array__"):
        score.score.columns(3, Y)
    with pytest.raises(TypeError, match="input 0 is of type int"):
        score.score(3)
    with pytest.raises(KeyError, match="no column z; the columns are score"):
        score.score(pa.record_batch({"x": X, "y": Y}))["z"]
    with pytest.raises(alloy.InvalidError, match="nonsense"):
        score.score.columns(X, Y, nonsense=1)
    with pytest.raises(alloy.InvalidError, match="stream function"):
        streams["pass"].columns(X)


@pytest.mark.parametrize("before", [0, 1])
def test_the_failure_of_a_stream_is_not_taken_for_its_chunks(host, before):
    batch = pa.record_batch({"x": X})

    def batches():
        yield from [batch] * before
        raise OSError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(batch.schema, batches())
    with pytest.raises(alloy.BackendError, match="the disk is gone") as raised:
        alloy.Bridge(host).echo.columns(reader)
    assert raised.value.input == 0


def test_options_limits_and_the_isolated_mode(host):
    with alloy.open(BUILD / "backends/tests/rows.so", host=host, isolated=True) as rows:
        assert rows.scale.columns(X, by=2).to_pylist() == [3.0, 4.0, None]
        with pytest.raises(alloy.DeadlineError):
            rows.spin.using(timeout=0.2).columns(Y)
        with pytest.raises(alloy.BackendError, match="x is below 0"):
            rows.fail.columns(pa.array([-1]))


def test_malformed_arrays_are_refused(host):
    bad = pa.DictionaryArray.from_arrays(pa.array([0, 9], pa.int8()), pa.array(["a"]), safe=False)
    with pytest.raises(alloy.BadDataError, match="9") as raised:
        alloy.Bridge(host, check_inputs="full").echo.columns(bad)
    assert (raised.value.side, raised.value.input, raised.value.column) == ("caller", 0, 0)


def test_threads_share_a_function(score):
    right = []

    def run():
        for _ in range(200):
            right.append(score.score.columns(X, Y).to_pylist() == [15.0, 40.0, None])

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert right == [True] * 1600
