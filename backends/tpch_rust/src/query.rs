// SPDX-License-Identifier: MIT
//! A query that sums the rows of a stream. Two ways lead to the same sums. The fast way
//! sums a chunk of rows in 64 bits, which is exact while the numbers are small. The other
//! way takes any number, row by row in 128 bits, and an overflow is an error.

use std::cell::OnceCell;
use std::ops::Range;
use std::{array, iter, sync::Arc};

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, Date32Array, Decimal128Array, RecordBatch, StringViewArray,
};
use arrow_schema::DataType;
use arrowalloy::Error;

use crate::alloy_arrow::{Bind, BoundStream};
use crate::decimals::Sum;

/// The rows of a chunk: 2^10.
pub const ROWS: usize = 1 << 10;

/// The sums of one call.
pub trait Query: Default + Send {
    /// What overflows if a function returns None.
    const SUM: &'static str;
    /// Add a chunk without nulls. False, and nothing is added: it needs the other way.
    fn add_fast(&mut self, rows: &Rows<'_>, chunk: Range<usize>) -> Option<bool>;
    fn add_row(&mut self, rows: &Rows<'_>, row: usize) -> Option<()>;
    fn answer(&self) -> Result<RecordBatch, Error>;
}

/// The columns of a batch, in the order in which the function declares them.
pub struct Rows<'a> {
    numbers: Vec<&'a Decimal128Array>,
    pub texts: &'a [ArrayRef],
    views: OnceCell<Vec<StringViewArray>>,
    pub days: &'a Date32Array,
}

impl Rows<'_> {
    pub fn values<const N: usize>(&self, chunk: &Range<usize>) -> [&[i128]; N] {
        array::from_fn(|i| &self.numbers[i].values()[chunk.clone()])
    }

    /// None: the value is null.
    #[inline]
    pub fn row<const N: usize>(&self, row: usize) -> [Option<i128>; N] {
        let numbers: &[_; N] = self.numbers.first_chunk().expect("the declared columns");
        numbers.map(|column| column.is_valid(row).then(|| column.value(row)))
    }

    #[inline]
    pub fn day(&self, row: usize) -> Option<i32> {
        self.days.is_valid(row).then(|| self.days.value(row))
    }

    /// The texts in one layout.
    #[inline]
    pub fn views(&self) -> &[StringViewArray] {
        let view = |column: &ArrayRef| match column.data_type() {
            DataType::Utf8View => column.as_string_view().clone(),
            DataType::Utf8 => column.as_string::<i32>().into(),
            _ => column.as_string::<i64>().into(),
        };
        self.views.get_or_init(|| self.texts.iter().map(view).collect())
    }
}

pub fn bind<Q: Query>(_: &Bind<'_>) -> Result<BoundStream, Error> {
    let schema = Q::default().answer()?.schema();
    Ok(BoundStream::new(schema, move |scope, inputs| {
        let input = inputs.take()?;
        Ok(Box::new(iter::once_with(move || {
            let mut query = Q::default();
            for batch in input {
                scope.check()?;
                add(&mut query, &batch?).ok_or_else(|| overflow(Q::SUM))?;
            }
            query.answer()
        })))
    }))
}

fn add(query: &mut impl Query, batch: &RecordBatch) -> Option<()> {
    let columns = batch.columns();
    let numbers = columns.iter().map_while(|column| column.as_primitive_opt());
    let numbers = numbers.collect::<Vec<_>>();
    let rows = Rows {
        texts: &columns[numbers.len()..columns.len() - 1],
        numbers,
        views: OnceCell::new(),
        days: columns.last()?.as_primitive(),
    };
    let has_nulls = columns.iter().any(|column| column.null_count() > 0);
    for first in (0..batch.num_rows()).step_by(ROWS) {
        let mut chunk = first..batch.num_rows().min(first + ROWS);
        if has_nulls || !query.add_fast(&rows, chunk.clone())? {
            chunk.try_for_each(|row| query.add_row(&rows, row))?;
        }
    }
    Some(())
}

fn overflow(name: &str) -> Error {
    Error::failed(format!("{name} overflows a decimal of 38 digits"))
}

/// A column of an answer: its name, its values, and whether it may have nulls.
pub type Column = (&'static str, ArrayRef, bool);

/// A column of sums with the digits that the schema promises. A sum of nothing is null.
pub fn sums(
    name: &'static str,
    scale: i8,
    sums: impl Iterator<Item = Sum>,
) -> Result<Column, Error> {
    let sums = sums.map(|(sum, count)| (count > 0).then_some(sum));
    let column = sums.collect::<Decimal128Array>();
    if column.iter().flatten().any(|sum| sum.unsigned_abs() >= 10u128.pow(38)) {
        return Err(overflow(name));
    }
    Ok((name, Arc::new(column.with_data_type(DataType::Decimal128(38, scale))), true))
}
