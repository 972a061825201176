// SPDX-License-Identifier: MIT
//! Runs the kernels of arrow-rs on each column of a batch, as an author without a line of
//! `unsafe` would. The kernels read what is below null rows too.
#![forbid(unsafe_op_in_unsafe_fn)]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::schema::{ArrowError, DataType, Field, Schema};
use arrowalloy::Error;

use crate::alloy_arrow::{Bind, Bound};

mod arrow {
    pub use arrow_array as array;
    pub use arrow_buffer as buffer;
    pub use arrow_data as data;
    pub use arrow_schema as schema;
}

arrowalloy::backend! {
    name: "test.kernels",
    arrow: crate::arrow,
    functions: [kernels],
}

arrowalloy::function! {
    /// The number of kernels that worked on each column, by its name.
    arrow fn kernels(inputs: 1) = bind_kernels
}

fn bind_kernels(_: &Bind<'_>) -> Result<Bound, Error> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("column", DataType::Utf8, false),
        Field::new("worked", DataType::Int64, false),
    ]));
    Ok(Bound::new(schema.clone(), move |_, batches| {
        let batch = batches.take()?;
        let names =
            batch.schema_ref().fields().iter().map(|field| Some(field.name().as_str()));
        let names: StringArray = names.collect();
        let worked: Int64Array =
            batch.columns().iter().map(|column| Some(count(column))).collect();
        Ok(RecordBatch::try_new(schema.clone(), vec![Arc::new(names), Arc::new(worked)])?)
    }))
}

// A kernel may refuse a type; it must not read outside its buffers.
fn count(column: &ArrayRef) -> i64 {
    all_kernels(column).into_iter().map(|worked| i64::from(worked.is_ok())).sum()
}

fn all_kernels(column: &ArrayRef) -> Vec<Result<(), ArrowError>> {
    let rows = column.len();
    let mut results = Vec::new();
    let mut note = |result: Result<ArrayRef, ArrowError>| {
        results.push(result.and_then(|array| array.to_data().validate_full()));
    };
    let backwards = arrow::array::UInt64Array::from_iter_values((0..rows as u64).rev());
    let odd: BooleanArray = (0..rows).map(|row| Some(row % 2 == 1)).collect();
    let mirrored = arrow_select::take::take(column, &backwards, None);
    if let Ok(other) = &mirrored {
        use arrow_ord::cmp;
        for compare in [cmp::eq, cmp::neq, cmp::lt, cmp::lt_eq, cmp::distinct] {
            note(compare(column, other).map(|found| Arc::new(found) as ArrayRef));
        }
        let both = [column.as_ref(), other.as_ref()];
        note(arrow_select::concat::concat(&both));
        let places: Vec<_> = (0..rows).map(|row| (row % 2, row)).collect();
        note(arrow_select::interleave::interleave(&both, &places));
        note(arrow_select::zip::zip(&odd, column, other));
    }
    note(mirrored);
    note(arrow_select::filter::filter(column, &odd));
    note(arrow_select::nullif::nullif(column, &odd));
    note(arrow_ord::sort::sort(column, None));
    note(arrow_ord::sort::sort_limit(column, None, Some(2)));
    note(by_row(column));
    for to in [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Binary,
        DataType::Int64,
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))),
    ] {
        note(arrow_cast::cast(column, &to));
    }
    let pattern = arrow::array::StringArray::new_scalar("%b_c%");
    let views = arrow::array::StringViewArray::new_scalar("%b_c%");
    for pattern in [&pattern as &dyn arrow::array::Datum, &views] {
        use arrow_string::like;
        for search in
            [like::like, like::ilike, like::nilike, like::contains, like::starts_with]
        {
            note(search(column, pattern).map(|found| Arc::new(found) as ArrayRef));
        }
    }
    note(arrow_string::length::length(column));
    note(arrow_string::substring::substring(column, 1, Some(2)));
    results
}

fn by_row(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let fields = vec![arrow_row::SortField::new(column.data_type().clone())];
    let converter = arrow_row::RowConverter::new(fields)?;
    let rows = converter.convert_columns(std::slice::from_ref(column))?;
    let mut columns = converter.convert_rows(&rows)?;
    columns.pop().ok_or_else(|| ArrowError::ComputeError("no column".to_owned()))
}
