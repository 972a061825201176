// SPDX-License-Identifier: MIT
//! The summary of columns: one row for each, with its type, rows and nulls. For numbers also
//! the minimum, the maximum, the mean and the sum.

mod numbers;
#[cfg(test)]
mod tests;

use std::iter;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::schema::{DataType, Field, Schema, SchemaRef};
use arrowalloy::{Error, Scope};

use crate::alloy_arrow::{Bind, Bound, BoundStream};
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
    functions: [summary, summary_of_batch],
}

arrowalloy::function! {
    /// Type, rows, nulls, minimum, maximum, mean and sum of each column, over all batches.
    #[flags(idempotent)]
    arrow stream fn summary(inputs: 1) = bind_summary
}

arrowalloy::function! {
    /// The same of one batch, for hosts that add up the batches themselves.
    #[flags(idempotent)]
    arrow fn summary_of_batch(inputs: 1) = bind_summary_of_batch
}

fn bind_summary(bind: &Bind<'_>) -> Result<BoundStream, Error> {
    let fixed = names_and_types(bind)?;
    let schema = schema();
    Ok(BoundStream::new(schema.clone(), move |scope, inputs| {
        let (fixed, schema, input) = (fixed.clone(), schema.clone(), inputs.take()?);
        let make = move || {
            let mut sums = vec![Sums::default(); fixed[0].len()];
            for batch in input {
                add(scope, &mut sums, &batch?)?;
            }
            to_batch(&sums, &fixed, &schema)
        };
        Ok(Box::new(iter::once_with(make)))
    }))
}

fn bind_summary_of_batch(bind: &Bind<'_>) -> Result<Bound, Error> {
    let fixed = names_and_types(bind)?;
    let schema = schema();
    Ok(Bound::new(schema.clone(), move |scope, batches| {
        let mut sums = vec![Sums::default(); fixed[0].len()];
        add(scope, &mut sums, &batches.take()?)?;
        to_batch(&sums, &fixed, &schema)
    }))
}

/// The columns `name` and `type`, which are the same for every batch.
fn names_and_types(bind: &Bind<'_>) -> Result<[ArrayRef; 2], Error> {
    let input = bind.schema();
    let fields = input.fields();
    let names = StringArray::from_iter_values(fields.iter().map(|field| field.name()));
    let types: Vec<String> =
        fields.iter().map(|field| bind.type_name(field)).collect::<Result<_, _>>()?;
    Ok([Arc::new(names), Arc::new(StringArray::from(types))])
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

/// What is known of one column.
#[derive(Clone, Default)]
struct Sums {
    rows: i64,
    nulls: i64,
    numbers: Option<Numbers>,
}

fn add(scope: Scope<'_>, sums: &mut [Sums], batch: &RecordBatch) -> Result<(), Error> {
    for (sums, column) in sums.iter_mut().zip(batch.columns()) {
        scope.check()?;
        sums.rows += column.len() as i64;
        sums.nulls += count_nulls(column.as_ref());
        match (&mut sums.numbers, summarize(column.as_ref())) {
            (Some(numbers), Some(more)) => numbers.merge(&more),
            (None, more) => sums.numbers = more,
            (Some(_), None) => {}
        }
    }
    Ok(())
}

fn to_batch(
    sums: &[Sums],
    [names, types]: &[ArrayRef; 2],
    schema: &SchemaRef,
) -> Result<RecordBatch, Error> {
    let count = |of: fn(&Sums) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(sums.iter().map(of)))
    };
    let number = |of: fn(&Numbers) -> f64| -> ArrayRef {
        let values = sums.iter().map(|sums| sums.numbers.as_ref().map(of));
        Arc::new(values.collect::<Float64Array>())
    };
    let columns = vec![
        names.clone(),
        types.clone(),
        count(|sums| sums.rows),
        count(|sums| sums.nulls),
        number(|numbers| numbers.min),
        number(|numbers| numbers.max),
        number(|numbers| numbers.sum / numbers.count as f64),
        number(|numbers| numbers.sum),
    ];
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

fn count_nulls(column: &dyn Array) -> i64 {
    let nulls =
        if column.data_type().is_null() { column.len() } else { column.null_count() };
    nulls as i64
}
