// SPDX-License-Identifier: MIT
//! What the echo logs and returns, as the host sees it.

use std::sync::atomic::Ordering;

use arrowalloy::{ColumnSchema, Exporter, OwnedArray, OwnedSchema};
use test_host::{Backend, Call};

use crate::alloy_backend_init;

fn schema() -> OwnedSchema {
    let column = ColumnSchema { name: "", format: c"i", nullable: true };
    OwnedSchema::batch(&[column]).expect("a schema")
}

fn batch(values: Vec<i32>) -> OwnedArray {
    let mut exporter = Exporter::default();
    exporter.node(values.len(), 0, 0, 1, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.node(values.len(), 0, 0, 0, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.buffer(values.as_ptr());
    // SAFETY: the buffers are those of the vector, which becomes the owner.
    unsafe { exporter.finish(values) }
}

fn bind(function: &str, n_inputs: usize) -> Call {
    let schemas: Vec<OwnedSchema> = (0..n_inputs).map(|_| schema()).collect();
    Backend::load(alloy_backend_init).bind(function, &schemas, &[]).expect("a call")
}

fn count(call: &Call, batches: Vec<OwnedArray>) -> i64 {
    let output = call.run(batches).expect("a result");
    let root = output.raw();
    assert_eq!((root.length, root.n_children), (1, 1));
    // SAFETY: the structs of the result: one row of one int64 column.
    unsafe {
        let column = root.child(0).expect("a column");
        assert_eq!((column.length, column.null_count), (1, 0));
        column.buffer(1).cast::<i64>().add(column.offset as usize).read()
    }
}

#[test]
fn from_chunks_counts_and_names_what_it_got() {
    let call = bind("from_chunks", 3);
    let batches = (1..=3).map(|rows| batch(vec![7; rows])).collect();
    assert_eq!(count(&call, batches), 3);
    assert_eq!(
        call.entry.lines(),
        [
            "Hello! Reading the ffi pointers now.",
            "array1: i[1 rows]",
            "array2: i[2 rows]",
            "array3: i[3 rows]",
        ]
    );
}

#[test]
fn from_chunks_of_nothing_is_none() {
    assert_eq!(count(&bind("from_chunks", 0), vec![]), 0);
}

#[test]
fn nothing_is_said_to_a_host_that_does_not_listen() {
    for function in ["from_chunks", "echo"] {
        let call = bind(function, 1);
        call.entry.logging.store(false, Ordering::Release);
        call.run(vec![batch(vec![1, 2])]).expect("a result");
        assert!(call.entry.lines().is_empty(), "{function}");
    }
}

#[test]
fn echo_gives_back_the_memory_it_got() {
    let call = bind("echo", 1);
    let input = batch(vec![1, 2, 3]);
    // SAFETY: the structs of the batch, and of the result.
    let place = |array: &OwnedArray| unsafe { array.raw().child(0).unwrap().buffer(1) };
    let expected = place(&input);
    let output = call.run(vec![input]).expect("a result");
    assert_eq!(place(&output), expected);
    assert_eq!(
        call.entry.lines(),
        ["Hello! Reading the ffi pointers now.", "array1: +s[3 rows]"]
    );
}
