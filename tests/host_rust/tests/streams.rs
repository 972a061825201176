// SPDX-License-Identifier: MIT
//! Streams of the Rust host: inputs that fail, cancels, early drops, results handed on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use arrowalloy::host::{
    BridgeOptions, Call, Canceller, Cause, Code, Side, Source, Stream,
};
use host_tests::{Alive, open, schema, values};

#[derive(Debug)]
struct Broken(usize);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the disk failed at batch {}", self.0)
    }
}

impl std::error::Error for Broken {}

fn call(function: &str, inputs: usize) -> Call {
    let bridge = open("streams", &BridgeOptions::default());
    let schemas: Vec<_> = (0..inputs).map(|_| schema()).collect();
    let schemas: Vec<_> = schemas.iter().collect();
    Call::bind(&bridge, function, &schemas, &[]).expect("a function of the tests")
}

// `count` batches; the one at `broken` is an error.
fn source(alive: &Alive, count: usize, broken: Option<usize>) -> Source {
    let alive = alive.clone();
    let batches = (0..count).map(move |index| {
        if Some(index) == broken {
            return Err(Arc::new(Broken(index)) as Cause);
        }
        Ok(alive.batch(&[index as i64, 10]))
    });
    // SAFETY: the batches are of this schema.
    unsafe { Source::new(|| Ok(schema()), Box::new(batches)) }
}

fn read(stream: Stream) -> Vec<Vec<i64>> {
    stream.map(|batch| values(&batch.expect("no error"))).collect()
}

#[test]
fn batches_go_through_and_are_released() {
    let alive = Alive::default();
    let mut call = call("pass", 1);
    for _ in 0..3 {
        let stream = call.stream(vec![source(&alive, 3, None)]).expect("a stream");
        assert_eq!(read(stream), [[0, 10], [1, 10], [2, 10]]);
        assert_eq!(alive.count(), 0);
    }
}

#[test]
fn an_input_that_fails_comes_back_as_the_same_object() {
    for function in ["pass", "double"] {
        for broken in [0, 1, 3] {
            let alive = Alive::default();
            let mut call = call(function, 1);
            let mut stream =
                call.stream(vec![source(&alive, 4, Some(broken))]).expect("a stream");
            for _ in 0..broken {
                stream.next().expect("a batch").expect("no error yet");
            }
            let error = stream.next().expect("an error").expect_err("no end");
            assert_eq!(error.side(), Side::Caller, "{error:?}");
            let cause =
                std::error::Error::source(&error).expect("the program's own error");
            let cause = cause.downcast_ref::<Broken>().expect("the same type");
            assert_eq!(cause.0, broken);
            assert!(error.text().contains("the disk failed at batch"), "{error:?}");
            assert!(stream.next().is_none());
            drop(stream);
            assert_eq!(alive.count(), 0);
        }
    }
}

#[test]
fn a_panic_in_an_input_is_an_error() {
    let mut call = call("pass", 1);
    let batches = (0..2).map(|index| -> Result<_, Cause> { panic!("at {index}") });
    // SAFETY: there are no batches.
    let input = unsafe { Source::new(|| Ok(schema()), Box::new(batches)) };
    let mut stream = call.stream(vec![input]).expect("a stream");
    let error = stream.next().expect("an error").expect_err("no end");
    assert!(error.text().contains("panic"), "{error:?}");
    assert_eq!(error.side(), Side::Caller);
}

#[test]
fn a_stream_that_is_dropped_early_releases_its_inputs() {
    for reads in 0..3 {
        let alive = Alive::default();
        let mut call = call("zip", 2);
        let inputs = vec![source(&alive, 3, None), source(&alive, 3, None)];
        let mut stream = call.stream(inputs).expect("a stream");
        for _ in 0..reads {
            stream.next().expect("a batch").expect("no error");
        }
        drop(stream);
        assert_eq!(alive.count(), 0);
    }
}

#[test]
fn a_call_is_busy_while_its_stream_is_open_and_keeps_no_input() {
    let alive = Alive::default();
    let mut call = call("double", 1);
    let stream = call.stream(vec![source(&alive, 1, None)]).expect("a stream");
    let mut inputs = [alive.batch(&[1])];
    // SAFETY: the batch is of the bound schema.
    let error = unsafe { call.run(&mut inputs) }.expect_err("it is in use");
    assert_eq!(error.code(), Code::Busy);
    assert_eq!(values(&inputs[0]), [1], "the program still has its batch");
    let error = call.stream(vec![source(&alive, 1, None)]).err().expect("it is in use");
    assert_eq!(error.code(), Code::Busy);
    drop(stream);
    // SAFETY: as above.
    let output = unsafe { call.run(&mut inputs) }.expect("it is free");
    assert_eq!(values(&output), [2]);
    drop(output);
    assert_eq!(alive.count(), 0);
}

#[test]
fn a_stream_is_handed_on_and_keeps_what_it_needs() {
    let alive = Alive::default();
    let (mut first, mut second) = (call("pass", 1), call("double", 1));
    let stream = first.stream(vec![source(&alive, 2, None)]).expect("a stream");
    let stream = second.stream(vec![stream.into_source()]).expect("a stream");
    drop((first, second));
    assert_eq!(read(stream), [[0, 20], [2, 20]]);
    assert_eq!(alive.count(), 0);
}

#[test]
fn an_error_passes_through_two_calls() {
    let alive = Alive::default();
    let (mut first, mut second) = (call("pass", 1), call("double", 1));
    let stream = first.stream(vec![source(&alive, 2, Some(1))]).expect("a stream");
    let mut stream = second.stream(vec![stream.into_source()]).expect("a stream");
    stream.next().expect("a batch").expect("no error yet");
    let error = stream.next().expect("an error").expect_err("no end");
    let cause = std::error::Error::source(&error).expect("the program's own error");
    assert!(cause.is::<Broken>());
}

#[test]
fn a_cancel_ends_a_stream_and_not_the_next() {
    let alive = Alive::default();
    let mut call = call("pass", 1);
    let mut stream = call.stream(vec![source(&alive, 9, None)]).expect("a stream");
    stream.next().expect("a batch").expect("no cancel yet");
    let canceller = stream.canceller();
    thread::spawn(move || canceller.cancel()).join().expect("no panic");
    let error = stream.next().expect("an error").expect_err("no end");
    assert_eq!(error.code(), Code::Cancelled, "{error:?}");
    drop(stream);
    assert_eq!(alive.count(), 0);
    let stream = call.stream(vec![source(&alive, 1, None)]).expect("a stream");
    assert_eq!(read(stream), [[0, 10]]);
}

#[test]
fn a_cancel_before_a_run_is_not_lost_and_hits_no_later_run() {
    let alive = Alive::default();
    let mut call = call("double", 1);
    call.canceller().cancel();
    // SAFETY: the batches are of the bound schema.
    unsafe {
        let error = call.run(&mut [alive.batch(&[1])]).expect_err("it was cancelled");
        assert_eq!(error.code(), Code::Cancelled);
        assert_eq!(alive.count(), 0);
        assert_eq!(
            values(&call.run(&mut [alive.batch(&[2])]).expect("a later run")),
            [4]
        );
    }
}

#[test]
fn a_stream_may_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Stream>();
    is_send::<Source>();
    is_send::<Canceller>();
    let (alive, dropped) = (Alive::default(), Arc::new(AtomicBool::new(false)));
    let mut call = call("pass", 1);
    let stream = call.stream(vec![source(&alive, 3, None)]).expect("a stream");
    let done = dropped.clone();
    let read = thread::spawn(move || {
        let read = read(stream);
        done.store(true, Ordering::Release);
        read
    });
    assert_eq!(read.join().expect("no panic").len(), 3);
    assert!(dropped.load(Ordering::Acquire));
    assert_eq!(alive.count(), 0);
}

#[test]
fn a_wrong_number_of_inputs_is_refused_and_released() {
    let alive = Alive::default();
    let mut call = call("pass", 1);
    let error = call.stream(vec![]).err().expect("no input");
    assert_eq!(error.code(), Code::Invalid);
    // SAFETY: the batches are of the bound schema.
    let error = unsafe { call.run(&mut [alive.batch(&[1]), alive.batch(&[2])]) };
    assert_eq!(error.expect_err("two inputs").code(), Code::Invalid);
    assert_eq!(alive.count(), 0);
}
