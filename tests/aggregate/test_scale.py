# SPDX-License-Identifier: MIT
"""scale, against Python's own numbers."""

import decimal
import unittest

import pyarrow as pa

import samples
from support import AggregateTest, plain, rows


class ScaleTest(AggregateTest):
    def scaled(self, column, factor, *more):
        return self.run_function("scale", {"column": column, "factor": factor}, *more)

    def test_one_column_is_multiplied_and_the_rest_stays(self):
        nested = pa.array([[1], None, [2, 3]] * 100, pa.list_(pa.int8()))
        for data_type in samples.INTEGERS + samples.FLOATS:
            with self.subTest(type=data_type):
                x = samples.column(data_type, 300, 1)
                rest = {"l": nested, "d": samples.dictionary(samples.column(pa.string(), 300, 2)),
                        "v": samples.column(pa.string_view(), 300, 3)}
                self.write(pa.table({"x": x, **rest}))
                got = self.scaled("x", "3", "--batch-rows", 70)
                self.assertEqual(got["x"].type, data_type)
                self.assertEqual(got["x"].to_pylist(),
                                 [None if v is None else 3 * v for v in x.to_pylist()])
                self.assertEqual(rows(got.drop_columns(["x"])), rows(pa.table(rest)))

    def test_floats_take_any_factor(self):
        values = [0.1, -0.0, float("nan"), float("inf"), 1e300, None]
        self.write(pa.table({"x": values}))
        for factor in ("-2.5", "1e10", ".5", "+3", " 7 "):
            got = self.scaled("x", factor)
            self.assertEqual(rows(got), [(None if v is None else plain(v * float(factor)),)
                                         for v in values])

    def test_of_decimals_no_digit_is_lost(self):
        values = [decimal.Decimal("10.05"), None, decimal.Decimal("-0.01")]
        self.write(pa.table({"x": pa.array(values, pa.decimal128(15, 2))}))
        for factor in ("0.125", "-3", "+1.", ".5", "-0.000001"):
            got = self.scaled("x", factor)
            scale = 2 + len(factor.partition(".")[2])
            self.assertEqual(got["x"].type, pa.decimal128(38, scale))
            self.assertEqual(got["x"].to_pylist(),
                             [None if v is None else v * decimal.Decimal(factor)
                              for v in values])

    def test_metadata_stays(self):
        field = pa.field("x", pa.decimal128(5, 1), nullable=False, metadata={"unit": "m"})
        schema = pa.schema([field, pa.field("y", pa.int8())], metadata={"source": "here"})
        self.write(pa.table([[decimal.Decimal("1.5")], [1]], schema))
        got = self.scaled("x", "2.5").schema
        wanted = schema.set(0, field.with_type(pa.decimal128(38, 2)))
        self.assertTrue(got.equals(wanted, check_metadata=True), got)

    def test_what_overflows_names_its_row(self):
        most = 10**38 - 1
        with decimal.localcontext(prec=40):
            cases = [
                (pa.array([1, None, 2**63 - 1]), "2", "row 2 of the batch: the product overflows Int64"),
                (pa.array([64], pa.int8()), "2", "row 0 of the batch: the product overflows Int8"),
                (pa.array([-128], pa.int8()), "-1", "row 0 of the batch: the product overflows Int8"),
                (pa.array([2**64 - 1], pa.uint64()), "3",
                 "row 0 of the batch: the product overflows UInt64"),
                (pa.array([decimal.Decimal(10**37), decimal.Decimal(most)], pa.decimal128(38, 0)),
                 "9", "row 1 of the batch: the product overflows Decimal128(38, 0)"),
                (pa.array([decimal.Decimal(-most)], pa.decimal128(38, 0)), "99999999",
                 "row 0 of the batch: the product overflows Decimal128(38, 0)"),
            ]
        for values, factor, said in cases:
            self.write(pa.table({"x": values}))
            self.refused_with("scale", {"column": "x", "factor": factor}, f"column x, {said}")
        least = decimal.Context(prec=40).scaleb(decimal.Decimal(-10**37), 0)
        self.write(pa.table({"x": pa.array([least], pa.decimal128(38, 0))}))
        self.assertEqual(self.scaled("x", "9")["x"].to_pylist(), [-9 * 10**37])

    def test_what_a_null_hides_overflows_nothing(self):
        hidden = pa.Array.from_buffers(
            pa.int8(), 2, [pa.py_buffer(b"\2"), pa.py_buffer(b"\x7f\1")])
        self.write(pa.table({"x": hidden}))
        self.assertEqual(self.scaled("x", "3")["x"].to_pylist(), [None, 3])

    def test_what_is_asked_for_wrongly_says_what_there_is(self):
        self.write(pa.table({
            "x": [1], "t": ["a"], "f": [0.0], "d": pa.array([1], pa.decimal128(38, 30)),
            "u": pa.array([1], pa.uint8()), "day": pa.array([1], pa.date32())}))
        no_number = 'option factor: cannot multiply column {1}, which is {2}, by "{0}"'
        taken = "; scale takes integers, floats and decimal128"
        for column, factor, said in (
                ("z", "1", 'option column: no column "z"; the columns are: x, t, f, d, u, day'),
                ("t", "1", "option column: column t is Utf8" + taken),
                ("day", "1", "option column: column day is Date32" + taken),
                ("x", "1.5", no_number.format("1.5", "x", "Int64")),
                ("x", "", no_number.format("", "x", "Int64")),
                ("u", "-1", no_number.format("-1", "u", "UInt8")),
                ("u", "256", no_number.format("256", "u", "UInt8")),
                ("f", "inf", no_number.format("inf", "f", "Float64")),
                ("f", "NaN", no_number.format("NaN", "f", "Float64")),
                ("d", "1e3", no_number.format("1e3", "d", "Decimal128(38, 30)")),
                ("d", "0.123456789", "option factor: 0.123456789 has too many decimal places "
                                     "for column d, which is Decimal128(38, 30)")):
            self.refused_with("scale", {"column": column, "factor": factor}, said)


if __name__ == "__main__":
    unittest.main()
