// SPDX-License-Identifier: MIT
//! What arrow2 would read wrong is refused, and nothing else.

use std::mem::ManuallyDrop;
use std::ptr::{from_ref, null};

use arrow2::datatypes::{DataType, Field, IntegerType, UnionMode};
use arrow2::ffi::export_field_to_c;
use arrowalloy::abi::ArrowSchema;
use arrowalloy::{Code, Exporter, OwnedArray, OwnedSchema};
use test_host::{Backend, Failure};

use crate::alloy_backend_init;

// Of zeros are right values, offsets, indices and type ids of every type.
#[repr(align(64))]
struct Zeros([u8; 512]);

static ZEROS: Zeros = Zeros([0; 512]);

const ROWS: usize = 4;
const OFFSET: usize = 3;

// The nodes of a column, one buffer of which is where the second argument says.
type Build = fn(&mut Exporter, *const u8);

fn zeros() -> *const u8 {
    ZEROS.0.as_ptr()
}

fn node(exporter: &mut Exporter, n_children: usize, buffers: &[*const u8]) {
    exporter.node(ROWS, 0, OFFSET, n_children, false);
    buffers.iter().for_each(|buffer| exporter.buffer(*buffer));
}

// A child long enough for an offset of its parent, and for two slots to each row.
fn child(exporter: &mut Exporter, buffers: &[*const u8]) {
    exporter.node(2 * (ROWS + OFFSET), 0, 0, 0, false);
    buffers.iter().for_each(|buffer| exporter.buffer(*buffer));
}

fn echo(
    data_type: &DataType,
    build: Build,
    at: *const u8,
) -> Result<OwnedArray, Failure> {
    let column = Field::new("x", data_type.clone(), true);
    let root = Field::new("", DataType::Struct(vec![column]), false);
    let schema = ManuallyDrop::new(export_field_to_c(&root));
    // SAFETY: the same C struct, moved over.
    let schema =
        unsafe { OwnedSchema::from_raw(from_ref(&*schema).cast::<ArrowSchema>().read()) };
    let mut exporter = Exporter::default();
    exporter.node(ROWS, 0, 0, 1, false);
    exporter.buffer(null::<u8>());
    build(&mut exporter, at);
    // SAFETY: the buffers are static.
    let batch = unsafe { exporter.finish(()) };
    let call = Backend::load(alloy_backend_init).bind("echo", &[schema], &[]);
    call.expect("a call").run(vec![batch])
}

fn item(data_type: DataType) -> Field {
    Field::new("item", data_type, true)
}

fn dictionary(exporter: &mut Exporter, keys: *const u8, offsets: *const u8) {
    exporter.node(ROWS, 0, OFFSET, 0, true);
    [null(), keys].iter().for_each(|buffer| exporter.buffer(*buffer));
    child(exporter, &[null(), offsets, zeros()]);
}

// Types with a buffer of more than bytes, in every place where one can be.
fn needy() -> Vec<(DataType, Build)> {
    let flat: Build = |exporter, at| node(exporter, 0, &[null(), at]);
    let bytes: Build = |exporter, at| node(exporter, 0, &[null(), at, zeros()]);
    let list: Build = |exporter, at| {
        node(exporter, 1, &[null(), at]);
        child(exporter, &[null(), zeros()]);
    };
    let list_child: Build = |exporter, at| {
        node(exporter, 1, &[null(), zeros()]);
        child(exporter, &[null(), at]);
    };
    let only_child: Build = |exporter, at| {
        node(exporter, 1, &[null()]);
        child(exporter, &[null(), at]);
    };
    let keys: Build = |exporter, at| dictionary(exporter, at, zeros());
    let values: Build = |exporter, at| dictionary(exporter, zeros(), at);
    let union: Build = |exporter, at| {
        // At no offset: that of a union arrow2 counts twice, and fails.
        exporter.node(ROWS, 0, 0, 1, false);
        [zeros(), at].iter().for_each(|buffer| exporter.buffer(*buffer));
        child(exporter, &[null(), zeros()]);
    };
    let ints = || Box::new(item(DataType::Int64));
    let dictionary_type =
        DataType::Dictionary(IntegerType::Int16, Box::new(DataType::Utf8), false);
    let extension = DataType::Extension("e".to_owned(), Box::new(DataType::Int64), None);
    vec![
        (DataType::Int16, flat),
        (DataType::Int64, flat),
        (DataType::Float32, flat),
        (DataType::Decimal(38, 0), flat),
        (extension, flat),
        (DataType::Utf8, bytes),
        (DataType::LargeBinary, bytes),
        (DataType::List(ints()), list),
        (DataType::LargeList(ints()), list),
        (DataType::List(ints()), list_child),
        (DataType::FixedSizeList(ints(), 2), only_child),
        (DataType::Struct(vec![item(DataType::Int64)]), only_child),
        (dictionary_type.clone(), keys),
        (dictionary_type, values),
        (DataType::Union(vec![item(DataType::Int64)], None, UnionMode::Dense), union),
    ]
}

#[test]
fn misaligned_buffers_are_refused_by_the_name_of_their_column() {
    for (data_type, build) in needy() {
        let failure = echo(&data_type, build, zeros().wrapping_add(1));
        let failure = failure.expect_err("a failure");
        assert_eq!(failure.code, Code::BadData as i32, "{data_type:?}");
        assert_eq!(
            failure.text,
            "column x: arrow2 needs aligned buffers; copy the column or use arrow-rs",
            "{data_type:?}"
        );
    }
}

#[test]
fn aligned_buffers_come_back() {
    for (data_type, build) in needy() {
        let output = echo(&data_type, build, zeros().wrapping_add(64));
        assert!(output.is_ok(), "{data_type:?}: {output:?}");
    }
}

#[test]
fn bytes_and_bits_lie_where_they_like() {
    let flat: Build = |exporter, at| node(exporter, 0, &[null(), at]);
    let data: Build = |exporter, at| node(exporter, 0, &[null(), zeros(), at]);
    let cases = [
        (DataType::Int8, flat),
        (DataType::Boolean, flat),
        (DataType::FixedSizeBinary(3), flat),
        (DataType::Utf8, data),
    ];
    for (data_type, build) in cases {
        let output = echo(&data_type, build, zeros().wrapping_add(1));
        assert!(output.is_ok(), "{data_type:?}: {output:?}");
    }
}
