// SPDX-License-Identifier: MIT
//! What a function reads: typed views of the columns that its parameters name.
//!
//! The engine's gate has checked the columns at level *shape*: the buffers exist and are
//! long enough. Everything that a view follows from there (offsets, views, indices) is
//! checked here before it is used.

use std::borrow::Cow;
use std::ffi::CStr;
use std::mem::{align_of, size_of};

use self::sealed::Sealed;
use crate::abi::{ArrowArray, ArrowSchema};
use crate::error::Error;

/// The layout of a column, for parameters that accept more than one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Flat,
    Offsets32,
    Offsets64,
    Views,
    Dictionary { index: u8, values: Box<Kind> },
}

impl Kind {
    /// # Safety
    ///
    /// The schema must be valid.
    pub(crate) unsafe fn of(schema: &ArrowSchema) -> Self {
        // SAFETY: a valid schema has a format, and its dictionary is valid or NULL.
        unsafe {
            let format = CStr::from_ptr(schema.format).to_bytes();
            match (schema.dictionary.as_ref(), format) {
                (Some(values), _) => {
                    let index = format.first().copied().unwrap_or(0);
                    Self::Dictionary { index, values: Box::new(Self::of(values)) }
                }
                (_, b"u" | b"z") => Self::Offsets32,
                (_, b"U" | b"Z") => Self::Offsets64,
                (_, b"vu" | b"vz") => Self::Views,
                _ => Self::Flat,
            }
        }
    }
}

/// A column as the engine passed it, on its way to a parameter.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub(crate) array: &'a ArrowArray,
    pub(crate) kind: &'a Kind,
    pub(crate) name: &'static str,
    pub(crate) rows: usize,
}

impl<'a> Source<'a> {
    pub(crate) fn bad(&self, text: &str) -> Error {
        Error::bad_data(format!("column {}: {text}", self.name))
    }

    pub(crate) fn bad_row(&self, row: usize, text: &str) -> Error {
        Error::bad_data(format!("column {}, row {row}: {text}", self.name))
    }

    pub(crate) fn offset(&self) -> usize {
        self.array.offset as usize
    }

    /// `len` values of `buffer` from `first` on; a copy if they are misaligned. `T` must
    /// be valid for any bits.
    pub(crate) fn slots<T: Copy>(
        &self,
        buffer: usize,
        first: usize,
        len: usize,
    ) -> Result<Cow<'a, [T]>, Error> {
        if len == 0 {
            return Ok(Cow::Borrowed(&[]));
        }
        // SAFETY: the gate has passed the struct, so the buffer is as long as its array
        // needs.
        unsafe {
            let start = self.array.buffer(buffer);
            if start.is_null() {
                return Err(self.bad("a buffer is missing"));
            }
            let start = start.add(first * size_of::<T>());
            if (start as usize).is_multiple_of(align_of::<T>()) {
                return Ok(Cow::Borrowed(std::slice::from_raw_parts(start.cast(), len)));
            }
            let mut copy = Vec::<T>::with_capacity(len);
            std::ptr::copy_nonoverlapping(
                start,
                copy.as_mut_ptr().cast::<u8>(),
                len * size_of::<T>(),
            );
            copy.set_len(len);
            Ok(Cow::Owned(copy))
        }
    }

    pub(crate) fn bits(&self, buffer: usize) -> Option<Bits<'a>> {
        let (offset, len) = (self.offset(), self.rows);
        // SAFETY: the gate has passed the struct, so the buffer is as long as its array
        // needs.
        unsafe {
            let start = self.array.buffer(buffer);
            if start.is_null() || len == 0 {
                return None;
            }
            let bytes = std::slice::from_raw_parts(start, (offset + len).div_ceil(8));
            Some(Bits { bytes, offset })
        }
    }

    pub(crate) fn validity(&self) -> Validity<'a> {
        let bits = if self.array.null_count == 0 { None } else { self.bits(0) };
        bits.map_or(Validity::All, Validity::Bits)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Bits<'_> {
    #[inline]
    pub(crate) fn get(&self, index: usize) -> bool {
        let bit = self.offset + index;
        self.bytes[bit / 8] >> (bit % 8) & 1 == 1
    }
}

/// Which rows are not null.
#[derive(Clone, Debug)]
pub(crate) enum Validity<'a> {
    All,
    Bits(Bits<'a>),
    Flags(Vec<bool>),
}

impl Validity<'_> {
    #[inline]
    pub(crate) fn is_valid(&self, row: usize) -> bool {
        match self {
            Self::All => true,
            Self::Bits(bits) => bits.get(row),
            Self::Flags(flags) => flags[row],
        }
    }
}

// The crate's unsafe code relies on the constants of these traits, so no other crate may
// implement them.
pub(crate) mod sealed {
    pub trait Sealed {}
}

/// A type that can be a parameter of a function: the views of this crate.
pub trait Param<'a>: Sized + Sealed {
    /// The C formats that it accepts, separated by blanks, with a NUL at the end.
    const ACCEPTS: &'static str;

    /// The view of a column.
    ///
    /// # Errors
    ///
    /// An offset, a view or an index points outside its buffer, or a text is not UTF-8.
    fn view(source: Source<'a>) -> Result<Self, Error>;
}

/// A number type that a [`View`] can read: `i8` to `u64`, `f32` and `f64`.
pub trait Number: Copy + Default + Send + Sealed + 'static {
    /// Its C format, with a NUL at the end.
    const FORMAT: &'static str;
}

macro_rules! numbers {
    ($($type:ty: $format:literal),*) => {
        $(impl Sealed for $type {}

        impl Number for $type {
            const FORMAT: &'static str = concat!($format, "\0");
        })*
    };
}

numbers!(
    i8: "c", u8: "C", i16: "s", u16: "S", i32: "i", u32: "I", i64: "l", u64: "L", f32: "f",
    f64: "g"
);

/// A column of numbers, read in place.
#[derive(Clone, Debug)]
pub struct View<'a, T: Number> {
    values: Cow<'a, [T]>,
    validity: Validity<'a>,
}

impl<T: Number> View<'_, T> {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of a row; None for a null, and after the last row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> Option<T> {
        let value = self.values.get(row)?;
        self.validity.is_valid(row).then_some(*value)
    }

    /// All rows; None for a null.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<T>> + '_ {
        let rows = self.values.iter().enumerate();
        rows.map(|(row, value)| self.validity.is_valid(row).then_some(*value))
    }

    /// Only the values. The value of a null row has no meaning.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Whether any row is null. It looks at each row until it finds one.
    #[must_use]
    pub fn has_nulls(&self) -> bool {
        (0..self.len()).any(|row| !self.validity.is_valid(row))
    }
}

/// For tests of a function. In a call, the engine makes the views.
impl<T: Number> FromIterator<Option<T>> for View<'_, T> {
    fn from_iter<I: IntoIterator<Item = Option<T>>>(rows: I) -> Self {
        let (flags, values): (Vec<bool>, Vec<T>) =
            rows.into_iter().map(|row| (row.is_some(), row.unwrap_or_default())).unzip();
        Self { values: Cow::Owned(values), validity: Validity::Flags(flags) }
    }
}

/// For tests of a function. In a call, the engine makes the views.
impl<'a, T: Number> From<&'a [T]> for View<'a, T> {
    fn from(values: &'a [T]) -> Self {
        Self { values: Cow::Borrowed(values), validity: Validity::All }
    }
}

impl<T: Number> Sealed for View<'_, T> {}

impl<'a, T: Number> Param<'a> for View<'a, T> {
    const ACCEPTS: &'static str = T::FORMAT;

    fn view(source: Source<'a>) -> Result<Self, Error> {
        Ok(Self {
            values: source.slots(1, source.offset(), source.rows)?,
            validity: source.validity(),
        })
    }
}

// The methods that views share; `get` is the view's own, over `rows` rows.
macro_rules! each_row {
    ($value:ty) => {
        /// The number of rows.
        #[must_use]
        pub fn len(&self) -> usize {
            self.rows
        }

        /// Whether there are no rows.
        #[must_use]
        pub fn is_empty(&self) -> bool {
            self.rows == 0
        }

        /// All rows; None for a null.
        pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<$value>> + '_ {
            (0..self.rows).map(|row| self.get(row))
        }
    };
}
pub(crate) use each_row;

/// A column of booleans, read in place.
#[derive(Clone, Debug)]
pub struct Bools<'a> {
    bits: Option<Bits<'a>>,
    validity: Validity<'a>,
    rows: usize,
}

impl Bools<'_> {
    each_row!(bool);

    /// The value of a row; None for a null, and after the last row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> Option<bool> {
        let bits = self.bits.as_ref()?;
        (row < self.rows && self.validity.is_valid(row)).then(|| bits.get(row))
    }
}

impl Sealed for Bools<'_> {}

impl<'a> Param<'a> for Bools<'a> {
    const ACCEPTS: &'static str = "b\0";

    fn view(source: Source<'a>) -> Result<Self, Error> {
        let bits = source.bits(1);
        if bits.is_none() && source.rows > 0 {
            return Err(source.bad("a buffer is missing"));
        }
        Ok(Self { bits, validity: source.validity(), rows: source.rows })
    }
}
