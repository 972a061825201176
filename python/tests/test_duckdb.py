# SPDX-License-Identifier: MIT
"""alloy.duckdb against DuckDB: streams as tables, and scalar functions."""

import datetime
import decimal
import os
import pathlib
import threading
import time

import duckdb
import pyarrow as pa
import pytest

import alloy

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])
# x has nulls.
POINTS = ("select case when range % 7 = 0 then null else range / 4.0::double end as x, "
          "range as y from range({})")


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def cursor(con):
    """Another connection to the same database, for the input of a stream."""
    with con.cursor() as other:
        yield other


@pytest.fixture(params=[False, True], ids=["in process", "isolated"])
def either_score(request):
    with alloy.open(BUILD / "backends/score_cpp.so", f"@{BUILD}/dev.crt",
                    isolated=request.param) as bridge:
        yield bridge


@pytest.mark.parametrize("rows", [0, 1, 2_000_000])
def test_a_stream_is_a_table(con, cursor, either_score, rows):
    con.sql(f"create table points as {POINTS.format(rows)}")
    scored = either_score.score.stream(cursor.sql("select x, y from points"))
    n, values, exact, mean = con.sql("select count(*), count(score), "
                                     "sum(hash(score)::hugeint), avg(score) from scored"
                                     ).fetchall()[0]
    wanted = con.sql("select count(*), count(x), sum(hash(x * y)::hugeint), avg(x * y) "
                     "from points").fetchall()[0]
    assert (n, values, exact) == wanted[:3] and n == rows
    # The last digits of a sum depend on its order.
    assert mean == wanted[3] or mean == pytest.approx(wanted[3], rel=1e-12)


def test_a_stream_keeps_order_and_values(con, cursor, score):
    con.sql(f"create table points as {POINTS.format(10_000)}")
    scored = score.score.stream(cursor.sql("from points"))
    assert con.sql("from scored").fetchall() == con.sql("select x * y from points").fetchall()


def test_the_second_scan_of_a_stream_is_an_error(con, cursor, score):
    con.sql(f"create table points as {POINTS.format(100)}")
    scored = score.score.stream(cursor.sql("from points"))
    assert con.sql("select score from scored limit 5").fetchall() == [
        (None,), (0.25,), (1.0,), (2.25,), (4.0,)]
    for query in ("select count(*) from scored", "from scored limit 5"):
        with pytest.raises((duckdb.Error, alloy.ClosedError)) as raised:
            con.sql(query).fetchall()
        assert isinstance(alloy.error_from(raised.value), alloy.ClosedError)


def test_batches_are_a_table_that_is_read_again(con, score):
    con.sql(f"create table points as {POINTS.format(5000)}")
    scored = score.score(con.sql("from points"))
    for _ in range(2):
        assert con.sql("select count(*) from scored").fetchall()[0] == (5000,)


def test_a_relation_of_the_same_connection_is_right_or_an_error(con, score):
    """DuckDB 2 runs one query at a time on a connection; 1.4 can read this relation."""
    con.sql(f"create table points as {POINTS.format(100)}")
    scored = score.score.stream(con.sql("from points"))
    if int(duckdb.__version__.split(".")[0]) >= 2:
        with pytest.raises(duckdb.Error, match="open result"):
            con.sql("select count(*) from scored").fetchall()
    else:
        assert con.sql("select count(*) from scored").fetchall() == [(100,)]


@pytest.mark.parametrize("rows", [0, 1, 2047, 2048, 2049, 300_000])
def test_a_scalar_function_equals_sql(con, either_score, rows):
    alloy.duckdb.register(con, either_score.score)
    con.sql(f"create table points as {POINTS.format(rows)}")
    wrong = con.sql("select count(*) from points "
                    "where score(x, y) is distinct from x * y").fetchall()[0]
    assert wrong == (0,)
    assert con.sql("select count(score(x, y)), sum(score(x, y)) from points").fetchall()[0] == \
        con.sql("select count(x), sum(x * y) from points").fetchall()[0]


def test_constants_and_casts(con, score):
    alloy.duckdb.register(con, score.score)
    assert con.sql("select score(1.5, 4)").fetchall() == [(6.0,)]
    assert con.sql("select score(null, 4)").fetchall() == [(None,)]
    con.sql(f"create table points as {POINTS.format(5000)}")
    assert con.sql("select sum(score(x, 2)), sum(score(2, y)) from points").fetchall()[0] == \
        con.sql("select sum(x * 2), sum(2 * y) from points").fetchall()[0]
    assert con.sql("select count(*), score(1.5, 4) s from points group by s").fetchall() == [
        (5000, 6.0)]
    with pytest.raises(duckdb.BinderException, match=r"score\(DOUBLE, BIGINT\) -> DOUBLE"):
        con.sql("select score([1], 4)")
    # DuckDB widens to the declared type.
    assert con.sql("select score(1.5::float, 4::tinyint)").fetchall() == [(6.0,)]


def test_threads_of_duckdb(con, score):
    con.sql("set threads = 4")
    alloy.duckdb.register(con, score.score)
    con.sql(f"create table points as {POINTS.format(1_000_000)}")
    assert con.sql("select sum(score(x, y)) from points").fetchall()[0][0] == pytest.approx(
        con.sql("select sum(x * y) from points").fetchall()[0][0])


def test_a_function_on_whole_batches_cannot_be_registered(con, streams):
    with pytest.raises(alloy.UnsupportedError, match="double is not declared ROWWISE"):
        alloy.duckdb.register(con, streams.double)
    with pytest.raises(alloy.UnsupportedError):
        alloy.duckdb.register(con, streams["pass"])


def test_types_are_needed_where_several_are_accepted(con, host):
    with alloy.open(BUILD / "backends/tests/typed.so", host=host) as typed:
        with pytest.raises(alloy.InvalidError, match="parameters="):
            alloy.duckdb.register(con, typed.twice)
        alloy.duckdb.register(con, typed.length, name="size")  # every format of text is VARCHAR
        assert con.sql("select size(x) from (values ('abc'), (null)) t(x)").fetchall() == [
            (3,), (-1,)]
        with pytest.raises(alloy.NoMatchError):
            alloy.duckdb.register(con, typed.twice, parameters=["DATE"])
        with pytest.raises(alloy.InvalidError, match="takes 1 columns"):
            alloy.duckdb.register(con, typed.twice, parameters=["BIGINT", "BIGINT"])


@pytest.mark.parametrize("kind", [
    "TINYINT", "UTINYINT", "SMALLINT", "USMALLINT", "INTEGER", "UINTEGER", "BIGINT", "UBIGINT",
    "FLOAT", "DOUBLE"])
def test_numbers(con, host, kind):
    with alloy.open(BUILD / "backends/tests/typed.so", host=host) as typed:
        alloy.duckdb.register(con, typed.twice, name="twice", parameters=[kind])
        result = con.sql(f"select twice(x::{kind}) as r from (values (1), (null), (3)) t(x)")
        assert result.fetchall() == [(2,), (None,), (6,)] and result.types == [kind]


VALUES = {
    "BOOLEAN": True, "VARCHAR": "ü" * 20, "BLOB": b"\0a", "DATE": datetime.date(2020, 2, 29),
    "TIME": datetime.time(1, 2, 3, 4), "TIMESTAMP": datetime.datetime(2020, 1, 1, 1, 2, 3, 4),
    "TIMESTAMP_S": datetime.datetime(2020, 1, 1), "DECIMAL(10,2)": decimal.Decimal("-1.25"),
    "TIMESTAMP_MS": datetime.datetime(2020, 1, 1), "HUGEINT": 2**100, "INTEGER[]": [1, None],
    "TIMESTAMP_NS": datetime.datetime(2020, 1, 1), "STRUCT(a INTEGER, b VARCHAR)":
    {"a": 1, "b": None}, "INTERVAL": datetime.timedelta(days=1, seconds=2),
    "MAP(VARCHAR, INTEGER)": {"a": 1}, "ENUM('a', 'b')": "b"}


@pytest.mark.parametrize("kind", VALUES)
def test_the_echo_gives_back_every_type(con, host, kind):
    alloy.duckdb.register(con, alloy.Bridge(host).echo, name="same", parameters=[kind])
    con.sql(f"create table t (x {kind})")
    con.execute("insert into t values (?), (null)", [VALUES[kind]])
    assert con.sql("select same(x) from t").fetchall() == [(VALUES[kind],), (None,)]
    assert con.sql("select count(*) from t where same(x) is distinct from x").fetchall()[0] == (0,)


def test_bytes_of_a_private_format_are_refused(con, host):
    with pytest.raises(alloy.InvalidError, match="BIT"):
        alloy.duckdb.register(con, alloy.Bridge(host).echo, parameters=["BIT"])


def test_several_output_columns_are_a_struct(con, host):
    alloy.duckdb.register(con, alloy.Bridge(host).echo, name="pair",
                          parameters=["BIGINT", "VARCHAR"])
    assert con.sql("select pair(1, 'a')").fetchall() == [({"column0": 1, "column1": "a"},)]


@pytest.fixture(params=[False, True], ids=["in process", "isolated"])
def rows(request, host):
    with alloy.open(BUILD / "backends/tests/rows.so", host=host,
                    isolated=request.param) as bridge:
        yield bridge


def test_errors_and_options(con, rows):
    alloy.duckdb.register(con, rows.fail, name="checked")
    with pytest.raises(duckdb.Error) as raised:
        con.sql("select checked(-range) from range(10)").fetchall()
    found = alloy.error_from(raised.value)
    assert isinstance(found, alloy.BackendError) and found.text.endswith("x is below 0")
    assert con.sql("select sum(checked(range)) from range(10)").fetchall()[0] == (45,)
    alloy.duckdb.register(con, rows.scale, name="tripled", options={"by": 3})
    assert con.sql("select tripled(1.5)").fetchall() == [(4.5,)]
    with pytest.raises(alloy.InvalidError, match="nonsense"):
        alloy.duckdb.register(con, rows.scale, options={"nonsense": 3})


def test_cancel_and_timeout(con, cursor, rows):
    alloy.duckdb.register(con, rows.spin.using(timeout=0.2), name="short")
    with pytest.raises(duckdb.Error) as raised:
        con.sql("select short(range) from range(10)").fetchall()
    assert isinstance(alloy.error_from(raised.value), alloy.DeadlineError)
    alloy.duckdb.register(con, rows.spin, name="spin")
    failed = []

    def run():
        try:
            cursor.sql("select spin(range) from range(10)").fetchall()
        except duckdb.Error as error:
            failed.append(alloy.error_from(error))

    thread = threading.Thread(target=run)
    thread.start()
    end = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < end:
        rows.spin.cancel()
        time.sleep(0.05)
    thread.join(1)
    assert [type(e) for e in failed] == [alloy.CancelledError]


def test_a_closed_bridge_is_an_error(con, score):
    alloy.duckdb.register(con, score.score)
    score.close()
    with pytest.raises(duckdb.Error) as raised:
        con.sql("select score(1.5, 4)").fetchall()
    assert isinstance(alloy.error_from(raised.value), alloy.ClosedError)


def test_text_as_views(con, cursor, host):
    """A setting of DuckDB decides how it exports text; the function takes both."""
    con.sql("set produce_arrow_string_view = true")
    with alloy.open(BUILD / "backends/tests/typed.so", host=host) as typed:
        alloy.duckdb.register(con, typed.length, name="size")
        assert con.sql("select size('abc')").fetchall() == [(3,)]
        lengths = typed.length.stream(cursor.sql("select 'abc' as text"))
        assert pa.table(lengths).to_pydict() == {"length": [3]}
