// SPDX-License-Identifier: MIT

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, StringViewArray,
};

use super::{Random, batch, decimals, dictionary, ints, rows, stream, texts};

fn join(
    options: [&str; 3],
    left: &[RecordBatch],
    right: &[RecordBatch],
) -> Result<Vec<RecordBatch>, String> {
    stream("join", &options, &[left, right])
}

fn orders() -> [RecordBatch; 2] {
    [
        batch([
            ("id", ints([Some(1), Some(2), None])),
            ("what", texts([Some("pen"), Some("ink"), Some("pad")])),
        ]),
        batch([("id", ints([Some(2), Some(3)])), ("what", texts([Some("box"), None]))]),
    ]
}

fn people() -> [RecordBatch; 2] {
    [
        batch([
            ("name", texts([Some("ann"), Some("bob")])),
            ("id", ints([Some(2), None])),
        ]),
        batch([
            ("name", texts([Some("cyd"), Some("dan")])),
            ("id", ints([Some(1), Some(2)])),
        ]),
    ]
}

#[test]
fn rows_of_the_same_key_stand_side_by_side() {
    let got = join(["id", "inner", "_right"], &orders(), &people()).expect("rows");
    assert_eq!(
        rows(&got),
        ["1 pen cyd", "2 ink ann", "2 ink dan", "2 box ann", "2 box dan"]
    );
    let schema = got[0].schema();
    let names: Vec<_> =
        schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["id", "what", "name"]);
}

#[test]
fn a_left_join_keeps_the_rows_without_a_partner() {
    let got = join(["id", "left", "_right"], &orders(), &people()).expect("rows");
    let expected = [
        "1 pen cyd",
        "2 ink ann",
        "2 ink dan",
        "null pad null",
        "2 box ann",
        "2 box dan",
        "3 null null",
    ];
    assert_eq!(rows(&got), expected);
    assert!(got[0].schema().field(2).is_nullable());
}

#[test]
fn one_side_may_be_empty() {
    let nobody = [people()[0].slice(0, 0)];
    assert!(
        rows(&join(["id", "inner", ""], &orders(), &nobody).expect("rows")).is_empty()
    );
    let got = join(["id", "left", ""], &orders()[1..], &nobody).expect("rows");
    assert_eq!(rows(&got), ["2 box null", "3 null null"]);
    let nothing = [orders()[0].slice(0, 0)];
    assert!(
        rows(&join(["id", "left", ""], &nothing, &people()).expect("rows")).is_empty()
    );
}

#[test]
fn names_differ_and_strings_may_be_laid_out_differently() {
    let left = batch([
        ("a", dictionary([Some("x"), Some("y")])),
        ("v", ints([Some(1), Some(2)])),
    ]);
    let views = StringViewArray::from(vec!["y", "a string that is longer", "x"]);
    let right = batch([
        ("b", Arc::new(views) as ArrayRef),
        ("v", ints([Some(3), Some(4), Some(5)])),
    ]);
    let got = join(["a=b", "inner", "_2"], &[left], &[right]).expect("rows");
    assert_eq!(rows(&got), ["x 1 5", "y 2 3"]);
    assert_eq!(got[0].schema().field(2).name(), "v_2");
}

#[test]
fn several_keys_all_have_to_be_the_same() {
    let side = |name: &str, a: [i64; 3], b: [&str; 3]| {
        let n = Int64Array::from_iter_values(0..3);
        let a = Int64Array::from(a.to_vec());
        batch([
            ("a", Arc::new(a) as ArrayRef),
            ("b", Arc::new(StringArray::from(b.to_vec()))),
            (name, Arc::new(n)),
        ])
    };
    let left = side("l", [1, 1, 2], ["x", "y", "x"]);
    let right = side("r", [1, 2, 2], ["y", "y", "x"]);
    let got = join(["a,b", "inner", ""], &[left], &[right]).expect("rows");
    assert_eq!(rows(&got), ["1 y 1 0", "2 x 2 2"]);
}

#[test]
fn what_is_asked_for_wrongly_says_what_there_is() {
    let (left, right) = (orders(), people());
    let narrow = Arc::new(Int32Array::from(vec![1]));
    let narrow = [batch([("id", narrow as ArrayRef)])];
    let scaled = [batch([("id", decimals(9, 2, [Some(1)]))])];
    let other_scale = [batch([("id", decimals(12, 3, [Some(1)]))])];
    type Case<'a> = ([&'a str; 3], &'a [RecordBatch], &'a [RecordBatch], &'a str);
    let cases: [Case<'_>; 8] = [
        (["", "inner", ""], &left, &right, "option on: give at least one column"),
        (
            ["what", "inner", ""],
            &left,
            &right,
            "option on: no column \"what\"; the columns are: name, id",
        ),
        (
            ["name", "inner", ""],
            &left,
            &right,
            "option on: no column \"name\"; the columns are: id, what",
        ),
        (
            ["id", "outer", ""],
            &left,
            &right,
            "option how: expected inner or left, found \"outer\"",
        ),
        (
            ["id", "inner", ""],
            &left,
            &narrow,
            "option on: column id is Int64 in the first input, but column id is Int32 in \
             the second; cast one",
        ),
        (
            ["id", "inner", ""],
            &scaled,
            &other_scale,
            "option on: column id is Decimal128(9, 2) in the first input, but column id is \
             Decimal128(12, 3) in the second; cast one",
        ),
        (
            ["id", "inner", ""],
            &left,
            &left,
            "option suffix: two columns of the result have the name \"what\"; rename one",
        ),
        (
            ["id=name", "inner", ""],
            &left,
            &right,
            "option on: column id is Int64 in the first input, but column name is Utf8 in \
             the second; cast one",
        ),
    ];
    for (options, left, right, expected) in cases {
        assert_eq!(join(options, left, right), Err(expected.to_owned()));
    }
}

#[test]
fn many_partners_come_in_batches_of_bounded_size() {
    let left = batch([("k", Arc::new(Int64Array::from(vec![1; 500])) as ArrayRef)]);
    let right = batch([
        ("k", Arc::new(Int64Array::from(vec![1; 400])) as ArrayRef),
        ("n", Arc::new(Int64Array::from_iter_values(0..400))),
    ]);
    let got = join(["k", "inner", ""], &[left], &[right]).expect("rows");
    let lengths: Vec<_> = got.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(lengths, [65_536, 65_536, 65_536, 3_392]);
    let all = rows(&got);
    assert!((0..200_000).all(|at| all[at] == format!("1 {}", at % 400)));
}

#[test]
fn random_rows_are_joined_as_a_naive_program_does() {
    let mut random = Random(99);
    let mut side =
        |name: &str, batches: usize| -> (Vec<RecordBatch>, Vec<(Option<u64>, u64)>) {
            let mut all = Vec::new();
            let batches = (0..batches).map(|_| {
                let rows: Vec<_> = (0..random.below(800))
                    .map(|_| (random.perhaps(400), random.below(1_000_000)))
                    .collect();
                all.extend(rows.iter().copied());
                let keys = rows.iter().map(|(key, _)| key.map(|key| key as i64));
                let values = rows.iter().map(|(_, value)| *value as i64);
                batch([
                    ("k", Arc::new(keys.collect::<Int64Array>()) as ArrayRef),
                    (name, Arc::new(Int64Array::from_iter_values(values))),
                ])
            });
            (batches.collect(), all)
        };
    let (left, left_rows) = side("l", 5);
    let (right, right_rows) = side("r", 3);
    let mut partners = HashMap::<u64, Vec<u64>>::new();
    for (key, value) in right_rows {
        key.into_iter().for_each(|key| partners.entry(key).or_default().push(value));
    }
    for how in ["inner", "left"] {
        let mut expected = Vec::new();
        for (key, value) in &left_rows {
            let name = key.map_or("null".to_owned(), |key| key.to_string());
            match key.and_then(|key| partners.get(&key)) {
                Some(found) => {
                    expected.extend(
                        found.iter().map(|other| format!("{name} {value} {other}")),
                    );
                }
                None if how == "left" => expected.push(format!("{name} {value} null")),
                None => {}
            }
        }
        let got = rows(&join(["k", how, ""], &left, &right).expect("rows"));
        assert_eq!(got, expected, "{how}");
    }
}
