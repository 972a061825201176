# SPDX-License-Identifier: MIT
"""What a format cannot hold is an error that names the column; all else is written exactly."""

import csv
import datetime
import decimal

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

from support import BUILD, CommandTest

ECHO = BUILD / "backends/echo_c.so"


def of(values, storage, target):
    return pa.array(values, storage).view(target)


EXACT = {
    "bool": pa.array([True, None, False]),
    "i8": pa.array([-128, None, 127], pa.int8()),
    "u64": pa.array([0, None, 2**64 - 1], pa.uint64()),
    "f16": pa.array([1.5, None, -2.0], pa.float16()),
    "f32": pa.array([0.1, None, 3e38], pa.float32()),
    "f64": pa.array([0.1, None, 5e-324]),
    "decimal": pa.array([decimal.Decimal("1.23"), None, decimal.Decimal("-9.99")]),
    "decimal256": pa.array([decimal.Decimal("1.23"), None, None], pa.decimal256(50, 2)),
    "date32": pa.array([1, None, -5], pa.date32()),
    "seconds": pa.array([1, None, -1], pa.timestamp("s")),
    "nanos": pa.array([1, None, 2**62], pa.timestamp("ns")),
    "zone": pa.array([1, None, 3], pa.timestamp("us", "Europe/Stockholm")),
    "time": pa.array([1, None, 86_399], pa.time32("s")),
    "time64": pa.array([1, None, 3], pa.time64("ns")),
    "duration": pa.array([1, None, 3], pa.duration("ms")),
    "text": pa.array(['a "b",\n\r\n', None, ""]),
    "large": pa.array(["x", None, ""], pa.large_utf8()),
    "view": pa.array(["a text that is not inline", None, ""], pa.string_view()),
    "bytes_view": pa.array([b"abc", None, b""], pa.binary_view()),
    "dictionary": pa.array(["a", None, "b"]).dictionary_encode(),
    "nothing": pa.nulls(3),
}
NESTED = {
    "list": pa.array([[1, None], None, []], pa.list_(pa.int64())),
    "fixed": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int64(), 2)),
    "struct": pa.array([{"a": 1}, None, {"a": None}]),
    "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    "list_view": pa.array([[1], None, []], pa.list_view(pa.int64())),
    "bytes": pa.array([b"\xff\x00", None, b""]),
}
ONLY_IPC = {
    "interval": pa.array([(1, 2, 3), None, (0, 0, 0)], pa.month_day_nano_interval()),
    "runs": pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array([7, 8])),
    "union": pa.UnionArray.from_dense(pa.array([0, 0, 0], pa.int8()),
                                      pa.array([0, 1, 2], pa.int32()), [pa.array([1, 2, 3])]),
    "no_fields": pa.array([{}, None, {}], pa.struct([])),
}


class WriteFormatsTest(CommandTest):
    def write(self, columns, output, batch=None):
        table = pa.table(columns) if isinstance(columns, dict) else columns
        with pa.ipc.new_stream(self.here / "in.arrows", table.schema) as writer:
            writer.write_table(table, max_chunksize=batch)
        return self.arrowalloy("run", ECHO, "echo", "--allow-unsigned", "-q", "-i", "in.arrows",
                               "-o", output)

    def exact(self, columns, output):
        done = self.write(columns, output)
        self.assertEqual(done.code, 0, done.err)
        path = str(self.here / output)
        if output.endswith(".parquet"):
            return pa.parquet.ParquetFile(path).read()
        with pa.OSFile(path) as source:
            opened = pa.ipc.open_file(source) if output.endswith(".arrow") \
                else pa.ipc.open_stream(source)
            return opened.read_all()

    def refused(self, name, column, output, text):
        """`name` is between two columns without fault."""
        good = pa.array(range(len(column)))
        done = self.write({"before": good, name: column, "after": good}, output)
        self.assertEqual(done.code, 3, done.err)
        self.assertRegex(done.err, rf"error\[E0104\]: column {name} of type .* cannot be written "
                         rf"as .*{text}")
        self.assertRegex(done.err, r"(?m)^help: .*(write \.|another type)")
        self.assertFalse((self.here / output).exists())

    def test_arrow_ipc_returns_every_type(self):
        columns = {**EXACT, **NESTED, **ONLY_IPC}
        for output in ("out.arrow", "out.arrows"):
            self.assertEqual(self.exact(columns, output), pa.table(columns))

    def test_parquet_returns_every_value_and_names_the_columns_of_the_rest(self):
        columns = {**EXACT, **NESTED}
        table = self.exact(columns, "out.parquet")
        for name, column in columns.items():
            with self.subTest(column=name):
                self.assertEqual(table[name].cast(column.type).combine_chunks(), column)
        for name, column in ONLY_IPC.items():
            with self.subTest(column=name):
                self.refused(name, column, "bad.parquet", "")

    def test_csv_writes_every_flat_value_and_names_the_columns_of_the_rest(self):
        done = self.write(EXACT, "out.csv")
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("warning: column duration: ", done.err)
        with open(self.here / "out.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        expected = {"i8": ["-128", "", "127"], "u64": ["0", "", str(2**64 - 1)],
                    "f64": ["0.1", "", "5e-324"], "f16": ["1.5", "", "-2"],
                    "decimal": ["1.23", "", "-9.99"], "date32": ["1970-01-02", "", "1969-12-27"],
                    "seconds": ["1970-01-01 00:00:01", "", "1969-12-31 23:59:59"],
                    "zone": ["1970-01-01 01:00:00.000001+0100", "",
                             "1970-01-01 01:00:00.000003+0100"],
                    "time": ["00:00:01", "", "23:59:59"], "duration": ["1", "", "3"],
                    "text": ['a "b",\n\r\n', "", ""], "bool": ["true", "", "false"],
                    "view": ["a text that is not inline", "", ""],
                    "bytes_view": ["abc", "", ""], "dictionary": ["a", "", "b"]}
        for name, values in expected.items():
            self.assertEqual([row[name] for row in rows], values, name)
        # A null is empty, an empty text is quoted.
        self.assertEqual(self.write({"a": [1, 2], "b": ["", None]}, "out.csv").code, 0)
        self.assertEqual((self.here / "out.csv").read_text(), '"a","b"\n1,""\n2,\n')
        for name, column in {**NESTED, **ONLY_IPC}.items():
            with self.subTest(column=name):
                self.refused(name, column, "bad.csv", "")

    def test_values_that_would_change_are_refused(self):
        day = 86_400_000
        # Arrow's own readers refuse such a date, so it is made by a cast.
        pa.parquet.write_table(pa.table({"when": [0, day + 5], "n": [1, 2]}),
                               self.here / "in.parquet")
        for output in ("bad.csv", "bad.parquet"):
            done = self.arrowalloy("run", ECHO, "echo", "--allow-unsigned", "-i", "in.parquet",
                                   "--cast", "when=date64", "-o", output)
            self.assertEqual(done.code, 3, done.err)
            self.assertRegex(done.err, "column when .* time of day.* row 1 .*86400005")
        pa.parquet.write_table(pa.table({"when": pa.array([0, 90_000], pa.int32())}),
                               self.here / "in.parquet")
        done = self.arrowalloy("run", ECHO, "echo", "--allow-unsigned", "-i", "in.parquet",
                               "--cast", "when=time32[s]", "-o", "bad.csv")
        self.assertRegex(done.err, "column when .* not within a day.* row 1 ")
        whole = of([day, None, -day], pa.int64(), pa.date64())
        self.assertEqual(self.write({"when": whole}, "out.csv").code, 0)
        for unit in ("s", "ms", "us"):
            far = of([0, 2**62], pa.int64(), pa.timestamp(unit))
            self.refused("when", far, "bad.csv", "beyond the years")
        self.refused("when", of([0, 2**62], pa.int64(), pa.timestamp("s")), "bad.parquet",
                     "overflow")
        self.refused("day", of([0, 2**31 - 1], pa.int32(), pa.date32()), "bad.csv",
                     "beyond the years")
        self.refused("zone", of([0, 1], pa.int64(), pa.timestamp("s", "Nowhere/Land")),
                     "bad.csv", "Nowhere")

    def test_a_dictionary_that_changes_fits_a_stream_and_not_a_file(self):
        chunks = [pa.array(values).dictionary_encode() for values in (["a", "b"], ["c", "d"])]
        same = pa.array(["x", "y"]).dictionary_encode()
        table = pa.table({"n": pa.chunked_array([[1, 2], [3, 4]]),
                          "same": pa.chunked_array([same, same]),
                          "d": pa.chunked_array(chunks)})
        done = self.write(table, "out.arrows", batch=2)
        self.assertEqual(done.code, 0, done.err)
        done = self.write(table, "bad.arrow", batch=2)
        self.assertEqual(done.code, 3, done.err)
        self.assertRegex(done.err, "column d of type dictionary.* cannot be written")
        self.assertIn("write .arrows", done.err)

    def test_a_row_group_of_parquet_is_bounded_in_bytes_and_in_rows(self):
        large = pa.record_batch({"s": ["x" * (1 << 20)] * 20})
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_stream(self.here / "in.arrows", large.schema, options=options) as writer:
            for _ in range(16):
                writer.write_batch(large)
        echo = ("run", ECHO, "echo", "--allow-unsigned", "-q", "-o", "out.parquet", "-i")
        self.succeed(*echo, "in.arrows")
        metadata = pa.parquet.ParquetFile(self.here / "out.parquet").metadata
        groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        self.assertEqual(groups, [240, 80])
        pa.parquet.write_table(pa.table({"x": range(2_500_000)}), self.here / "in.parquet")
        self.succeed(*echo, "in.parquet")
        metadata = pa.parquet.ParquetFile(self.here / "out.parquet").metadata
        groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        self.assertEqual(groups, [1 << 20, 1 << 20, 2_500_000 - (2 << 20)])

    def test_dates_keep_their_value_at_the_ends_of_the_calendar(self):
        days = pa.array([datetime.date(1, 1, 1), datetime.date(9999, 12, 31)], pa.date32())
        self.assertEqual(self.write({"day": days}, "out.csv").code, 0)
        self.assertEqual((self.here / "out.csv").read_text(),
                         '"day"\n0001-01-01\n9999-12-31\n')


class TableTest(CommandTest):
    def table(self, columns):
        table = pa.table(columns)
        with pa.ipc.new_stream(self.here / "in.arrows", table.schema) as writer:
            writer.write_table(table)
        done = self.arrowalloy("run", ECHO, "echo", "--allow-unsigned", "-q", "-i", "in.arrows",
                               "--out-format", "table")
        self.assertEqual(done.code, 0, done.err)
        return done.out

    def test_a_row_is_one_line_whatever_it_contains(self):
        values = ["a\nb", "c\r\nd", "e\tf", "\x1b[2Jg", "h\x07\x7f", "\u202ei\u2066", "\u2028j",
                  "\x85k", "x" * 100_000, "\n" * 1000, "é" * 1000, "", None]
        nested = pa.array([[value, value] for value in values])
        out = self.table({"first\nname": values, "list": nested,
                          "bytes": [None if v is None else v.encode() for v in values]})
        lines = out.split("\n")
        self.assertEqual(len(lines), 3 + len(values) + 1)
        self.assertEqual(lines[-1], "")
        for line in lines:
            self.assertLess(len(line), 3 * 200)
        for harmful in "\r\t\x1b\x07\x7f\x85\u202e\u2066\u2028":
            self.assertNotIn(harmful, out)

    def test_more_rows_than_fit_are_counted(self):
        lines = self.table({"x": list(range(1000))}).splitlines()
        self.assertEqual((len(lines), lines[-1]), (44, "… 960 more rows"))
