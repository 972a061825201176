# SPDX-License-Identifier: MIT
"""Each type through each format and back: the value returns exactly, or an error or a
warning names the column."""

import datetime
import decimal
import math
import struct

import pyarrow as pa
import pyarrow.ipc

from support import BUILD, CommandTest

ECHO = BUILD / "backends/echo_c.so"
UNITS = ("s", "ms", "us", "ns")
# Texts that another reader would take for a null, a number, a truth or two rows.
TEXTS = ["", "NA", "null", "nan", "007", "1e5", "true", " x ", 'say "x"', "a,b", "a\nb",
         "a\r\nb", "\t", "é", "-", None]
INTEGERS = {name: [0, 1, 2**bits - 1, None] for name, bits in
            (("uint8", 8), ("uint16", 16), ("uint32", 32), ("uint64", 64))}
INTEGERS |= {name: [0, -1, 2**(bits - 1) - 1, -2**(bits - 1), None] for name, bits in
             (("int8", 8), ("int16", 16), ("int32", 32), ("int64", 64))}
FLOATS = [0.0, -0.0, 1.5, -1e-3, math.nan, math.inf, -math.inf, None]


def columns():
    """Name, array, and the type for --cast; None: a CSV column of it needs no cast."""
    for name, values in INTEGERS.items():
        yield name, pa.array(values, name), name
    yield "bool", pa.array([True, False, None]), "bool"
    yield "float16", pa.array(FLOATS, pa.float16()), "float16"
    yield "float32", pa.array([*FLOATS, 1.1754944e-38, 3.4028235e38], pa.float32()), "float32"
    yield "float64", pa.array([*FLOATS, 5e-324, 1.7976931348623157e308, 0.1]), "float64"
    for name in ("string", "large_string", "string_view"):
        kind = getattr(pa, name)()
        yield name, pa.array(TEXTS, kind), name
    yield "binary", pa.array([b"", b"a,b", b"\xff\x00\n", None]), "binary"
    yield "ascii", pa.array([b"", b"a,b", b'"x"', None]), "binary"
    yield "large_binary", pa.array([b"", b"x", None], pa.large_binary()), "large_binary"
    yield "binary_view", pa.array([b"", b"x" * 20, None], pa.binary_view()), "binary_view"
    yield "fixed", pa.array([b"abcd", b"\xff,\n\"", None], pa.binary(4)), None
    days = [datetime.date(1, 1, 1), datetime.date(1969, 12, 31), datetime.date(9999, 12, 31)]
    yield "date32", pa.array([*days, None], pa.date32()), "date32"
    yield "date64", pa.array([*days, None], pa.date64()), "date64"
    for unit in UNITS:
        kind = pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
        most = 86400 * 1000**UNITS.index(unit) - 1
        yield f"time_{unit}", pa.array([0, 1, most, None], kind), str(kind).replace(
            "time32", "time32").replace("time64", "time64")
        yield f"duration_{unit}", pa.array([0, -1, 2**40, None], pa.duration(unit)), \
            f"duration[{unit}]"
        far = 253402300799 * 1000**UNITS.index(unit)
        values = [0, -1, 1, *([far] if unit != "ns" else [2**62, -2**62]), None]
        yield f"time_of_{unit}", pa.array(values, pa.timestamp(unit)), f"timestamp[{unit}]"
        for zone in ("UTC", "+02:00", "Europe/Stockholm"):
            yield f"zone_{unit}_{zone}", pa.array(values, pa.timestamp(unit, zone)), \
                f"timestamp[{unit},{zone}]"
    number = decimal.Decimal("12345678.25")
    yield "decimal128", pa.array([number, -number, None], pa.decimal128(38, 4)), \
        "decimal128(38,4)"
    yield "decimal256", pa.array([number, -number, None], pa.decimal256(70, 4)), \
        "decimal256(70,4)"
    yield "decimal64", pa.array([number, None], pa.decimal64(18, 2)), None
    yield "decimal32", pa.array([decimal.Decimal("-1.5"), None], pa.decimal32(5, 1)), None
    yield "null", pa.nulls(3), None
    words = pa.array(["a", "b", "a", None])
    yield "dictionary", words.dictionary_encode(), None
    yield "list", pa.array([[1, None], [], None], pa.list_(pa.int64())), None
    yield "large_list", pa.array([["x"], None], pa.large_list(pa.utf8())), None
    yield "list_view", pa.array([[1], None, [2, 3]], pa.list_view(pa.int32())), None
    yield "fixed_list", pa.array([[1, 2], [3, None]], pa.list_(pa.int32(), 2)), None
    yield "struct", pa.array([{"a": 1, "b": "x"}, {"a": None, "b": ""}, None]), None
    yield "map", pa.array([[("k", 1)], [], None], pa.map_(pa.utf8(), pa.int32())), None
    yield "runs", pa.RunEndEncodedArray.from_arrays([2, 3], ["x", None]), None
    kinds = pa.array([0, 1], pa.int8())
    children = [pa.array([1, 2]), pa.array(["a", "b"])]
    yield "sparse", pa.UnionArray.from_sparse(kinds, children), None
    yield "dense", pa.UnionArray.from_dense(kinds, pa.array([0, 0], pa.int32()), children), \
        None
    yield "interval", pa.array([(1, 2, 3), None], pa.month_day_nano_interval()), None


def exact(value):
    """A value with which equality means the same bits."""
    if isinstance(value, float):
        return struct.pack("<d", value) if not math.isnan(value) else "nan"
    if isinstance(value, (list, tuple)):
        return [exact(item) for item in value]
    return value


def values_of(array):
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_temporal(array.type) and not pa.types.is_interval(array.type):
        # Python's own dates hold neither nanoseconds nor every year.
        wide = array.type.bit_width == 64
        return array.view(pa.int64() if wide else pa.int32()).to_pylist()
    return [exact(value) for value in array.to_pylist()]


class ThereAndBackTest(CommandTest):
    def run_echo(self, source, result, *more):
        return self.arrowalloy("run", ECHO, "echo", "--allow-unsigned", "--progress", "none",
                               "-i", source, "-o", result, *more)

    def there_and_back(self, ending):
        """What became of each column: exact, refused or warned of."""
        became = {}
        for name, array, cast in columns():
            with self.subTest(column=name, format=ending):
                column = "the " + name
                table = pa.table({column: array, "row": list(range(len(array)))})
                with pa.ipc.new_file(str(self.here / "in.arrow"), table.schema) as writer:
                    writer.write_table(table)
                there = self.run_echo("in.arrow", "there" + ending)
                if there.code != 0:
                    self.assertGreater(there.code, 0, there.err)
                    self.assertIn(column, there.err)
                    self.assertRegex(there.err, r"(?m)^help: \S")
                    became[name] = "refused"
                    continue
                casts = ["--cast", f"{column}={cast}"] if ending == ".csv" and cast else []
                back = self.run_echo("there" + ending, "back.arrow", *casts)
                said = there.err + back.err
                if back.code != 0:
                    self.assertGreater(back.code, 0, back.err)
                    self.assertIn(column, back.err)
                    became[name] = "refused"
                    continue
                with pa.OSFile(str(self.here / "back.arrow")) as source:
                    found = pa.ipc.open_file(source).read_all()
                self.assertEqual(found["row"].to_pylist(), table["row"].to_pylist())
                same_type = found[column].type == array.type
                if same_type and values_of(found[column]) == values_of(array):
                    became[name] = "exact"
                    continue
                # A CSV has no types: without a cast the values are the same in another type.
                if ending == ".csv" and not cast:
                    self.assertEqual(
                        values_of(found[column].cast(array.type)
                                  if array.type != pa.null() else pa.nulls(len(array))),
                        values_of(array), said)
                    became[name] = "exact"
                    continue
                self.assertIn(f"{column}", said, f"{array} came back as {found[column]}")
                self.assertIn("warning", said)
                became[name] = "warned"
        return became

    def test_arrow_files_hold_everything(self):
        became = self.there_and_back(".arrow")
        self.assertEqual(set(became.values()), {"exact"}, became)

    def test_arrow_streams_hold_everything(self):
        became = self.there_and_back(".arrows")
        self.assertEqual(set(became.values()), {"exact"}, became)

    def test_parquet_holds_most_and_names_the_rest(self):
        became = self.there_and_back(".parquet")
        plain = [*INTEGERS, "bool", "float32", "float64", "string", "large_string", "binary",
                 "date32", "decimal128", "list", "struct", "map", "time_of_us", "fixed"]
        self.assertEqual({became.get(name) for name in plain}, {"exact"}, became)

    def test_csv_holds_flat_values_and_names_the_rest(self):
        became = self.there_and_back(".csv")
        plain = [*INTEGERS, "bool", "float32", "float64", "string", "large_string",
                 "string_view", "date32", "decimal128", "time_of_us", "zone_us_UTC"]
        self.assertEqual({became.get(name) for name in plain}, {"exact"}, became)
        for name in ("list", "struct", "map"):
            self.assertEqual(became[name], "refused")
