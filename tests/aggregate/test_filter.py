# SPDX-License-Identifier: MIT
"""filter, against Python and the compute functions of pyarrow."""

import decimal
import operator
import unittest

import pyarrow as pa
import pyarrow.compute as pc

import samples
from support import AggregateTest, rows

OPERATORS = {"=": (operator.eq, pc.equal), "==": (operator.eq, pc.equal),
             "!=": (operator.ne, pc.not_equal), "<>": (operator.ne, pc.not_equal),
             "<": (operator.lt, pc.less), "<=": (operator.le, pc.less_equal),
             ">": (operator.gt, pc.greater), ">=": (operator.ge, pc.greater_equal)}
COMPARED = samples.NUMBERS + samples.STRINGS + samples.DATES + (pa.bool_(),)


def text(value):
    """The value as an option."""
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def kept(table, mask):
    """The rows for which the mask is true."""
    return [row for row, keep in zip(rows(table), mask) if keep]


class FilterTest(AggregateTest):
    def wide(self, length, seed=0):
        """A table with a column of every type, dictionaries among them."""
        table = {f"c{i}": samples.column(t, length, seed + i, most=9)
                 for i, t in enumerate(samples.KEYS)}
        for i, t in enumerate(samples.STRINGS + (pa.int64(), pa.date32())):
            table[f"d{i}"] = samples.dictionary(samples.column(t, length, seed + i), pa.int16())
        return pa.table(table)

    def filtered(self, column, op, value, *more):
        return self.run_function("filter", {"column": column, "op": op, "value": value}, *more)

    def test_rows_pass_of_which_the_comparison_is_true(self):
        table = self.wide(400)
        self.write(table)
        for i, data_type in enumerate(samples.KEYS):
            if data_type not in COMPARED:
                continue
            value = samples.value(data_type, 4)
            values = table[f"c{i}"].to_pylist()
            for op, (compare, kernel) in OPERATORS.items():
                with self.subTest(type=data_type, op=op):
                    got = self.filtered(f"c{i}", op, text(value), "--batch-rows", 61)
                    mask = [None if v is None else compare(v, value) for v in values]
                    self.assertEqual(rows(got), kept(table, mask))
                    if data_type != pa.string_view():  # pyarrow has no such kernel
                        scalar = pa.scalar(value, data_type)
                        self.assertEqual(kernel(table[f"c{i}"], scalar).to_pylist(), mask)

    def test_nulls_are_found_and_left_out(self):
        table = self.wide(300)
        self.write(table)
        for name in table.column_names:
            values = table[name].to_pylist()
            for op, wanted in (("is null", True), ("is not null", False)):
                with self.subTest(column=name, op=op):
                    mask = [(v is None) == wanted for v in values]
                    got = self.filtered(name, op, "", "--batch-rows", 50)
                    self.assertEqual(rows(got), kept(table, mask))

    def test_dictionaries_compare_by_their_values_and_stay_dictionaries(self):
        table = self.wide(300)
        self.write(table)
        for name, value in (("d0", "ab"), ("d1", "twelve bytes"), ("d2", "ä€"), ("d3", -3),
                            ("d4", samples.EPOCH)):
            values = table[name].to_pylist()
            for op in ("=", "!=", ">="):
                with self.subTest(column=name, op=op):
                    got = self.filtered(name, op, text(value), "--batch-rows", 90)
                    self.assertEqual(got.schema.field(name).type, table.schema.field(name).type)
                    compare = OPERATORS[op][0]
                    mask = [None if v is None else compare(v, value) for v in values]
                    self.assertEqual(rows(got), kept(table, mask))
                    self.assertTrue(0 < got.num_rows < 300)

    def test_all_rows_pass_and_none_does(self):
        table = self.wide(200)
        self.write(table)
        got = self.filtered("c3", "<", str(2**62))
        self.assertEqual(got.num_rows, 200 - table["c3"].null_count)
        self.assertEqual(self.filtered("c3", ">", str(2**62)).num_rows, 0)
        whole = table.set_column(3, "c3", pa.array(range(200)))
        self.write(whole)
        self.assertEqual(rows(self.filtered("c3", ">=", "0", "--batch-rows", 66)), rows(whole))

    def test_of_floats_there_is_one_zero_and_nan_is_the_greatest(self):
        nan = float("nan")
        table = pa.table({"x": pa.array([0.0, -0.0, nan, -nan, 1.0, None])})
        self.write(table)
        for op, value, wanted in (("=", "0", [0, 1]), ("=", "-0", [0, 1]), ("<", "0", []),
                                  (">", "1", [2, 3]), ("=", "NaN", [2, 3]),
                                  (">=", "-0.0", [0, 1, 2, 3, 4]), ("!=", "0", [2, 3, 4])):
            with self.subTest(op=op, value=value):
                self.assertEqual(rows(self.filtered("x", op, value)), rows(table.take(pa.array(wanted, pa.int64()))))

    def test_metadata_stays(self):
        field = pa.field("x", pa.int8(), metadata={"unit": "m"})
        table = pa.table([pa.array([1, 2], pa.int8())],
                         pa.schema([field], metadata={"source": "here"}))
        self.write(table)
        got = self.filtered("x", ">", "1")
        self.assertTrue(got.schema.equals(table.schema, check_metadata=True))

    def test_what_is_asked_for_wrongly_says_what_there_is(self):
        self.write(pa.table({"x": [1], "d": pa.array([1], pa.decimal128(5, 2)), "t": ["a"],
                             "day": pa.array([1], pa.date32()), "flag": [True]}))
        for column, op, value, said in (
                ("z", "=", "1", 'option column: no column "z"; the columns are: x, d, t, day, flag'),
                ("x", "~", "1", 'option op: unknown operator "~"; use =, !=, <, <=, >, '
                                '>=, is null or is not null'),
                ("d", "=", "1.005", 'option value: cannot read "1.005" as Decimal128(5, 2), the type of column d'),
                ("d", "=", "", 'option value: cannot read "" as Decimal128(5, 2), the type of column d'),
                ("x", "=", "one", 'option value: cannot read "one" as Int64, the type of column x'),
                ("x", "=", "1.5", 'option value: cannot read "1.5" as Int64, the type of column x'),
                ("x", "=", str(2**63), f'option value: cannot read "{2**63}" as Int64, the type of column x'),
                ("day", "=", "1999-02-29", 'option value: cannot read "1999-02-29" as Date32, the type of column day'),
                ("flag", "=", "maybe", 'option value: cannot read "maybe" as Boolean, the type of column flag')):
            self.refused_with("filter", {"column": column, "op": op, "value": value}, said)

    def test_types_that_do_not_compare_are_declined_with_their_names(self):
        self.write(pa.table({"l": pa.array([[1]], pa.list_(pa.int64()))}))
        said = self.refused("filter", {"column": "l", "value": "1"})
        self.assertIn("option column: column l is List", said)


if __name__ == "__main__":
    unittest.main()
