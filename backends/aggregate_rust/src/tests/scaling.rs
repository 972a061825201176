// SPDX-License-Identifier: MIT

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Float64Array, Int8Array, Int64Array};
use arrow_schema::DataType;

use super::{Random, batch, decimals, ints, rows, run, texts, types};

#[test]
fn one_column_is_multiplied_and_the_rest_stays() {
    let input = batch([
        ("x", ints([Some(1), None, Some(-3)])),
        ("t", texts([Some("a"), None, Some("b")])),
        (
            "f",
            Arc::new(Float64Array::from(vec![Some(0.5), Some(-0.25), None])) as ArrayRef,
        ),
        ("s", Arc::new(Float32Array::from(vec![0.5, 1.5, 2.5]))),
    ]);
    let got = run("scale", &["x", "-7"], &input).expect("rows");
    assert_eq!(rows(&[got]), ["-7 a 0.5 0.5", "null null -0.25 1.5", "21 b null 2.5"]);
    let got = run("scale", &["f", "2.5"], &input).expect("rows");
    assert_eq!(rows(&[got])[1], "null null -0.625 1.5");
    let got = run("scale", &["s", "-2"], &input).expect("rows");
    assert_eq!(rows(&[got])[2], "-3 b null -5.0");
}

#[test]
fn of_decimals_no_digit_is_lost() {
    let input = batch([("d", decimals(15, 2, [Some(1_005), None, Some(-1)]))]);
    let got = run("scale", &["d", "0.125"], &input).expect("rows");
    assert_eq!(types(std::slice::from_ref(&got)), [DataType::Decimal128(38, 5)]);
    assert_eq!(rows(&[got]), ["1.25625", "null", "-0.00125"]);
    let got = run("scale", &["d", "-3"], &input).expect("rows");
    assert_eq!(rows(&[got]), ["-30.15", "null", "0.03"]);
}

#[test]
fn what_overflows_names_its_row() {
    let input = batch([("x", ints([Some(1), None, Some(i64::MAX)]))]);
    let error = run("scale", &["x", "2"], &input).expect_err("an error");
    assert_eq!(error, "column x, row 2 of the batch: the product overflows Int64");
    let small = batch([("x", Arc::new(Int8Array::from(vec![64])) as ArrayRef)]);
    assert!(run("scale", &["x", "2"], &small).expect_err("an error").contains("row 0"));
    let wide =
        batch([("d", decimals(38, 0, [Some(10i128.pow(37)), Some(10i128.pow(38) - 1)]))]);
    let error = run("scale", &["d", "9"], &wide).expect_err("an error");
    assert!(error.contains("row 1") && error.contains("Decimal128(38, 0)"), "{error}");
    // Garbage under a null overflows nothing.
    let nulls = Int64Array::new(vec![i64::MAX, 1].into(), Some(vec![false, true].into()));
    let got = run("scale", &["x", "3"], &batch([("x", Arc::new(nulls) as ArrayRef)]));
    assert_eq!(rows(&[got.expect("rows")]), ["null", "3"]);
}

#[test]
fn what_is_asked_for_wrongly_says_what_there_is() {
    let input = batch([
        ("x", ints([])),
        ("t", texts([])),
        ("f", Arc::new(Float64Array::from(vec![0.0; 0])) as ArrayRef),
        ("d", decimals(38, 30, [])),
    ]);
    let cases = [
        (["z", "1"], "option column: no column \"z\"; the columns are: x, t, f, d"),
        (
            ["t", "1"],
            "option column: column t is Utf8; scale takes integers, floats and decimal128",
        ),
        (
            ["x", "1.5"],
            "option factor: cannot multiply column x, which is Int64, by \"1.5\"",
        ),
        (
            ["f", "inf"],
            "option factor: cannot multiply column f, which is Float64, by \"inf\"",
        ),
        (
            ["d", "0.123456789"],
            "option factor: 0.123456789 has too many decimal places for column d, which is Decimal128(38, 30)",
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(run("scale", &options, &input), Err(expected.to_owned()));
    }
}

#[test]
fn random_rows_are_scaled_as_a_naive_program_does() {
    let mut random = Random(11);
    let values: Vec<_> = (0..5_000)
        .map(|_| random.perhaps(1 << 30).map(|x| x as i64 - (1 << 29)))
        .collect();
    let input = batch([("x", Arc::new(Int64Array::from(values.clone())) as ArrayRef)]);
    let got = run("scale", &["x", "-12345"], &input).expect("rows");
    let text =
        |x: &Option<i64>| x.map_or("null".to_owned(), |x| (x * -12_345).to_string());
    assert_eq!(rows(&[got]), values.iter().map(text).collect::<Vec<_>>());
}
