// SPDX-License-Identifier: MIT
//! The summary of a batch, as the host sees it.

use arrowalloy::{ColumnSchema, Exporter, OwnedArray, OwnedSchema};
use test_host::Backend;

use crate::alloy_backend_init;

// The columns `a` (int64, no nulls) and `b` (float64, a null in the middle).
fn batch() -> (OwnedSchema, OwnedArray) {
    let column = |name, format| ColumnSchema { name, format, nullable: true };
    let schema = OwnedSchema::batch(&[column("a", c"l"), column("b", c"g")]);
    let owner = (vec![1i64, 5, -3], vec![0.5f64, 99.0, 2.0], vec![0b101u8]);
    let mut exporter = Exporter::default();
    exporter.node(3, 0, 0, 2, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.node(3, 0, 0, 0, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.buffer(owner.0.as_ptr());
    exporter.node(3, 1, 0, 0, false);
    exporter.buffer(owner.2.as_ptr());
    exporter.buffer(owner.1.as_ptr());
    // SAFETY: the buffers are those of the vectors, which become the owner.
    (schema.expect("a schema"), unsafe { exporter.finish(owner) })
}

#[test]
fn a_row_for_each_column() {
    let (schema, batch) = batch();
    let call = Backend::load(alloy_backend_init).bind("summary_of_batch", &[schema], &[]);
    let output = call.expect("a call").run(vec![batch]).expect("a result");
    let root = output.raw();
    assert_eq!((root.length, root.n_children), (2, 8));
    // SAFETY: the structs of the result: text, text, two of int64, four of float64.
    let (texts, counts, numbers) = unsafe {
        let values = |index: usize| root.child(index).expect("a column").buffer(1);
        let texts = [0, 1].map(|index| {
            let column = root.child(index).expect("a column");
            let ends = std::slice::from_raw_parts(column.buffer(1).cast::<i32>(), 3);
            [0, 1].map(|row| {
                let (first, end) = (ends[row] as usize, ends[row + 1] as usize);
                let text =
                    std::slice::from_raw_parts(column.buffer(2).add(first), end - first);
                String::from_utf8_lossy(text).into_owned()
            })
        });
        let counts =
            [2, 3].map(|index| values(index).cast::<[i64; 2]>().read_unaligned());
        let numbers =
            [4, 5, 6, 7].map(|index| values(index).cast::<[f64; 2]>().read_unaligned());
        (texts, counts, numbers)
    };
    // The host of these tests names a type by its C format.
    assert_eq!(texts, [["a", "b"], ["l", "g"]]);
    assert_eq!(counts, [[3, 3], [0, 1]]);
    assert_eq!(numbers, [[-3.0, 0.5], [5.0, 2.0], [1.0, 1.25], [3.0, 2.5]]);
}
