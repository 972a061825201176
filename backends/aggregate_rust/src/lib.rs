// SPDX-License-Identifier: MIT
//! The parts of a query, on the kernels of arrow-rs: group, join, sort, filter, scale.
//!
//! Names, types and options are checked at bind, when the schemas are known. Nulls behave
//! as in SQL, and an overflow is an error.

// The error that an option is wrong, with a text as for format!.
macro_rules! wrong {
    ($option:expr, $($what:tt)+) => {
        Error::invalid(format!("option {}: {}", $option, format_args!($($what)+)))
    };
}

mod columns;
mod grouping;
mod joining;
mod keys;
mod sorting;
mod state;
#[cfg(test)]
mod tests;

use std::iter;

use arrow::array::RecordBatch;
use arrowalloy::{Error, Scope};

use crate::alloy_arrow::{Output, Stream};

mod arrow {
    pub use arrow_array as array;
    pub use arrow_buffer as buffer;
    pub use arrow_data as data;
    pub use arrow_schema as schema;
}

arrowalloy::backend! {
    name: "alloy.aggregate",
    arrow: crate::arrow,
    functions: [group_by, join, sort, filter, scale],
}

arrowalloy::function! {
    /// One row for each different set of keys, with aggregates of its rows.
    #[option(keys = "", "Columns, separated by commas, such as: city,year. Empty: one row for all.")]
    #[option(aggregates = "count", "Such as: count,sum(x),min(y),max(y),mean(z) as average.")]
    #[flags(idempotent)]
    arrow stream fn group_by(inputs: 1) = grouping::bind_group_by
}

arrowalloy::function! {
    /// Each row of the first stream next to the rows of the second with the same keys.
    #[option(on, "Columns, separated by commas, such as: id, or left_name=right_name.")]
    #[option(how = "inner", "inner, or left, which keeps rows without a partner, next to nulls.")]
    #[option(suffix = "_right", "Added to a name of the second stream that the first has as well.")]
    #[flags(idempotent)]
    arrow stream fn join(inputs: 2) = joining::bind_join
}

arrowalloy::function! {
    /// The rows in order. Rows with equal keys keep their order.
    #[option(by, "Columns, separated by commas, such as: year,name.")]
    #[option(descending = "false", "true or false, for all columns or for each: true,false.")]
    #[option(nulls_first = "false", "true or false, for all columns or for each.")]
    #[flags(idempotent)]
    arrow stream fn sort(inputs: 1) = sorting::bind_sort
}

arrowalloy::function! {
    /// The rows for which a comparison is true.
    #[option(column, "The column to compare.")]
    #[option(op = "=", "=, !=, <, <=, >, >=, is null, is not null.")]
    #[option(value = "", "The value to compare with, read as the type of the column.")]
    #[flags(idempotent)]
    arrow fn filter(inputs: 1) = columns::bind_filter
}

arrowalloy::function! {
    /// The batch with one column of numbers multiplied.
    #[option(column, "The column to multiply.")]
    #[option(factor, "The factor: a whole number for integers, any number for other types.")]
    #[flags(idempotent, rowwise)]
    arrow fn scale(inputs: 1) = columns::bind_scale
}

/// The most rows in a batch of a result.
const BATCH_ROWS: usize = 1 << 16;

type Made<'s> = Result<Output<'s>, Error>;

/// Batches that are made when the host asks for the first one.
fn lazily<'s>(make: impl FnOnce() -> Made<'s> + Send + 's) -> Made<'s> {
    Ok(Box::new(iter::once_with(make).flat_map(flatten)))
}

/// The batches, or the error in their place.
fn flatten(made: Made<'_>) -> Output<'_> {
    made.unwrap_or_else(|error| Box::new(iter::once(Err(error))))
}

/// All batches of an input.
fn collect(scope: Scope<'_>, input: Stream<'_>) -> Result<Vec<RecordBatch>, Error> {
    input.map(|batch| scope.check().and(batch)).collect()
}
