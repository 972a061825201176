// SPDX-License-Identifier: MIT
//! Streams of batches pass through, as iterators over arrow-rs's own batches.

use std::ffi::CStr;

use arrow_array::{Array, ArrayRef};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Field, Schema};
use arrowalloy::OwnedArray;
use test_host::{Backend, Call, Events, Feed};

use super::{batch, cases, own_schema};
use crate::alloy_backend_init;

fn bind(field: &Field, inputs: usize) -> Call {
    let schema = || {
        let schema = FFI_ArrowSchema::try_from(&Schema::new(vec![field.clone()]));
        own_schema(schema.expect("a schema"))
    };
    let schemas: Vec<_> = (0..inputs).map(|_| schema()).collect();
    Backend::load(alloy_backend_init)
        .bind("identity_stream", &schemas, &[])
        .expect("a call")
}

// The address of the values of the only column.
fn values(batch: &OwnedArray) -> usize {
    // SAFETY: a batch of one column of numbers.
    unsafe { batch.raw().child(0).expect("a column").buffer(1) as usize }
}

#[test]
fn batches_of_every_type_pass_one_by_one() {
    for (name, array) in cases::all() {
        let field = Field::new("column", array.data_type().clone(), true);
        let part = |first, len| batch(&field, array.slice(first, len).to_data());
        let (events, rest) = (Events::default(), array.len() - 1);
        let first = Feed::new("first", vec![part(0, 1), part(1, rest)], &events);
        let second = Feed::new("second", vec![part(0, array.len())], &events);
        let mut call = bind(&field, 2);
        let output = call.open(vec![first, second]).expect("a stream");
        let lengths: Vec<_> =
            output.map(|batch| batch.expect("a batch").raw().length as usize).collect();
        assert_eq!(lengths, [1, rest, array.len()], "{name}");
        assert_eq!(
            *events.lock().expect("the events"),
            [
                "first read",
                "first read",
                "first read",
                "first released",
                "second read",
                "second read",
                "second released"
            ],
            "{name}"
        );
    }
}

#[test]
fn nothing_is_copied_on_the_way() {
    let array: ArrayRef = std::sync::Arc::new(arrow_array::Int64Array::from(vec![1; 64]));
    let field = Field::new("column", DataType::Int64, true);
    let input = batch(&field, array.to_data());
    let (place, events) = (values(&input), Events::default());
    let mut call = bind(&field, 1);
    let mut output =
        call.open(vec![Feed::new("x", vec![input], &events)]).expect("a stream");
    let result = output.next_batch().expect("no failure").expect("a batch");
    drop(output);
    assert_eq!(values(&result), place);
}

#[test]
fn what_an_input_says_passes_whole() {
    let field = Field::new("column", DataType::Int64, true);
    let events = Events::default();
    let mut call = bind(&field, 1);
    let feed = Feed::new("x", vec![], &events).fail(71, "half of it was missing");
    let mut output = call.open(vec![feed]).expect("a stream");
    for _ in 0..2 {
        let failure = output.next_batch().expect_err("a failure");
        assert_eq!(
            (failure.errno, failure.text.as_str()),
            (71, "half of it was missing")
        );
        assert!(failure.said.is_none());
    }
}

#[test]
fn columns_are_declared_for_the_engine_to_find() {
    let table = Backend::load(alloy_backend_init).function("picked");
    // SAFETY: one list of two columns and the end.
    unsafe {
        let columns = *table.columns;
        let text = |text| CStr::from_ptr(text).to_str().expect("UTF-8");
        let (b, a, end) = (&*columns, &*columns.add(1), &*columns.add(2));
        assert_eq!((text(b.name), text(a.name), text(a.accepts)), ("b", "a", "l u"));
        assert!(b.accepts.is_null() && end.name.is_null());
        assert!((*table.columns.add(1)).is_null());
        assert_eq!((table.min_inputs, table.max_inputs), (1, 1));
    }
    let table = Backend::load(alloy_backend_init).function("identity_stream");
    assert_eq!((table.min_inputs, table.max_inputs), (1, -1));
    assert!(table.columns.is_null());
}
