// SPDX-License-Identifier: MIT
//! Calls the function through its table, from a host that is written in Rust.

use arrowalloy::{ColumnSchema, Exporter, OwnedArray, OwnedSchema};
use test_host::{Backend, Events, Feed};
use total_rust::alloy_backend_init;

fn batch(x: Vec<f64>) -> OwnedArray {
    let mut exporter = Exporter::default();
    exporter.node(x.len(), 0, 0, 1, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.node(x.len(), 0, 0, 0, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.buffer(x.as_ptr());
    // SAFETY: the buffer belongs to the vector, which becomes the owner.
    unsafe { exporter.finish(x) }
}

#[test]
fn the_total_continues_from_batch_to_batch() {
    let schema = ColumnSchema { name: "x", format: c"g", nullable: true };
    let schema = OwnedSchema::batch(&[schema]).expect("a schema");
    let backend = Backend::load(alloy_backend_init);
    let mut call = backend.bind("running_total", &[schema], &[]).expect("a call");
    let batches = vec![batch(vec![1.0, 2.0]), batch(vec![]), batch(vec![4.0])];
    let feed = Feed::new("points", batches, &Events::default());
    let output = call.open(vec![feed]).expect("a stream");
    let totals: Vec<f64> = output
        .flat_map(|batch| {
            let batch = batch.expect("a batch");
            // SAFETY: the batch has one column of doubles, one for each row.
            unsafe {
                let column = batch.raw().child(0).expect("a column");
                let values = column.buffer(1).cast::<f64>();
                (0..column.length as usize)
                    .map(|row| *values.add(row))
                    .collect::<Vec<_>>()
            }
        })
        .collect();
    assert_eq!(totals, [1.0, 3.0, 7.0]);
}
