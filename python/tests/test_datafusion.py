# SPDX-License-Identifier: MIT
"""alloy.datafusion against DataFusion: scalar functions, and streams as tables."""

import os
import pathlib
import threading
import time

import datafusion
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import alloy

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])


@pytest.fixture
def ctx():
    return datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(4))


def points(rows):
    """x has nulls, and the table has several chunks."""
    x = pa.array([None if i % 7 == 0 else i / 4 for i in range(rows)], pa.float64())
    table = pa.table({"x": x, "y": pa.array(range(rows), pa.int64())})
    half = rows // 3
    return pa.concat_tables([table.slice(0, half), table.slice(half)])


def own(table):
    return pc.multiply(table["x"], pc.cast(table["y"], pa.float64())).to_pylist()


@pytest.fixture(params=[False, True], ids=["in process", "isolated"])
def either_score(request):
    with alloy.open(BUILD / "backends/score_cpp.so", f"@{BUILD}/dev.crt",
                    isolated=request.param, limits=alloy.Limits(max_workers=4)) as bridge:
        yield bridge


@pytest.mark.parametrize("rows", [0, 1, 8191, 8193, 100_000])
def test_a_scalar_function_equals_sql(ctx, either_score, rows):
    ctx.register_udf(alloy.datafusion.udf(either_score.score, [pa.float64(), pa.int64()]))
    table = points(rows)
    ctx.from_arrow(table, name="t")
    result = ctx.sql("select score(x, y) as ours, x * y as own from t").to_pydict()
    assert result["ours"] == result["own"] and len(result["ours"]) == rows
    assert sorted(map(str, result["ours"])) == sorted(map(str, own(table)))


def test_constants(ctx, score):
    ctx.register_udf(alloy.datafusion.udf(score.score, [pa.float64(), pa.int64()]))
    ctx.from_arrow(points(10), name="t")
    assert ctx.sql("select score(1.5, 4) as s").to_pydict() == {"s": [6.0]}
    assert ctx.sql("select score(null, 4) as s").to_pydict() == {"s": [None]}
    result = ctx.sql("select score(x, 2) as ours, x * 2 as own, score(2, y) as a, 2 * y as b "
                     "from t").to_pydict()
    assert result["ours"] == result["own"] and result["a"] == result["b"]
    with pytest.raises(Exception, match=r"score\(Float64, Int64\)"):
        ctx.sql("select score([1], 4) as s").to_pydict()


def test_several_threads_run_it(ctx, score):
    threads = set()

    class Spy:
        """Counts the threads of the function that it stands for."""

        rowwise, name, inputs = True, "score", score.score.inputs
        output = score.score.output

        @staticmethod
        def columns(*arrays):
            threads.add(threading.get_ident())
            time.sleep(0.001)
            return score.score.columns(*arrays)

    ctx.register_udf(alloy.datafusion.udf(Spy, [pa.float64(), pa.int64()]))
    table = points(200_000)
    ctx.register_record_batches("t", [[b] for b in table.to_batches(max_chunksize=20_000)])
    total = ctx.sql("select sum(score(x, y)) as s from t").to_pydict()["s"][0]
    assert total == pytest.approx(sum(v for v in own(table) if v is not None))
    assert len(threads) > 1


def test_arguments_are_not_copied(ctx, host):
    """The function gets the memory of the table."""
    table = pa.table({"x": pa.array(range(1000), pa.int64())})
    seen = []
    echo = alloy.Bridge(host).echo

    class Spy:
        rowwise, name, inputs, output = True, "same", (), echo.output

        @staticmethod
        def columns(array):
            result = echo.columns(array)
            seen.append((array.buffers()[1].address, pa.array(result).buffers()[1].address))
            return result

    ctx.register_udf(alloy.datafusion.udf(Spy, [pa.int64()]))
    ctx.from_arrow(table, name="t")
    assert ctx.sql("select same(x) as x from t").to_pydict() == table.to_pydict()
    address = table["x"].chunk(0).buffers()[1].address
    assert seen and all(one == (address, address) for one in seen)


@pytest.mark.parametrize("array", [
    pa.array([True, None]), pa.array(["ü" * 20, None]), pa.array(["a", None], pa.string_view()),
    pa.array([b"\0", None]), pa.array([1, None], pa.int8()), pa.array([1, None], pa.uint64()),
    pa.array([1.5, None], pa.float32()), pa.array([1, None], pa.date32()),
    pa.array([1, None], pa.timestamp("us", "UTC")), pa.array([1, None], pa.time64("ns")),
    pa.array([1, None], pa.decimal128(10, 2)), pa.array([[1, None], None]),
    pa.array([{"a": 1}, None]), pa.array([b"12345678", None], pa.binary(8)),
    pa.array(["a", None]).dictionary_encode(), pa.array([1, None], pa.duration("s"))],
    ids=lambda array: str(array.type))
def test_the_echo_gives_back_every_type(ctx, host, array):
    ctx.register_udf(alloy.datafusion.udf(alloy.Bridge(host).echo, [array.type], name="same"))
    ctx.register_record_batches("t", [[pa.record_batch({"x": array})]])
    result = ctx.sql("select same(x) as x from t").to_arrow_table()["x"]
    assert result.type == array.type and result.to_pylist() == array.to_pylist()


def test_a_wrong_use_is_found_before_a_query(ctx, score, streams):
    with pytest.raises(alloy.UnsupportedError, match="double is not declared ROWWISE"):
        alloy.datafusion.udf(streams.double, [pa.int64()])
    with pytest.raises(alloy.NoMatchError):
        alloy.datafusion.udf(score.score, [pa.float64(), pa.string()])
    with pytest.raises(alloy.InvalidError, match=r"takes 2 columns \(x, y\)"):
        alloy.datafusion.udf(score.score, [pa.float64()])


def test_several_output_columns_are_a_struct(ctx, host):
    ctx.register_udf(alloy.datafusion.udf(alloy.Bridge(host).echo, [pa.int64(), pa.string()],
                                          name="both"))
    result = ctx.sql("select both(1, 'a') as r").to_pydict()
    assert result == {"r": [{"column0": 1, "column1": "a"}]}


@pytest.fixture(params=[False, True], ids=["in process", "isolated"])
def rows(request, host):
    with alloy.open(BUILD / "backends/tests/rows.so", host=host,
                    isolated=request.param) as bridge:
        yield bridge


def test_errors_and_options(ctx, rows):
    ctx.from_arrow(points(10), name="t")
    ctx.register_udf(alloy.datafusion.udf(rows.fail, [pa.int64()], name="checked"))
    with pytest.raises(Exception) as raised:
        ctx.sql("select checked(-y) as s from t").to_pydict()
    found = alloy.error_from(raised.value)
    assert isinstance(found, alloy.BackendError) and found.text.endswith("x is below 0")
    assert ctx.sql("select sum(checked(y)) as s from t").to_pydict() == {"s": [45]}
    ctx.register_udf(alloy.datafusion.udf(rows.scale, [pa.float64()], name="tripled",
                                          options={"by": 3}))
    assert ctx.sql("select tripled(1.5) as s").to_pydict() == {"s": [4.5]}
    with pytest.raises(alloy.InvalidError, match="nonsense"):
        alloy.datafusion.udf(rows.scale, [pa.float64()], options={"nonsense": 3})


def test_cancel_and_timeout(ctx, rows):
    ctx.from_arrow(points(10), name="t")
    ctx.register_udf(alloy.datafusion.udf(rows.spin.using(timeout=0.2), [pa.int64()],
                                          name="short"))
    with pytest.raises(Exception) as raised:
        ctx.sql("select short(y) as s from t").to_pydict()
    assert isinstance(alloy.error_from(raised.value), alloy.DeadlineError)
    ctx.register_udf(alloy.datafusion.udf(rows.spin, [pa.int64()]))
    failed = []

    def run():
        try:
            ctx.sql("select spin(y) as s from t").to_pydict()
        except Exception as error:
            failed.append(alloy.error_from(error))

    thread = threading.Thread(target=run)
    thread.start()
    end = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < end:
        rows.spin.cancel()
        time.sleep(0.05)
    thread.join(1)
    assert [type(e) for e in failed] == [alloy.CancelledError]


def test_a_stream_is_a_table(ctx, either_score):
    table = points(10_000)
    ctx.from_arrow(table, name="t")
    scored = either_score.score.stream(ctx.table("t"))
    frame = ctx.from_arrow(scored, name="scored")
    for _ in range(2):  # DataFusion has read it whole
        result = ctx.sql("select count(*) as n, count(score) as m from scored").to_pydict()
        assert result == {"n": [10_000], "m": [len([v for v in own(table) if v is not None])]}
    assert frame.count() == 10_000
    with pytest.raises(Exception):  # the stream itself is read once
        ctx.from_arrow(scored)
    with pytest.raises(alloy.ClosedError):
        next(scored)


def test_a_closed_bridge_is_an_error(ctx, score):
    ctx.register_udf(alloy.datafusion.udf(score.score, [pa.float64(), pa.int64()]))
    score.close()
    with pytest.raises(Exception) as raised:
        ctx.sql("select score(1.5, 4) as s").to_pydict()
    assert isinstance(alloy.error_from(raised.value), alloy.ClosedError)
