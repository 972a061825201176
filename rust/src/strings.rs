// SPDX-License-Identifier: MIT
//! Columns of strings or bytes, in whatever form they come.

use std::borrow::Cow;

use crate::error::Error;
use crate::view::sealed::Sealed;
use crate::view::{Kind, Param, Source, Validity};

/// A column of bytes: binary, large binary, binary view, and dictionaries of them.
#[derive(Clone, Debug)]
pub struct Bytes<'a> {
    slots: Slots<'a>,
    validity: Validity<'a>,
    rows: usize,
}

#[derive(Clone, Debug)]
enum Slots<'a> {
    Offsets32 { offsets: Cow<'a, [i32]>, data: &'a [u8] },
    Offsets64 { offsets: Cow<'a, [i64]>, data: &'a [u8] },
    Views { views: Cow<'a, [ViewSlot]>, buffers: Vec<&'a [u8]> },
    Dictionary { indices: Indices<'a>, values: Box<Bytes<'a>> },
    Parts(Vec<&'a [u8]>),
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(4))]
struct ViewSlot([u8; 16]);

impl ViewSlot {
    fn word(&self, at: usize) -> i32 {
        i32::from_ne_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
    }

    fn get<'s>(&'s self, buffers: &[&'s [u8]]) -> Option<&'s [u8]> {
        let len = usize::try_from(self.word(0)).ok()?;
        if len <= 12 {
            return self.0.get(4..4 + len);
        }
        let buffer = buffers.get(usize::try_from(self.word(8)).ok()?)?;
        let first = usize::try_from(self.word(12)).ok()?;
        buffer.get(first..first.checked_add(len)?)
    }
}

#[derive(Clone, Debug)]
enum Indices<'a> {
    I8(Cow<'a, [i8]>),
    U8(Cow<'a, [u8]>),
    I16(Cow<'a, [i16]>),
    U16(Cow<'a, [u16]>),
    I32(Cow<'a, [i32]>),
    U32(Cow<'a, [u32]>),
    I64(Cow<'a, [i64]>),
    U64(Cow<'a, [u64]>),
}

impl<'a> Indices<'a> {
    fn of(source: &Source<'a>, index: u8) -> Result<Self, Error> {
        let (first, len) = (source.offset(), source.rows);
        Ok(match index {
            b'c' => Self::I8(source.slots(1, first, len)?),
            b'C' => Self::U8(source.slots(1, first, len)?),
            b's' => Self::I16(source.slots(1, first, len)?),
            b'S' => Self::U16(source.slots(1, first, len)?),
            b'i' => Self::I32(source.slots(1, first, len)?),
            b'I' => Self::U32(source.slots(1, first, len)?),
            b'l' => Self::I64(source.slots(1, first, len)?),
            b'L' => Self::U64(source.slots(1, first, len)?),
            _ => return Err(source.bad("the indices of a dictionary are integers")),
        })
    }

    #[inline]
    fn get(&self, row: usize) -> Option<usize> {
        match self {
            Self::I8(indices) => usize::try_from(*indices.get(row)?).ok(),
            Self::U8(indices) => Some(usize::from(*indices.get(row)?)),
            Self::I16(indices) => usize::try_from(*indices.get(row)?).ok(),
            Self::U16(indices) => Some(usize::from(*indices.get(row)?)),
            Self::I32(indices) => usize::try_from(*indices.get(row)?).ok(),
            Self::U32(indices) => usize::try_from(*indices.get(row)?).ok(),
            Self::I64(indices) => usize::try_from(*indices.get(row)?).ok(),
            Self::U64(indices) => usize::try_from(*indices.get(row)?).ok(),
        }
    }
}

// What a slot leads to.
enum Slot<'s> {
    Null,
    Bytes(&'s [u8]),
    OutOfRange,
}

impl<'a> Bytes<'a> {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The value of a row; None for a null, and beyond the last row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        match self.slot(row) {
            Slot::Bytes(bytes) => Some(bytes),
            Slot::Null | Slot::OutOfRange => None,
        }
    }

    /// All rows, None for nulls.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&[u8]>> + '_ {
        (0..self.rows).map(|row| self.get(row))
    }

    #[inline]
    fn slot(&self, row: usize) -> Slot<'_> {
        if row >= self.rows || !self.validity.is_valid(row) {
            return Slot::Null;
        }
        let bytes = match &self.slots {
            Slots::Offsets32 { offsets, data } => between(offsets, row)
                .and_then(|(first, end)| data.get(first as usize..end as usize)),
            Slots::Offsets64 { offsets, data } => between(offsets, row)
                .and_then(|(first, end)| data.get(first as usize..end as usize)),
            Slots::Views { views, buffers } => {
                views.get(row).and_then(|view| view.get(buffers))
            }
            Slots::Parts(parts) => parts.get(row).copied(),
            Slots::Dictionary { indices, values } => {
                return match indices.get(row) {
                    Some(index) if index < values.rows => values.slot(index),
                    _ => Slot::OutOfRange,
                };
            }
        };
        bytes.map_or(Slot::OutOfRange, Slot::Bytes)
    }

    fn of(source: Source<'a>) -> Result<Self, Error> {
        let rows = source.rows;
        let first = source.offset();
        let slots = match source.kind {
            Kind::Offsets32 => {
                let offsets = source.slots::<i32>(1, first, offsets_of(rows))?;
                let end = offsets.last().map_or(Ok(0), |&end| usize::try_from(end));
                Slots::Offsets32 { offsets, data: data(&source, end.ok())? }
            }
            Kind::Offsets64 => {
                let offsets = source.slots::<i64>(1, first, offsets_of(rows))?;
                let end = offsets.last().map_or(Ok(0), |&end| usize::try_from(end));
                Slots::Offsets64 { offsets, data: data(&source, end.ok())? }
            }
            Kind::Views => Slots::Views {
                views: source.slots::<ViewSlot>(1, first, rows)?,
                buffers: variadic(&source)?,
            },
            Kind::Dictionary { index, values } => {
                // SAFETY: the gate has passed the struct, whose type has a dictionary.
                let dictionary = unsafe { source.array.dictionary.as_ref() }
                    .ok_or_else(|| source.bad("the dictionary is missing"))?;
                let values = Source {
                    array: dictionary,
                    kind: values,
                    name: source.name,
                    rows: dictionary.length as usize,
                };
                let indices = Indices::of(&source, *index)?;
                Slots::Dictionary { indices, values: Box::new(Self::of(values)?) }
            }
            Kind::Flat => return Err(source.bad("neither strings nor bytes")),
        };
        Ok(Self { slots, validity: source.validity(), rows })
    }

    // Every row must lead to bytes of its buffer, of which `check` must approve.
    fn check(
        &self,
        source: &Source<'_>,
        check: impl Fn(&[u8]) -> bool,
    ) -> Result<(), Error> {
        for row in 0..self.rows {
            match self.slot(row) {
                Slot::Null => {}
                Slot::Bytes(bytes) if check(bytes) => {}
                Slot::Bytes(_) => return Err(source.bad_row(row, "not UTF-8")),
                Slot::OutOfRange => {
                    return Err(source.bad_row(row, "leads out of its buffer"));
                }
            }
        }
        Ok(())
    }

    fn is_ascii(&self) -> bool {
        match &self.slots {
            Slots::Offsets32 { data, .. } | Slots::Offsets64 { data, .. } => {
                data.is_ascii()
            }
            Slots::Views { .. } | Slots::Dictionary { .. } | Slots::Parts(_) => false,
        }
    }
}

// An empty array may come without any offsets.
fn offsets_of(rows: usize) -> usize {
    if rows == 0 { 0 } else { rows + 1 }
}

#[inline]
fn between<T: Copy + PartialOrd + Default>(offsets: &[T], row: usize) -> Option<(T, T)> {
    let (first, end) = (*offsets.get(row)?, *offsets.get(row + 1)?);
    (first >= T::default() && first <= end).then_some((first, end))
}

// The data up to the last offset: C Data says no other size.
fn data<'a>(source: &Source<'a>, end: Option<usize>) -> Result<&'a [u8], Error> {
    let end = end.ok_or_else(|| source.bad("the last offset is negative"))?;
    bytes(source, 2, end)
}

fn bytes<'a>(source: &Source<'a>, buffer: usize, len: usize) -> Result<&'a [u8], Error> {
    match source.slots::<u8>(buffer, 0, len)? {
        Cow::Borrowed(bytes) => Ok(bytes),
        Cow::Owned(_) => unreachable!("bytes are never misaligned"),
    }
}

fn variadic<'a>(source: &Source<'a>) -> Result<Vec<&'a [u8]>, Error> {
    let count = (source.array.n_buffers as usize).saturating_sub(3);
    let sizes = source.slots::<i64>(source.array.n_buffers as usize - 1, 0, count)?;
    let sizes = sizes.iter().enumerate();
    sizes
        .map(|(index, &size)| {
            let size =
                usize::try_from(size).map_err(|_| source.bad("a negative size"))?;
            bytes(source, 2 + index, size)
        })
        .collect()
}

/// For tests of a function: the engine makes the views of a call.
impl<'a> FromIterator<Option<&'a [u8]>> for Bytes<'a> {
    fn from_iter<I: IntoIterator<Item = Option<&'a [u8]>>>(rows: I) -> Self {
        let (flags, parts): (Vec<bool>, Vec<&[u8]>) =
            rows.into_iter().map(|row| (row.is_some(), row.unwrap_or_default())).unzip();
        let rows = parts.len();
        Self { slots: Slots::Parts(parts), validity: Validity::Flags(flags), rows }
    }
}

impl Sealed for Bytes<'_> {}

impl<'a> Param<'a> for Bytes<'a> {
    const ACCEPTS: &'static str = "z Z vz ?:z ?:Z ?:vz\0";

    fn view(source: Source<'a>) -> Result<Self, Error> {
        let bytes = Self::of(source)?;
        bytes.check(&source, |_| true)?;
        Ok(bytes)
    }
}

/// A column of strings: utf8, large utf8, utf8 view, and dictionaries of them.
#[derive(Clone, Debug)]
pub struct Strings<'a>(Bytes<'a>);

impl Strings<'_> {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a row; None for a null, and beyond the last row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        // SAFETY: every row that is not null was checked when the view was made.
        self.0.get(row).map(|bytes| unsafe { std::str::from_utf8_unchecked(bytes) })
    }

    /// All rows, None for nulls.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }
}

/// For tests of a function: the engine makes the views of a call.
impl<'a> FromIterator<Option<&'a str>> for Strings<'a> {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(rows: I) -> Self {
        Self(rows.into_iter().map(|row| row.map(str::as_bytes)).collect())
    }
}

impl Sealed for Strings<'_> {}

impl<'a> Param<'a> for Strings<'a> {
    const ACCEPTS: &'static str = "u U vu ?:u ?:U ?:vu\0";

    fn view(source: Source<'a>) -> Result<Self, Error> {
        let bytes = Bytes::of(source)?;
        // Of ASCII every part is UTF-8, which spares the look at each string.
        let is_ascii = bytes.is_ascii();
        bytes.check(&source, |text| is_ascii || std::str::from_utf8(text).is_ok())?;
        Ok(Self(bytes))
    }
}
