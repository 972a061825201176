// SPDX-License-Identifier: MIT
//! Streams through arrow2, as the host sees them.

use arrowalloy::{ColumnSchema, Exporter, OwnedArray, OwnedSchema};
use test_host::{Backend, Call, Events, Feed};

use crate::alloy_backend_init;

fn batch(values: Vec<i32>) -> OwnedArray {
    let mut exporter = Exporter::default();
    exporter.node(values.len(), 0, 0, 1, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.node(values.len(), 0, 0, 0, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.buffer(values.as_ptr());
    // SAFETY: the buffer is that of the vector, which becomes the owner.
    unsafe { exporter.finish(values) }
}

// The address of the values of the only column, and the first value.
fn values(batch: &OwnedArray) -> (usize, i64) {
    // SAFETY: a batch of one column of numbers.
    unsafe {
        let place = batch.raw().child(0).expect("a column").buffer(1);
        (place as usize, place.cast::<i64>().read_unaligned())
    }
}

fn bind(function: &str, inputs: usize) -> Call {
    let column = ColumnSchema { name: "x", format: c"i", nullable: true };
    let schema = || OwnedSchema::batch(&[column]).expect("a schema");
    let schemas: Vec<_> = (0..inputs).map(|_| schema()).collect();
    Backend::load(alloy_backend_init).bind(function, &schemas, &[]).expect("a call")
}

#[test]
fn batches_pass_one_by_one_and_uncopied() {
    let events = Events::default();
    let (first, second) = (batch(vec![1, 2]), batch(vec![3, 4]));
    let places = [values(&first).0, values(&second).0];
    let mut call = bind("relay", 2);
    let feeds =
        [("a", first), ("b", second)].map(|(name, b)| Feed::new(name, vec![b], &events));
    let output = call.open(feeds.into()).expect("a stream");
    let got: Vec<_> = output.map(|batch| values(&batch.expect("a batch")).0).collect();
    assert_eq!(got, places);
    let events = events.lock().expect("the events");
    assert_eq!(
        *events,
        ["a read", "a read", "a released", "b read", "b read", "b released"]
    );
}

#[test]
fn declared_columns_are_read_batch_by_batch() {
    let events = Events::default();
    let batches = vec![batch(vec![7; 5]), batch(vec![]), batch(vec![7])];
    let mut call = bind("lengths", 1);
    let output = call.open(vec![Feed::new("x", batches, &events)]).expect("a stream");
    let got: Vec<_> = output.map(|batch| values(&batch.expect("a batch")).1).collect();
    assert_eq!(got, [5, 0, 1]);
}

#[test]
fn what_an_input_says_passes_whole() {
    let events = Events::default();
    let mut call = bind("lengths", 1);
    let feed =
        Feed::new("x", vec![batch(vec![1])], &events).fail(71, "half of it is missing");
    let mut output = call.open(vec![feed]).expect("a stream");
    assert!(output.next_batch().expect("no failure").is_some());
    for _ in 0..2 {
        let failure = output.next_batch().expect_err("a failure");
        assert_eq!((failure.errno, failure.text.as_str()), (71, "half of it is missing"));
        assert!(failure.said.is_none());
    }
}
