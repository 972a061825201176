// SPDX-License-Identifier: MIT

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch};

use super::{Random, batch, dictionary, ints, rows, stream, texts};

fn sort(options: [&str; 3], batches: &[RecordBatch]) -> Vec<String> {
    rows(&stream("sort", &options, &[batches]).expect("rows"))
}

fn two_batches() -> [RecordBatch; 2] {
    [
        batch([
            ("k", texts([Some("b"), None, Some("a")])),
            ("n", ints([Some(1), Some(2), Some(3)])),
        ]),
        batch([
            ("k", texts([Some("a"), Some("b"), None])),
            ("n", ints([Some(4), None, Some(6)])),
        ]),
    ]
}

#[test]
fn equal_rows_stay_as_they_came_and_nulls_are_last() {
    let got = sort(["k", "false", "false"], &two_batches());
    assert_eq!(got, ["a 3", "a 4", "b 1", "b null", "null 2", "null 6"]);
    let got = sort(["k", "true", "false"], &two_batches());
    assert_eq!(got, ["b 1", "b null", "a 3", "a 4", "null 2", "null 6"]);
}

#[test]
fn each_column_has_its_own_direction_and_its_own_nulls() {
    let got = sort(["k,n", "false,true", "true,false"], &two_batches());
    assert_eq!(got, ["null 6", "null 2", "a 4", "a 3", "b 1", "b null"]);
    let got = sort(["k, n", "true", "true"], &two_batches());
    assert_eq!(got, ["null 6", "null 2", "b null", "b 1", "a 4", "a 3"]);
}

#[test]
fn dictionaries_sort_by_their_values_and_nan_is_the_greatest() {
    let x = Float64Array::from(vec![-f64::NAN, 1.0, -0.0, f64::INFINITY, 0.0]);
    let input = batch([
        ("d", dictionary([Some("z"), Some("a"), Some("m"), None, Some("m")])),
        ("x", Arc::new(x) as ArrayRef),
    ]);
    let got = sort(["d", "false", "false"], std::slice::from_ref(&input));
    assert_eq!(got, ["a 1.0", "m -0.0", "m 0.0", "z NaN", "null inf"]);
    let got = sort(["x", "false", "false"], &[input]);
    assert_eq!(got, ["m -0.0", "m 0.0", "a 1.0", "null inf", "z NaN"]);
}

#[test]
fn random_rows_are_sorted_as_the_standard_library_does() {
    let mut random = Random(7);
    let mut expected = Vec::new();
    let batches: Vec<RecordBatch> = (0..9)
        .map(|_| {
            let values: Vec<(Option<u64>, u64)> = (0..random.below(20_000))
                .map(|_| (random.perhaps(500), random.below(1 << 30)))
                .collect();
            expected.extend(values.iter().copied());
            let a = values.iter().map(|(a, _)| a.map(|a| a as i64));
            let b = values.iter().map(|(_, b)| *b as i64);
            batch([
                ("a", Arc::new(a.collect::<Int64Array>()) as ArrayRef),
                ("b", Arc::new(Int64Array::from_iter_values(b))),
            ])
        })
        .collect();
    expected.sort_by_key(|(a, b)| (a.is_none(), *a, std::cmp::Reverse(*b)));
    let expected: Vec<String> = expected
        .into_iter()
        .map(|(a, b)| format!("{} {b}", a.map_or("null".to_owned(), |a| a.to_string())))
        .collect();
    let got = stream("sort", &["a,b", "false,true", "false"], &[&batches]).expect("rows");
    assert!(got.iter().all(|batch| batch.num_rows() <= 65_536));
    assert!(got.len() > 1);
    assert_eq!(rows(&got), expected);
}

#[test]
fn what_is_asked_for_wrongly_says_what_there_is() {
    let input = two_batches();
    let cases = [
        (["z", "false", "false"], "option by: no column \"z\"; the columns are: k, n"),
        (["", "false", "false"], "option by: give at least one column"),
        (
            ["k", "yes", "false"],
            "option descending: expected true or false, found \"yes\"",
        ),
        (
            ["k,n", "false", "true,false,true"],
            "option nulls_first: expected one value, or one for each of 2 columns; found 3",
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(stream("sort", &options, &[&input]), Err(expected.to_owned()));
    }
}

#[test]
fn nothing_sorts_to_nothing() {
    assert!(sort(["x", "false", "false"], &[batch([("x", ints([]))])]).is_empty());
}
