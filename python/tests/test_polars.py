# SPDX-License-Identifier: MIT
"""alloy.polars against Polars: expressions and scans of the installed wheel."""

import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import threading
import time

import polars as pl
import pyarrow as pa
import pytest

import alloy

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])


def frame(rows):
    """x has nulls."""
    i = pl.int_range(rows)
    return pl.select(x=pl.when(i % 7 == 0).then(None).otherwise(i / 4), y=i)


@pytest.fixture(params=[False, True], ids=["in process", "isolated"])
def either_score(request):
    limits = alloy.Limits(max_workers=4)
    with alloy.open(BUILD / "backends/score_cpp.so", f"@{BUILD}/dev.crt",
                    isolated=request.param, limits=limits) as bridge:
        yield bridge


@pytest.fixture
def typed(host):
    with alloy.open(BUILD / "backends/tests/typed.so", host=host) as bridge:
        yield bridge


@pytest.fixture
def types(host):
    with alloy.open(BUILD / "backends/tests/types.so", host=host) as bridge:
        yield bridge


def test_import_alloy_imports_no_engine():
    done = subprocess.run(
        [sys.executable, "-c", "import alloy, sys; print(*sys.modules)"],
        check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"polars", "duckdb", "datafusion", "pandas", "pyarrow", "numpy"}


def test_an_expression_equals_that_of_polars(either_score):
    score = alloy.polars.expr(either_score.score, "x", "y")
    df = frame(10_000)
    both = df.select(score, (pl.col("x") * pl.col("y")).alias("own"))
    assert both["score"].null_count() == both["own"].null_count() > 0
    assert both["score"].equals(both["own"], null_equal=True)
    # It has the name of the function, so it replaces no column.
    assert df.with_columns(score).columns == ["x", "y", "score"]
    assert df.select(score.alias("z")).columns == ["z"]


def test_the_streaming_engine_is_equal_on_2_million_rows(score):
    df = frame(2_000_000)
    lazy = df.lazy().select(alloy.polars.expr(score.score, "x", "y"))
    wanted = df.select(score=pl.col("x") * pl.col("y"))
    assert lazy.collect(engine="streaming").equals(wanted)
    assert lazy.collect().equals(wanted)
    total = lazy.select(pl.col("score").sum()).collect(engine="streaming").item()
    assert total == pytest.approx(wanted["score"].sum())


def test_planning_runs_nothing_and_a_wrong_type_is_found_then(score):
    df = pl.DataFrame({"x": [1.0], "y": [2], "s": ["a"]}).lazy()
    planned = df.select(alloy.polars.expr(score.score, "x", "y"))
    assert planned.collect_schema() == pl.Schema({"score": pl.Float64})
    with pytest.raises(pl.exceptions.ComputeError) as raised:
        df.select(alloy.polars.expr(score.score, "x", "s")).collect_schema()
    found = alloy.error_from(raised.value)
    assert isinstance(found, alloy.NoMatchError)
    assert found.text.splitlines()[-1].split() == [
        "y", "Int64", "Utf8View", "<-", "wrong", "type"]
    with pytest.raises(pl.exceptions.ComputeError, match=r"takes 2 columns \(x, y\)"):
        df.select(alloy.polars.expr(score.score, "x")).collect_schema()
    with pytest.raises(pl.exceptions.ComputeError) as raised:
        df.select(alloy.polars.expr(score.score, "x", "y", nonsense=1)).collect_schema()
    assert isinstance(alloy.error_from(raised.value), alloy.InvalidError)


def test_planning_enters_no_function(rows):
    """`spin` would never return."""
    df = pl.DataFrame({"x": [1, 2]}).lazy().select(alloy.polars.expr(rows.spin, "x"))
    assert df.collect_schema() == {"spin": pl.Int64} and "PYTHON" not in df.explain()


def test_a_function_on_whole_batches_is_no_expression(streams):
    with pytest.raises(alloy.UnsupportedError, match="double is not declared ROWWISE"):
        alloy.polars.expr(streams.double, "x")


def test_chunks_that_end_at_different_rows(score):
    x = pl.concat([pl.Series("x", [1.0, None]), pl.Series("x", [3.0, 4.0, 5.0])], rechunk=False)
    y = pl.concat([pl.Series("y", [1, 2, 3, 4]), pl.Series("y", [5])], rechunk=False)
    assert (x.n_chunks(), y.n_chunks()) == (2, 2)
    df = pl.DataFrame([x, y])
    wanted = [1.0, None, 9.0, 16.0, 25.0]
    assert df.select(alloy.polars.expr(score.score, "x", "y"))["score"].to_list() == wanted
    sliced = df.slice(1, 3).select(alloy.polars.expr(score.score, "x", "y"))
    assert sliced["score"].to_list() == wanted[1:4]


def test_no_rows(score):
    df = frame(0)
    result = df.select(alloy.polars.expr(score.score, "x", "y"))
    assert result.schema == {"score": pl.Float64} and result.height == 0
    filtered = frame(10).lazy().filter(pl.col("y") > 99)
    result = filtered.select(alloy.polars.expr(score.score, "x", pl.lit(2, pl.Int64))).collect()
    assert result.height == 0


def test_a_literal_stands_for_every_row(score, typed):
    df = frame(100)
    times_two = df.select(alloy.polars.expr(score.score, "x", pl.lit(2, pl.Int64)))["score"]
    assert times_two.equals((df["x"] * 2), null_equal=True)
    null = df.select(alloy.polars.expr(score.score, "x", pl.lit(None, pl.Int64)))["score"]
    assert len(null) == 100 and null.null_count() == 100
    one = df.select(alloy.polars.expr(score.score, pl.lit(1.5), pl.lit(4, pl.Int64)))["score"]
    assert one.to_list() == [6.0]
    long = "a text that is longer than the twelve bytes of a view"
    texts = df.select(alloy.polars.expr(typed.join, pl.lit(long), "y"))["join"]
    assert texts.to_list() == [f"{long}{y}" for y in range(100)]
    lists = alloy.polars.expr(alloy.Bridge(alloy.Host(log_mode="never")).echo, pl.lit([[1, 2]]),
                              "y")
    try:
        assert df.select(lists).height == 100
    except pl.exceptions.ComputeError as error:  # refused by name, not wrong
        assert "not repeated for all rows" in str(error)


def test_group_by_and_filters(score):
    df = frame(1000).with_columns(g=pl.col("y") % 3)
    own = pl.col("x") * pl.col("y")
    ours = alloy.polars.expr(score.score, "x", "y")
    large = pl.col("y") > 500
    assert df.group_by("g", maintain_order=True).agg(s=ours.filter(large).sum()).equals(
        df.group_by("g", maintain_order=True).agg(s=own.filter(large).sum()))
    assert df.group_by("g", maintain_order=True).agg(ours.sum().alias("s")).equals(
        df.group_by("g", maintain_order=True).agg(own.sum().alias("s")))
    assert df.filter(ours > 10).equals(df.filter(own > 10))


TYPES = [pl.Int8, pl.UInt8, pl.Int16, pl.UInt16, pl.Int32, pl.UInt32, pl.Int64, pl.UInt64,
         pl.Float32, pl.Float64]


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_numbers(typed, dtype):
    df = pl.DataFrame({"x": pl.Series([1, None, 3], dtype=dtype)})
    result = df.select(alloy.polars.expr(typed.twice, "x"))["twice"]
    assert result.dtype == dtype and result.to_list() == [2, None, 6]


def test_booleans_and_texts(typed):
    df = pl.DataFrame({"b": [True, None, False], "s": ["a", None, "ü" * 20]})
    result = df.select(alloy.polars.expr(typed.twice, "b").alias("b"),
                       alloy.polars.expr(typed.twice, "s").alias("s"),
                       alloy.polars.expr(typed.length, "s"))
    assert result.to_dict(as_series=False) == {
        "b": [False, None, True], "s": ["aa", None, "ü" * 40], "length": [1, -1, 40]}


@pytest.mark.parametrize("dtype", [pl.Date, pl.Time, pl.Datetime("ms"), pl.Datetime("us"),
                                   pl.Datetime("ns"), pl.Duration("ms"), pl.Duration("us"),
                                   pl.Duration("ns"), pl.Boolean], ids=str)
def test_times(types, dtype):
    df = pl.DataFrame({"x": pl.Series([1, None, 0]).cast(dtype)})
    lazy = df.lazy().select(alloy.polars.expr(types.same, "x"))
    assert lazy.collect_schema() == {"same": dtype}
    assert lazy.collect()["same"].equals(df["x"], null_equal=True)


@pytest.mark.parametrize("column", [
    pl.Series(["a", None], dtype=pl.Categorical),
    pl.Series(["a", None], dtype=pl.Enum(["a", "b"])), pl.Series([[1, None], None, []]),
    pl.Series([{"a": 1, "b": "x"}, None]), pl.Series([b"\0a", None, b""]),
    pl.Series([[1, 2], [3, None]], dtype=pl.Array(pl.Int64, 2)),
    pl.Series(["1.25", None]).cast(pl.Decimal(10, 2)), pl.Series([None, None]),
    pl.Series([0], dtype=pl.Datetime("us", "Europe/Berlin"))], ids=lambda s: str(s.dtype))
def test_the_echo_gives_back_every_type(column):
    echo = alloy.Bridge(alloy.Host(log_mode="never")).echo
    df = pl.DataFrame({"x": column})
    lazy = df.lazy().select(alloy.polars.expr(echo, "x"))
    assert lazy.collect_schema() == {"echo": column.dtype}
    assert lazy.collect()["echo"].to_list() == column.to_list()


def test_several_output_columns_are_a_struct(host, typed):
    with pytest.raises(alloy.UnsupportedError, match="ROWWISE"):
        alloy.polars.expr(typed.split, "x")
    echo = alloy.Bridge(host).echo
    result = frame(3).select(alloy.polars.expr(echo, "x", "y"))["echo"]
    assert len(result.struct.fields) == 2 and result.struct.unnest().equals(
        frame(3), null_equal=True)


def test_pointers_and_private_formats_are_refused(host):
    echo = alloy.Bridge(host).echo
    objects = pl.DataFrame({"x": pl.Series([object()], dtype=pl.Object)})
    with pytest.raises(pl.exceptions.PolarsError, match="pointers"):
        objects.select(alloy.polars.expr(echo, "x"))
    with pytest.raises(alloy.NoMatchError, match="pointers"):
        echo(objects)
    with pytest.raises(alloy.NoMatchError, match="pointers"):
        alloy.polars.scan(echo, objects)

    class Derived(pl.DataFrame):
        pass

    inside = pl.DataFrame({"x": pl.Series([object()], dtype=pl.Object)})
    for other in (Derived(inside), (f for f in [inside]), inside["x"].to_frame()):
        with pytest.raises(alloy.NoMatchError, match="pointers"):
            echo(other)
    with pytest.raises(alloy.NoMatchError, match="pointers"):
        echo.columns(inside["x"])
    # Bytes of a fixed size of another library are not pointers.
    bytes_8 = pa.table({"x": pa.array([b"12345678"], pa.binary(8))})
    assert pa.table(echo(bytes_8)).equals(bytes_8)
    large = pl.DataFrame({"x": pl.Series([1], dtype=pl.Int128)})
    with pytest.raises(pl.exceptions.PolarsError, match="FORMAT_UNKNOWN"):
        large.select(alloy.polars.expr(echo, "x"))
    with pytest.raises(alloy.AlloyError) as raised:
        echo(large)
    assert raised.value.reason == "FORMAT_UNKNOWN"


def test_columns_of_different_lengths_are_an_error(score):
    df = frame(5)
    with pytest.raises(pl.exceptions.PolarsError):
        df.select(alloy.polars.expr(score.score, "x", pl.col("y").head(2)))


def test_expressions_of_a_closed_bridge(score):
    expression = alloy.polars.expr(score.score, "x", "y")
    score.close()
    with pytest.raises(pl.exceptions.ComputeError) as raised:
        frame(3).select(expression)
    assert isinstance(alloy.error_from(raised.value), alloy.ClosedError)
    # The next expression forgets those of closed bridges.
    alloy.polars.expr(alloy.Bridge(alloy.Host(log_mode="never")).echo, "x")
    with pytest.raises(pl.exceptions.ComputeError, match="ALLOY CLOSED"):
        frame(3).select(expression)


def test_an_expression_holds_its_bridge():
    expression = alloy.polars.expr(
        alloy.Bridge(alloy.Host(log_mode="never")).echo, "y")
    assert frame(3).select(expression)["echo"].to_list() == [0, 1, 2]


def in_another_process(frame, folder):
    """What a process that has not imported alloy makes of a pickled frame."""
    (folder / "frame").write_bytes(pickle.dumps(frame))
    code = ("import pickle, sys\n"
            "frame = pickle.load(open(sys.argv[1], 'rb'))\n"
            "assert 'alloy' not in sys.modules\n"
            "try: print(frame.collect().rows())\n"
            "except Exception as e:\n"
            "    import alloy\n"
            "    print(type(alloy.error_from(e)).__name__, e)\n")
    return subprocess.run([sys.executable, "-c", code, folder / "frame"], check=True,
                          capture_output=True, text=True, timeout=60).stdout


def test_another_process_opens_the_library_itself(score, tmp_path):
    library = tmp_path / "score_cpp.so"
    shutil.copy(BUILD / "backends/score_cpp.so", library)
    shutil.copy(BUILD / "backends/score_cpp.so.alloysig", tmp_path)
    with alloy.open(library, f"@{BUILD}/dev.crt") as bridge:
        one = alloy.polars.expr(bridge.score, "x", "y")
        lazy = frame(3).lazy().select(one, (one + 1).alias("more"))
        assert in_another_process(lazy, tmp_path) == (
            "[(None, None), (0.25, 1.25), (1.0, 2.0)]\n")
        # It takes only the same bytes.
        library.write_bytes(library.read_bytes()[:-1] + b"x")
        assert in_another_process(lazy, tmp_path).startswith("RefusedError")


def test_a_function_without_a_file_stays_in_its_process(host, tmp_path):
    lazy = frame(3).lazy().select(alloy.polars.expr(alloy.Bridge(host).echo, "y"))
    assert pickle.loads(pickle.dumps(lazy)).collect().height == 3
    printed = in_another_process(lazy, tmp_path)
    assert printed.startswith("ClosedError") and "another process" in printed


def test_threads_share_an_expression(score):
    df = frame(20_000)
    wanted = df.select(score=pl.col("x") * pl.col("y"))
    expression = alloy.polars.expr(score.score, "x", "y")
    right = []

    def run():
        for _ in range(20):
            right.append(df.select(expression).equals(wanted))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert right == [True] * 160


def totals(df):
    running, result = 0, []
    for part in df:
        running += sum(v or 0 for v in part)
        result.append(running)
    return result


@pytest.fixture
def totals_bridge():
    with alloy.open(BUILD / "backends/totals_cpp.so", f"@{BUILD}/dev.crt") as bridge:
        yield bridge


def test_a_scan_runs_for_each_collect(totals_bridge):
    parts = [[1, 2], [3], [None, 5]]
    table = pa.table({"x": pa.chunked_array([pa.array(p, pa.int64()) for p in parts])})
    lazy = alloy.polars.scan(totals_bridge.totals, table)
    assert lazy.collect_schema() == {"total": pl.Int64}
    for engine in ("in-memory", "streaming", "in-memory"):
        assert lazy.collect(engine=engine)["total"].to_list() == totals(parts)
    assert lazy.head(2).collect()["total"].to_list() == [3, 6]
    assert lazy.filter(pl.col("total") > 3).collect()["total"].to_list() == [6, 11]
    assert lazy.filter(pl.col("total") > 3).head(1).collect()["total"].to_list() == [6]
    assert lazy.select(pl.len()).collect().item() == 3


def test_a_scan_projects_and_filters(host):
    echo = alloy.Bridge(host).echo
    df = frame(1000)
    lazy = alloy.polars.scan(echo, df)
    wanted = df.filter(pl.col("x") > 10).select("y")
    assert lazy.filter(pl.col("x") > 10).select("y").collect().equals(wanted)
    assert lazy.head(7).filter(pl.col("y") > 3).collect().equals(
        df.head(7).filter(pl.col("y") > 3))
    assert alloy.polars.scan(echo, frame(0)).collect().equals(frame(0))
    assert alloy.polars.scan(echo, df.lazy().collect).collect().equals(df)
    with pytest.raises(TypeError, match="frame.collect"):
        alloy.polars.scan(echo, df.lazy())


def once(kind, table):
    if kind == "reader":
        return table.to_reader()
    if kind == "generator":
        return (batch for batch in table.to_batches())
    return alloy.Bridge(alloy.Host(log_mode="never")).echo.stream(table)


@pytest.mark.parametrize("kind", ["reader", "generator", "stream"])
def test_a_source_that_is_read_once_fails_the_second_time(totals_bridge, kind):
    table = pa.table({"x": pa.array([1, 2, 3], pa.int64())})
    lazy = alloy.polars.scan(totals_bridge.totals, once(kind, table))
    assert lazy.collect()["total"].to_list() == [6]
    with pytest.raises(Exception) as raised:
        lazy.collect()
    assert isinstance(alloy.error_from(raised.value), alloy.ClosedError)


def test_errors_of_a_scan(streams):
    def bad():
        yield pa.record_batch({"x": pa.array([1], pa.int64())})
        raise FileNotFoundError("points.parquet")

    lazy = alloy.polars.scan(streams["pass"], bad)
    with pytest.raises(Exception, match="points.parquet"):
        lazy.collect()


def test_map_batches_takes_a_stage():
    stage = alloy.Stage(BUILD / "backends/score_cpp.so", "score", f"@{BUILD}/dev.crt")
    lazy = frame(100).lazy()
    schema = pl.Schema(stage.output(lazy.collect_schema()))
    assert lazy.map_batches(stage, schema=schema).collect().equals(
        frame(100).select(score=pl.col("x") * pl.col("y")))


@pytest.fixture(params=[False, True], ids=["in process", "isolated"])
def rows(request, host):
    with alloy.open(BUILD / "backends/tests/rows.so", host=host,
                    isolated=request.param) as bridge:
        yield bridge


def test_a_failure_of_the_backend_arrives(rows):
    df = pl.DataFrame({"x": [1, -1]})
    with pytest.raises(pl.exceptions.ComputeError) as raised:
        df.select(alloy.polars.expr(rows.fail, "x"))
    found = alloy.error_from(raised.value)
    assert isinstance(found, alloy.BackendError) and "x is below 0" in found.text
    # The next run is right.
    assert df.select(alloy.polars.expr(rows.fail, pl.col("x").abs()))["fail"].to_list() == [1, 1]


def test_progress_is_reported_by_a_scan_and_refused_by_an_expression(rows):
    seen = []
    watched = rows.fail.using(progress=lambda done, total: seen.append(done))
    with pytest.raises(alloy.UnsupportedError, match="progress"):
        alloy.polars.expr(watched, "x")
    lazy = alloy.polars.scan(watched, pl.DataFrame({"x": [1, 2]}))
    assert lazy.collect()["fail"].to_list() == [1, 2] and seen


def test_options_belong_to_an_expression(rows):
    df = pl.DataFrame({"x": [1.0, 2.0]})
    two, three = (alloy.polars.expr(rows.scale, "x", by=by).alias(str(by)) for by in (2, 3))
    assert df.select(two, three).to_dict(as_series=False) == {"2": [2.0, 4.0], "3": [3.0, 6.0]}


def test_cancel_and_timeout(rows):
    df = pl.DataFrame({"x": [1]})
    with pytest.raises(pl.exceptions.ComputeError) as raised:
        df.select(alloy.polars.expr(rows.spin.using(timeout=0.2), "x"))
    assert isinstance(alloy.error_from(raised.value), alloy.DeadlineError)
    expression = alloy.polars.expr(rows.spin, "x")
    failed = []

    def run():
        try:
            df.select(expression)
        except pl.exceptions.ComputeError as error:
            failed.append(alloy.error_from(error))

    thread = threading.Thread(target=run)
    thread.start()
    end = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < end:
        rows.spin.cancel()
        time.sleep(0.05)
    thread.join(1)
    assert [type(e) for e in failed] == [alloy.CancelledError]
