// SPDX-License-Identifier: MIT
//! What arrow2's own import reads wrong comes back right, or is refused by name.

use std::ffi::CString;
use std::mem::ManuallyDrop;
use std::ptr::{from_ref, null};

use arrow2::datatypes::{DataType, Field, UnionMode};
use arrow2::ffi::export_field_to_c;
use arrowalloy::abi::{ArrowArray, ArrowSchema};
use arrowalloy::{Code, Exporter, OwnedArray, OwnedSchema};
use test_host::{Backend, Failure};

use crate::alloy_backend_init;

// `usize::MAX` becomes -1: nobody has counted.
const UNKNOWN: usize = usize::MAX;

fn schema(data_type: DataType) -> OwnedSchema {
    let root = DataType::Struct(vec![Field::new("x", data_type, true)]);
    let schema = ManuallyDrop::new(export_field_to_c(&Field::new("", root, false)));
    // SAFETY: the same C struct, moved over.
    unsafe { OwnedSchema::from_raw(from_ref(&*schema).cast::<ArrowSchema>().read()) }
}

// Runs the echo on a column of these rows, which `build` describes.
fn echo(
    data_type: DataType,
    rows: usize,
    build: impl FnOnce(&mut Exporter),
) -> OwnedArray {
    let mut exporter = Exporter::default();
    exporter.node(rows, 0, 0, 1, false);
    exporter.buffer(null::<u8>());
    build(&mut exporter);
    // SAFETY: the tests keep the buffers.
    let batch = unsafe { exporter.finish(()) };
    let call = Backend::load(alloy_backend_init).bind("echo", &[schema(data_type)], &[]);
    call.expect("a call").run(vec![batch]).expect("a result")
}

fn bytes(exporter: &mut Exporter, rows: usize, values: &[i8]) {
    exporter.node(rows, 0, 0, 0, false);
    exporter.buffer(null::<u8>());
    exporter.buffer(values.as_ptr());
}

fn first(array: &ArrowArray) -> &ArrowArray {
    // SAFETY: an array with a child.
    unsafe { array.child(0).expect("a child") }
}

fn values(array: &ArrowArray) -> &[i8] {
    // SAFETY: an array of bytes.
    unsafe {
        let start = array.buffer(1).add(array.offset as usize).cast();
        std::slice::from_raw_parts(start, array.length as usize)
    }
}

/// arrow-rs#6497, which arrow2 has as well.
#[test]
fn an_unknown_null_count_is_counted() {
    let (data, bits) = ([1i8, 2, 3], [0b101u8]);
    for (bitmap, nulls) in [(bits.as_ptr(), 1), (null(), 0)] {
        let batch = echo(DataType::Int8, 3, |exporter| {
            exporter.node(3, UNKNOWN, 0, 0, false);
            exporter.buffer(bitmap);
            exporter.buffer(data.as_ptr());
        });
        assert_eq!(first(batch.raw()).null_count, nulls);
    }
}

/// polars#28583.
#[test]
fn a_sliced_list_of_fixed_size_has_its_own_values() {
    let data = [0i8, 1, 2, 3, 4, 5, 6, 7];
    let item = Field::new("item", DataType::Int8, true);
    let batch = echo(DataType::FixedSizeList(Box::new(item), 2), 2, |exporter| {
        exporter.node(2, 0, 1, 1, false);
        exporter.buffer(null::<u8>());
        bytes(exporter, 8, &data);
    });
    assert_eq!(values(first(first(batch.raw()))), [2, 3, 4, 5]);
}

/// arrow-rs#10835, polars#23214.
#[test]
fn a_sliced_struct_with_nulls_has_its_own_values() {
    let (data, bits) = ([0i8, 1, 2, 3], [0b0110u8]);
    let fields = vec![Field::new("a", DataType::Int8, true)];
    let batch = echo(DataType::Struct(fields), 3, |exporter| {
        exporter.node(3, 1, 1, 1, false);
        exporter.buffer(bits.as_ptr());
        bytes(exporter, 4, &data);
    });
    let column = first(batch.raw());
    assert_eq!((column.null_count, column.offset), (1, 0));
    assert_eq!(values(first(column)), [1, 2, 3]);
}

#[test]
fn a_sliced_union_has_its_own_values() {
    let (ids, data) = ([0i8; 4], [0i8, 1, 2, 3]);
    let fields = vec![Field::new("a", DataType::Int8, true)];
    let batch = echo(DataType::Union(fields, None, UnionMode::Sparse), 2, |exporter| {
        exporter.node(2, 0, 2, 1, false);
        exporter.buffer(ids.as_ptr());
        bytes(exporter, 4, &data);
    });
    assert_eq!(values(first(first(batch.raw()))), [2, 3]);
}

// The schema of a column of this format.
fn refused(format: &str) -> Failure {
    let schema = schema(DataType::Int8);
    let format = CString::new(format).expect("no NUL");
    // SAFETY: the format of the child is put back before the schema goes.
    unsafe {
        let child = &mut **schema.raw().children;
        let own = std::mem::replace(&mut child.format, format.as_ptr());
        let schemas = [schema];
        let failure = Backend::load(alloy_backend_init).bind("echo", &schemas, &[]);
        (**schemas[0].raw().children).format = own;
        failure.expect_err("a failure")
    }
}

#[test]
fn what_arrow2_cannot_hold_is_unsupported() {
    for format in ["d:9,2,32", "d:18,2,64", "vu", "vz", "+s", "w:0"] {
        let failure = refused(format);
        assert_eq!(failure.code, Code::Unsupported as i32, "{format}: {failure:?}");
        assert!(failure.text.contains("cannot hold"), "{failure:?}");
    }
}
