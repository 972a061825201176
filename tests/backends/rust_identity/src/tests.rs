// SPDX-License-Identifier: MIT
//! Arrays of every type, exported by arrow-rs itself, come back the same.

mod bugs;
mod cases;
mod random;
mod streams;

use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, from_ffi, to_ffi};
use arrow_array::{Array, ArrayRef, Int64Array, make_array};
use arrow_buffer::{Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Field, Schema};
use arrowalloy::abi::{ArrowArray, ArrowSchema};
use arrowalloy::{OwnedArray, OwnedSchema};
use test_host::{Backend, Call};

use crate::alloy_backend_init;

fn own_schema(schema: FFI_ArrowSchema) -> OwnedSchema {
    let schema = ManuallyDrop::new(schema);
    // SAFETY: the same C struct, moved over.
    unsafe { OwnedSchema::from_raw((&raw const *schema).cast::<ArrowSchema>().read()) }
}

fn own_array(array: FFI_ArrowArray) -> OwnedArray {
    let array = ManuallyDrop::new(array);
    // SAFETY: the same C struct, moved over.
    unsafe { OwnedArray::take(&mut (&raw const *array).cast::<ArrowArray>().read()) }
}

fn bind(field: &Field) -> Call {
    let schema = FFI_ArrowSchema::try_from(&Schema::new(vec![field.clone()]));
    let schema = own_schema(schema.expect("a schema"));
    let backend = Backend::load(alloy_backend_init);
    backend.bind("identity", &[schema], &[]).expect("a call")
}

// A batch of one column, whose offset is kept.
fn batch(field: &Field, column: ArrayData) -> OwnedArray {
    let data_type = DataType::Struct(vec![field.clone()].into());
    let data = ArrayData::builder(data_type).len(column.len()).add_child_data(column);
    // SAFETY: the column has the type of the field; a misaligned one is wanted.
    let data = unsafe { data.build_unchecked() };
    own_array(to_ffi(&data).expect("an array").0)
}

fn through(field: &Field, column: ArrayData) -> ArrayData {
    let call = bind(field);
    let output = call.run(vec![batch(field, column)]).expect("a result");
    // SAFETY: the same C structs; the array is moved over, the schema borrowed.
    let data = unsafe {
        let array = ManuallyDrop::new(output.into_raw());
        let array = (&raw const *array).cast::<FFI_ArrowArray>().read();
        from_ffi(array, &*std::ptr::from_ref(call.schema()).cast::<FFI_ArrowSchema>())
    };
    let data = data.expect("an array");
    data.validate_full().expect("a valid array");
    data.child_data()[0].clone()
}

fn expect_same(name: &str, column: ArrayData, expected: &ArrayRef) {
    let field = Field::new("column", column.data_type().clone(), true);
    let got = make_array(through(&field, column));
    assert_eq!(got.data_type(), expected.data_type(), "{name}");
    assert_eq!(got.len(), expected.len(), "{name}");
    // No validity, and validity without nulls, are the same.
    let nulls =
        |array: &dyn Array| array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    assert_eq!(nulls(&got), nulls(expected), "{name}");
    assert_eq!(&got, expected, "{name}");
}

// A part of an array, as an offset into the buffers and children of the whole.
fn cut(data: &ArrayData, offset: usize, len: usize) -> ArrayData {
    let nulls = data.nulls().map(|nulls| nulls.slice(offset, len));
    let builder = data.clone().into_builder().offset(data.offset() + offset).len(len);
    // SAFETY: a part of a right array.
    unsafe { builder.nulls(nulls).build_unchecked() }
}

#[test]
fn every_type_comes_back_the_same() {
    for (name, array) in cases::all() {
        expect_same(name, array.to_data(), &array);
    }
}

#[test]
fn every_type_comes_back_the_same_at_an_offset() {
    for (name, array) in cases::all() {
        for (offset, len) in [(1, 1), (3, array.len() - 3), (array.len(), 0)] {
            let part = array.slice(offset, len);
            expect_same(name, cut(&array.to_data(), offset, len), &part);
            expect_same(name, part.to_data(), &part);
        }
    }
}

#[test]
fn every_type_comes_back_the_same_inside_of_others() {
    for (name, array) in cases::all() {
        for (wrapped, array) in cases::wrap(&array) {
            let name = format!("{name} in {wrapped}");
            expect_same(&name, array.to_data(), &array);
            let rest = array.len() - 1;
            expect_same(&name, cut(&array.to_data(), 1, rest), &array.slice(1, rest));
        }
    }
}

#[test]
fn every_type_may_be_empty() {
    for (name, array) in cases::all() {
        expect_same(name, ArrayData::new_empty(array.data_type()), &array.slice(0, 0));
    }
}

// The seed is fixed, so every run tests the same arrays. To try others, set the environment
// variable ALLOY_SEED. A failure prints its seed.
fn seed() -> u64 {
    let text = std::env::var("ALLOY_SEED");
    text.map_or(1, |text| text.parse().expect("ALLOY_SEED must be a number"))
}

#[test]
fn random_arrays_come_back_the_same() {
    const ARRAYS: u64 = 5000;
    let mut seed = seed();
    let (mut compared, mut beyond) = (0, 0);
    while compared < ARRAYS {
        seed = seed.wrapping_add(1);
        let mut maker = random::Maker::new(seed);
        let data_type = maker.data_type(3);
        let (before, len) = (maker.below(18), maker.below(24));
        let behind = maker.below(3);
        let whole = maker.data(&data_type, before + len + behind);
        // Up to arrow 59, arrow-rs fails to slice some nested structs; then there is nothing
        // to compare with.
        let expected =
            std::panic::catch_unwind(|| make_array(whole.clone()).slice(before, len));
        let Ok(expected) = expected else {
            beyond += 1;
            continue;
        };
        let name = format!("ALLOY_SEED={}", seed.wrapping_sub(1));
        let same = std::panic::catch_unwind(AssertUnwindSafe(|| {
            expect_same(&name, cut(&whole, before, len), &expected);
        }));
        assert!(same.is_ok(), "{name}: {data_type}");
        compared += 1;
    }
    assert!(beyond * 20 < compared, "{beyond} arrays are beyond arrow-rs");
}

#[test]
fn every_kind_of_type_comes_back_the_same_at_every_offset() {
    let mut maker = random::Maker::new(1);
    for kind in 0..random::KINDS {
        let data_type = maker.kind(kind, 2);
        let whole = maker.data(&data_type, 29);
        for offset in 0..=17 {
            let expected = make_array(whole.clone()).slice(offset, 9);
            expect_same(&data_type.to_string(), cut(&whole, offset, 9), &expected);
        }
    }
}

/// arrow-rs#4431, #6471, #10028.
#[test]
fn misaligned_numbers_are_copied_to_where_they_may_be() {
    let bytes: Vec<u8> = (0..129).collect();
    let shifted = Buffer::from_vec(bytes.clone()).slice(1);
    let types = [
        (DataType::Int64, 16),
        (DataType::Float32, 32),
        (DataType::Decimal128(38, 0), 8),
        (DataType::Utf8View, 1),
    ];
    for (data_type, len) in types {
        let buffer = match data_type {
            DataType::Utf8View => {
                Buffer::from_vec([&[0][..], &[3, 0, 0, 0], b"abc", &[0; 9]].concat())
                    .slice(1)
            }
            _ => shifted.clone(),
        };
        let aligned = Buffer::from(buffer.as_slice());
        let build = |buffer| {
            let data = ArrayData::builder(data_type.clone()).len(len).add_buffer(buffer);
            // SAFETY: any bits make a number, and the view is right.
            unsafe { data.build_unchecked() }
        };
        let field = Field::new("column", data_type.clone(), true);
        let got = make_array(through(&field, build(buffer)));
        assert_eq!(&got, &make_array(build(aligned)), "{data_type}");
    }
}

// A batch of one column without nulls, whose values are at `start`.
fn batch_at(start: *const u8, offset: usize, len: usize) -> OwnedArray {
    let mut exporter = arrowalloy::Exporter::default();
    exporter.node(len, 0, 0, 1, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.node(len, 0, offset, 0, false);
    exporter.buffer(std::ptr::null::<u8>());
    exporter.buffer(start);
    // SAFETY: the tests keep the values.
    unsafe { exporter.finish(()) }
}

fn fixed_widths() -> [(DataType, usize); 3] {
    let interval = DataType::Interval(arrow_schema::IntervalUnit::MonthDayNano);
    [(DataType::Int64, 8), (DataType::Decimal128(38, 0), 16), (interval, 16)]
}

#[test]
fn of_misaligned_numbers_only_the_rows_that_are_there_are_copied() {
    for (data_type, width) in fixed_widths() {
        let bytes = Buffer::from_vec((0..100).collect::<Vec<u8>>());
        let values = bytes.as_ptr().wrapping_add(1);
        // A copy of the rows before these would read memory that does not exist.
        let offset = 1 << 38;
        let start = values.wrapping_sub(offset * width);
        let call = bind(&Field::new("column", data_type.clone(), true));
        let output = call.run(vec![batch_at(start, offset, 3)]).expect("a result");
        // SAFETY: the structs of the result.
        let copy = unsafe {
            let column = output.raw().child(0).expect("a column");
            let first = column.buffer(1).add(column.offset as usize * width);
            std::slice::from_raw_parts(first, 3 * width)
        };
        assert_eq!(copy, &bytes.as_slice()[1..=3 * width], "{data_type}");
    }
}

/// arrow-rs#7549.
#[test]
fn of_no_rows_a_dangling_misaligned_buffer_is_not_read() {
    for (data_type, _) in fixed_widths() {
        let dangling = std::ptr::without_provenance(1);
        for offset in [0, 3] {
            let call = bind(&Field::new("column", data_type.clone(), true));
            let output = call.run(vec![batch_at(dangling, offset, 0)]).expect("a result");
            assert_eq!((output.raw().length, output.raw().n_children), (0, 1));
        }
    }
}

#[test]
fn nothing_is_copied_on_the_way() {
    let nulls = NullBuffer::from((0..64).map(|i| i % 3 != 0).collect::<Vec<_>>());
    let array = Int64Array::new((0..64).collect::<Vec<i64>>().into(), Some(nulls));
    let field = Field::new("column", DataType::Int64, true);
    for (offset, len) in [(0, 64), (5, 50), (8, 9)] {
        let data = array.to_data().slice(offset, len);
        let call = bind(&field);
        let output = call.run(vec![batch(&field, data)]).expect("a result");
        // SAFETY: the structs of the result.
        let (bits, values, first) = unsafe {
            let column = output.raw().child(0).expect("a column");
            assert_eq!(column.length as usize, len);
            (column.buffer(0), column.buffer(1), column.offset as usize)
        };
        let expected = array.values()[offset..].as_ptr().cast::<u8>();
        assert_eq!(values.wrapping_add(first * 8), expected, "{offset}");
        let bits_of = array.nulls().expect("nulls").buffer().as_ptr();
        assert_eq!(
            (bits as usize) * 8 + first,
            (bits_of as usize) * 8 + offset,
            "{offset}"
        );
    }
}

#[test]
fn null_buffers_of_no_length_are_none_to_miss() {
    for (format, n_buffers) in [("u", 3), ("U", 3), ("l", 2), ("b", 2), ("vu", 3)] {
        let data_type = match format {
            "u" => DataType::Utf8,
            "U" => DataType::LargeUtf8,
            "l" => DataType::Int64,
            "b" => DataType::Boolean,
            _ => DataType::Utf8View,
        };
        let mut exporter = arrowalloy::Exporter::default();
        exporter.node(0, 0, 0, 1, false);
        exporter.buffer(std::ptr::null::<u8>());
        exporter.node(0, 0, 0, 0, false);
        (0..n_buffers).for_each(|_| exporter.buffer(std::ptr::null::<u8>()));
        // SAFETY: there is nothing to stay valid.
        let batch = unsafe { exporter.finish(()) };
        let call = bind(&Field::new("column", data_type, true));
        let output = call.run(vec![batch]).expect("a result");
        assert_eq!((output.raw().length, output.raw().n_children), (0, 1), "{format}");
    }
}

/// arrow-rs#10513, arrow#34983, arrow#44714.
#[test]
fn schemas_keep_what_they_say() {
    let dictionary =
        DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    let entries = DataType::Struct(
        vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", DataType::Int64, false),
        ]
        .into(),
    );
    let fields = vec![
        Field::new("plain", DataType::Int64, false),
        Field::new("ordered", dictionary, true).with_dict_is_ordered(true),
        Field::new(
            "map",
            DataType::Map(Arc::new(Field::new("entries", entries, false)), true),
            true,
        ),
        Field::new("ö", DataType::Utf8, true)
            .with_metadata(HashMap::from([("a".to_owned(), "b".to_owned())])),
        Field::new(
            "zoned",
            DataType::Timestamp(arrow_schema::TimeUnit::Second, Some("+01:00".into())),
            true,
        ),
    ];
    let schema = Schema::new(fields)
        .with_metadata(HashMap::from([("k".to_owned(), "v".to_owned())]));
    let raw = own_schema(FFI_ArrowSchema::try_from(&schema).expect("a schema"));
    // Up to arrow 59, the export loses this.
    // SAFETY: the third child of the schema.
    unsafe {
        (**raw.raw().children.add(2)).flags |= arrowalloy::abi::FLAG_MAP_KEYS_SORTED
    };
    let call =
        Backend::load(alloy_backend_init).bind("identity", &[raw], &[]).expect("a call");
    // SAFETY: the same C struct, borrowed.
    let got = unsafe { &*std::ptr::from_ref(call.schema()).cast::<FFI_ArrowSchema>() };
    assert!(got.child(1).dictionary_ordered());
    assert!(got.child(2).map_keys_sorted());
    assert_eq!(Schema::try_from(got).expect("a schema"), schema);
}
