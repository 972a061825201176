// SPDX-License-Identifier: MIT
//! What a function reads: typed views of the columns that its parameters name.
//!
//! The engine's gate has checked the columns at level *shape*: the buffers exist and are
//! long enough. Everything that a view follows from there (offsets, views, indices) is
//! checked here before it is used.

use std::borrow::Cow;
use std::ffi::CStr;
use std::mem::{align_of, size_of};
use std::ptr::NonNull;

use self::sealed::Sealed;
use crate::abi::{ArrowArray, ArrowSchema};
use crate::error::{Code, Error};
use crate::types::{
    Decimal, Decimal128, Fixed, Timestamp, Unit, Zone, precision_and_scale,
};

/// The type of a column, as bind saw it: what its parameter must know to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    pub(crate) format: String,
    pub(crate) layout: Layout,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Flat,
    FixedBytes(usize),
    Offsets32,
    Offsets64,
    Views,
    Dictionary { index: u8, values: Box<Kind> },
    List { layout: ListLayout, items: Box<Kind> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListLayout {
    Offsets32,
    Offsets64,
    Fixed(usize),
    Views32,
    Views64,
}

impl Kind {
    /// # Safety
    ///
    /// The schema must be valid.
    pub(crate) unsafe fn of(schema: &ArrowSchema) -> Self {
        // SAFETY: a valid schema has a format, and its dictionary is valid or NULL.
        let (format, dictionary) = unsafe {
            let format = CStr::from_ptr(schema.format).to_string_lossy().into_owned();
            (format, schema.dictionary.as_ref())
        };
        let layout = match (dictionary, format.as_str()) {
            (Some(values), _) => {
                let index = format.bytes().next().unwrap_or(0);
                // SAFETY: as above.
                let values = Box::new(unsafe { Self::of(values) });
                Layout::Dictionary { index, values }
            }
            (_, "u" | "z") => Layout::Offsets32,
            (_, "U" | "Z") => Layout::Offsets64,
            (_, "vu" | "vz") => Layout::Views,
            (_, "+l") => Self::list_of(schema, ListLayout::Offsets32),
            (_, "+L") => Self::list_of(schema, ListLayout::Offsets64),
            (_, "+vl") => Self::list_of(schema, ListLayout::Views32),
            (_, "+vL") => Self::list_of(schema, ListLayout::Views64),
            (_, format) => match format.split_once(':') {
                Some(("w", size)) => {
                    size.parse().map_or(Layout::Flat, Layout::FixedBytes)
                }
                Some(("+w", size)) => size.parse().map_or(Layout::Flat, |size| {
                    Self::list_of(schema, ListLayout::Fixed(size))
                }),
                _ => Layout::Flat,
            },
        };
        Self { format, layout }
    }

    // Of a valid schema of a list.
    fn list_of(schema: &ArrowSchema, layout: ListLayout) -> Layout {
        if schema.n_children != 1 {
            return Layout::Flat;
        }
        // SAFETY: the child of a valid schema is valid.
        let items = unsafe { Self::of(&**schema.children) };
        Layout::List { layout, items: Box::new(items) }
    }

    // The first of this type and those inside it for which `wanted` is true.
    pub(crate) fn find(&self, wanted: &dyn Fn(&Self) -> bool) -> Option<&Self> {
        match &self.layout {
            _ if wanted(self) => Some(self),
            Layout::Dictionary { values: inner, .. }
            | Layout::List { items: inner, .. } => inner.find(wanted),
            _ => None,
        }
    }

    // The format, for people: with that of the values of a dictionary or the items of a list.
    pub(crate) fn text(&self) -> String {
        match &self.layout {
            Layout::Dictionary { values, .. } => {
                format!("{} with a dictionary of {}", self.format, values.text())
            }
            Layout::List { items, .. } => format!("{} of {}", self.format, items.text()),
            _ => self.format.clone(),
        }
    }
}

/// Whether a type is one of these formats: the patterns of `alloy_column.accepts`.
pub(crate) fn accepts(patterns: &str, kind: &Kind) -> bool {
    patterns.trim_end_matches('\0').split(' ').any(|pattern| {
        let (pattern, kind) = match (pattern.strip_prefix("?:"), &kind.layout) {
            (Some(pattern), Layout::Dictionary { values, .. }) => (pattern, &**values),
            (None, Layout::Dictionary { .. }) | (Some(_), _) => return false,
            (None, _) => (pattern, kind),
        };
        match pattern.strip_suffix('*') {
            Some(prefix) => kind.format.starts_with(prefix),
            None => kind.format == pattern,
        }
    })
}

/// A column as the engine passed it, on its way to a parameter.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub(crate) array: &'a ArrowArray,
    pub(crate) kind: &'a Kind,
    pub(crate) name: &'static str,
    // The rows from `first` on: of the items of a list, those that its rows reach.
    pub(crate) first: usize,
    pub(crate) rows: usize,
    // What a row is, in errors.
    pub(crate) row: &'static str,
}

impl<'a> Source<'a> {
    pub(crate) fn bad(&self, text: &str) -> Error {
        Error::bad_data(format!("column {}: {text}", self.name))
    }

    pub(crate) fn bad_row(&self, row: usize, text: &str) -> Error {
        let row = self.first + row;
        Error::bad_data(format!("column {}, {} {row}: {text}", self.name, self.row))
    }

    pub(crate) fn offset(&self) -> usize {
        self.array.offset as usize + self.first
    }

    /// `len` values of `buffer` from `first` on; a copy if they are misaligned. `T` must
    /// be valid for any bits.
    pub(crate) fn slots<T: Copy>(
        &self,
        buffer: usize,
        first: usize,
        len: usize,
    ) -> Result<Cow<'a, [T]>, Error> {
        if len == 0 || size_of::<T>() == 0 {
            // SAFETY: a slice without bytes needs no memory, only an aligned address.
            let none =
                unsafe { std::slice::from_raw_parts(NonNull::dangling().as_ptr(), len) };
            return Ok(Cow::Borrowed(none));
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
            let mut copy = Vec::<T>::new();
            copy.try_reserve_exact(len).map_err(|_| {
                let text = format!("column {}: no memory to align it", self.name);
                Error::new(Code::Exhausted, text)
            })?;
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

    /// Whether it can read a type. A format of `ACCEPTS` does not tell everything: neither
    /// the width of a decimal nor the items of a list.
    #[doc(hidden)]
    #[must_use]
    fn fits(kind: &Kind) -> bool {
        accepts(Self::ACCEPTS, kind)
    }

    /// What it reads, for people.
    #[doc(hidden)]
    #[must_use]
    fn wanted() -> String {
        Self::ACCEPTS.trim_end_matches('\0').to_owned()
    }
}

/// A view whose rows can be read one by one, whatever their type is: all views of this crate.
pub trait Cells {
    /// The value of a row.
    type Cell<'c>
    where
        Self: 'c;

    /// The number of rows.
    fn rows(&self) -> usize;

    /// The value of a row; None for a null, and after the last row.
    fn cell(&self, row: usize) -> Option<Self::Cell<'_>>;
}

/// A column of values of one width, read in place: numbers, dates, times, decimals and
/// fixed-size bytes (`[u8; N]`). [`Fixed`] lists the types.
#[derive(Clone, Debug)]
pub struct View<'a, T: Fixed> {
    values: Cow<'a, [T]>,
    validity: Validity<'a>,
    // Empty in tests of a function.
    format: &'a str,
}

impl<U: Unit, Z: Zone> View<'_, Timestamp<U, Z>> {
    /// The name of the time zone; None if the column has none.
    #[must_use]
    pub fn time_zone(&self) -> Option<&str> {
        let zone = self.format.split_once(':').map(|(_, zone)| zone).or(Z::NAME);
        zone.filter(|zone| !zone.is_empty())
    }
}

impl View<'_, Decimal128> {
    /// The number of digits, from 1 to 38.
    #[must_use]
    pub fn precision(&self) -> u8 {
        precision_and_scale(self.format).map_or(38, |(precision, _)| precision)
    }

    /// The number of digits after the point.
    #[must_use]
    pub fn scale(&self) -> i8 {
        precision_and_scale(self.format).map_or(0, |(_, scale)| scale)
    }
}

impl<const P: u8, const S: i8> View<'_, Decimal<P, S>> {
    /// The number of digits, from 1 to 38.
    #[must_use]
    pub fn precision(&self) -> u8 {
        P
    }

    /// The number of digits after the point.
    #[must_use]
    pub fn scale(&self) -> i8 {
        S
    }
}

impl<T: Fixed> View<'_, T> {
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
impl<T: Fixed> FromIterator<Option<T>> for View<'_, T> {
    fn from_iter<I: IntoIterator<Item = Option<T>>>(rows: I) -> Self {
        let (flags, values): (Vec<bool>, Vec<T>) =
            rows.into_iter().map(|row| (row.is_some(), row.unwrap_or(T::ZERO))).unzip();
        Self { values: Cow::Owned(values), validity: Validity::Flags(flags), format: "" }
    }
}

/// For tests of a function. In a call, the engine makes the views.
impl<'a, T: Fixed> From<&'a [T]> for View<'a, T> {
    fn from(values: &'a [T]) -> Self {
        Self { values: Cow::Borrowed(values), validity: Validity::All, format: "" }
    }
}

impl<T: Fixed> Sealed for View<'_, T> {}

impl<'a, T: Fixed> Param<'a> for View<'a, T> {
    const ACCEPTS: &'static str = T::ACCEPTS;

    fn view(source: Source<'a>) -> Result<Self, Error> {
        Ok(Self {
            values: source.slots(1, source.offset(), source.rows)?,
            validity: source.validity(),
            format: &source.kind.format,
        })
    }

    fn fits(kind: &Kind) -> bool {
        accepts(T::ACCEPTS, kind) && T::fits(&kind.format)
    }

    fn wanted() -> String {
        T::wanted()
    }
}

impl<T: Fixed> Cells for View<'_, T> {
    type Cell<'c>
        = T
    where
        Self: 'c;

    fn rows(&self) -> usize {
        self.len()
    }

    #[inline]
    fn cell(&self, row: usize) -> Option<T> {
        self.get(row)
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

// The same for code that does not know which view it has.
macro_rules! cells {
    ($view:ident<'_>, $cell:lifetime => $value:ty) => {
        impl Cells for $view<'_> {
            type Cell<$cell>
                = $value
            where
                Self: $cell;

            fn rows(&self) -> usize {
                self.rows
            }

            #[inline]
            fn cell(&self, row: usize) -> Option<Self::Cell<'_>> {
                self.get(row)
            }
        }
    };
}
pub(crate) use cells;

/// A column of booleans, read in place.
#[derive(Clone, Debug)]
pub struct Bools<'a> {
    bits: Validity<'a>,
    validity: Validity<'a>,
    rows: usize,
}

impl Bools<'_> {
    each_row!(bool);

    /// The value of a row; None for a null, and after the last row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> Option<bool> {
        (row < self.rows && self.validity.is_valid(row)).then(|| self.bits.is_valid(row))
    }
}

cells!(Bools<'_>, 'c => bool);

/// For tests of a function. In a call, the engine makes the views.
impl FromIterator<Option<bool>> for Bools<'_> {
    fn from_iter<I: IntoIterator<Item = Option<bool>>>(rows: I) -> Self {
        let (flags, values): (Vec<bool>, Vec<bool>) =
            rows.into_iter().map(|row| (row.is_some(), row.unwrap_or_default())).unzip();
        let rows = values.len();
        Self { bits: Validity::Flags(values), validity: Validity::Flags(flags), rows }
    }
}

impl Sealed for Bools<'_> {}

impl<'a> Param<'a> for Bools<'a> {
    const ACCEPTS: &'static str = "b\0";

    fn view(source: Source<'a>) -> Result<Self, Error> {
        let bits = match source.bits(1) {
            Some(bits) => Validity::Bits(bits),
            None if source.rows > 0 => return Err(source.bad("a buffer is missing")),
            None => Validity::All,
        };
        Ok(Self { bits, validity: source.validity(), rows: source.rows })
    }
}
