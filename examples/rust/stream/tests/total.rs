// SPDX-License-Identifier: MIT
//! Calls the function through its table, from a host that is written in Rust.

use arrowalloy::{ColumnSchema, Exporter, OwnedArray, OwnedSchema};
use test_host::{Backend, Events, Feed};
use total_rust::alloy_backend_init;

fn batch(price: Vec<f64>, count: Vec<i64>) -> OwnedArray {
    let mut exporter = Exporter::default();
    exporter.node(price.len(), 0, 0, 2, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.node(price.len(), 0, 0, 0, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.buffer(price.as_ptr());
    exporter.node(count.len(), 0, 0, 0, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.buffer(count.as_ptr());
    // SAFETY: the buffers belong to the vectors, which become the owner.
    unsafe { exporter.finish((price, count)) }
}

#[test]
fn the_total_continues_from_batch_to_batch() {
    let price = ColumnSchema { name: "price", format: c"g", nullable: true };
    let count = ColumnSchema { name: "count", format: c"l", nullable: true };
    let schema = OwnedSchema::batch(&[price, count]).expect("a schema");
    let backend = Backend::load(alloy_backend_init);
    let mut call = backend.bind("running_total", &[schema], &["0.5"]).expect("a call");
    let batches = vec![
        batch(vec![1.0, 2.0], vec![1, 3]),
        batch(vec![], vec![]),
        batch(vec![4.0], vec![2]),
    ];
    let feed = Feed::new("sales", batches, &Events::default());
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
    assert_eq!(totals, [1.5, 7.5, 15.5]);
}
