// SPDX-License-Identifier: MIT
//! The functions seen from a host, on batches of arrow-rs that cross as C structs.

mod filtering;
mod grouping;
mod joining;
mod scaling;
mod sorting;

use std::mem::ManuallyDrop;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, from_ffi, to_ffi};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, Decimal128Array, DictionaryArray, Int64Array, RecordBatch,
    StringArray, StructArray,
};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Schema};
use arrowalloy::abi::{ArrowArray, ArrowSchema};
use arrowalloy::{OwnedArray, OwnedSchema};
use test_host::{Backend, Call, Events, Feed};

use crate::alloy_backend_init;

fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    let columns = columns.map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns).expect("a batch")
}

fn ints<const N: usize>(values: [Option<i64>; N]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts<const N: usize>(values: [Option<&str>; N]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn dictionary<const N: usize>(values: [Option<&str>; N]) -> ArrayRef {
    Arc::new(values.into_iter().collect::<DictionaryArray<Int32Type>>())
}

fn decimals<const N: usize>(
    precision: u8,
    scale: i8,
    values: [Option<i128>; N],
) -> ArrayRef {
    let array = Decimal128Array::from(values.to_vec());
    Arc::new(array.with_data_type(DataType::Decimal128(precision, scale)))
}

fn export_schema(schema: &Schema) -> OwnedSchema {
    let schema = ManuallyDrop::new(FFI_ArrowSchema::try_from(schema).expect("a schema"));
    // SAFETY: the same C struct, moved over.
    unsafe { OwnedSchema::from_raw((&raw const *schema).cast::<ArrowSchema>().read()) }
}

fn export(batch: &RecordBatch) -> OwnedArray {
    let data = StructArray::from(batch.clone()).to_data();
    let array = ManuallyDrop::new(to_ffi(&data).expect("an array").0);
    // SAFETY: the same C struct, moved over.
    unsafe { OwnedArray::take(&mut (&raw const *array).cast::<ArrowArray>().read()) }
}

// Right in every respect that arrow-rs knows.
fn import(schema: &ArrowSchema, array: OwnedArray) -> RecordBatch {
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

fn bind(function: &str, values: &[&str], schemas: &[&Schema]) -> Result<Call, String> {
    let schemas: Vec<_> = schemas.iter().map(|schema| export_schema(schema)).collect();
    let call = Backend::load(alloy_backend_init).bind(function, &schemas, values);
    call.map_err(|failure| failure.text)
}

// The batches of a stream function's output, for the batches of each input.
fn stream(
    function: &str,
    values: &[&str],
    inputs: &[&[RecordBatch]],
) -> Result<Vec<RecordBatch>, String> {
    let schemas: Vec<_> = inputs.iter().map(|batches| batches[0].schema()).collect();
    let schemas: Vec<&Schema> = schemas.iter().map(AsRef::as_ref).collect();
    let mut call = bind(function, values, &schemas)?;
    let feeds = inputs.iter().map(|batches| {
        Feed::new("input", batches.iter().map(export).collect(), &Events::default())
    });
    let mut output = call.open(feeds.collect()).map_err(|failure| failure.text)?;
    let mut batches = Vec::new();
    while let Some(batch) = output.next_batch().map_err(|failure| failure.text)? {
        batches.push(import(output.call().schema(), batch));
    }
    Ok(batches)
}

fn run(
    function: &str,
    values: &[&str],
    input: &RecordBatch,
) -> Result<RecordBatch, String> {
    let call = bind(function, values, &[&input.schema()])?;
    let output = call.run(vec![export(input)]).map_err(|failure| failure.text)?;
    Ok(import(call.schema(), output))
}

// The rows as text, a blank between two values.
fn rows(batches: &[RecordBatch]) -> Vec<String> {
    let options = FormatOptions::default().with_null("null");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| {
                ArrayFormatter::try_new(column.as_ref(), &options).expect("text")
            })
            .collect();
        rows.extend((0..batch.num_rows()).map(|row| {
            let values: Vec<_> =
                columns.iter().map(|column| column.value(row).to_string()).collect();
            values.join(" ")
        }));
    }
    rows
}

fn types(batches: &[RecordBatch]) -> Vec<DataType> {
    let schema = batches[0].schema();
    schema.fields().iter().map(|field| field.data_type().clone()).collect()
}

// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % limit
    }

    // One in ten is missing.
    fn perhaps(&mut self, limit: u64) -> Option<u64> {
        let value = self.below(limit);
        (self.below(10) != 0).then_some(value)
    }
}
