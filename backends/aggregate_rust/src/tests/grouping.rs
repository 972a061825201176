// SPDX-License-Identifier: MIT

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float32Array, Float64Array, Int8Array,
    Int64Array, LargeStringArray, ListArray, RecordBatch, StringArray, StringViewArray,
    UInt64Array,
};
use arrow_schema::{DataType, Schema};

use super::{
    Random, batch, bind, decimals, dictionary, ints, rows, stream, texts, types,
};

fn group(keys: &str, aggregates: &str, batches: &[RecordBatch]) -> Vec<String> {
    rows(&stream("group_by", &[keys, aggregates], &[batches]).expect("groups"))
}

fn refuse(keys: &str, aggregates: &str, input: &RecordBatch) -> String {
    stream("group_by", &[keys, aggregates], &[std::slice::from_ref(input)])
        .expect_err("an error")
}

#[test]
fn nulls_are_as_sql_has_them() {
    let first = batch([
        ("k", texts([Some("b"), Some("a"), None, Some("b")])),
        ("x", ints([Some(1), None, Some(5), Some(-3)])),
    ]);
    let second = batch([
        ("k", texts([None, Some("c"), Some("a")])),
        ("x", ints([None, None, None])),
    ]);
    let got =
        group("k", "count, count(x),sum(x), min(x), max(x), mean(x)", &[first, second]);
    assert_eq!(
        got,
        [
            "b 2 2 -2 -3 1 -1.0",
            "a 2 0 null null null null",
            "null 2 1 5 5 5 5.0",
            "c 1 0 null null null null",
        ]
    );
}

#[test]
fn a_key_is_told_by_its_value_in_every_layout() {
    let values = [Some("x"), None, Some("longer than twelve"), Some("x"), Some("")];
    let numbers = ints([Some(1), Some(2), Some(3), Some(4), Some(5)]);
    let views: ArrayRef = Arc::new(StringViewArray::from(values.to_vec()));
    let large: ArrayRef = Arc::new(LargeStringArray::from(values.to_vec()));
    for (keys, data_type) in [
        (texts(values), DataType::Utf8),
        (large, DataType::LargeUtf8),
        (views, DataType::Utf8View),
        (dictionary(values), DataType::Utf8),
    ] {
        let input = batch([("k", keys), ("n", numbers.clone())]);
        let got = stream("group_by", &["k", "sum(n)"], &[&[input]]).expect("groups");
        assert_eq!(rows(&got), ["x 5", "null 2", "longer than twelve 3", " 5"]);
        assert_eq!(types(&got), [data_type, DataType::Int64]);
    }
}

#[test]
fn dictionaries_may_differ_from_batch_to_batch() {
    let part = |values: &[&str]| {
        let mut builder = StringDictionaryBuilder::<Int8Type>::new();
        values.iter().for_each(|value| builder.append_value(value));
        batch([("k", Arc::new(builder.finish()) as ArrayRef)])
    };
    let got = group("k", "count,max(k)", &[part(&["a", "b"]), part(&["b", "c", "b"])]);
    assert_eq!(got, ["a 1 a", "b 3 b", "c 1 c"]);
}

#[test]
fn several_keys_of_several_types() {
    let day = |days: [Option<i32>; 4]| Arc::new(Date32Array::from(days.to_vec()));
    let flags = BooleanArray::from(vec![Some(true), None, Some(true), Some(true)]);
    let small = Int8Array::from(vec![1, 1, 1, 2]);
    let input = batch([
        ("day", day([Some(0), Some(0), Some(0), Some(19_000)])),
        ("flag", Arc::new(flags)),
        ("small", Arc::new(small)),
        ("d", decimals(5, 2, [Some(125), Some(250), Some(-25), None])),
    ]);
    let got =
        stream("group_by", &["day,flag,small", "sum(d),mean(d),min(day)"], &[&[input]]);
    let got = got.expect("groups");
    assert_eq!(
        rows(&got),
        [
            "1970-01-01 true 1 1.00 0.5 1970-01-01",
            "1970-01-01 null 1 2.50 2.5 1970-01-01",
            "2022-01-08 true 2 null null 2022-01-08"
        ]
    );
    assert_eq!(types(&got)[3], DataType::Decimal128(38, 2));
}

#[test]
fn without_keys_there_is_one_row_even_of_nothing() {
    let empty = batch([("x", ints([]))]);
    assert_eq!(
        group("", "count,sum(x),min(x)", std::slice::from_ref(&empty)),
        ["0 null null"]
    );
    assert!(group("x", "count", &[empty]).is_empty());
    let some = batch([("x", ints([Some(1), Some(2)]))]);
    assert_eq!(group("", "count,sum(x)", &[some.clone(), some.clone()]), ["4 6"]);
    assert_eq!(group("x", "", &[some]), ["1", "2"]);
}

#[test]
fn of_floats_there_is_one_zero_and_one_nan_which_is_the_greatest() {
    let x = Float64Array::from(vec![0.0, -0.0, f64::NAN, -f64::NAN, 1.0]);
    let y = Float32Array::from(vec![1.0, 2.0, f32::NAN, 4.0, f32::INFINITY]);
    let input = batch([("x", Arc::new(x) as ArrayRef), ("y", Arc::new(y))]);
    let got = group("x", "sum(y),min(y),max(y)", std::slice::from_ref(&input));
    assert_eq!(got, ["0.0 3.0 1.0 2.0", "NaN NaN 4.0 NaN", "1.0 inf inf inf"]);
    assert_eq!(group("", "min(y),max(x),max(y)", &[input]), ["1.0 NaN NaN"]);
}

#[test]
fn sums_are_as_wide_as_their_type_and_never_wrap() {
    let most = batch([("x", ints([Some(i64::MAX), Some(i64::MAX), Some(-i64::MAX)]))]);
    // What fits in the end fits, whatever the order.
    assert_eq!(group("", "sum(x)", std::slice::from_ref(&most)), [i64::MAX.to_string()]);
    assert_eq!(group("", "mean(x)", &[most]), ["3.0744573456182584e18"]);
    let over = batch([("x", ints([Some(i64::MAX), Some(1)]))]);
    let error = refuse("", "sum(x)", &over);
    assert_eq!(error, "sum(x): the sum overflows Int64; cast the column to a wider type");
    let unsigned = UInt64Array::from(vec![u64::MAX, 1]);
    let error = refuse("", "sum(x) as s", &batch([("x", Arc::new(unsigned))]));
    assert_eq!(error, "s: the sum overflows UInt64; cast the column to a wider type");
    let nines = 10i128.pow(38) - 1;
    let wide = batch([("x", decimals(38, 3, [Some(nines), Some(1)]))]);
    let error = refuse("", "sum(x)", &wide);
    assert!(error.starts_with("sum(x): the sum overflows Decimal128(38, 3)"), "{error}");
    let wider = batch([("x", decimals(38, 0, [Some(nines), Some(nines)]))]);
    assert!(refuse("", "sum(x)", &wider).contains("overflows"));
    let back = batch([("x", decimals(38, 0, [Some(nines), Some(-nines)]))]);
    assert_eq!(group("", "sum(x),mean(x)", &[back]), ["0 0.0"]);
}

#[test]
fn means_are_the_doubles_nearest_to_them() {
    let thirds = batch([("x", decimals(15, 2, [Some(1), Some(0), Some(0)]))]);
    assert_eq!(group("", "mean(x)", &[thirds]), [(0.01f64 / 3.0).to_string()]);
    let x = ints([Some((1 << 53) + 1), Some((1 << 53) + 1)]);
    assert_eq!(group("", "mean(x)", &[batch([("x", x)])]), ["9007199254740992.0"]);
    let negative = batch([("x", decimals(4, -2, [Some(-1), Some(-2)]))]);
    assert_eq!(group("", "mean(x)", &[negative]), ["-150.0"]);
}

#[test]
fn strings_and_dates_have_a_least_and_a_greatest() {
    let texts = StringViewArray::from(vec![Some("b"), None, Some("ab"), Some("ä")]);
    let dates = Date32Array::from(vec![Some(3), Some(1), None, Some(2)]);
    let input = batch([
        ("t", Arc::new(texts) as ArrayRef),
        ("d", Arc::new(dates)),
        ("e", dictionary([Some("z"), Some("y"), None, Some("z")])),
    ]);
    let aggregates = "min(t),max(t),min(d),max(d),min(e),count(e)";
    let got = stream("group_by", &["", aggregates], &[&[input]]).expect("a row");
    assert_eq!(rows(&got), ["ab ä 1970-01-02 1970-01-04 y 3"]);
    assert_eq!(types(&got)[0], DataType::Utf8View);
    assert_eq!(types(&got)[4], DataType::Utf8);
}

#[test]
fn names_are_as_asked_for_and_may_be_quoted() {
    let input = batch([("a,b (c)", ints([Some(1)])), ("x", ints([Some(2)]))]);
    let aggregates = r#"sum("a,b (c)") as total, count, mean(x) as "as it is""#;
    let got =
        stream("group_by", &[r#""a,b (c)""#, aggregates], &[&[input]]).expect("a row");
    let schema = got[0].schema();
    let names: Vec<_> =
        schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["a,b (c)", "total", "count", "as it is"]);
    assert_eq!(rows(&got), ["1 1 1 2.0"]);
}

#[test]
fn what_is_asked_for_wrongly_says_what_there_is() {
    let list =
        ListArray::from_iter_primitive::<arrow_array::types::Int64Type, _, _>([None::<
            Vec<Option<i64>>,
        >]);
    let input = batch([
        ("k", texts([Some("a")])),
        ("x", ints([Some(1)])),
        ("l", Arc::new(list) as ArrayRef),
    ]);
    let cases = [
        ("z", "count", "option keys: no column \"z\"; the columns are: k, x, l"),
        ("k", "sum(z)", "option aggregates: no column \"z\"; the columns are: k, x, l"),
        (
            "k",
            "sum(k)",
            "option aggregates: sum(k): Utf8 has no sum; numbers and decimal128 \
                         have one",
        ),
        (
            "l",
            "count",
            "option keys: column l is List(Int64); keys are numbers, decimals, \
                        booleans, strings, binary, dates, times, and dictionaries of these",
        ),
        ("k", "sum", "option aggregates: sum needs a column: sum(x)"),
        (
            "k",
            "median(x)",
            "option aggregates: unknown aggregate \"median(x)\"; use count, count(x), \
             sum(x), min(x), max(x) or mean(x), each with or without: as name",
        ),
        (
            "k",
            "sum(x),,count",
            "option aggregates: an empty item in \
                                \"sum(x),,count\"",
        ),
        ("k", "sum(x", "option aggregates: a ( that is not closed in \"sum(x\""),
        (
            "k",
            "sum(x) as k",
            "option aggregates: two columns of the result have the name \"k\"; \
                              rename one",
        ),
        ("", "", "group_by needs keys, aggregates or both"),
    ];
    for (keys, aggregates, expected) in cases {
        assert_eq!(refuse(keys, aggregates, &input), expected);
    }
}

#[test]
fn the_schema_is_told_before_any_row() {
    let input = batch([("k", dictionary([])), ("x", ints([]))]);
    let call =
        bind("group_by", &["k", "count,sum(x)"], &[&input.schema()]).expect("a call");
    // SAFETY: the schema that bind gave.
    let schema = unsafe {
        &*std::ptr::from_ref(call.schema()).cast::<arrow_schema::ffi::FFI_ArrowSchema>()
    };
    let schema = Schema::try_from(schema).expect("a schema");
    let said: Vec<_> = schema
        .fields()
        .iter()
        .map(|f| (f.name().as_str(), f.data_type().clone(), f.is_nullable()))
        .collect();
    assert_eq!(
        said,
        [
            ("k", DataType::Utf8, true),
            ("count", DataType::Int64, false),
            ("sum(x)", DataType::Int64, true)
        ]
    );
}

// The row of a group as a naive program computes it.
#[derive(Default)]
struct Naive {
    count: usize,
    values: Vec<i64>,
}

#[test]
fn random_rows_are_grouped_as_a_naive_program_does() {
    let mut random = Random(42);
    let mut naive = BTreeMap::<(Option<u64>, Option<u64>), Naive>::new();
    let batches: Vec<RecordBatch> = (0..20)
        .map(|number| {
            let rows = if number == 7 { 0 } else { random.below(3_000) as usize };
            let (mut a, mut b, mut x) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..rows {
                let key = (random.perhaps(300), random.perhaps(7));
                let value = random.perhaps(1 << 40).map(|value| value as i64 - (1 << 39));
                let group = naive.entry(key).or_default();
                group.count += 1;
                group.values.extend(value);
                a.push(key.0.map(|key| key as i64));
                b.push(key.1.map(|key| format!("key {key}")));
                x.push(value);
            }
            batch([
                ("a", Arc::new(Int64Array::from(a)) as ArrayRef),
                ("b", Arc::new(StringArray::from(b))),
                ("x", Arc::new(Int64Array::from(x))),
            ])
        })
        .collect();
    let mut expected: Vec<String> = naive
        .into_iter()
        .map(|((a, b), Naive { count, values })| {
            let text = |value: Option<String>| value.unwrap_or_else(|| "null".to_owned());
            let sum = values.iter().sum::<i64>();
            let some = |value: i64| text((!values.is_empty()).then(|| value.to_string()));
            format!(
                "{} {} {count} {} {} {} {}",
                text(a.map(|a| a.to_string())),
                text(b.map(|b| format!("key {b}"))),
                values.len(),
                some(sum),
                some(values.iter().copied().min().unwrap_or_default()),
                some(values.iter().copied().max().unwrap_or_default()),
            )
        })
        .collect();
    let mut got = group("a,b", "count,count(x),sum(x),min(x),max(x)", &batches);
    got.sort();
    expected.sort();
    assert_eq!(got, expected);
}

#[test]
fn more_groups_than_a_batch_holds_come_in_several() {
    let keys = Int64Array::from_iter_values(0..150_000);
    let input = batch([("k", Arc::new(keys) as ArrayRef)]);
    let got = stream("group_by", &["k", "count"], &[&[input]]).expect("groups");
    let lengths: Vec<_> = got.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(lengths, [65_536, 65_536, 18_928]);
    assert_eq!(rows(&got)[149_999], "149999 1");
}
