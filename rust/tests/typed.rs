// SPDX-License-Identifier: MIT
//! Functions on typed views, called through their C table.

// Other tests use the other items.
#[allow(dead_code)]
mod build;

use std::ffi::CStr;

use arrowalloy::{Bools, Bytes, Column, Error, Strings, View};
use build::{Batch, flat, list_of};
use test_host::{Backend, Call};

arrowalloy::function! {
    /// The distance of each point from the origin.
    #[flags(idempotent, rowwise)]
    fn distance(x: View<f64>, y: View<f64>) -> distance: f64 {
        x.iter().zip(y.iter()).map(|(x, y)| Some(x?.hypot(y?))).collect()
    }
}

arrowalloy::function! {
    /// The strings with a suffix, and their lengths before.
    #[option(suffix = "!", "What to add.")]
    #[option(limit, "How long a string may be.")]
    fn shout(scope, options; text: Strings) -> Result<(loud: String, length: i32)> {
        let suffix = options.get("suffix")?;
        let limit: usize = options.parse("limit")?;
        if let Some(long) = text.iter().flatten().find(|text| text.len() > limit) {
            return Err(Error::invalid(format!("{long:?} is too long")));
        }
        scope.log("shouting");
        scope.check()?;
        let loud = text.iter().map(|text| Some(format!("{}{suffix}", text?))).collect();
        let length = text.iter().map(|text| Some(text?.len() as i32)).collect();
        Ok((loud, length))
    }
}

arrowalloy::function! {
    /// The flag of each row, and the number of its bytes.
    fn pick(flag: Bools, data: Bytes) -> (both: bool, size: u64) {
        let both = (0..flag.len()).map(|row| Some(flag.get(row)? && !data.get(row)?.is_empty()));
        let size = data.iter().map(|data| data.map_or(0, <[u8]>::len) as u64);
        (both.collect(), size.collect())
    }
}

arrowalloy::function! {
    /// Columns of different lengths, which is an error.
    fn uneven(x: View<i64>) -> (one: i64, two: i64) {
        (x.iter().collect(), Column::from(vec![1; x.len() + 1]))
    }
}

arrowalloy::backend! {
    name: "test.typed",
    version: "1.2.3",
    functions: [distance, shout, pick, uneven],
}

fn bind(name: &str, batch: &Batch, options: &[&str]) -> Call {
    let backend = Backend::load(alloy_backend_init);
    backend.bind(name, &[batch.schema()], options).expect("a bound function")
}

fn run(name: &str, batch: Batch, options: &[&str]) -> Result<Vec<Vec<String>>, String> {
    let call = bind(name, &batch, options);
    let output = call.run(vec![batch.array()]).map_err(|failure| failure.text)?;
    Ok(build::read(call.schema(), output.raw()))
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|&value| value.to_owned()).collect()
}

#[test]
fn the_table_says_what_the_declarations_say() {
    let backend = Backend::load(alloy_backend_init);
    // SAFETY: every text of the table is a C string.
    let text = |text| unsafe { CStr::from_ptr(text) }.to_str().expect("UTF-8");
    let table = backend.table();
    assert_eq!(
        (text(table.name), text(table.version), text(table.language)),
        ("test.typed", "1.2.3", "Rust")
    );
    let function = backend.function("shout");
    assert_eq!(
        text(function.summary),
        "The strings with a suffix, and their lengths before."
    );
    assert_eq!((function.flags, function.min_inputs, function.max_inputs), (0, 1, 1));
    assert_eq!(backend.function("distance").flags, 3);
    // SAFETY: two options and the end; one input with one column, and the ends.
    let (options, columns, end) = unsafe {
        (
            std::slice::from_raw_parts(function.options, 3),
            std::slice::from_raw_parts(*function.columns, 2),
            *function.columns.add(1),
        )
    };
    assert_eq!((text(options[0].name), text(options[0].fallback)), ("suffix", "!"));
    assert_eq!(text(options[1].name), "limit");
    assert!(options[1].fallback.is_null() && options[2].name.is_null());
    assert_eq!(text(columns[0].name), "text");
    assert_eq!(text(columns[0].accepts), "u U vu ?:u ?:U ?:vu");
    assert!(columns[1].name.is_null());
    assert!(end.is_null());
}

#[test]
fn numbers_are_read_with_their_nulls() {
    let batch = Batch::new(3)
        .add("x", flat::<f64>("g", &[Some(3.0), None, Some(6.0)]))
        .add("y", flat::<f64>("g", &[Some(4.0), Some(1.0), Some(8.0)]));
    let got = run("distance", batch, &[]);
    assert_eq!(got, Ok(vec![texts(&["5", "null", "10"])]));
}

#[test]
fn an_offset_shifts_values_and_nulls() {
    let x = flat::<f64>("g", &[Some(0.0), None, Some(3.0), None, Some(6.0)]).from(2);
    let y = flat::<f64>("g", &[Some(4.0), Some(1.0), Some(8.0)]);
    let got = run("distance", Batch::new(3).add("x", x).add("y", y), &[]);
    assert_eq!(got, Ok(vec![texts(&["5", "null", "10"])]));
}

#[test]
fn misaligned_numbers_are_read() {
    let x = flat::<f64>("g", &[Some(3.0), Some(6.0)]).misaligned();
    let y = flat::<f64>("g", &[Some(4.0), Some(8.0)]);
    let got = run("distance", Batch::new(2).add("x", x).add("y", y), &[]);
    assert_eq!(got, Ok(vec![texts(&["5", "10"])]));
}

#[test]
fn a_function_can_be_tested_without_a_host() {
    let x = [Some(3.0), None, Some(6.0)].into_iter().collect();
    let y = View::from(&[4.0, 1.0, 8.0][..]);
    assert_eq!(distance(x, y).to_vec(), [Some(5.0), None, Some(10.0)]);

    let flag = View::from(&[1u8][..]);
    assert!(!flag.has_nulls() && flag.get(1).is_none());
    let text: Strings = [Some("a"), None].into_iter().collect();
    let back: Column<String> = text.iter().collect();
    assert_eq!(back.to_vec(), [Some("a".to_owned()), None]);
    let bits: Column<bool> = [Some(true), None, Some(false)].into_iter().collect();
    assert_eq!(bits.to_vec(), [Some(true), None, Some(false)]);
}

#[test]
fn every_form_of_a_string_reads_the_same() {
    let values = [Some("a"), None, Some("longer than twelve bytes"), Some(""), Some("ö")];
    let long = "longer than twelve bytes?";
    let expected = vec![
        texts(&["a?", "null", long, "?", "ö?"]),
        texts(&["1", "null", "24", "0", "2"]),
    ];
    for format in
        ["u", "U", "vu", "c:u", "S:U", "l:vu", "C:vu", "i:u", "I:u", "s:u", "L:u"]
    {
        let batch = Batch::new(5).add("text", list_of(format, &values));
        assert_eq!(run("shout", batch, &["?", "100"]), Ok(expected.clone()), "{format}");
        let batch = Batch::new(3).add("text", list_of(format, &values).from(2));
        let expected: Vec<_> =
            expected.iter().map(|column| column[2..].to_vec()).collect();
        assert_eq!(run("shout", batch, &["?", "100"]), Ok(expected), "{format}, offset");
    }
}

#[test]
fn an_empty_column_of_strings_needs_no_offsets() {
    let batch = Batch::new(0).add("text", list_of("u", &[]).without_buffers());
    assert_eq!(run("shout", batch, &["", "1"]), Ok(vec![vec![], vec![]]));
}

#[test]
fn what_is_no_utf8_names_its_row() {
    for format in ["z", "Z", "vz"] {
        let values: [Option<&[u8]>; 3] = [Some(b"a"), None, Some(b"\xff")];
        let text = format.replace('z', "u").replace('Z', "U");
        let column = build::bytes_of(format, &values).called(&text);
        let got = run("shout", Batch::new(3).add("text", column), &["", "9"]);
        assert_eq!(
            got,
            Err("column text, row 2: the text is not UTF-8".to_owned()),
            "{format}"
        );
    }
}

#[test]
fn a_character_cut_in_two_is_no_utf8() {
    let column = build::offsets_of(&[0, 1, 2], "ö".as_bytes());
    let got = run("shout", Batch::new(2).add("text", column), &["", "9"]);
    assert_eq!(got, Err("column text, row 0: the text is not UTF-8".to_owned()));
}

#[test]
fn what_leads_out_of_its_buffer_names_its_row() {
    let decreasing = build::offsets_of(&[0, 5, 1, 3], b"abc");
    let got = run("shout", Batch::new(3).add("text", decreasing), &["", "9"]);
    assert_eq!(
        got,
        Err("column text, row 0: the value is outside its buffer".to_owned())
    );

    let index = list_of("c:u", &[Some("a"), Some("b")]).with_index(1, 2);
    let got = run("shout", Batch::new(2).add("text", index), &["", "9"]);
    assert_eq!(
        got,
        Err("column text, row 1: the value is outside its buffer".to_owned())
    );

    let view = list_of("vu", &[Some("longer than twelve bytes")]).with_view_offset(1000);
    let got = run("shout", Batch::new(1).add("text", view), &["", "99"]);
    assert_eq!(
        got,
        Err("column text, row 0: the value is outside its buffer".to_owned())
    );
}

#[test]
fn garbage_under_a_null_is_nobodys_business() {
    let column = build::offsets_of(&[0, 1, 2, 3], b"a\xffb").nulls(&[true, false, true]);
    let got = run("shout", Batch::new(3).add("text", column), &["", "9"]);
    assert_eq!(got.expect("a result")[0], texts(&["a", "null", "b"]));
}

#[test]
fn bits_and_bytes_are_read() {
    let flag = build::bits_of(&[Some(true), Some(true), None, Some(false)]);
    let data: [Option<&[u8]>; 4] = [Some(b"\xff\xfe"), Some(b""), Some(b"x"), None];
    let data = build::bytes_of("z", &data);
    let got = run("pick", Batch::new(4).add("flag", flag).add("data", data), &[]);
    let both = texts(&["true", "false", "null", "false"]);
    assert_eq!(got, Ok(vec![both, texts(&["2", "0", "1", "0"])]));
}

#[test]
fn an_option_that_cannot_be_read_is_invalid() {
    let batch = Batch::new(1).add("text", list_of("u", &[Some("a")]));
    let call = bind("shout", &batch, &["!", "many"]);
    let failure = call.run(vec![batch.array()]).expect_err("an error");
    assert_eq!(failure.code, arrowalloy::Code::Invalid as i32);
    assert_eq!(failure.text, "option limit: cannot read \"many\" as usize");
}

#[test]
fn a_cancelled_call_ends_as_such() {
    let batch = Batch::new(1).add("text", list_of("u", &[Some("a")]));
    let call = bind("shout", &batch, &["!", "9"]);
    call.entry.cancelled.store(true, std::sync::atomic::Ordering::Release);
    let failure = call.run(vec![batch.array()]).expect_err("an error");
    assert_eq!(failure.code, arrowalloy::Code::Cancelled as i32);
    assert_eq!(call.entry.lines(), ["shouting"]);
}

#[test]
fn columns_of_different_lengths_are_the_backends_error() {
    let batch = Batch::new(1).add("x", flat::<i64>("l", &[Some(1)]));
    let got = run("uneven", batch, &[]);
    let text = "the output columns differ in length: one has 1 rows, two has 2";
    assert_eq!(got, Err(text.to_owned()));
}
