// SPDX-License-Identifier: MIT
//! Arrays of each kind of layout come back the same, through the batch and the stream.

use std::mem::ManuallyDrop;
use std::sync::Arc;

use crate::arrow::array::builder::{Int64Builder, ListBuilder};
use crate::arrow::array::types::Int8Type;
use crate::arrow::array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Int32Array,
    RecordBatch, StringArray, StringViewArray, StructArray, TimestampMicrosecondArray,
};
use crate::arrow::datatypes::{DataType, Field, Schema};
use crate::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrowalloy::abi::{ArrowArray, ArrowSchema};
use arrowalloy::{OwnedArray, OwnedSchema};
use test_host::{Backend, Events, Feed};

use crate::alloy_backend_init;

fn arrays() -> Vec<ArrayRef> {
    let mut lists = ListBuilder::new(Int64Builder::new());
    lists.append_value([Some(1), None]);
    lists.append_null();
    lists.append_value([]);
    lists.append_value([Some(4)]);
    let numbers = Int32Array::from(vec![Some(1), None, Some(3), Some(4)]);
    let dictionary: DictionaryArray<Int8Type> =
        [Some("a"), Some("b"), None, Some("a")].into_iter().collect();
    let moments = TimestampMicrosecondArray::from(vec![1, 2, 3, 4]);
    let field = Arc::new(Field::new("x", DataType::Int32, true));
    let decimals = Decimal128Array::from(vec![Some(1), None, Some(-3), Some(4)]);
    let texts = [Some("a"), None, Some("longer than twelve bytes"), Some("ö")];
    vec![
        Arc::new(numbers.clone()),
        Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)])),
        Arc::new(moments.with_timezone("UTC")),
        Arc::new(decimals.with_precision_and_scale(9, 2).expect("a decimal")),
        Arc::new(StringArray::from(texts.to_vec())),
        Arc::new(StringViewArray::from(texts.to_vec())),
        Arc::new(lists.finish()),
        Arc::new(dictionary),
        Arc::new(StructArray::from(vec![(field, Arc::new(numbers) as ArrayRef)])),
    ]
}

fn schema_of(batch: &RecordBatch) -> OwnedSchema {
    let schema = FFI_ArrowSchema::try_from(batch.schema().as_ref()).expect("a schema");
    let schema = ManuallyDrop::new(schema);
    // SAFETY: the same C struct, moved over.
    unsafe { OwnedSchema::from_raw((&raw const *schema).cast::<ArrowSchema>().read()) }
}

fn array_of(batch: &RecordBatch) -> OwnedArray {
    let data = StructArray::from(batch.clone()).to_data();
    let array = ManuallyDrop::new(to_ffi(&data).expect("an array").0);
    // SAFETY: the same C struct, moved over.
    unsafe { OwnedArray::take(&mut (&raw const *array).cast::<ArrowArray>().read()) }
}

fn batch_of(schema: &ArrowSchema, array: OwnedArray) -> RecordBatch {
    let array = ManuallyDrop::new(array.into_raw());
    // SAFETY: the same C structs; the array is moved over, the schema borrowed.
    let data = unsafe {
        let array = (&raw const *array).cast::<FFI_ArrowArray>().read();
        from_ffi(array, &*std::ptr::from_ref(schema).cast::<FFI_ArrowSchema>())
    };
    let data = data.expect("an array");
    data.validate_full().expect("a valid array");
    RecordBatch::from(StructArray::from(data))
}

fn batches() -> Vec<RecordBatch> {
    let columns = arrays();
    let fields = columns.iter().enumerate().map(|(index, column)| {
        Field::new(format!("c{index}"), column.data_type().clone(), true)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let whole = RecordBatch::try_new(schema, columns).expect("a batch");
    [(0, 4), (1, 3), (2, 1), (4, 0)].map(|(from, rows)| whole.slice(from, rows)).to_vec()
}

#[test]
fn a_batch_comes_back_the_same() {
    let backend = Backend::load(alloy_backend_init);
    for batch in batches() {
        let call = backend.bind("back", &[schema_of(&batch)], &[]).expect("a call");
        let output = call.run(vec![array_of(&batch)]).expect("a result");
        assert_eq!(batch_of(call.schema(), output), batch);
    }
}

#[test]
fn a_stream_comes_back_the_same() {
    let batches = batches();
    let backend = Backend::load(alloy_backend_init);
    let schema = schema_of(&batches[0]);
    let mut call = backend.bind("back_stream", &[schema], &[]).expect("a call");
    let feed =
        Feed::new("rows", batches.iter().map(array_of).collect(), &Events::default());
    let mut output = call.open(vec![feed]).expect("a stream");
    let schema = output.schema().expect("a schema");
    let back: Vec<_> =
        output.by_ref().map(|b| batch_of(schema.raw(), b.expect("a batch"))).collect();
    assert_eq!(back, batches);
}
