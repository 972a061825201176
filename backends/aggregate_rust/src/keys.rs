// SPDX-License-Identifier: MIT
//! Key columns, and the numbers of their different values.
//!
//! arrow-row encodes the keys of a row as bytes that compare as the values do. So keys of
//! any types are one slice. Dictionaries compare by their values, and strings compare
//! alike in every layout.

use std::sync::Arc;

use ahash::RandomState;
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, Float64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_row::{Row, RowConverter, Rows, SortField};
use arrow_schema::{DataType, Schema, SortOptions};
use arrowalloy::{Code, Error};
use hashbrown::HashTable;

use crate::names::index_of;

/// The key columns of a stream, and how they become bytes.
pub struct Keys {
    pub indices: Vec<usize>,
    converter: RowConverter,
}

impl Keys {
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

    pub fn no_rows(&self) -> Rows {
        self.converter.empty_rows(0, 0)
    }

    /// Replace `rows` by the keys of each row of a batch. The memory is used again.
    pub fn read(&self, batch: &RecordBatch, rows: &mut Rows) -> Result<(), Error> {
        let columns = self.indices.iter().map(|index| comparable(batch, *index));
        rows.clear();
        Ok(self.converter.append(rows, &columns.collect::<Result<Vec<_>, _>>()?)?)
    }

    pub fn rows(&self, batch: &RecordBatch) -> Result<Rows, Error> {
        let mut rows = self.no_rows();
        self.read(batch, &mut rows)?;
        Ok(rows)
    }
}

/// The type of a key in a result. A dictionary becomes its values.
pub fn value_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => value_type(values),
        other => other,
    }
}

fn is_key(data_type: &DataType) -> bool {
    use DataType::*;
    match data_type {
        Dictionary(_, values) => !matches!(**values, Dictionary(..)) && is_key(values),
        Boolean | Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView
        | Date32 | Date64 | Time32(_) | Time64(_) | Timestamp(..) => true,
        other => other.is_numeric() && !matches!(other, Float16 | Decimal256(..)),
    }
}

/// A column whose values can be compared: its dictionary indices were checked, and of
/// floats there is one zero and one NaN, which is the greatest.
pub fn comparable(batch: &RecordBatch, index: usize) -> Result<ArrayRef, Error> {
    check_indices(batch, index)?;
    Ok(one_zero(batch.column(index)))
}

/// Refuse indices that point outside their dictionary. The gate checks inputs only at the
/// level "shape", unless the host asks for more.
pub fn check_indices(batch: &RecordBatch, index: usize) -> Result<(), Error> {
    let Some(dictionary) = batch.column(index).as_any_dictionary_opt() else {
        return Ok(());
    };
    let (keys, count) = (dictionary.keys(), dictionary.values().len());
    // The cast makes negative indices null.
    let indices = cast(keys, &DataType::UInt64)?;
    let indices = indices.as_primitive::<UInt64Type>();
    let is_outside = |row: &usize| {
        keys.is_valid(*row)
            && (indices.is_null(*row) || indices.value(*row) >= count as u64)
    };
    let Some(row) = (0..keys.len()).find(is_outside) else { return Ok(()) };
    Err(Error::bad_data(format!(
        "column '{}', row {row}: the index points outside its dictionary of {count} values",
        batch.schema_ref().field(index).name()
    )))
}

/// SQL has one zero and one NaN. arrow-rs distinguishes the zeros, and all NaNs.
pub fn one_zero(column: &ArrayRef) -> ArrayRef {
    fn map<T: ArrowPrimitiveType>(
        column: &ArrayRef,
        of: impl Fn(T::Native) -> T::Native,
    ) -> ArrayRef {
        Arc::new(column.as_primitive::<T>().unary::<_, T>(of))
    }
    match column.data_type() {
        DataType::Float32 => {
            map::<Float32Type>(column, |v| if v.is_nan() { f32::NAN } else { v + 0.0 })
        }
        DataType::Float64 => {
            map::<Float64Type>(column, |v| if v.is_nan() { f64::NAN } else { v + 0.0 })
        }
        DataType::Dictionary(..) => {
            let dictionary = column.as_any_dictionary();
            dictionary.with_values(one_zero(dictionary.values()))
        }
        _ => column.clone(),
    }
}

/// The different keys of a stream, numbered in the order of their first rows.
pub struct Groups {
    pub rows: Rows,
    table: HashTable<Entry>,
    hasher: RandomState,
}

// A key of at most 16 bytes is here, so that most lookups read one place in memory. Of a
// longer key this is the hash; its bytes are in `Groups::rows`.
struct Entry {
    key: (u64, u64),
    length: u32,
    number: u32,
}

impl Groups {
    pub fn new(keys: &Keys) -> Self {
        let hasher = RandomState::new();
        Self { rows: keys.no_rows(), table: HashTable::new(), hasher }
    }

    pub fn len(&self) -> usize {
        self.rows.num_rows()
    }

    #[inline]
    pub fn find(&self, row: Row<'_>) -> Option<u32> {
        self.lookup(row.data()).ok()
    }

    /// The number of a key, which is added if it is new.
    #[inline]
    pub fn add(&mut self, row: Row<'_>) -> Result<u32, Error> {
        let (key, hash) = match self.lookup(row.data()) {
            Ok(number) => return Ok(number),
            Err(missing) => missing,
        };
        let number = u32::try_from(self.len())
            .map_err(|_| Error::new(Code::Exhausted, "more than 2^32 different keys"))?;
        self.rows.push(row);
        let entry = Entry { key, length: row.data().len() as u32, number };
        let hasher = &self.hasher;
        self.table.insert_unique(hash, entry, |entry| match entry.length {
            0..=16 => hasher.hash_one(entry.key),
            _ => entry.key.0,
        });
        Ok(number)
    }

    // The number of a key, or else the key of its entry and the hash of that.
    #[inline]
    fn lookup(&self, bytes: &[u8]) -> Result<u32, ((u64, u64), u64)> {
        let key = match bytes.len() {
            0..=16 => ends(bytes),
            17..=32 => {
                let key = (ends(&bytes[..16]), ends(&bytes[16..]));
                (self.hasher.hash_one(key), 0)
            }
            _ => (self.hasher.hash_one(bytes), 0),
        };
        let hash = if bytes.len() <= 16 { self.hasher.hash_one(key) } else { key.0 };
        let found = self.table.find(hash, |entry| {
            entry.key == key
                && entry.length as usize == bytes.len()
                && (bytes.len() <= 16
                    || self.rows.row(entry.number as usize).data() == bytes)
        });
        found.map(|entry| entry.number).ok_or((key, hash))
    }

    /// The keys as columns.
    pub fn columns(&self, keys: &Keys) -> Result<Vec<ArrayRef>, Error> {
        Ok(keys.converter.convert_rows(&self.rows)?)
    }
}

// The first and the last bytes: with the length, these are all of at most 16 bytes.
#[inline]
fn ends(bytes: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u64::from_ne_bytes(*first), u64::from_ne_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u32::from_ne_bytes(*first).into(), u32::from_ne_bytes(*last).into());
    }
    (bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)), 0)
}
