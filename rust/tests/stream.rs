// SPDX-License-Identifier: MIT
//! Stream functions on typed views, called through their C table.

// Other tests use the other items.
#[allow(dead_code)]
mod build;

use std::sync::atomic::Ordering;

use arrowalloy::{Code, Column, Error, Scope, Strings, View, abi};
use build::{Batch, flat, list_of};
use test_host::{Backend, Call, Events, Failure, Feed, StreamFailure};

arrowalloy::function! {
    /// The running total of x; null where x is null.
    #[option(start = "0", "Where to begin.")]
    stream fn total(scope, options; points: Points { x: View<i64> }) -> Result<(total: i64)> {
        let mut total: i64 = options.parse("start")?;
        Ok(points.map(move |points| {
            scope.check()?;
            let points = points?;
            let mut add = |x: i64| {
                total = total.checked_add(x).ok_or_else(|| Error::invalid("too much"))?;
                Ok(total)
            };
            points.views()?.x.iter().map(|x| x.map(&mut add).transpose()).collect()
        }))
    }
}

struct Farewell<'s>(Scope<'s>);

impl Drop for Farewell<'_> {
    fn drop(&mut self) {
        self.0.log("gone");
    }
}

arrowalloy::function! {
    /// The names of the left with the sizes of the right, up to the shorter input.
    stream fn pair(
        scope;
        left: Left { name: Strings },
        right: Right { size: View<i32>, factor: View<i32> }
    ) -> (name: String, size: i32) {
        // The adaptor below is dropped first, with the inputs.
        let farewell = Farewell(scope);
        let pairs = left.zip(right);
        pairs.map(move |(left, right)| {
            let _ = &farewell;
            let (left, right) = (left?, right?);
            let right = right.views()?;
            let sizes = right.size.iter().zip(right.factor.iter());
            Ok((
                left.views()?.name.iter().collect(),
                sizes.map(|(size, factor)| Some(size? * factor?)).collect(),
            ))
        })
    }
}

arrowalloy::function! {
    /// Fails in the way that the option names.
    #[option(how, "What to do.")]
    stream fn misbehave(scope, options; points: Points2 { x: View<i64> }) -> Result<(y: i64)> {
        let how = options.get("how")?;
        match how {
            "panic in open" => panic!("the open went wrong"),
            "fail in open" => return Err(Error::retry("come again")),
            "panic in drop" => scope.log("open"),
            _ => {}
        }
        let mut points = Some(points);
        let bomb = (how == "panic in drop").then(|| Bomb);
        Ok(std::iter::from_fn(move || {
            let _ = &bomb;
            let batch = match points.as_mut()?.next()? {
                Ok(batch) => batch,
                Err(error) if how == "hide" => {
                    drop(error);
                    return None;
                }
                Err(error) if how == "say otherwise" => {
                    return Some(Err(Error::bad_data(format!("of x: {}", error.text()))));
                }
                Err(error) => return Some(Err(error)),
            };
            match how {
                "panic in next" => panic!("the {} went wrong", batch.len()),
                "fail in next" => Some(Err(Error::invalid("a NUL \0 inside"))),
                "uneven" => Some(Ok(Column::from(vec![1]))),
                _ => Some(batch.views().map(|views| views.x.iter().collect())),
            }
        }))
    }
}

arrowalloy::function! {
    /// Each count as often as the option names; a keyword is a name like any other.
    #[option(r#loop = "2", "How often.")]
    stream fn repeat(
        scope, options;
        rows: Named { r#type: Strings, r#match: View<i64> }
    ) -> (r#type: String, r#match: i64) {
        let times: usize = options.parse("loop")?;
        scope.check()?;
        rows.map(move |rows| {
            let rows = rows?;
            let rows = rows.views()?;
            let texts = rows.r#type.iter().map(|text| Some(text?.repeat(times)));
            Ok((texts.collect(), rows.r#match.iter().collect()))
        })
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the drop went wrong");
    }
}

arrowalloy::backend! { name: "test.streams", functions: [total, pair, misbehave, repeat] }

fn numbers(values: &[Option<i64>]) -> Batch {
    Batch::new(values.len()).add("x", flat::<i64>("l", values))
}

fn bind(name: &str, batches: &[&Batch], options: &[&str]) -> Call {
    let schemas: Vec<_> = batches.iter().map(|batch| batch.schema()).collect();
    let backend = Backend::load(alloy_backend_init);
    backend.bind(name, &schemas, options).expect("a bound function")
}

fn told(events: &Events) -> Vec<String> {
    std::mem::take(&mut *events.lock().expect("the events"))
}

fn two_batches(events: &Events) -> Feed {
    let batches = vec![
        numbers(&[Some(1), None, Some(2)]).array(),
        numbers(&[Some(i64::MAX)]).array(),
    ];
    Feed::new("x", batches, events)
}

#[test]
fn the_table_has_open_instead_of_run() {
    let table = Backend::load(alloy_backend_init).function("pair");
    assert_eq!((table.flags, table.min_inputs, table.max_inputs), (abi::STREAM, 2, 2));
    assert!(table.run.is_none() && table.open.is_some());
    // SAFETY: two lists and the end; two columns and the end in the second.
    unsafe {
        assert!((*table.columns.add(2)).is_null());
        let right = *table.columns.add(1);
        let name = |index| std::ffi::CStr::from_ptr((*right.add(index)).name);
        assert_eq!((name(0), name(1)), (c"size", c"factor"));
        assert!((*right.add(2)).name.is_null());
    }
}

#[test]
fn nothing_is_read_before_it_is_asked_for() {
    let events = Events::default();
    let mut call = bind("total", &[&numbers(&[])], &["10"]);
    let schema = call.schema().n_children;
    let mut output = call.open(vec![two_batches(&events)]).expect("a stream");
    assert_eq!(output.schema().expect("a schema").raw().n_children, schema);
    assert!(told(&events).is_empty());
    let first = output.next_batch().expect("no failure").expect("a batch");
    assert_eq!(told(&events), ["x read"]);
    let schema = output.schema().expect("a schema");
    assert_eq!(build::read(schema.raw(), first.raw()), [["11", "null", "13"]]);
    drop(output);
    assert_eq!(told(&events), ["x released"]);
}

#[test]
fn the_end_is_repeated_and_lets_go_of_the_input() {
    let events = Events::default();
    let mut call = bind("total", &[&numbers(&[])], &["0"]);
    for _ in 0..2 {
        let feed = Feed::new("x", vec![numbers(&[Some(1)]).array()], &events);
        let mut output = call.open(vec![feed]).expect("a stream");
        assert!(output.next_batch().expect("no failure").is_some());
        assert!(output.next_batch().expect("no failure").is_none());
        assert_eq!(told(&events), ["x read", "x read", "x released"]);
        assert!(output.next_batch().expect("no failure").is_none());
        drop(output);
        assert!(told(&events).is_empty());
    }
}

fn own(code: Code, text: &str) -> Option<Failure> {
    Some(Failure { code: code as i32, text: text.to_owned() })
}

#[test]
fn an_error_of_the_function_is_repeated_until_release() {
    let events = Events::default();
    let mut call = bind("total", &[&numbers(&[])], &["1"]);
    let mut output = call.open(vec![two_batches(&events)]).expect("a stream");
    assert!(output.next_batch().expect("no failure").is_some());
    let failure = output.next_batch().expect_err("a failure");
    let said = own(Code::Invalid, "too much");
    assert_eq!(failure, StreamFailure { errno: 22, text: "too much".to_owned(), said });
    assert_eq!(told(&events), ["x read", "x read", "x released"]);
    assert_eq!(output.next_batch().expect_err("a failure"), failure);
    assert_eq!(output.next_batch().expect_err("a failure"), failure);
}

#[test]
fn the_error_of_an_input_passes_as_it_was() {
    let events = Events::default();
    let mut call = bind("total", &[&numbers(&[])], &["0"]);
    let feed = two_batches(&events).fail(111, "the peer said no: 42");
    let mut output = call.open(vec![feed]).expect("a stream");
    assert!(output.next_batch().expect("no failure").is_some());
    assert!(output.next_batch().is_err()); // an overflow is the function's own
    drop(output);

    let feed = Feed::new("x", vec![], &events).fail(111, "the peer said no: 42");
    let mut output = call.open(vec![feed]).expect("a stream");
    let failure = output.next_batch().expect_err("a failure");
    let text = "the peer said no: 42".to_owned();
    assert_eq!(failure, StreamFailure { errno: 111, text, said: None });
    assert_eq!(output.next_batch().expect_err("a failure"), failure);
}

fn misbehaving(how: &str, feed: Feed) -> Result<StreamFailure, Failure> {
    let mut call = bind("misbehave", &[&numbers(&[])], &[how]);
    let mut output = call.open(vec![feed])?;
    loop {
        match output.next_batch() {
            Ok(batch) => assert!(batch.is_some(), "{how}: an end"),
            Err(failure) => {
                assert_eq!(output.next_batch().expect_err(how), failure);
                return Ok(failure);
            }
        }
    }
}

#[test]
fn a_failed_input_is_no_end_whatever_the_function_makes_of_it() {
    let events = Events::default();
    let feed = two_batches(&events).fail(5, "the disk is gone");
    let failure = misbehaving("hide", feed).expect("a stream");
    assert_eq!((failure.errno, failure.text.as_str()), (5, "the disk is gone"));
    let feed = two_batches(&events).fail(5, "the disk is gone");
    let failure = misbehaving("say otherwise", feed).expect("a stream");
    assert_eq!(failure.said, own(Code::BadData, "of x: the disk is gone"));
}

#[test]
fn panics_become_errors_with_text_file_and_line() {
    let events = Events::default();
    let failure =
        misbehaving("panic in open", two_batches(&events)).expect_err("a failure");
    assert!(failure.text.contains("stream.rs:"), "{}", failure.text);
    assert!(failure.text.ends_with("the open went wrong"), "{}", failure.text);
    assert_eq!(told(&events), ["x released"]);

    let failure = misbehaving("panic in next", two_batches(&events)).expect("a stream");
    assert!(failure.text.contains("stream.rs:"), "{}", failure.text);
    assert!(failure.text.ends_with("the 3 went wrong"), "{}", failure.text);
    assert_eq!(failure.said, own(Code::Failed, &failure.text));
    assert_eq!(told(&events), ["x read", "x released"]);
}

#[test]
fn errors_keep_their_code_and_text() {
    let events = Events::default();
    let failure =
        misbehaving("fail in open", two_batches(&events)).expect_err("a failure");
    assert_eq!((failure.code, failure.text.as_str()), (Code::Retry as i32, "come again"));
    assert_eq!(told(&events), ["x released"]);
    let failure = misbehaving("fail in next", two_batches(&events)).expect("a stream");
    assert_eq!(failure.said, own(Code::Invalid, "a NUL \0 inside"));
    assert_eq!((failure.errno, failure.text.as_str()), (22, "a NUL   inside"));
}

#[test]
fn a_drop_that_panics_is_survived() {
    let events = Events::default();
    let mut call = bind("misbehave", &[&numbers(&[])], &["panic in drop"]);
    for reads in 0..3 {
        let mut output = call.open(vec![two_batches(&events)]).expect("a stream");
        (0..reads).for_each(|_| assert!(output.next_batch().is_ok()));
        drop(output);
        assert_eq!(told(&events).last().map(String::as_str), Some("x released"));
    }
}

fn pair_of(events: &Events) -> (Call, Vec<Feed>) {
    let left = || Batch::new(2).add("name", list_of("vu", &[Some("a"), None]));
    let right = || {
        Batch::new(2)
            .add("size", flat::<i32>("i", &[Some(2), Some(3)]))
            .add("factor", flat::<i32>("i", &[Some(10), None]))
    };
    let call = bind("pair", &[&left(), &right()], &[]);
    let left = Feed::new("left", vec![left().array(), left().array()], events);
    (call, vec![left, Feed::new("right", vec![right().array()], events)])
}

#[test]
fn several_inputs_go_side_by_side() {
    let events = Events::default();
    let (mut call, inputs) = pair_of(&events);
    let mut output = call.open(inputs).expect("a stream");
    let schema = output.schema().expect("a schema");
    let batch = output.next_batch().expect("no failure").expect("a batch");
    assert_eq!(build::read(schema.raw(), batch.raw()), [["a", "null"], ["20", "null"]]);
    assert_eq!(told(&events), ["left read", "right read"]);
    assert!(output.next_batch().expect("no failure").is_none());
    assert_eq!(
        told(&events),
        ["left read", "right read", "left released", "right released"]
    );
}

#[test]
fn a_release_in_the_middle_ends_all_that_the_function_holds() {
    let events = Events::default();
    let (mut call, inputs) = pair_of(&events);
    let mut output = call.open(inputs).expect("a stream");
    assert!(output.next_batch().expect("no failure").is_some());
    assert!(call_lines(&output).is_empty());
    drop(output);
    // The scope is valid until the release.
    assert_eq!(call.entry.lines(), ["gone"]);
    let told = told(&events);
    assert_eq!(told[2..], ["left released", "right released"]);
}

fn call_lines(output: &test_host::Output<'_>) -> Vec<String> {
    output.call().entry.lines()
}

#[test]
fn a_cancelled_stream_ends_as_such() {
    let events = Events::default();
    let mut call = bind("total", &[&numbers(&[])], &["0"]);
    let mut output = call.open(vec![two_batches(&events)]).expect("a stream");
    assert!(output.next_batch().expect("no failure").is_some());
    output.call().entry.cancelled.store(true, Ordering::Release);
    let failure = output.next_batch().expect_err("a failure");
    assert_eq!(failure.said, own(Code::Cancelled, "cancelled"));
    assert_eq!(failure.errno, 125);
}

#[test]
fn results_outlive_their_stream_and_its_state() {
    let events = Events::default();
    let mut call = bind("total", &[&numbers(&[])], &["0"]);
    let mut output = call.open(vec![two_batches(&events)]).expect("a stream");
    let schema = output.schema().expect("a schema");
    let batch = output.next_batch().expect("no failure").expect("a batch");
    drop(output);
    drop(call);
    assert_eq!(build::read(schema.raw(), batch.raw()), [["1", "null", "3"]]);
}

#[test]
fn a_stream_may_be_pulled_by_one_thread_after_another() {
    let events = Events::default();
    let mut call = bind("total", &[&numbers(&[])], &["0"]);
    let mut output = call.open(vec![two_batches(&events)]).expect("a stream");
    std::thread::scope(|scope| {
        let first = scope.spawn(|| output.next_batch().expect("no failure").is_some());
        assert!(first.join().expect("no panic"));
    });
    let failure = output.next_batch().expect_err("an overflow");
    assert_eq!(failure.text, "too much");
    std::thread::scope(|scope| drop(scope.spawn(move || drop(output))));
    assert_eq!(told(&events).last().map(String::as_str), Some("x released"));
}

#[test]
fn the_views_have_the_names_of_the_columns_and_the_body_may_fail_at_once() {
    let batch = || {
        Batch::new(2)
            .add("type", list_of("u", &[Some("a"), None]))
            .add("match", flat::<i64>("l", &[Some(1), Some(2)]))
    };
    let events = Events::default();
    let backend = Backend::load(alloy_backend_init);
    // SAFETY: the names of the table are C strings.
    let name = |text| unsafe { std::ffi::CStr::from_ptr(text) }.to_str().expect("UTF-8");
    let table = backend.function("repeat");
    // SAFETY: one option; one input with two columns.
    unsafe {
        assert_eq!(name((*table.options).name), "loop");
        assert_eq!(name((**table.columns).name), "type");
        assert_eq!(name((*(*table.columns).add(1)).name), "match");
    }
    let bind = |times: &str| backend.bind("repeat", &[batch().schema()], &[times]);
    let mut call = bind("3").expect("a call");
    let feed = Feed::new("rows", vec![batch().array()], &events);
    let mut output = call.open(vec![feed]).expect("a stream");
    let schema = output.schema().expect("a schema");
    let first = output.next_batch().expect("a batch").expect("a batch");
    let got = build::read(schema.raw(), first.raw());
    assert_eq!(got, [["aaa", "null"], ["1", "2"]]);
    drop(output);
    let mut call = bind("often").expect("a call");
    let failure =
        call.open(vec![Feed::new("rows", vec![], &events)]).expect_err("an error");
    assert_eq!(failure.text, "option loop: cannot read \"often\" as usize");
}
