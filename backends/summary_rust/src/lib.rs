// SPDX-License-Identifier: MIT
//! The summary of a batch: one row for each column, with its type, rows and nulls. For
//! numbers also the minimum, the maximum, the mean and the sum.

mod numbers;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::schema::{DataType, Field, Schema, SchemaRef};
use arrowalloy::{Error, Scope};

use crate::alloy_arrow::{Bind, Bound};
use crate::numbers::{Numbers, summarize};

mod arrow {
    pub use arrow_array as array;
    pub use arrow_buffer as buffer;
    pub use arrow_data as data;
    pub use arrow_schema as schema;
}

arrowalloy::backend! {
    name: "alloy.summary",
    arrow: crate::arrow,
    functions: [summary],
}

arrowalloy::function! {
    /// Type, rows, nulls, minimum, maximum, mean and sum of each column.
    #[flags(idempotent)]
    arrow fn summary(inputs: 1) = bind_summary
}

fn bind_summary(bind: &Bind<'_>) -> Result<Bound, Error> {
    let input = bind.schema();
    let fields = input.fields();
    // Names and types are the same for every batch, so all results share them.
    let names = StringArray::from_iter_values(fields.iter().map(|field| field.name()));
    let types: Vec<String> =
        fields.iter().map(|field| bind.type_name(field)).collect::<Result<_, _>>()?;
    let fixed: [ArrayRef; 2] = [Arc::new(names), Arc::new(StringArray::from(types))];
    let schema = schema();
    Ok(Bound::new(schema.clone(), move |scope, batches| {
        let batch = batches.take()?;
        run_summary(scope, &batch, &fixed, &schema)
    }))
}

fn schema() -> SchemaRef {
    let number = |name| Field::new(name, DataType::Float64, true);
    Arc::new(Schema::new(vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("type", DataType::Utf8, false),
        Field::new("rows", DataType::Int64, false),
        Field::new("nulls", DataType::Int64, false),
        number("min"),
        number("max"),
        number("mean"),
        number("sum"),
    ]))
}

fn run_summary(
    scope: Scope<'_>,
    batch: &RecordBatch,
    [names, types]: &[ArrayRef; 2],
    schema: &SchemaRef,
) -> Result<RecordBatch, Error> {
    let mut numbers = Vec::with_capacity(batch.num_columns());
    for column in batch.columns() {
        scope.check()?;
        numbers.push(summarize(column.as_ref()));
    }
    let rows = vec![batch.num_rows() as i64; batch.num_columns()];
    let nulls: Vec<i64> =
        batch.columns().iter().map(|column| count_nulls(column.as_ref())).collect();
    let column = |of: fn(&Numbers) -> f64| -> ArrayRef {
        let values = numbers.iter().map(|numbers| numbers.as_ref().map(of));
        Arc::new(values.collect::<Float64Array>())
    };
    let columns = vec![
        names.clone(),
        types.clone(),
        Arc::new(Int64Array::from(rows)) as ArrayRef,
        Arc::new(Int64Array::from(nulls)),
        column(|numbers| numbers.min),
        column(|numbers| numbers.max),
        column(|numbers| numbers.sum / numbers.count as f64),
        column(|numbers| numbers.sum),
    ];
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

fn count_nulls(column: &dyn Array) -> i64 {
    let nulls =
        if column.data_type().is_null() { column.len() } else { column.null_count() };
    nulls as i64
}
