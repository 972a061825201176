// SPDX-License-Identifier: MIT
//! What a query is made of, on the kernels of arrow-rs: group, join, sort, filter, scale.
//!
//! The schemas are settled at bind, and with them every name, type and option. Nulls are
//! as SQL has them, and what overflows is an error.

mod accumulate;
mod aggregates;
mod filtering;
mod grouping;
mod joining;
mod keys;
mod names;
mod scaling;
mod sorting;
#[cfg(test)]
mod tests;

use std::iter;

use arrow::array::RecordBatch;
use arrowalloy::Error;

use crate::filtering::bind_filter;
use crate::grouping::bind_group_by;
use crate::joining::bind_join;
use crate::scaling::bind_scale;
use crate::sorting::bind_sort;

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
    #[option(keys = "", "Columns with commas between, such as: city,year. None: one row for all.")]
    #[option(aggregates = "count", "Such as: count,sum(x),min(y),max(y),mean(z) as average.")]
    #[flags(idempotent)]
    arrow stream fn group_by(inputs: 1) = bind_group_by
}

arrowalloy::function! {
    /// The rows of the first stream beside those of the second that have the same keys.
    #[option(on, "Columns with commas between, such as: id, or left_name=right_name.")]
    #[option(how = "inner", "inner, or left: rows without a partner stay, beside nulls.")]
    #[option(suffix = "_right", "Added to a name of the second that the first has as well.")]
    #[flags(idempotent)]
    arrow stream fn join(inputs: 2) = bind_join
}

arrowalloy::function! {
    /// The rows in order; those that compare equal stay as they came.
    #[option(by, "Columns with commas between, such as: year,name.")]
    #[option(descending = "false", "true or false, for all columns or for each: true,false.")]
    #[option(nulls_first = "false", "true or false, for all columns or for each.")]
    #[flags(idempotent)]
    arrow stream fn sort(inputs: 1) = bind_sort
}

arrowalloy::function! {
    /// The rows of which a comparison is true.
    #[option(column, "What to look at.")]
    #[option(op = "=", "=, !=, <, <=, >, >=, is null, is not null.")]
    #[option(value = "", "What to compare with, read as the type of the column.")]
    #[flags(idempotent)]
    arrow fn filter(inputs: 1) = bind_filter
}

arrowalloy::function! {
    /// The batch with one column of numbers multiplied.
    #[option(column, "What to multiply.")]
    #[option(factor, "By how much: a whole number for integers, any for the others.")]
    #[flags(idempotent, rowwise)]
    arrow fn scale(inputs: 1) = bind_scale
}

/// How many rows a batch of a result has at most.
const BATCH_ROWS: usize = 1 << 16;

/// Batches that are made when the first of them is asked for.
fn lazily<'s, I>(
    make: impl FnOnce() -> Result<I, Error> + Send + 's,
) -> impl Iterator<Item = Result<RecordBatch, Error>> + Send + 's
where
    I: Iterator<Item = Result<RecordBatch, Error>> + Send + 's,
{
    iter::once_with(make).flat_map(|made| {
        let (batches, error) = match made {
            Ok(batches) => (Some(batches), None),
            Err(error) => (None, Some(Err(error))),
        };
        batches.into_iter().flatten().chain(error)
    })
}
