// SPDX-License-Identifier: MIT
//! A batch goes out as one block, which is freed with the last of its structs.

use std::ffi::CStr;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrowalloy::abi::{ArrowArray, ArrowSchema};
use arrowalloy::{ColumnSchema, Exporter, OwnedArray, OwnedSchema};

struct Owner {
    values: Vec<i64>,
    dropped: Arc<AtomicUsize>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.values.clear();
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

// A batch of two columns: numbers, and a list of numbers beside a dictionary.
fn batch(exporter: &mut Exporter, dropped: &Arc<AtomicUsize>) -> OwnedArray {
    let owner = Owner { values: (0..8).collect(), dropped: dropped.clone() };
    let none = ptr::null::<u8>();
    exporter.start();
    exporter.node(8, 0, 0, 3, false);
    exporter.buffer(none);
    for n_children in [0, 1] {
        exporter.node(8, 0, 0, n_children, false);
        exporter.buffer(none);
        exporter.buffer(owner.values.as_ptr());
    }
    exporter.node(4, 1, 2, 0, false);
    exporter.buffer(none);
    exporter.buffer(owner.values.as_ptr());
    exporter.node(8, 0, 0, 0, true);
    exporter.buffer(none);
    exporter.buffer(owner.values.as_ptr());
    exporter.node(2, 0, 0, 0, false);
    exporter.buffer(none);
    exporter.buffer(owner.values.as_ptr());
    // SAFETY: the buffers are those of the vector, which the owner keeps.
    unsafe { exporter.finish(owner) }
}

fn take(parent: &ArrowArray, index: usize) -> OwnedArray {
    // SAFETY: the child is in its place, and is moved out.
    unsafe { OwnedArray::take(&mut **parent.children.add(index)) }
}

#[test]
fn the_tree_is_as_it_was_told() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let batch = batch(&mut Exporter::default(), &dropped);
    let root = batch.raw();
    assert_eq!((root.length, root.n_buffers, root.n_children), (8, 1, 3));
    // SAFETY: the structs of the batch.
    unsafe {
        let list = root.child(1).expect("a list");
        let item = list.child(0).expect("its item");
        assert_eq!((item.length, item.null_count, item.offset), (4, 1, 2));
        assert_eq!(item.buffer(1).cast::<i64>().add(7).read(), 7);
        assert!(item.buffer(2).is_null() && item.child(0).is_none());
        let indices = root.child(2).expect("indices");
        assert_eq!((*indices.dictionary).length, 2);
    }
    drop(batch);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

#[test]
fn nodes_that_are_no_tree_panic_before_anything_is_written() {
    // The number of children of each node, and whether it has a dictionary.
    let cases: [&[(usize, bool)]; 7] = [
        &[],
        &[(5000, false)],
        &[(0, true)],
        &[(0, false), (0, false)],
        &[(1, false), (0, false), (0, false)],
        &[(1, false), (1, false)],
        &[(2, false), (0, true), (0, false)],
    ];
    for nodes in cases {
        let dropped = Arc::new(AtomicUsize::new(0));
        let owner = Owner { values: vec![1], dropped: dropped.clone() };
        let finished = std::panic::catch_unwind(move || {
            let mut exporter = Exporter::default();
            exporter.start();
            for (n_children, has_dictionary) in nodes {
                exporter.node(0, 0, 0, *n_children, *has_dictionary);
            }
            // SAFETY: there is no buffer.
            unsafe { exporter.finish(owner) }
        });
        let panic = finished.expect_err("a panic");
        let text = panic.downcast_ref::<&str>();
        assert_eq!(text, Some(&"the nodes do not form one tree"), "{nodes:?}");
        assert_eq!(dropped.load(Ordering::SeqCst), 1, "{nodes:?}");
    }
}

#[test]
fn children_are_released_on_their_own_in_any_order() {
    let mut exporter = Exporter::default();
    for order in 0..16 {
        let dropped = Arc::new(AtomicUsize::new(0));
        let batch = batch(&mut exporter, &dropped);
        let mut parts: Vec<OwnedArray> = (0..3)
            .filter(|i| order >> i & 1 == 1)
            .map(|i| take(batch.raw(), i))
            .collect();
        // If the list was moved, move its item out of it as well.
        if let Some(list) = parts.iter().find(|part| part.raw().n_children == 1) {
            let item = take(list.raw(), 0);
            parts.push(item);
        }
        parts.insert(if order >> 3 == 1 { parts.len() } else { 0 }, batch);
        while parts.len() > 1 {
            drop(parts.remove(0));
            assert_eq!(dropped.load(Ordering::SeqCst), 0, "order {order}");
        }
        drop(parts);
        assert_eq!(dropped.load(Ordering::SeqCst), 1, "order {order}");
    }
}

#[test]
fn children_are_released_from_any_thread_at_once() {
    for _ in 0..200 {
        let dropped = Arc::new(AtomicUsize::new(0));
        let batch = batch(&mut Exporter::default(), &dropped);
        let parts: Vec<OwnedArray> =
            (0..3).map(|index| take(batch.raw(), index)).collect();
        std::thread::scope(|scope| {
            for part in parts.into_iter().chain([batch]) {
                scope.spawn(move || drop(part));
            }
        });
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn a_struct_put_in_the_place_of_a_child_is_released_with_it() {
    let dropped = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
    let mut exporter = Exporter::default();
    let first = batch(&mut exporter, &dropped[0]);
    let second = batch(&mut exporter, &dropped[1]);
    drop(take(first.raw(), 0));
    // SAFETY: the place is the first batch's, and is released.
    unsafe { **first.raw().children = second.into_raw() };
    drop(first);
    assert_eq!(dropped.map(|count| count.load(Ordering::SeqCst)), [1, 1]);
}

#[test]
fn columns_of_their_own_make_a_batch() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let columns: Vec<OwnedArray> =
        (0..2).map(|_| batch(&mut Exporter::default(), &dropped)).collect();
    let batch = OwnedArray::from_columns(8, columns);
    let first = take(batch.raw(), 0);
    drop(batch);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    assert_eq!(first.raw().n_children, 3);
    drop(first);
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
}

#[test]
fn columns_may_be_moved_out_of_a_schema_that_outlives_them_or_not() {
    let columns =
        ["a", "b"].map(|name| ColumnSchema { name, format: c"l", nullable: true });
    let schema = OwnedSchema::batch(&columns).expect("a schema");
    let mut taken: Vec<OwnedSchema> = Vec::new();
    for index in 0..2 {
        // SAFETY: the child is in its place, and is moved out.
        taken.push(unsafe {
            let place = *schema.raw().children.add(index);
            OwnedSchema::from_raw(ptr::replace(place, ArrowSchema::released()))
        });
    }
    drop(taken.pop());
    drop(schema);
    // SAFETY: a column owns its name.
    let name = unsafe { CStr::from_ptr(taken[0].raw().name) };
    assert_eq!(name, c"a");
}
