# SPDX-License-Identifier: MIT
"""group_by, against pyarrow's own and exact fractions."""

import fractions
import random
import unittest

import pyarrow as pa
import pyarrow.compute

import samples
from support import AggregateTest, in_any_order, plain, rows

ALL = "count,count(x),sum(x),min(x),max(x)"


def by_pyarrow(table, keys, aggregates):
    """The groups as pyarrow makes them, of columns without dictionaries."""
    names = {"count": ("count", "all"), "count(x)": ("count", "only_valid")}
    wanted = []
    for aggregate in aggregates.split(","):
        if aggregate in names:
            name, mode = names[aggregate]
            wanted.append(("x", name, pa.compute.CountOptions(mode=mode)))
        else:
            wanted.append(("x", aggregate.removesuffix("(x)")))
    grouped = pa.TableGroupBy(table, keys, use_threads=False).aggregate(wanted)
    columns = [grouped.column(key) for key in keys]
    columns += [grouped.column(i) for i, name in enumerate(grouped.column_names)
                if name not in keys]
    return in_any_order(rows(pa.table(columns, [str(i) for i in range(len(columns))])))


class GroupByTest(AggregateTest):
    def groups(self, table, keys, aggregates, *more):
        options = {"keys": ",".join(keys), "aggregates": aggregates}
        return self.run_function("group_by", options, *more)

    def test_keys_of_every_type_are_told_apart_as_pyarrow_does(self):
        for data_type in samples.KEYS:
            with self.subTest(key=data_type):
                table = pa.table({"k": samples.column(data_type, 700, 1),
                                  "x": samples.column(pa.int32(), 700, 2)})
                self.write(table)
                got = self.groups(table, ["k"], ALL, "--batch-rows", 97)
                self.assertEqual(got.schema.field("k").type, data_type)
                self.assertEqual(in_any_order(rows(got)), by_pyarrow(table, ["k"], ALL))

    def test_several_keys_are_told_apart_as_pyarrow_does(self):
        draw = random.Random(3)
        for _ in range(12):
            types = draw.sample(samples.KEYS, draw.randint(2, 5))
            keys = [f"k{i}" for i in range(len(types))]
            with self.subTest(keys=types):
                table = pa.table([samples.column(t, 900, i, most=3)
                                  for i, t in enumerate(types)]
                                 + [samples.column(pa.int64(), 900, 9)], [*keys, "x"])
                self.write(table)
                got = self.groups(table, keys, ALL, "--batch-rows", 256)
                self.assertEqual(in_any_order(rows(got)), by_pyarrow(table, keys, ALL))

    def test_values_of_every_type_are_aggregated_as_pyarrow_does(self):
        for data_type in samples.NUMBERS:
            with self.subTest(value=data_type):
                table = pa.table({"k": samples.column(pa.int16(), 800, 1),
                                  "x": samples.column(data_type, 800, 2, most=100)})
                self.write(table)
                aggregates = ALL if pa.types.is_decimal(data_type) else f"{ALL},mean(x)"
                got = self.groups(table, ["k"], aggregates, "--batch-rows", 100)
                self.assertEqual(in_any_order(rows(got)),
                                 by_pyarrow(table, ["k"], aggregates))

    def test_strings_and_dates_have_a_least_and_a_greatest(self):
        aggregates = "count(x),min(x),max(x)"
        for data_type in samples.STRINGS + samples.DATES + samples.TIMES:
            with self.subTest(value=data_type):
                table = pa.table({"k": samples.column(pa.uint8(), 500, 1),
                                  "x": samples.column(data_type, 500, 2)})
                self.write(table)
                got = self.groups(table, ["k"], aggregates, "--batch-rows", 77)
                self.assertEqual(got.schema.field("min(x)").type, data_type)
                if data_type == pa.string_view():  # pyarrow has no such kernel
                    table = table.set_column(1, "x", table["x"].cast(pa.string()))
                self.assertEqual(in_any_order(rows(got)),
                                 by_pyarrow(table, ["k"], aggregates))

    def test_dictionaries_count_by_their_values(self):
        index_types = samples.INTEGERS
        for i, data_type in enumerate(t for t in samples.KEYS):
            with self.subTest(values=data_type):
                keys = samples.column(data_type, 300, i)
                numbers = samples.column(pa.int64(), 300, 5)
                index_type = index_types[i % len(index_types)]
                batches = [pa.record_batch(
                    {"k": samples.dictionary(keys.slice(at, 100), index_type, at),
                     "x": samples.dictionary(numbers.slice(at, 100), pa.int8(), at)})
                    for at in (0, 100, 200)]
                self.write_stream(batches)
                plain_table = pa.table({"k": keys, "x": numbers})
                for more in ((), ("--batch-rows", 3)):
                    got = self.groups(plain_table, ["k"], ALL, *more)
                    self.assertEqual(got.schema.field("k").type, data_type)
                    self.assertEqual(in_any_order(rows(got)),
                                     by_pyarrow(plain_table, ["k"], ALL))

    def test_groups_come_in_the_order_of_their_first_rows(self):
        numbers = list(range(150_000))
        random.Random(7).shuffle(numbers)
        for keys in (pa.array(numbers, pa.int64()),
                     pa.array([f"key {n}" for n in numbers], pa.string_view())):
            table = pa.table({"k": keys, "x": pa.array(numbers)})
            self.write(table)
            got = self.groups(table, ["k"], "sum(x) as same")
            self.assertEqual(got["same"].to_pylist(), numbers)
            self.assertEqual(got["k"].to_pylist(), keys.to_pylist())
            self.assertEqual([batch.num_rows for batch in got.to_batches()],
                             [65_536, 65_536, 18_928])

    def test_without_rows_there_are_no_groups_and_without_keys_there_is_one(self):
        schema = pa.schema({"k": pa.string(), "x": pa.decimal128(9, 3)})
        empty = pa.record_batch([[], []], schema=schema)
        for batches in ([], [empty], [empty, empty]):
            self.write(batches, schema)
            self.assertEqual(rows(self.groups(None, ["k"], ALL)), [])
            self.assertEqual(rows(self.groups(None, [], ALL)), [(0, 0, None, None, None)])
        some = pa.record_batch([["a"], [None]], schema=schema)
        self.write([empty, some, empty], schema)
        self.assertEqual(rows(self.groups(None, [], ALL)), [(1, 0, None, None, None)])
        self.assertEqual(rows(self.groups(None, ["k"], "")), [("a",)])

    def test_of_floats_there_is_one_zero_and_one_nan_which_is_the_greatest(self):
        nan = float("nan")
        for data_type in samples.FLOATS:
            table = pa.table({"k": pa.array([0.0, -0.0, nan, -nan, 1.0, None], data_type),
                              "x": pa.array([1.0, nan, 2.0, -0.0, nan, 3.0], data_type)})
            self.write(table)
            got = self.groups(table, ["k"], "count,min(x),max(x)")
            self.assertEqual(rows(got), [
                (plain(0.0), 2, plain(1.0), "nan"), ("nan", 2, plain(-0.0), plain(2.0)),
                (plain(1.0), 1, "nan", "nan"), (None, 1, plain(3.0), plain(3.0))])

    def test_means_are_the_doubles_nearest_to_them(self):
        draw = random.Random(5)
        for data_type, most in ((pa.int64(), 2**63 - 1), (pa.uint64(), 2**64 - 1),
                                (pa.decimal128(38, 10), 10**38 - 1),
                                (pa.decimal128(20, 2), 10**20 - 1)):
            with self.subTest(type=data_type):
                scale = getattr(data_type, "scale", 0)
                sign = 0 if data_type == pa.uint64() else 1
                digits = [[draw.randint(-sign * (most >> draw.randint(0, 60)), most >> 8)
                           for _ in range(draw.randint(1, 9))] for _ in range(200)]
                exact = [samples.decimal.Context(prec=60).scaleb(samples.decimal.Decimal(d), -scale)
                         if scale else d for group in digits for d in group]
                keys = [i for i, group in enumerate(digits) for _ in group]
                table = pa.table({"k": keys, "x": pa.array(exact, data_type)})
                self.write(table)
                got = self.groups(table, ["k"], "mean(x)")
                wanted = [float(fractions.Fraction(sum(group), len(group) * 10**scale))
                          for group in digits]
                self.assertEqual(got["mean(x)"].to_pylist(), wanted)

    def test_names_are_as_asked_for_and_may_be_quoted(self):
        table = pa.table({"a,b (c)": [1, 1], "x": [2, 3]})
        self.write(table)
        got = self.groups(table, ['"a,b (c)"'],
                          'sum("a,b (c)") as total, count , mean( x ) as "as it is",count(*)')
        self.assertEqual(got.column_names,
                         ["a,b (c)", "total", "count", "as it is", "count(*)"])
        self.assertEqual(rows(got), [(1, 2, 2, plain(2.5), 2)])

    def test_counts_take_values_of_any_type(self):
        table = pa.table({"l": pa.array([[1], None, []], pa.list_(pa.int8())),
                          "s": pa.array([{"a": 1}, None, None], pa.struct({"a": pa.int8()})),
                          "n": pa.nulls(3), "b": [b"x", None, b""], "f": [True, None, None]})
        self.write(table)
        got = self.groups(table, [], "count(l),count(s),count(n),count(b),count(f)")
        self.assertEqual(rows(got), [(2, 1, 0, 2, 1)])


if __name__ == "__main__":
    unittest.main()
