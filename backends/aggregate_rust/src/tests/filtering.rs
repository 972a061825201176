// SPDX-License-Identifier: MIT

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array};

use super::{Random, batch, decimals, dictionary, ints, rows, run, texts};

#[test]
fn rows_pass_of_which_the_comparison_is_true() {
    let input = batch([
        ("x", ints([Some(1), None, Some(3), Some(2)])),
        ("t", texts([Some("a"), Some("b"), None, Some("d")])),
    ]);
    let cases: [([&str; 3], &[&str]); 11] = [
        (["x", "=", "2"], &["2 d"]),
        (["x", "==", " 3"], &["3 null"]),
        (["x", "!=", "2"], &["1 a", "3 null"]),
        (["x", "<>", "9"], &["1 a", "3 null", "2 d"]),
        (["x", "<", "2"], &["1 a"]),
        (["x", "<=", "2"], &["1 a", "2 d"]),
        (["x", ">", "2"], &["3 null"]),
        (["x", ">=", "2"], &["3 null", "2 d"]),
        (["x", "is null", ""], &["null b"]),
        (["t", "is not null", ""], &["1 a", "null b", "2 d"]),
        (["t", ">", "a"], &["null b", "2 d"]),
    ];
    for (options, expected) in cases {
        let got = run("filter", &options, &input).expect("rows");
        assert_eq!(rows(&[got]), expected, "{options:?}");
    }
}

#[test]
fn the_value_is_read_as_the_type_of_the_column() {
    let input = batch([
        ("date", Arc::new(Date32Array::from(vec![0, 10_471])) as ArrayRef),
        ("d", decimals(15, 2, [Some(1_005), Some(-50)])),
        ("e", dictionary([Some("red"), Some("blue")])),
        ("flag", Arc::new(BooleanArray::from(vec![true, false]))),
        ("f", Arc::new(Float64Array::from(vec![0.5, -1.0]))),
    ]);
    let cases = [
        (["date", "<=", "1998-09-02"], "1970-01-01 10.05 red true 0.5"),
        (["d", "=", "10.05"], "1970-01-01 10.05 red true 0.5"),
        (["d", "<", "0"], "1998-09-02 -0.50 blue false -1.0"),
        (["e", "=", "blue"], "1998-09-02 -0.50 blue false -1.0"),
        (["flag", "=", "true"], "1970-01-01 10.05 red true 0.5"),
        (["f", ">", "0.25"], "1970-01-01 10.05 red true 0.5"),
    ];
    for (options, expected) in cases {
        let got = run("filter", &options, &input).expect("rows");
        let got = rows(&[got]);
        let got: Vec<_> = got.iter().filter(|row| row.as_str() == expected).collect();
        assert_eq!(got.len(), 1, "{options:?}: {got:?}");
    }
}

#[test]
fn of_floats_there_is_one_zero_and_one_nan_which_is_the_greatest() {
    let x = Float64Array::from(vec![0.0, -0.0, f64::NAN, -f64::NAN, 1.0]);
    let input = batch([("x", Arc::new(x) as ArrayRef)]);
    let cases: [([&str; 3], &[&str]); 5] = [
        (["x", "=", "0"], &["0.0", "-0.0"]),
        (["x", "=", "-0"], &["0.0", "-0.0"]),
        (["x", "<", "0"], &[]),
        (["x", ">", "1"], &["NaN", "NaN"]),
        (["x", "=", "NaN"], &["NaN", "NaN"]),
    ];
    for (options, expected) in cases {
        let got = run("filter", &options, &input).expect("rows");
        assert_eq!(rows(&[got]), expected, "{options:?}");
    }
}

#[test]
fn a_null_may_hide_in_the_values_of_a_dictionary() {
    let values = texts([Some("a"), None]);
    let keys = arrow_array::Int32Array::from(vec![Some(0), Some(1), None]);
    let dictionary = arrow_array::DictionaryArray::try_new(keys, values).expect("right");
    let input = batch([
        ("e", Arc::new(dictionary) as ArrayRef),
        ("n", ints([Some(1), Some(2), Some(3)])),
    ]);
    let got = run("filter", &["e", "is null", ""], &input).expect("rows");
    assert_eq!(rows(&[got]), ["null 2", "null 3"]);
    let got = run("filter", &["e", "!=", "b"], &input).expect("rows");
    assert_eq!(rows(&[got]), ["a 1"]);
}

#[test]
fn what_is_asked_for_wrongly_says_what_there_is() {
    let input = batch([("x", ints([])), ("d", decimals(5, 2, []))]);
    let cases = [
        (["z", "=", "1"], "option column: no column \"z\"; the columns are: x, d"),
        (
            ["x", "~", "1"],
            "option op: unknown operator \"~\"; use =, !=, <, <=, >, >=, is null or is not null",
        ),
        (
            ["d", "=", "1.005"],
            "option value: cannot read \"1.005\" as Decimal128(5, 2), the type of column d",
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(run("filter", &options, &input), Err(expected.to_owned()));
    }
    let error = run("filter", &["x", "=", "one"], &input).expect_err("an error");
    assert!(
        error.starts_with(
            "option value: cannot read \"one\" as Int64, the type of column x"
        ),
        "{error}"
    );
}

#[test]
fn random_rows_are_filtered_as_a_naive_program_does() {
    let mut random = Random(3);
    let values: Vec<_> =
        (0..10_000).map(|_| random.perhaps(1_000).map(|x| x as i64)).collect();
    let input = batch([("x", Arc::new(Int64Array::from(values.clone())) as ArrayRef)]);
    let got = run("filter", &["x", ">=", "500"], &input).expect("rows");
    let expected: Vec<_> =
        values.iter().flatten().filter(|x| **x >= 500).map(i64::to_string).collect();
    assert_eq!(rows(&[got]), expected);
}
