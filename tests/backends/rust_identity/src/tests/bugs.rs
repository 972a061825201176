// SPDX-License-Identifier: MIT
//! Bugs of other implementations, tried against Alloy. The numbers are those of
//! docs/boundary.md.

use std::collections::HashMap;
use std::ptr::null;

use arrow_array::builder::{FixedSizeBinaryBuilder, MapBuilder, StringBuilder};
use arrow_array::{
    FixedSizeListArray, Int8Array, Int16Array, Int32Array, Int64Array, NullArray,
    RunArray, StringArray, StructArray, UnionArray,
};
use arrow_schema::{Fields, UnionFields};
use arrowalloy::{Code, Exporter};
use test_host::Failure;

use super::*;

// `usize::MAX` becomes -1: not counted.
const UNKNOWN: usize = usize::MAX;

// A batch of one column with these buffers, which the test keeps.
fn column(len: usize, nulls: usize, offset: usize, buffers: &[*const u8]) -> OwnedArray {
    let mut exporter = Exporter::default();
    exporter.node(len, 0, 0, 1, false);
    exporter.buffer(null::<u8>());
    exporter.node(len, nulls, offset, 0, false);
    buffers.iter().for_each(|buffer| exporter.buffer(*buffer));
    // SAFETY: the tests keep the buffers.
    unsafe { exporter.finish(()) }
}

fn run(data_type: DataType, batch: OwnedArray) -> OwnedArray {
    bind(&Field::new("column", data_type, true)).run(vec![batch]).expect("a result")
}

fn first(batch: &OwnedArray) -> &ArrowArray {
    // SAFETY: a batch of one column.
    unsafe { batch.raw().child(0).expect("a column") }
}

// At every offset, an array with this offset comes back equal to Arrow's own slice.
fn expect_parts(array: ArrayRef) {
    for offset in 0..array.len() {
        for len in 0..=array.len() - offset {
            let name = format!("{} at {offset}, {len} rows", array.data_type());
            expect_same(
                &name,
                cut(&array.to_data(), offset, len),
                &array.slice(offset, len),
            );
        }
    }
}

/// arrow-rs#6497, arrow#41016.
#[test]
fn an_unknown_null_count_is_counted() {
    let (values, bits) = ([1i64, 2, 3], [0b101u8]);
    let values = values.as_ptr().cast::<u8>();
    for (bitmap, expected) in [(bits.as_ptr(), 1), (null(), 0)] {
        let batch = run(DataType::Int64, column(3, UNKNOWN, 0, &[bitmap, values]));
        assert_eq!(first(&batch).null_count, expected);
    }
}

/// arrow-rs#1959, polars#22934.
#[test]
fn a_null_array_may_have_the_buffer_it_once_had() {
    let bits = [0u8];
    let batch = run(DataType::Null, column(3, 3, 0, &[bits.as_ptr()]));
    assert_eq!((first(&batch).length, first(&batch).n_buffers), (3, 0));
}

/// arrow-rs#3290.
#[test]
fn the_type_ids_of_a_union_are_no_validity() {
    let fields = UnionFields::try_new(
        [0, 1],
        [Field::new("a", DataType::Int8, false), Field::new("b", DataType::Int8, false)],
    );
    let children: Vec<ArrayRef> = vec![
        Arc::new(Int8Array::from(vec![1; 9])),
        Arc::new(Int8Array::from(vec![2; 9])),
    ];
    let union = UnionArray::try_new(
        fields.expect("fields"),
        vec![0, 0, 0, 0, 0, 0, 0, 1, 0].into(),
        None,
        children,
    );
    let union: ArrayRef = Arc::new(union.expect("a union"));
    let data =
        through(&Field::new("u", union.data_type().clone(), true), union.to_data());
    assert_eq!(data.null_count(), 0);
    expect_parts(union);
}

/// arrow-rs#10910, arrow-rs#7549.
#[test]
fn strings_of_no_rows_need_no_bytes_at_any_offset() {
    let offsets = [0i32, 0, 0, 0];
    for offset in [0, 3] {
        let start = offsets.as_ptr().cast();
        let batch = run(DataType::Utf8, column(0, 0, offset, &[null(), start, null()]));
        assert_eq!(first(&batch).length, 0);
    }
}

/// arrow-java#704.
#[test]
fn garbage_offsets_of_no_rows_are_not_followed() {
    let offsets = [i32::MAX, -5];
    let start = offsets.as_ptr().cast();
    let batch = run(DataType::Utf8, column(0, 0, 0, &[null(), start, null()]));
    // SAFETY: strings have offsets, also of no rows.
    unsafe { assert_eq!(first(&batch).buffer(1).cast::<i32>().read(), 0) };
}

/// arrow-rs#5896, polars#29323.
#[test]
fn slices_of_strings_count_their_offset_once() {
    let words = vec![Some("a"), None, Some("bcd"), Some(""), Some("ö and more"), None];
    expect_parts(Arc::new(StringArray::from(words)));
}

/// arrow-rs#3671, arrow#43267, nanoarrow#754, arrow-java#88.
#[test]
fn every_kind_of_buffer_counts_its_offset() {
    for (_, array) in cases::all() {
        expect_parts(array.slice(0, 5));
    }
}

/// arrow-rs#10835, polars#23214.
#[test]
fn sliced_structs_with_nulls_count_their_offset_once() {
    let inner: Fields = vec![Field::new("x", DataType::Int32, true)].into();
    let numbers: ArrayRef =
        Arc::new(Int32Array::from(vec![Some(1), None, Some(3), Some(4)]));
    let nulls = NullBuffer::from(vec![true, true, false, true]);
    let structs = StructArray::new(inner, vec![numbers], Some(nulls.clone()));
    let outer: Fields = vec![Field::new("s", structs.data_type().clone(), true)].into();
    expect_parts(Arc::new(StructArray::new(outer, vec![Arc::new(structs)], Some(nulls))));
}

/// polars#28583, arrow2#1026.
#[test]
fn sliced_values_of_fixed_size_count_their_offset_once() {
    let item = Arc::new(Field::new("item", DataType::Int8, true));
    let items: ArrayRef =
        Arc::new((0..12).map(|i| (i % 5 != 0).then_some(i)).collect::<Int8Array>());
    let nulls = NullBuffer::from(vec![true, false, true, true]);
    expect_parts(Arc::new(FixedSizeListArray::new(item, 3, items, Some(nulls))));
    let mut binary = FixedSizeBinaryBuilder::new(3);
    for text in [Some(b"abc"), None, Some(b"def"), Some(b"ghi")] {
        match text {
            Some(text) => binary.append_value(text).expect("three bytes"),
            None => binary.append_null(),
        }
    }
    expect_parts(Arc::new(binary.finish()));
}

/// arrow-rs#20, duckdb#9254.
#[test]
fn a_column_outlives_its_batch() {
    let array = Int64Array::from((0..1000).collect::<Vec<i64>>());
    let field = Field::new("column", DataType::Int64, true);
    let output =
        bind(&field).run(vec![batch(&field, array.to_data())]).expect("a result");
    drop(array);
    let batch = output.into_raw();
    // SAFETY: the child is moved out of its parent, which goes first.
    unsafe {
        let kept = OwnedArray::take(&mut **batch.children);
        drop(OwnedArray::take(&mut { batch }));
        assert_eq!(kept.raw().buffer(1).cast::<i64>().add(999).read(), 999);
    }
}

#[test]
fn values_beyond_the_last_run_are_cut_off() {
    let ends = Int16Array::from(vec![2, 5]);
    let runs = RunArray::try_new(&ends, &Int8Array::from(vec![7, 8])).expect("runs");
    let more = Int8Array::from(vec![7, 8, 9, 10]).into_data();
    let children = vec![ends.into_data(), more];
    let longer = runs.to_data().into_builder().child_data(children);
    // SAFETY: two runs, and two values that nobody looks at.
    let longer = unsafe { longer.build_unchecked() };
    expect_same("runs", longer, &(Arc::new(runs) as ArrayRef));
}

#[test]
fn a_width_of_zero_is_one() {
    let binary = ArrayData::builder(DataType::FixedSizeBinary(0)).len(4);
    let binary = binary.add_buffer(Buffer::from_vec(Vec::<u8>::new())).build();
    expect_parts(make_array(binary.expect("four times nothing")));
    let item = Arc::new(Field::new("item", DataType::Null, true));
    let items = NullArray::new(0).into_data();
    let lists = ArrayData::builder(DataType::FixedSizeList(item, 0)).len(4);
    expect_parts(make_array(lists.add_child_data(items).build().expect("four lists")));
}

#[test]
fn maps_with_entries_of_any_offset_come_back() {
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for i in 0..6 {
        for key in 0..i % 3 {
            map.keys().append_value(format!("{key}"));
            map.values().append_option((i % 2 == 0).then_some("value"));
        }
        map.append(i != 4).expect("a map");
    }
    expect_parts(Arc::new(map.finish()));
}

#[test]
fn a_function_gives_the_same_schema_each_time() {
    let pairs = |n: i32| (0..n).map(|i| (i.to_string(), String::new())).collect();
    let metadata: HashMap<String, String> = pairs(20);
    let field = Field::new("f", DataType::Int8, true).with_metadata(metadata.clone());
    let item = Field::new("list", DataType::new_list(DataType::Null, true), true);
    let schema = Schema::new(vec![field, item]).with_metadata(metadata);
    let bytes = || {
        let raw = own_schema(FFI_ArrowSchema::try_from(&schema).expect("a schema"));
        let call = Backend::load(alloy_backend_init).bind("identity", &[raw], &[]);
        let call = call.expect("a call");
        // SAFETY: 20 pairs: a count, and for each two lengths and a key of 1 or 2 bytes.
        unsafe {
            let root =
                std::slice::from_raw_parts(call.schema().metadata.cast::<u8>(), 194);
            let child = (**call.schema().children).metadata.cast::<u8>();
            (root.to_vec(), std::slice::from_raw_parts(child, 194).to_vec())
        }
    };
    let first = bytes();
    for _ in 0..8 {
        assert!(bytes() == first);
    }
}

fn refused(raw: OwnedSchema) -> Failure {
    Backend::load(alloy_backend_init)
        .bind("identity", &[raw], &[])
        .expect_err("a failure")
}

#[test]
fn what_arrow_rs_cannot_hold_is_an_error_that_names_the_column() {
    let export = |field: Field| {
        let schema = Schema::new(vec![field]);
        own_schema(FFI_ArrowSchema::try_from(&schema).expect("a schema"))
    };
    let dictionary =
        |values| DataType::Dictionary(Box::new(DataType::Int8), Box::new(values));
    let metadata: [i32; 5] = [1, 0, 0, 0, 0];
    let mut failures = Vec::new();

    let named = export(Field::new("a", DataType::Int8, true));
    // SAFETY: the name of the child is written over where it is.
    unsafe { (**named.raw().children).name.cast_mut().cast::<u8>().write(0xff) };
    failures.push(refused(named));

    let tagged = export(Field::new("d", dictionary(DataType::Utf8), true));
    // SAFETY: the dictionary of the child; its own metadata is none.
    unsafe {
        (*(**tagged.raw().children).dictionary).metadata = metadata.as_ptr().cast()
    };
    failures.push(refused(tagged));

    let ordered = export(Field::new("o", dictionary(dictionary(DataType::Utf8)), true));
    // SAFETY: as above.
    unsafe { (*(**ordered.raw().children).dictionary).flags |= 1 };
    failures.push(refused(ordered));

    for (failure, column) in failures.iter().zip(["\"\u{fffd}\"", "\"d\"", "\"o\""]) {
        assert_eq!(failure.code, Code::Unsupported as i32, "{failure:?}");
        assert!(failure.text.contains(column), "{failure:?}");
        assert!(failure.text.contains("cannot hold"), "{failure:?}");
    }
}
