// SPDX-License-Identifier: MIT
//! An array of each type, with nulls if the type can have them.

use std::sync::Arc;

use arrow_array::builder::{
    FixedSizeBinaryBuilder, Int32Builder, MapBuilder, StringBuilder, UnionBuilder,
};
use arrow_array::types::{
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt16Type,
};
use arrow_array::*;
use arrow_buffer::{
    IntervalDayTime, IntervalMonthDayNano, NullBuffer, OffsetBuffer, i256,
};
use arrow_schema::{DataType, Field};

const ROWS: usize = 11;

type Case = (&'static str, ArrayRef);

macro_rules! numbers {
    ($($name:literal $array:ty: $of:expr),* $(,)?) => {
        vec![$((
            $name,
            Arc::new((0..ROWS as i64).map(|i| (i % 4 != 1).then(|| $of(i))).collect::<$array>())
                as ArrayRef,
        )),*]
    };
}

/// Every type of the Arrow C data interface.
pub fn all() -> Vec<Case> {
    [flat(), bytes(), nested()].concat()
}

fn flat() -> Vec<Case> {
    let mut cases = numbers! {
        "bool" BooleanArray: |i| i % 3 == 0,
        "int8" Int8Array: |i| i as i8 - 5,
        "int16" Int16Array: |i| i as i16 - 5,
        "int32" Int32Array: |i| i as i32 - 5,
        "int64" Int64Array: |i| i - 5,
        "uint8" UInt8Array: |i| i as u8,
        "uint16" UInt16Array: |i| i as u16,
        "uint32" UInt32Array: |i| i as u32,
        "uint64" UInt64Array: |i| i as u64,
        "float16" Float16Array: <Float16Array as ArrowF16>::of,
        "float32" Float32Array: |i| i as f32 / 3.0,
        "float64" Float64Array: |i| i as f64 / 3.0,
        "date32" Date32Array: |i| i as i32,
        "date64" Date64Array: |i| i * 86_400_000,
        "time32[s]" Time32SecondArray: |i| i as i32,
        "time32[ms]" Time32MillisecondArray: |i| i as i32,
        "time64[us]" Time64MicrosecondArray: |i| i,
        "time64[ns]" Time64NanosecondArray: |i| i,
        "duration[s]" DurationSecondArray: |i| i,
        "duration[ms]" DurationMillisecondArray: |i| i,
        "duration[us]" DurationMicrosecondArray: |i| i,
        "duration[ns]" DurationNanosecondArray: |i| i,
        "interval[months]" IntervalYearMonthArray: |i| i as i32,
        "interval[days]" IntervalDayTimeArray: |i| IntervalDayTime::new(i as i32, 7),
        "interval[ns]" IntervalMonthDayNanoArray: |i| IntervalMonthDayNano::new(1, i as i32, i),
        "decimal32" Decimal32Array: |i| i as i32,
        "decimal64" Decimal64Array: |i| i,
        "decimal128" Decimal128Array: i128::from,
        "decimal256" Decimal256Array: |i| i256::from_i128(i128::from(i) << 100),
    };
    let times = (0..ROWS as i64).collect::<Vec<_>>();
    cases.extend([
        ("null", Arc::new(NullArray::new(ROWS)) as ArrayRef),
        ("timestamp[s]", Arc::new(TimestampSecondArray::from(times.clone()))),
        (
            "timestamp[ms, UTC]",
            Arc::new(TimestampMillisecondArray::from(times.clone()).with_timezone("UTC")),
        ),
        (
            "timestamp[us, +01:00]",
            Arc::new(
                TimestampMicrosecondArray::from(times.clone()).with_timezone("+01:00"),
            ),
        ),
        ("timestamp[ns]", Arc::new(TimestampNanosecondArray::from(times.clone()))),
        ("int64 without nulls", Arc::new(Int64Array::from(times))),
        (
            "decimal128(38, 7)",
            Arc::new(
                Decimal128Array::from(vec![1; ROWS])
                    .with_precision_and_scale(38, 7)
                    .expect("a decimal"),
            ),
        ),
    ]);
    cases
}

// Only Arrow depends on the crate half, so its type is reached through the array's type.
trait ArrowF16 {
    type Native;
    fn of(i: i64) -> Self::Native;
}

impl ArrowF16 for Float16Array {
    type Native = <types::Float16Type as ArrowPrimitiveType>::Native;
    fn of(i: i64) -> Self::Native {
        Self::Native::from_f32(i as f32 / 2.0)
    }
}

fn words() -> Vec<Option<String>> {
    let word = |i: usize| match i % 4 {
        0 => None,
        1 => Some(String::new()),
        2 => Some(format!("ö{i}")),
        _ => Some(format!("a word of more than twelve bytes, {i}")),
    };
    (0..ROWS).map(word).collect()
}

fn bytes() -> Vec<Case> {
    let words = words();
    let texts = || words.iter().map(Option::as_deref);
    let raw = || words.iter().map(|word| word.as_ref().map(String::as_bytes));
    let mut fixed = FixedSizeBinaryBuilder::new(3);
    for i in 0..ROWS as u8 {
        if i % 3 == 1 {
            fixed.append_null();
        } else {
            fixed.append_value([i, 1, 2]).expect("three bytes");
        }
    }
    vec![
        ("utf8", Arc::new(texts().collect::<StringArray>()) as ArrayRef),
        ("large utf8", Arc::new(texts().collect::<LargeStringArray>())),
        ("utf8 view", Arc::new(texts().collect::<StringViewArray>())),
        ("binary", Arc::new(raw().collect::<BinaryArray>())),
        ("large binary", Arc::new(raw().collect::<LargeBinaryArray>())),
        ("binary view", Arc::new(raw().collect::<BinaryViewArray>())),
        (
            "utf8 view without long ones",
            Arc::new(StringViewArray::from(vec!["short"; ROWS])),
        ),
        ("fixed-size binary", Arc::new(fixed.finish())),
        ("dictionary", Arc::new(texts().collect::<DictionaryArray<Int8Type>>())),
        (
            "dictionary of uint16",
            Arc::new(texts().collect::<DictionaryArray<UInt16Type>>()),
        ),
    ]
}

fn nested() -> Vec<Case> {
    let lists = || {
        let list = |i: i64| (i % 3 != 1).then(|| (0..i % 4).map(Some).chain([None]));
        (0..ROWS as i64).map(list)
    };
    let sizes = (0..ROWS).map(|i| Some(vec![Some(i as i64), None]));
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    for i in 0..ROWS {
        for key in 0..i % 3 {
            map.keys().append_value(format!("k{key}"));
            map.values().append_option((key == 0).then_some(i as i32));
        }
        map.append(i % 4 != 2).expect("a map");
    }
    let runs = [Some("a"), Some("a"), None, Some("b"), Some("b"), Some("b")];
    let runs = || runs.iter().chain(&runs[..5]).copied();
    let mut cases =
        vec![
            (
                "list",
                Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists()))
                    as ArrayRef,
            ),
            (
                "large list",
                Arc::new(LargeListArray::from_iter_primitive::<Int64Type, _, _>(lists())),
            ),
            (
                "list view",
                Arc::new(ListViewArray::from(ListArray::from_iter_primitive::<
                    Int64Type,
                    _,
                    _,
                >(lists()))),
            ),
            (
                "large list view",
                Arc::new(LargeListViewArray::from(
                    LargeListArray::from_iter_primitive::<Int64Type, _, _>(lists()),
                )),
            ),
            (
                "fixed-size list",
                Arc::new(FixedSizeListArray::from_iter_primitive::<Int64Type, _, _>(
                    sizes, 2,
                )),
            ),
            ("map", Arc::new(map.finish())),
            ("run-end encoded int16", Arc::new(runs().collect::<RunArray<Int16Type>>())),
            ("run-end encoded int32", Arc::new(runs().collect::<RunArray<Int32Type>>())),
            ("dense union", union(UnionBuilder::new_dense())),
            ("sparse union", union(UnionBuilder::new_sparse())),
        ];
    let flags = flat().swap_remove(0).1;
    cases.push(("struct", structs(vec![("flag", flags), ("list", cases[0].1.clone())])));
    cases
}

fn union(mut builder: UnionBuilder) -> ArrayRef {
    for i in 0..ROWS {
        match i % 3 {
            0 => builder.append::<Int32Type>("number", i as i32),
            1 => builder.append::<Float64Type>("fraction", i as f64),
            _ => builder.append_null::<Int32Type>("number"),
        }
        .expect("a value");
    }
    Arc::new(builder.build().expect("a union"))
}

fn structs(columns: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let nulls = NullBuffer::from((0..ROWS).map(|i| i % 5 != 2).collect::<Vec<_>>());
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
        .collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    Arc::new(StructArray::new(fields.into(), columns, Some(nulls)))
}

/// The array nested in other arrays.
pub fn wrap(array: &ArrayRef) -> Vec<Case> {
    let item = Arc::new(Field::new("item", array.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths([2, 0, 5, 3]);
    let list = ListArray::new(item.clone(), offsets, array.slice(1, 10), None);
    let nulls = NullBuffer::from(vec![true, false, true, true]);
    let fixed = FixedSizeListArray::new(item, 2, array.slice(2, 8), Some(nulls));
    let mut cases = vec![
        ("struct", structs(vec![("inner", array.clone())])),
        ("list", Arc::new(list) as ArrayRef),
        ("fixed-size list", Arc::new(fixed)),
    ];
    // Values of a dictionary, and of runs, where arrow-rs compares such.
    if !matches!(array.data_type(), DataType::Union(..) | DataType::RunEndEncoded(..)) {
        let keys = Int32Array::from(vec![Some(3), None, Some(0), Some(10)]);
        let dictionary = DictionaryArray::new(keys, array.clone());
        cases.push(("dictionary", Arc::new(dictionary)));
    }
    let ends = Int32Array::from((1..=ROWS as i32).map(|end| end * 2).collect::<Vec<_>>());
    let runs = RunArray::try_new(&ends, array).expect("runs");
    cases.push(("runs", Arc::new(runs)));
    cases
}
