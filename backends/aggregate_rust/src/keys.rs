// SPDX-License-Identifier: MIT
//! Columns by their names in options, keys, and the numbers of different keys.
//!
//! arrow-row encodes the keys of a row as bytes that compare as the values do. So keys of
//! any types are one slice. Dictionaries compare by their values, and strings compare
//! alike in every layout.

use std::sync::Arc;

use ahash::RandomState;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_row::{Row, RowConverter, Rows, SortField};
use arrow_schema::{DataType, Field, Schema, SortOptions};
use arrowalloy::{Code, Error};
use hashbrown::HashTable;

/// The items of a list with commas between them. A comma inside parentheses or double
/// quotes is part of its item.
pub fn items<'a>(option: &str, list: &'a str) -> Result<Vec<&'a str>, Error> {
    let refuse = |what| Err(wrong!(option, "{what} in {list:?}"));
    let (mut depth, mut quoted, mut unopened) = (0, false, false);
    let is_between = |c: char| {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        unopened |= depth < 0;
        c == ',' && !quoted && depth == 0
    };
    let items: Vec<&str> = list.split(is_between).map(str::trim).collect();
    match () {
        () if unopened => refuse("a ) without a ("),
        () if quoted => refuse("a \" that is not closed"),
        () if depth > 0 => refuse("a ( that is not closed"),
        () if items == [""] => Ok(Vec::new()),
        () if items.contains(&"") => refuse("an empty item"),
        () => Ok(items),
    }
}

/// A name without the double quotes around it, if there are any.
pub fn unquoted(name: &str) -> &str {
    let name = name.trim();
    let inner = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
    inner.unwrap_or(name)
}

/// The index of the only column with a name.
pub fn index_of(option: &str, schema: &Schema, name: &str) -> Result<usize, Error> {
    let name = unquoted(name);
    let names: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let mut found = (0..names.len()).filter(|index| names[*index] == name);
    let columns = names.join(", ");
    match (found.next(), found.next()) {
        (Some(index), None) => Ok(index),
        (None, _) => {
            Err(wrong!(option, "no column {name:?}; the columns are: {columns}"))
        }
        _ => {
            let what = "several columns have the name";
            Err(wrong!(option, "{what} {name:?}; rename all but one"))
        }
    }
}

/// Refuse columns, from the index `first` on, that have the name of an earlier one.
pub fn check_apart(option: &str, fields: &[Field], first: usize) -> Result<(), Error> {
    for (index, field) in fields.iter().enumerate().skip(first) {
        let name = field.name();
        if fields[..index].iter().any(|other| other.name() == name) {
            let what = "two columns of the result have the name";
            return Err(wrong!(option, "{what} {name:?}; rename one"));
        }
    }
    Ok(())
}

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
            let (index, name) = (index_of(option, schema, name)?, name.trim());
            let of = schema.field(index).data_type();
            if !is_key(of) {
                let keys = "keys are numbers, decimals, booleans, strings, binary, dates, \
                            times, and dictionaries of these";
                return Err(wrong!(option, "column {name} is {of}; {keys}"));
            }
            indices.push(index);
            fields.push(SortField::new_with_options(of.clone(), order));
        }
        Ok(Self { indices, converter: RowConverter::new(fields)? })
    }

    /// Keys whose order does not matter.
    pub fn any(option: &str, schema: &Schema, names: &[&str]) -> Result<Self, Error> {
        Self::new(option, schema, names.iter().map(|name| (*name, Default::default())))
    }

    pub fn rows(&self, batch: &RecordBatch) -> Result<Rows, Error> {
        let columns = self.indices.iter().map(|index| comparable(batch, *index));
        Ok(self.converter.convert_columns(&columns.collect::<Result<Vec<_>, _>>()?)?)
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
    checked(batch, index).map(one_zero)
}

/// A column whose indices point into its dictionary. The gate checks inputs only at the
/// level "shape", unless the host asks for more.
pub fn checked(batch: &RecordBatch, index: usize) -> Result<&ArrayRef, Error> {
    let column = batch.column(index);
    let Some(dictionary) = column.as_any_dictionary_opt() else { return Ok(column) };
    let (keys, count) = (dictionary.keys(), dictionary.values().len());
    // The cast makes negative indices null.
    let indices = cast(keys, &DataType::UInt64)?;
    let mut indices = indices.as_primitive::<UInt64Type>().iter().enumerate();
    let is_outside = |(row, index): (usize, Option<u64>)| {
        keys.is_valid(row) && index.is_none_or(|index| index >= count as u64)
    };
    let Some(row) = indices.position(is_outside) else { return Ok(column) };
    Err(Error::bad_data(format!(
        "column '{}', row {row}: the index points outside its dictionary of {count} values",
        batch.schema_ref().field(index).name()
    )))
}

/// SQL has one zero and one NaN. arrow-rs distinguishes the zeros, and all NaNs.
pub fn one_zero(column: &ArrayRef) -> ArrayRef {
    let of_32 = |v: f32| if v.is_nan() { f32::NAN } else { v + 0.0 };
    let of_64 = |v: f64| if v.is_nan() { f64::NAN } else { v + 0.0 };
    if let Some(floats) = column.as_primitive_opt::<Float32Type>() {
        Arc::new(floats.unary::<_, Float32Type>(of_32))
    } else if let Some(floats) = column.as_primitive_opt::<Float64Type>() {
        Arc::new(floats.unary::<_, Float64Type>(of_64))
    } else if let Some(dictionary) = column.as_any_dictionary_opt() {
        dictionary.with_values(one_zero(dictionary.values()))
    } else {
        column.clone()
    }
}

/// The different keys of a stream, numbered in the order of their first rows.
pub struct Groups {
    rows: Rows,
    table: HashTable<(Short, u32)>,
    hasher: RandomState,
}

// The length of a key comes last. Before it: of at most 16 bytes the first and the last
// ones, which are all, so that most lookups read one place in memory; of more their hash.
type Short = (u64, u64, u32);

#[inline]
fn hash(hasher: &RandomState, short: &Short) -> u64 {
    if short.2 <= 16 { hasher.hash_one((short.0, short.1)) } else { short.0 }
}

impl Groups {
    pub fn new(keys: &Keys) -> Self {
        let (rows, hasher) = (keys.converter.empty_rows(0, 0), RandomState::new());
        Self { rows, table: HashTable::new(), hasher }
    }

    pub fn len(&self) -> usize {
        self.rows.num_rows()
    }

    /// The number of a key, or what is needed to insert it.
    #[inline]
    pub fn find(&self, key: Row<'_>) -> Result<u32, Short> {
        let bytes = key.data();
        let end = |end: Option<&[u8; 8]>| end.map_or(0, |end| u64::from_ne_bytes(*end));
        let ends = |bytes: &[u8]| (end(bytes.first_chunk()), end(bytes.last_chunk()));
        let (first, last) = match bytes.len() {
            0..8 => (bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)), 0),
            8..=16 => ends(bytes),
            17..=32 => (
                self.hasher
                    .hash_one((ends(&bytes[..16]), ends(&bytes[bytes.len() - 16..]))),
                0,
            ),
            _ => (self.hasher.hash_one(bytes), 0),
        };
        let short = (first, last, bytes.len() as u32);
        let is_key = |(other, number): &(Short, u32)| {
            let is_same = || self.rows.row(*number as usize).data() == bytes;
            *other == short && (bytes.len() <= 16 || is_same())
        };
        let found = self.table.find(hash(&self.hasher, &short), is_key);
        found.map(|(_, number)| *number).ok_or(short)
    }

    /// The number of each key. New keys are added.
    pub fn add(&mut self, keys: &Rows) -> Result<Vec<u32>, Error> {
        let too_many = |_| Error::new(Code::Exhausted, "more than 2^32 different keys");
        let mut numbers = Vec::with_capacity(keys.num_rows());
        for key in keys {
            let number = self.find(key).or_else(|short| {
                let number = u32::try_from(self.len()).map_err(too_many)?;
                self.rows.push(key);
                let hash = |entry: &(Short, u32)| hash(&self.hasher, &entry.0);
                let entry = (short, number);
                self.table.insert_unique(hash(&entry), entry, hash);
                Ok::<u32, Error>(number)
            })?;
            numbers.push(number);
        }
        Ok(numbers)
    }

    /// The keys as columns.
    pub fn columns(&self, keys: &Keys) -> Result<Vec<ArrayRef>, Error> {
        Ok(keys.converter.convert_rows(&self.rows)?)
    }
}
