# SPDX-License-Identifier: MIT
"""What goes in comes out: random tables through a function that returns its input.

The tables are the same in each run. ALLOY_EXAMPLES=5000 tries that many for each test.
"""

import gc
import os
import pathlib

import arro3.core
import duckdb
import nanoarrow
import polars
import pyarrow as pa
import pytest
import tables
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import alloy

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])
EXAMPLES = int(os.environ.get("ALLOY_EXAMPLES", "60"))


def tries(share=1.0):
    return settings(max_examples=max(1, int(EXAMPLES * share)), derandomize=True, database=None,
                    deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=["in process", "isolated"])
def identity(request, host):
    """With every check that there is: nothing that is valid is refused."""
    with alloy.open(BUILD / "backends/tests/identity.so", host=host, check_inputs="full",
                    check_results="full", isolated=request.param == "isolated") as bridge:
        yield bridge.identity


@pytest.fixture(scope="module")
def echo():
    return alloy.Bridge(alloy.Host(log_mode="never")).echo


@pytest.fixture(autouse=True)
def memory():
    gc.collect()
    before = pa.total_allocated_bytes()
    yield
    gc.collect()
    assert pa.total_allocated_bytes() <= before


class Plain:
    """The capsules of an object of pyarrow, for pyarrow: what goes around without Alloy."""

    def __init__(self, data):
        self.data = data

    def __arrow_c_array__(self, requested_schema=None):
        return self.data.__arrow_c_array__(requested_schema)


def is_valid(data):
    try:
        data.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def no_worse(made, plain):
    """pyarrow 26 refuses a few arrays of views without rows after it has imported them."""
    assert is_valid(made) or not is_valid(plain)


def same(result, expected):
    made = pa.table(result)
    no_worse(made, pa.Table.from_batches(map(pa.record_batch, map(Plain, expected.to_batches())),
                                         expected.schema))
    assert made.schema.equals(expected.schema, check_metadata=True)
    assert made.equals(expected, check_metadata=True)


@tries()
@given(batch=tables.batches())
def test_a_batch(identity, batch):
    made = pa.record_batch(identity(batch))
    no_worse(made, pa.record_batch(Plain(batch)))
    assert made.schema.equals(batch.schema, check_metadata=True)
    assert made.equals(batch, check_metadata=True)


@tries()
@given(table=tables.tables(), batch_rows=st.integers(1, tables.ROWS))
def test_a_table_and_a_reader(identity, table, batch_rows):
    result = identity(table)
    same(result, table)
    same(result, table)  # as often as one likes
    parts = table.to_batches(max_chunksize=batch_rows)
    reader = pa.RecordBatchReader.from_batches(table.schema, parts)
    result = identity(reader)
    assert [len(batch) for batch in result] == [part.num_rows for part in parts]
    same(result, table)


@tries()
@given(table=tables.tables())
def test_a_lazy_stream_of_a_generator(identity, table):
    parts = table.to_batches()
    stream = identity.using(schema=table.schema).stream(part for part in parts)
    assert stream.schema == table.schema
    same(stream, table)


@tries()
@given(batch=tables.batches())
def test_results_of_ours_as_inputs_of_ours(echo, batch):
    once = echo(batch)
    twice = echo(once)
    del once
    assert pa.record_batch(twice).equals(batch, check_metadata=True)
    assert twice.schema == batch.schema and len(twice) == batch.num_rows
    assert alloy.describe(twice) == alloy.describe(batch) == repr(twice)


@tries()
@given(batch=tables.batches(max_columns=1))
def test_a_column(identity, batch):
    array = batch.column(0)
    made = pa.array(identity.columns(array))
    no_worse(made, pa.array(Plain(array)))
    assert made.equals(array) and made.type == array.type


LISTABLE = st.sampled_from([pa.bool_(), *tables.INTEGERS, pa.float32(), pa.float64(),
                            pa.string(), pa.large_string(), pa.string_view()])


@tries()
@given(batch=tables.batches(LISTABLE))
def test_values_as_python_objects(identity, batch):
    result = identity(batch)
    for i, name in enumerate(batch.schema.names):
        if batch.schema.names.index(name) == i:  # the first of a name
            assert result[name].to_pylist() == batch.column(i).to_pylist()


@tries()
@given(batch=tables.batches(tables.shared_types))
def test_a_batch_of_nanoarrow(identity, batch):
    """nanoarrow 0.9.0 ends the process when it passes on views, also without Alloy."""
    given_by_it = nanoarrow.c_array(batch)
    made = nanoarrow.c_array(identity(given_by_it))
    assert pa.record_batch(made).equals(batch, check_metadata=True)


def without_slices(table):
    """arro3 0.9.1 ends with a panic of arrow-rs if it gets a slice of structs."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return pa.ipc.open_stream(sink.getvalue()).read_all()


@tries()
@given(table=tables.tables(tables.shared_types))
def test_a_table_of_arro3(identity, table):
    given_by_it = arro3.core.Table.from_arrow(without_slices(table))
    expected = pa.table(given_by_it)
    same(identity(given_by_it), expected)
    assert arro3.core.Table.from_arrow(identity(given_by_it)) == given_by_it


@tries()
@given(table=tables.tables(tables.shared_types))
def test_a_frame_of_polars(identity, table):
    names = [f"c{i}" for i in range(table.num_columns)]  # polars wants each name once
    frame = polars.DataFrame(table.rename_columns(names).replace_schema_metadata(None))
    same(identity(frame), pa.table(frame))
    assert polars.DataFrame(identity(frame)).equals(frame, null_equal=True)
    one = frame.rechunk().slice(0, 3)
    assert polars.DataFrame(identity(one)).equals(one, null_equal=True)


@tries()
@given(table=tables.tables(tables.shared_types))
def test_a_relation_of_duckdb(identity, table):
    names = [f"c{i}" for i in range(table.num_columns)]
    given_to_it = table.rename_columns(names)
    with duckdb.connect() as connection:
        relation = connection.from_arrow(given_to_it)
        expected = pa.table(relation)
        result = identity(relation)
        same(result, expected)
        assert connection.from_arrow(result).fetchall() == relation.fetchall()


def test_nan_keeps_its_bits(identity):
    """Which the tables above do not have."""
    bits = pa.array([0x7ff8000000000001, 0xfff0000000000abc, 0x8000000000000000,
                     0x7ff0000000000000], pa.uint64())
    batch = pa.record_batch({"x": bits.view(pa.float64())})
    made = pa.record_batch(identity(batch))
    assert made.column(0).view(pa.uint64()).equals(bits)
