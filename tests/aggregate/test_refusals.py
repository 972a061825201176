# SPDX-License-Identifier: MIT
"""What group_by refuses, and the texts of the errors."""

import decimal
import unittest

import pyarrow as pa

import samples
from support import AggregateTest

TAKEN = ("; use count, count(x), sum(x), min(x), max(x) or mean(x), each with or without: "
         "as name")


class RefusalsTest(AggregateTest):
    def test_what_is_asked_for_wrongly_says_what_there_is(self):
        self.write(pa.table({"k": ["a"], "x": [1], "l": pa.array([[1]], pa.list_(pa.int64()))}))
        for keys, aggregates, said in (
                ("z", "count", 'option keys: no column "z"; the columns are: k, x, l'),
                ("k", "sum(z)", 'option aggregates: no column "z"; the columns are: k, x, l'),
                ("k", "sum(k)", "option aggregates: sum(k): Utf8 has no sum; numbers and "
                                "decimal128 have one"),
                ("k", "min(l)", "has no min; numbers, decimal128, dates, times and strings "
                                "have one"),
                ("k", "sum", "option aggregates: sum needs a column: sum(x)"),
                ("k", "median(x)", 'option aggregates: unknown aggregate "median(x)"' + TAKEN),
                ("k", "sum(x),,count", "option aggregates: an empty item in "
                                       '"sum(x),,count"'),
                ("k", "sum(x", 'option aggregates: a ( that is not closed in "sum(x"'),
                ("k", "sum x)", 'option aggregates: a ) without a ( in "sum x)"'),
                ('"k', "count", 'option keys: a " that is not closed in "\\"k"'),
                ("k", "sum(x) as k", 'option aggregates: two columns of the result have the name '
                                     '"k"; rename one'),
                ("", "", "group_by needs keys, aggregates or both")):
            self.refused_with("group_by", {"keys": keys, "aggregates": aggregates}, said)

    def test_a_name_that_several_columns_have_is_refused(self):
        self.write(pa.table([[1], [2]], ["x", "x"]))
        for options, option in (({"keys": "x"}, "keys"), ({"aggregates": "sum(x)"}, "aggregates")):
            self.refused_with("group_by", options,
                                 f'option {option}: several columns have the name "x"; rename all but one')

    def test_types_that_are_no_key_are_declined_with_their_names(self):
        for data_type, name in ((pa.list_(pa.int64()), "List"),
                                (pa.decimal256(40, 2), "Decimal256(40, 2)"),
                                (pa.float16(), "Float16"),
                                (pa.duration("s"), "Duration(s)"), (pa.null(), "Null")):
            with self.subTest(type=data_type):
                self.write([], pa.schema({"k": data_type}))
                said = self.refused("group_by", {"keys": "k"})
                self.assertIn(f"option keys: column k is {name}", said)
                self.assertIn("keys are numbers, decimals, booleans, strings, binary, dates, "
                              "times, and dictionaries of these", said)

    def test_values_that_have_no_such_aggregate_are_declined_with_their_types(self):
        for data_type, name in ((pa.bool_(), "Boolean"), (pa.binary(), "Binary"),
                                (pa.float16(), "Float16")):
            self.write([], pa.schema({"x": data_type}))
            for what in ("sum", "mean", "min", "max"):
                self.refused_with("group_by", {"aggregates": f"{what}(x)"},
                                     f"option aggregates: {what}(x): {name} has no {what}; ")
        for data_type in samples.DATES + samples.STRINGS:
            self.write([], pa.schema({"x": data_type}))
            self.refused_with("group_by", {"aggregates": "mean(x)"},
                                 "has no mean; numbers and decimal128 have one")

    def test_sums_never_wrap(self):
        with decimal.localcontext(prec=40):
            nines = decimal.Decimal(10**38 - 1)
            cases = [
                (pa.array([2**63 - 1, 1]), "Int64"), (pa.array([-2**63, -1]), "Int64"),
                (pa.array([2**64 - 1, 1], pa.uint64()), "UInt64"),
                (pa.array([nines, 1], pa.decimal128(38, 0)), "Decimal128(38, 0)"),
                (pa.array([-nines, -nines], pa.decimal128(38, 0)), "Decimal128(38, 0)"),
                (pa.array([nines.scaleb(-3)] * 2, pa.decimal128(38, 3)), "Decimal128(38, 3)"),
            ]
        for values, name in cases:
            self.write(pa.table({"x": values}))
            self.refused_with("group_by", {"aggregates": "count,sum(x) as s"},
                                 f"s: the sum overflows {name}; cast the column to a wider type")

    def test_what_fits_in_the_end_fits_whatever_the_order(self):
        most = 2**63 - 1
        self.write(pa.table({"x": [most, most, -most]}))
        got = self.run_function("group_by", {"aggregates": "sum(x)"})
        self.assertEqual(got["sum(x)"].to_pylist(), [most])
        with decimal.localcontext(prec=40):
            nines = decimal.Decimal(10**38 - 1)
            self.write(pa.table({"x": pa.array([nines, -nines, 7], pa.decimal128(38, 0))}))
        got = self.run_function("group_by", {"aggregates": "sum(x),mean(x)"})
        self.assertEqual(got.to_pylist(), [{"sum(x)": 7, "mean(x)": 7 / 3}])


if __name__ == "__main__":
    unittest.main()
