// SPDX-License-Identifier: MIT
//! Columns by which rows are told apart and put in order.
//!
//! The rows of these columns become bytes that compare as the values do (arrow-row). So a
//! key of any types is one slice. Dictionaries count by their values, whatever their
//! indices; strings compare alike in every layout.

use std::sync::Arc;

use ahash::RandomState;
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::{DataType, Schema, SortOptions};
use arrowalloy::{Code, Error};
use hashbrown::HashTable;

use crate::names::index_of;

/// The key columns of a stream, and how they become bytes.
#[derive(Debug)]
pub struct Keys {
    indices: Vec<usize>,
    converter: RowConverter,
}

impl Keys {
    /// Keys of the columns `names`, each with its order.
    ///
    /// # Errors
    ///
    /// A column is missing or of a type that is no key.
    pub fn new<'a>(
        option: &str,
        schema: &Schema,
        names: impl IntoIterator<Item = (&'a str, SortOptions)>,
    ) -> Result<Self, Error> {
        let (mut indices, mut fields) = (Vec::new(), Vec::new());
        for (name, order) in names {
            let index = index_of(option, schema, name)?;
            let data_type = schema.field(index).data_type();
            if !is_key(data_type) {
                return Err(Error::invalid(format!(
                    "option {option}: column {name} is {data_type}; keys are numbers, \
                     decimals, booleans, strings, binary, dates, times, and dictionaries of \
                     these"
                )));
            }
            indices.push(index);
            fields.push(SortField::new_with_options(data_type.clone(), order));
        }
        Ok(Self { indices, converter: RowConverter::new(fields)? })
    }

    /// The places of the columns.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The rows of a batch, as bytes.
    ///
    /// # Errors
    ///
    /// A batch is not of the schema.
    pub fn rows(&self, batch: &RecordBatch) -> Result<Rows, Error> {
        Ok(self.converter.convert_columns(&self.columns(batch))?)
    }

    /// Which rows have no null among their keys; None: all.
    pub fn complete(&self, batch: &RecordBatch) -> Option<NullBuffer> {
        let nulls = self.indices.iter().map(|index| batch.column(*index).logical_nulls());
        nulls.fold(None, |all, nulls| NullBuffer::union(all.as_ref(), nulls.as_ref()))
    }

    fn columns(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        self.indices.iter().map(|index| one_zero(batch.column(*index))).collect()
    }
}

/// The type of a key as it comes out: that of the values of a dictionary.
pub fn value_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => value_type(values),
        other => other,
    }
}

fn is_key(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => {
            !matches!(**values, DataType::Dictionary(..)) && is_key(values)
        }
        DataType::Float16 => false,
        DataType::Boolean
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::Decimal128(..)
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(..) => true,
        other => other.is_numeric() && !matches!(other, DataType::Decimal256(..)),
    }
}

/// The column with one zero and one NaN, which is the greatest: as bytes, and for the
/// comparisons of arrow-rs, there are two of the one and many of the other.
pub fn one_zero(column: &ArrayRef) -> ArrayRef {
    fn canonical<T: ArrowPrimitiveType>(
        column: &ArrayRef,
        of: impl Fn(T::Native) -> T::Native,
    ) -> ArrayRef {
        Arc::new(column.as_primitive::<T>().unary::<_, T>(of))
    }
    match column.data_type() {
        DataType::Float32 => canonical::<Float32Type>(column, |value| {
            if value.is_nan() { f32::NAN } else { value + 0.0 }
        }),
        DataType::Float64 => canonical::<Float64Type>(column, |value| {
            if value.is_nan() { f64::NAN } else { value + 0.0 }
        }),
        DataType::Dictionary(..) => {
            let dictionary = column.as_any_dictionary();
            dictionary.with_values(one_zero(dictionary.values()))
        }
        _ => column.clone(),
    }
}

/// The different keys that were seen, numbered as they came.
#[derive(Debug)]
pub struct Groups {
    keys: Rows,
    table: HashTable<(u64, u32)>,
    hasher: RandomState,
}

impl Groups {
    /// None seen yet.
    pub fn new(keys: &Keys) -> Self {
        let rows = keys.converter.empty_rows(0, 0);
        Self { keys: rows, table: HashTable::new(), hasher: RandomState::new() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.num_rows()
    }

    /// The number of each row of a batch, in `numbers`.
    ///
    /// # Errors
    ///
    /// There are too many.
    pub fn number(
        &mut self,
        keys: &Keys,
        batch: &RecordBatch,
        numbers: &mut Vec<u32>,
    ) -> Result<(), Error> {
        let Self { keys: seen, table, hasher } = self;
        let rows = keys.rows(batch)?;
        numbers.clear();
        for row in &rows {
            let hash = hasher.hash_one(row.data());
            let found = table.find(hash, |&(other, number)| {
                other == hash && seen.row(number as usize).data() == row.data()
            });
            let number = match found {
                Some(&(_, number)) => number,
                None => {
                    let number = u32::try_from(seen.num_rows())
                        .map_err(|_| Error::new(Code::Exhausted, "over 2^32 groups"))?;
                    seen.push(row);
                    table.insert_unique(hash, (hash, number), |&(hash, _)| hash);
                    number
                }
            };
            numbers.push(number);
        }
        Ok(())
    }

    /// The keys themselves, as columns.
    ///
    /// # Errors
    ///
    /// More strings than a column holds.
    pub fn columns(&self, keys: &Keys) -> Result<Vec<ArrayRef>, Error> {
        Ok(keys.converter.convert_rows(&self.keys)?)
    }
}
