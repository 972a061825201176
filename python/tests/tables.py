# SPDX-License-Identifier: MIT
"""Random tables of pyarrow for hypothesis: each type of Arrow that pyarrow can make, nested, with
nulls, slices at every level, and chunks.

There is no NaN, which is not equal to itself.
"""

import decimal

import pyarrow as pa
from hypothesis import strategies as st

ROWS = 8
INDICES = [pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64()]
INTEGERS = [*INDICES, pa.uint64()]
UNITS = ["s", "ms", "us", "ns"]
ZONES = [None, "UTC", "Europe/Stockholm", "+05:30"]
DAY = 24 * 60 * 60
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def decimals(make, most):
    return st.integers(1, most).flatmap(
        lambda p: st.integers(0, p).map(lambda scale: make(p, scale)))


# What DuckDB and Polars take without another type in its place is `common`.
common = st.one_of(
    st.sampled_from([pa.bool_(), *INTEGERS, pa.float32(), pa.float64(), pa.date32(),
                     pa.string(), pa.binary()]),
    st.sampled_from(["ms", "us", "ns"]).map(pa.timestamp),
    decimals(pa.decimal128, 38))
simple = st.one_of(
    common,
    st.sampled_from([pa.null(), pa.float16(), pa.date64(), pa.time32("s"), pa.time32("ms"),
                     pa.time64("us"), pa.time64("ns"), pa.month_day_nano_interval(),
                     pa.large_binary(), pa.large_string(), pa.string_view(), pa.binary_view(),
                     pa.uuid()]),
    st.builds(pa.timestamp, st.sampled_from(UNITS), st.sampled_from(ZONES)),
    st.sampled_from(UNITS).map(pa.duration), st.integers(0, 17).map(pa.binary),
    decimals(pa.decimal32, 9), decimals(pa.decimal64, 18), decimals(pa.decimal256, 76))

# A name in C ends at its first NUL.
characters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
names = st.one_of(st.sampled_from(["x", "y", "a b", ""]), st.text(characters, max_size=4))
metadata = st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=2)
plain = st.sampled_from([*INTEGERS, pa.string(), pa.large_string(), pa.string_view(),
                         pa.binary(), pa.float64(), pa.bool_(), pa.date32()])


@st.composite
def fields(draw, types):
    kind = draw(types)
    nullable = pa.types.is_null(kind) or draw(st.booleans())
    return pa.field(draw(names), kind, nullable, draw(metadata))


def structs(types):
    return st.lists(fields(types), min_size=1, max_size=3).map(pa.struct)


@st.composite
def unions(draw, types):
    members = draw(st.lists(fields(types), min_size=1, max_size=3))
    members = [pa.field(m.name, m.type, True) for m in members]
    codes = draw(st.lists(st.integers(0, 126), min_size=len(members), max_size=len(members),
                          unique=True))
    return draw(st.sampled_from([pa.sparse_union, pa.dense_union]))(members, codes)


def nested(types):
    return st.one_of(
        fields(types).map(pa.list_), fields(types).map(pa.large_list),
        fields(types).map(pa.list_view), fields(types).map(pa.large_list_view),
        st.builds(pa.list_, fields(types), st.integers(0, 3)), structs(types),
        st.builds(pa.map_, plain, types), unions(types),
        st.builds(pa.dictionary, st.sampled_from(INDICES), plain, st.booleans()),
        st.builds(pa.run_end_encoded, st.sampled_from([pa.int16(), pa.int32(), pa.int64()]),
                  plain))


every_type = st.recursive(simple, nested, max_leaves=4)
# What Polars and DuckDB both have.
shared_types = st.recursive(
    common, lambda t: st.one_of(t.map(pa.list_), st.lists(t, min_size=1, max_size=2).map(
        lambda kinds: pa.struct([(f"f{i}", k) for i, k in enumerate(kinds)]))), max_leaves=3)


def _values(kind):
    t = pa.types
    if t.is_boolean(kind):
        return st.booleans()
    if t.is_integer(kind):
        half = 2 ** (kind.bit_width - t.is_signed_integer(kind))
        return st.integers(-half if t.is_signed_integer(kind) else 0, half - 1)
    if t.is_floating(kind):
        return st.floats(width=kind.bit_width, allow_nan=False)
    if t.is_decimal(kind):
        most = 10**kind.precision - 1
        context = decimal.Context(prec=80)
        return st.integers(-most, most).map(
            lambda n: decimal.Decimal(n).scaleb(-kind.scale, context))
    if t.is_string(kind) or t.is_large_string(kind) or t.is_string_view(kind):
        return st.text(max_size=4) | st.text(min_size=13, max_size=20)  # not inline in a view
    if t.is_fixed_size_binary(kind):
        return st.binary(min_size=kind.byte_width, max_size=kind.byte_width)
    if t.is_interval(kind):
        least = st.integers(-(2**31), 2**31 - 1)
        return st.tuples(least, least, st.integers(-(2**63), 2**63 - 1)).map(pa.MonthDayNano)
    return st.binary(max_size=4) | st.binary(min_size=13, max_size=20)


def _counts(kind):
    """The integers that a value of time is made of."""
    t = pa.types
    if t.is_date64(kind):
        return st.integers(-10**6, 10**6).map(lambda day: day * DAY * 1000)
    if t.is_time(kind):
        return st.integers(0, DAY * PER_SECOND[kind.unit] - 1)
    if t.is_date32(kind):
        most = 10**6
    elif t.is_timestamp(kind):  # DuckDB reads all units as microseconds
        most = 2**60 * min(PER_SECOND[kind.unit], 10**6) // 10**6
    else:
        most = 2 ** (kind.bit_width - 1) - 1
    return st.integers(-most, most)


def _flat(draw, kind, rows, nullable):
    def column(values, kind):
        one = st.none() | values if nullable else values
        return pa.array(draw(st.lists(one, min_size=rows, max_size=rows)), kind)

    if pa.types.is_null(kind):
        return pa.nulls(rows)
    if isinstance(kind, pa.UuidType):
        storage = column(_values(kind.storage_type), kind.storage_type)
        return pa.ExtensionArray.from_storage(kind, storage)
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return column(_counts(kind), pa.int32() if kind.bit_width == 32 else pa.int64()).view(kind)
    return column(_values(kind), kind)


def _mask(draw, rows, nullable):
    if not nullable or draw(st.booleans()):
        return None
    return pa.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)), pa.bool_())


def _offsets(draw, rows, large):
    steps = draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows))
    sums = [sum(steps[:i]) for i in range(rows + 1)]
    return pa.array(sums, pa.int64() if large else pa.int32()), sums[-1]


def _list(draw, kind, rows, nullable):
    large = pa.types.is_large_list(kind)
    offsets, total = _offsets(draw, rows, large)
    items = _array(draw, kind.value_type, total, kind.value_field.nullable)
    make = pa.LargeListArray if large else pa.ListArray
    return make.from_arrays(offsets, items, type=kind, mask=_mask(draw, rows, nullable))


def _list_view(draw, kind, rows, nullable):
    """Rows in any order, which may have items in common."""
    large = pa.types.is_large_list_view(kind)
    index = pa.int64() if large else pa.int32()
    total = draw(st.integers(0, 6))
    starts = draw(st.lists(st.integers(0, total), min_size=rows, max_size=rows))
    sizes = [draw(st.integers(0, total - start)) for start in starts]
    items = _array(draw, kind.value_type, total, kind.value_field.nullable)
    make = pa.LargeListViewArray if large else pa.ListViewArray
    return make.from_arrays(pa.array(starts, index), pa.array(sizes, index), items, type=kind,
                            mask=_mask(draw, rows, nullable))


def _fixed_size_list(draw, kind, rows, nullable):
    items = _array(draw, kind.value_type, rows * kind.list_size, kind.value_field.nullable)
    if kind.list_size == 0:  # the number of rows would not be known
        return pa.Array.from_buffers(kind, rows, [None], 0, children=[items])
    return pa.FixedSizeListArray.from_arrays(items, type=kind, mask=_mask(draw, rows, nullable))


def _map(draw, kind, rows, nullable):
    offsets, total = _offsets(draw, rows, False)
    keys = _array(draw, kind.key_type, total, False)
    items = _array(draw, kind.item_type, total, True)
    return pa.MapArray.from_arrays(offsets, keys, items, type=kind,
                                   mask=_mask(draw, rows, nullable))


def _struct(draw, kind, rows, nullable):
    parts = [_array(draw, field.type, rows, field.nullable) for field in kind]
    return pa.StructArray.from_arrays(parts, fields=list(kind),
                                      mask=_mask(draw, rows, nullable))


def _union(draw, kind, rows):
    codes = draw(st.lists(st.sampled_from(kind.type_codes), min_size=rows, max_size=rows))
    types = pa.array(codes, pa.int8())
    names = [field.name for field in kind]
    if kind.mode == "sparse":
        parts = [_array(draw, field.type, rows, True) for field in kind]
        return pa.UnionArray.from_sparse(types, parts, names, kind.type_codes)
    seen = dict.fromkeys(kind.type_codes, 0)
    places = []
    for code in codes:
        places.append(seen[code])
        seen[code] += 1
    parts = [_array(draw, field.type, seen[code], True)
             for field, code in zip(kind, kind.type_codes, strict=True)]
    return pa.UnionArray.from_dense(types, pa.array(places, pa.int32()), parts, names,
                                    kind.type_codes)


def _dictionary(draw, kind, rows, nullable):
    words = _flat(draw, kind.value_type, draw(st.integers(1, 4)), nullable)
    place = st.integers(0, len(words) - 1)
    places = draw(st.lists(st.none() | place if nullable else place, min_size=rows, max_size=rows))
    return pa.DictionaryArray.from_arrays(pa.array(places, kind.index_type), words,
                                          ordered=kind.ordered)


def _runs(draw, kind, rows, nullable):
    ends = sorted(draw(st.sets(st.integers(1, rows), max_size=rows)) | {rows}) if rows else []
    values = _flat(draw, kind.value_type, len(ends), nullable)
    return pa.RunEndEncodedArray.from_arrays(pa.array(ends, kind.run_end_type), values, kind)


def _whole(draw, kind, rows, nullable):
    t = pa.types
    if t.is_list(kind) or t.is_large_list(kind):
        return _list(draw, kind, rows, nullable)
    if t.is_list_view(kind) or t.is_large_list_view(kind):
        return _list_view(draw, kind, rows, nullable)
    if t.is_fixed_size_list(kind):
        return _fixed_size_list(draw, kind, rows, nullable)
    if t.is_map(kind):
        return _map(draw, kind, rows, nullable)
    if t.is_struct(kind):
        return _struct(draw, kind, rows, nullable)
    if t.is_union(kind):
        return _union(draw, kind, rows)
    if t.is_dictionary(kind):
        return _dictionary(draw, kind, rows, nullable)
    if t.is_run_end_encoded(kind):
        return _runs(draw, kind, rows, nullable)
    return _flat(draw, kind, rows, nullable)


def _array(draw, kind, rows, nullable):
    """An array, which may be a slice of a longer one."""
    before, after = draw(st.sampled_from([(0, 0), (0, 0), (0, 2), (1, 0), (9, 1)]))
    return _whole(draw, kind, before + rows + after, nullable).slice(before, rows)


@st.composite
def batches(draw, types=every_type, max_columns=3):
    rows = draw(st.integers(0, ROWS))
    columns = draw(st.lists(fields(types), min_size=1, max_size=max_columns))
    made = [_array(draw, f.type, rows, f.nullable) for f in columns]
    # A union does not keep the fields of its type, and neither does what contains one.
    columns = [f.with_type(a.type) for f, a in zip(columns, made, strict=True)]
    return pa.RecordBatch.from_arrays(made, schema=pa.schema(columns, draw(metadata)))


@st.composite
def tables(draw, types=every_type, max_columns=3):
    """A table whose columns have chunks of their own, also empty ones."""
    batch = draw(batches(types, max_columns))
    columns = []
    for array in batch.columns:
        cuts = sorted(draw(st.lists(st.integers(0, batch.num_rows), max_size=3)))
        edges = [0, *cuts, batch.num_rows]
        columns.append(pa.chunked_array(
            [array.slice(a, b - a) for a, b in zip(edges, edges[1:], strict=False)], array.type))
    return pa.Table.from_arrays(columns, schema=batch.schema)
