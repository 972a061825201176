// SPDX-License-Identifier: MIT
//! States of aggregates: of each group a slot, by its number.

mod bounds;
mod sums;

use std::sync::Arc;

use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, Int64Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, TimeUnit};
use arrowalloy::Error;

use self::bounds::{NumberBounds, TextBounds};
use self::sums::{FloatSums, WholeSums};
use crate::aggregates::What;

/// The state of an aggregate.
pub trait State: Send {
    /// Have a slot for each of `count` groups.
    fn grow(&mut self, count: usize);

    /// Add the values of a column, each to the group of its number.
    ///
    /// # Errors
    ///
    /// What was added is too much.
    fn add(&mut self, column: &dyn Array, numbers: &[u32]) -> Result<(), Error>;

    /// Add rows, whatever their values.
    ///
    /// # Errors
    ///
    /// The aggregate is one of values.
    fn add_rows(&mut self, _numbers: &[u32]) -> Result<(), Error> {
        Err(Error::failed("rows without values can only be counted"))
    }

    /// The column, of the type `output`.
    ///
    /// # Errors
    ///
    /// A value is too much for the type.
    fn finish(&mut self, output: &DataType) -> Result<ArrayRef, Error>;
}

/// The type of an aggregate of values of the type `of`; None: there is none.
pub fn output(what: What, of: &DataType) -> Option<DataType> {
    use DataType::*;
    match (what, of) {
        (What::Count, _) => Some(Int64),
        (What::Sum, Int8 | Int16 | Int32 | Int64) => Some(Int64),
        (What::Sum, UInt8 | UInt16 | UInt32 | UInt64) => Some(UInt64),
        (What::Sum, Float32 | Float64) => Some(Float64),
        (What::Sum, Decimal128(_, scale)) => Some(Decimal128(38, *scale)),
        (What::Sum, _) => None,
        (What::Mean, Decimal128(..)) => Some(Float64),
        (What::Mean, Float16) => None,
        (What::Mean, of) if of.is_integer() || of.is_floating() => Some(Float64),
        (What::Mean, _) => None,
        (What::Min | What::Max, Float16) => None,
        (
            What::Min | What::Max,
            Decimal128(..) | Date32 | Date64 | Time32(_) | Time64(_) | Timestamp(..)
            | Utf8 | LargeUtf8 | Utf8View,
        ) => Some(of.clone()),
        (What::Min | What::Max, of) if of.is_integer() || of.is_floating() => {
            Some(of.clone())
        }
        (What::Min | What::Max, _) => None,
    }
}

/// A state of no groups. The type must be one that [`output`] has an answer for.
pub fn state(what: What, of: Option<&DataType>) -> Box<dyn State> {
    let Some(of) = of else {
        return Box::new(Counts::default());
    };
    match what {
        What::Count => Box::new(Counts::default()),
        What::Sum | What::Mean => sums(of, what == What::Mean),
        What::Min | What::Max => bounds(of, what == What::Max),
    }
}

fn sums(of: &DataType, is_mean: bool) -> Box<dyn State> {
    macro_rules! whole {
        ($type:ty) => {
            Box::new(WholeSums::<$type>::new(is_mean, 0))
        };
    }
    match of {
        DataType::Int8 => whole!(Int8Type),
        DataType::Int16 => whole!(Int16Type),
        DataType::Int32 => whole!(Int32Type),
        DataType::Int64 => whole!(Int64Type),
        DataType::UInt8 => whole!(UInt8Type),
        DataType::UInt16 => whole!(UInt16Type),
        DataType::UInt32 => whole!(UInt32Type),
        DataType::UInt64 => whole!(UInt64Type),
        DataType::Float32 => Box::new(FloatSums::<Float32Type>::new(is_mean)),
        DataType::Decimal128(_, scale) => {
            Box::new(WholeSums::<Decimal128Type>::new(is_mean, *scale))
        }
        _ => Box::new(FloatSums::<Float64Type>::new(is_mean)),
    }
}

fn bounds(of: &DataType, is_max: bool) -> Box<dyn State> {
    macro_rules! numbers {
        ($type:ty) => {
            Box::new(NumberBounds::<$type>::new(is_max))
        };
    }
    match of {
        DataType::Int8 => numbers!(Int8Type),
        DataType::Int16 => numbers!(Int16Type),
        DataType::Int32 => numbers!(Int32Type),
        DataType::Int64 => numbers!(Int64Type),
        DataType::UInt8 => numbers!(UInt8Type),
        DataType::UInt16 => numbers!(UInt16Type),
        DataType::UInt32 => numbers!(UInt32Type),
        DataType::UInt64 => numbers!(UInt64Type),
        DataType::Float32 => numbers!(Float32Type),
        DataType::Float64 => numbers!(Float64Type),
        DataType::Decimal128(..) => numbers!(Decimal128Type),
        DataType::Date32 => numbers!(Date32Type),
        DataType::Date64 => numbers!(Date64Type),
        DataType::Time32(TimeUnit::Second) => numbers!(Time32SecondType),
        DataType::Time32(_) => numbers!(Time32MillisecondType),
        DataType::Time64(TimeUnit::Microsecond) => numbers!(Time64MicrosecondType),
        DataType::Time64(_) => numbers!(Time64NanosecondType),
        DataType::Timestamp(TimeUnit::Second, _) => numbers!(TimestampSecondType),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            numbers!(TimestampMillisecondType)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            numbers!(TimestampMicrosecondType)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => numbers!(TimestampNanosecondType),
        _ => Box::new(TextBounds::new(is_max)),
    }
}

// How many rows, or values that are not null, a group has.
#[derive(Debug, Default)]
struct Counts(Vec<i64>);

impl State for Counts {
    fn grow(&mut self, count: usize) {
        self.0.resize(count, 0);
    }

    fn add(&mut self, column: &dyn Array, numbers: &[u32]) -> Result<(), Error> {
        match column.logical_nulls() {
            None => self.add_rows(numbers)?,
            Some(nulls) => {
                for row in nulls.valid_indices() {
                    self.0[numbers[row] as usize] += 1;
                }
            }
        }
        Ok(())
    }

    fn add_rows(&mut self, numbers: &[u32]) -> Result<(), Error> {
        numbers.iter().for_each(|number| self.0[*number as usize] += 1);
        Ok(())
    }

    fn finish(&mut self, _: &DataType) -> Result<ArrayRef, Error> {
        Ok(Arc::new(Int64Array::from(std::mem::take(&mut self.0))))
    }
}

// Null where a group had no value.
fn nulls_where_none(has: impl ExactSizeIterator<Item = bool>) -> Option<NullBuffer> {
    let nulls = NullBuffer::new(BooleanBuffer::from_iter(has));
    (nulls.null_count() > 0).then_some(nulls)
}
