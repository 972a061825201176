// SPDX-License-Identifier: MIT
//! The columns of a batch, as slices.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type};
use arrow_array::{Array, ArrayRef, LargeStringArray, StringArray, StringViewArray};
use arrow_buffer::NullBuffer;

/// A column of decimals of two places.
pub struct Decimals<'a> {
    pub values: &'a [i128],
    nulls: Option<&'a NullBuffer>,
}

impl<'a> Decimals<'a> {
    pub fn of(column: &'a ArrayRef) -> Self {
        let column = column.as_primitive::<Decimal128Type>();
        Self { values: column.values(), nulls: nulls(column) }
    }

    pub fn get(&self, row: usize) -> Option<i128> {
        is_valid(self.nulls, row).then(|| self.values[row])
    }

    pub fn has_nulls(&self) -> bool {
        self.nulls.is_some()
    }
}

/// A column of days since 1970.
pub struct Dates<'a> {
    pub values: &'a [i32],
    nulls: Option<&'a NullBuffer>,
}

impl<'a> Dates<'a> {
    pub fn of(column: &'a ArrayRef) -> Self {
        let column = column.as_primitive::<Date32Type>();
        Self { values: column.values(), nulls: nulls(column) }
    }

    pub fn get(&self, row: usize) -> Option<i32> {
        is_valid(self.nulls, row).then(|| self.values[row])
    }

    pub fn has_nulls(&self) -> bool {
        self.nulls.is_some()
    }
}

/// A column of flags, which are strings of one byte, but need not be.
pub enum Flags<'a> {
    Views(&'a StringViewArray),
    Small(&'a StringArray),
    Large(&'a LargeStringArray),
}

impl<'a> Flags<'a> {
    pub fn of(column: &'a ArrayRef) -> Self {
        if let Some(views) = column.as_string_view_opt() {
            return Self::Views(views);
        }
        match column.as_string_opt() {
            Some(small) => Self::Small(small),
            None => Self::Large(column.as_string()),
        }
    }

    pub fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Views(views) => views.is_valid(row).then(|| views.value(row)),
            Self::Small(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::Large(texts) => texts.is_valid(row).then(|| texts.value(row)),
        }
    }

    pub fn has_nulls(&self) -> bool {
        let column: &dyn Array = match self {
            Self::Views(views) => views,
            Self::Small(texts) => texts,
            Self::Large(texts) => texts,
        };
        nulls(column).is_some()
    }

    /// The bytes of the rows from `first` on, for as many as `bytes` has places; false
    /// where one is no string of one byte.
    pub fn bytes(&self, first: usize, bytes: &mut [u8]) -> bool {
        match self {
            Self::Views(views) => {
                // Length 1, and the byte behind it; the rest of a short view is zeros.
                const BYTE: u128 = 0xff << 32;
                let mut other = 0;
                let views = &views.views()[first..first + bytes.len()];
                for (byte, view) in bytes.iter_mut().zip(views) {
                    *byte = (view >> 32) as u8;
                    other |= (view & !BYTE) ^ 1;
                }
                other == 0
            }
            Self::Small(texts) => {
                one_each(texts.value_offsets(), texts.value_data(), first, bytes)
            }
            Self::Large(texts) => {
                one_each(texts.value_offsets(), texts.value_data(), first, bytes)
            }
        }
    }
}

// Where each string has one byte, those of the rows lie side by side.
fn one_each<T: Copy + Into<i64>>(
    offsets: &[T],
    data: &[u8],
    first: usize,
    bytes: &mut [u8],
) -> bool {
    let offsets = &offsets[first..=first + bytes.len()];
    let start: i64 = offsets[0].into();
    let mut other = 0;
    for (row, offset) in offsets.iter().enumerate() {
        other |= (*offset).into() ^ (start + row as i64);
    }
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let of_rows = data.get(start..).and_then(|data| data.get(..bytes.len()));
    match of_rows {
        Some(of_rows) if other == 0 => {
            bytes.copy_from_slice(of_rows);
            true
        }
        _ => false,
    }
}

fn nulls(column: &dyn Array) -> Option<&NullBuffer> {
    column.nulls().filter(|nulls| nulls.null_count() > 0)
}

fn is_valid(nulls: Option<&NullBuffer>, row: usize) -> bool {
    nulls.is_none_or(|nulls| nulls.is_valid(row))
}
