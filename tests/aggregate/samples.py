# SPDX-License-Identifier: MIT
"""Columns of every type that the functions take, with nulls and repeated values."""

import datetime
import decimal
import random

import pyarrow as pa

TEXTS = ("", "a", "ab", "twelve bytes", "thirteen byte", "a text that is long enough", "ä€")
SIGNED = (pa.int8(), pa.int16(), pa.int32(), pa.int64())
UNSIGNED = (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
INTEGERS = SIGNED + UNSIGNED
FLOATS = (pa.float32(), pa.float64())
DECIMALS = (pa.decimal128(5, 2), pa.decimal128(38, 10), pa.decimal128(20, 0))
STRINGS = (pa.string(), pa.large_string(), pa.string_view())
DATES = (pa.date32(), pa.date64())
TIMES = (pa.time32("s"), pa.time64("us"), pa.timestamp("ms"), pa.timestamp("us", "UTC"))
NUMBERS = INTEGERS + FLOATS + DECIMALS
KEYS = NUMBERS + STRINGS + DATES + TIMES + (pa.bool_(),)
EPOCH = datetime.date(1970, 1, 1)


def value(data_type, number):
    """One value for each whole number; small numbers only."""
    if pa.types.is_boolean(data_type):
        return number % 2 == 1
    if pa.types.is_unsigned_integer(data_type):
        return number
    if pa.types.is_integer(data_type):
        return number if number % 2 == 0 else -number
    if pa.types.is_floating(data_type):
        return (number - 3) / 4
    if pa.types.is_decimal(data_type):
        return decimal.Decimal(number - 3).scaleb(-data_type.scale)
    if pa.types.is_date(data_type):
        return EPOCH + datetime.timedelta(days=1000 * (number - 3))
    if pa.types.is_time(data_type):
        return datetime.time(number % 24, 30)
    if pa.types.is_timestamp(data_type):
        return datetime.datetime(1969, 12, 31) + datetime.timedelta(hours=7 * number)
    return TEXTS[number] if number < len(TEXTS) else f"text number {number}"


def column(data_type, rows, seed, most=6, nulls=0.2):
    """Values of the numbers up to `most`, and nulls."""
    draw = random.Random(f"{data_type} {seed}")
    return pa.array([None if draw.random() < nulls else value(data_type, draw.randint(0, most))
                     for _ in range(rows)], data_type)


def dictionary(array, index_type=pa.int32(), seed=0):
    """The same values as a dictionary, which has them in another order, one that no row
    has, and a null among its values."""
    values = list(dict.fromkeys(v for v in array.to_pylist() if v is not None))
    random.Random(seed).shuffle(values)
    values += [None, value(array.type, 7)]
    null = values.index(None)
    draw = random.Random(seed + 1)
    places = [draw.choice((None, null)) if v is None else values.index(v)
              for v in array.to_pylist()]
    return pa.DictionaryArray.from_arrays(pa.array(places, index_type),
                                          pa.array(values, array.type))
