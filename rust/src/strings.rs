// SPDX-License-Identifier: MIT
//! Columns of strings or bytes, in each layout that Arrow has for them.

use std::borrow::Cow;

use crate::error::Error;
use crate::view::sealed::Sealed;
use crate::view::{Cells, Layout, Param, Source, Validity, cells, each_row};

/// A column of bytes, read in place: binary, large binary, binary view, fixed-size binary of
/// any size, and dictionaries of the first three.
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
    Fixed { width: usize, data: &'a [u8] },
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

// The indices of a dictionary: an enum with a slice for each integer type.
macro_rules! indices {
    ($($name:ident: $type:ty = $format:literal),+) => {
        #[derive(Clone, Debug)]
        enum Indices<'a> {
            $($name(Cow<'a, [$type]>),)+
        }

        impl<'a> Indices<'a> {
            fn of(source: &Source<'a>, format: u8) -> Result<Self, Error> {
                let (first, len) = (source.offset(), source.rows);
                match format {
                    $($format => source.slots(1, first, len).map(Self::$name),)+
                    _ => Err(source.bad("the indices of a dictionary must be integers")),
                }
            }

            #[inline]
            fn get(&self, row: usize) -> Option<usize> {
                match self {
                    $(Self::$name(indices) => usize::try_from(*indices.get(row)?).ok(),)+
                }
            }
        }
    };
}

indices!(
    I8: i8 = b'c', U8: u8 = b'C', I16: i16 = b's', U16: u16 = b'S', I32: i32 = b'i',
    U32: u32 = b'I', I64: i64 = b'l', U64: u64 = b'L'
);

// What a row contains.
enum Slot<'s> {
    Null,
    Bytes(&'s [u8]),
    OutOfRange,
}

impl<'a> Bytes<'a> {
    each_row!(&[u8]);

    /// The value of a row; None for a null, and after the last row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        match self.slot(row) {
            Slot::Bytes(bytes) => Some(bytes),
            Slot::Null | Slot::OutOfRange => None,
        }
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
            Slots::Fixed { width, data } => data.get(row * width..(row + 1) * width),
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
        let slots = match &source.kind.layout {
            Layout::Offsets32 => {
                let offsets = source.slots::<i32>(1, first, offsets_of(rows))?;
                let end = offsets.last().map_or(Ok(0), |&end| usize::try_from(end));
                Slots::Offsets32 { offsets, data: data(&source, end.ok())? }
            }
            Layout::Offsets64 => {
                let offsets = source.slots::<i64>(1, first, offsets_of(rows))?;
                let end = offsets.last().map_or(Ok(0), |&end| usize::try_from(end));
                Slots::Offsets64 { offsets, data: data(&source, end.ok())? }
            }
            Layout::Views => Slots::Views {
                views: source.slots::<ViewSlot>(1, first, rows)?,
                buffers: variadic(&source)?,
            },
            Layout::Dictionary { index, values } => {
                // SAFETY: the gate has passed the struct, whose type has a dictionary.
                let dictionary = unsafe { source.array.dictionary.as_ref() }
                    .ok_or_else(|| source.bad("the dictionary is missing"))?;
                let values = Source {
                    array: dictionary,
                    kind: values,
                    name: source.name,
                    first: 0,
                    rows: dictionary.length as usize,
                    row: "value",
                };
                let indices = Indices::of(&source, *index)?;
                Slots::Dictionary { indices, values: Box::new(Self::of(values)?) }
            }
            Layout::FixedBytes(width) => {
                let (first, bytes) =
                    (first.checked_mul(*width), rows.checked_mul(*width));
                let (Some(first), Some(bytes)) = (first, bytes) else {
                    return Err(source.bad("it is larger than the memory"));
                };
                let data = bytes_from(&source, 1, first, bytes)?;
                Slots::Fixed { width: *width, data }
            }
            Layout::Flat | Layout::List { .. } => {
                return Err(source.bad("it holds neither strings nor bytes"));
            }
        };
        Ok(Self { slots, validity: source.validity(), rows })
    }

    // Every row that is not null must lie in its buffer and pass `check`.
    fn check(
        &self,
        source: &Source<'_>,
        check: impl Fn(&[u8]) -> bool,
    ) -> Result<(), Error> {
        for row in 0..self.rows {
            match self.slot(row) {
                Slot::Null => {}
                Slot::Bytes(bytes) if check(bytes) => {}
                Slot::Bytes(_) => {
                    return Err(source.bad_row(row, "the text is not UTF-8"));
                }
                Slot::OutOfRange => {
                    return Err(source.bad_row(row, "the value is outside its buffer"));
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
            Slots::Views { .. }
            | Slots::Dictionary { .. }
            | Slots::Fixed { .. }
            | Slots::Parts(_) => false,
        }
    }
}

// An empty array may have no offsets at all.
fn offsets_of(rows: usize) -> usize {
    if rows == 0 { 0 } else { rows + 1 }
}

#[inline]
fn between<T: Copy + PartialOrd + Default>(offsets: &[T], row: usize) -> Option<(T, T)> {
    let (first, end) = (*offsets.get(row)?, *offsets.get(row + 1)?);
    (first >= T::default() && first <= end).then_some((first, end))
}

// The data up to the last offset: the C data interface gives no other size.
fn data<'a>(source: &Source<'a>, end: Option<usize>) -> Result<&'a [u8], Error> {
    let end = end.ok_or_else(|| source.bad("the last offset is negative"))?;
    bytes(source, 2, end)
}

fn bytes<'a>(source: &Source<'a>, buffer: usize, len: usize) -> Result<&'a [u8], Error> {
    bytes_from(source, buffer, 0, len)
}

fn bytes_from<'a>(
    source: &Source<'a>,
    buffer: usize,
    first: usize,
    len: usize,
) -> Result<&'a [u8], Error> {
    match source.slots::<u8>(buffer, first, len)? {
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
            let size = usize::try_from(size)
                .map_err(|_| source.bad("the size of a variadic buffer is negative"))?;
            bytes(source, 2 + index, size)
        })
        .collect()
}

/// For tests of a function. In a call, the engine makes the views.
impl<'a> FromIterator<Option<&'a [u8]>> for Bytes<'a> {
    fn from_iter<I: IntoIterator<Item = Option<&'a [u8]>>>(rows: I) -> Self {
        let (flags, parts): (Vec<bool>, Vec<&[u8]>) =
            rows.into_iter().map(|row| (row.is_some(), row.unwrap_or_default())).unzip();
        let rows = parts.len();
        Self { slots: Slots::Parts(parts), validity: Validity::Flags(flags), rows }
    }
}

cells!(Bytes<'_>, 'c => &'c [u8]);

impl Sealed for Bytes<'_> {}

impl<'a> Param<'a> for Bytes<'a> {
    const ACCEPTS: &'static str = "z Z vz w:* ?:z ?:Z ?:vz\0";

    fn view(source: Source<'a>) -> Result<Self, Error> {
        let bytes = Self::of(source)?;
        bytes.check(&source, |_| true)?;
        Ok(bytes)
    }
}

/// A column of strings, read in place: utf8, large utf8, utf8 view, and dictionaries of
/// them.
#[derive(Clone, Debug)]
pub struct Strings<'a> {
    bytes: Bytes<'a>,
    rows: usize,
}

impl<'a> Strings<'a> {
    // SAFETY relies on this: each row of `bytes` is UTF-8.
    fn of(bytes: Bytes<'a>) -> Self {
        Self { rows: bytes.len(), bytes }
    }

    each_row!(&str);

    /// The value of a row; None for a null, and after the last row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        // SAFETY: every row that is not null was checked when the view was made.
        self.bytes.get(row).map(|bytes| unsafe { std::str::from_utf8_unchecked(bytes) })
    }
}

/// For tests of a function. In a call, the engine makes the views.
impl<'a> FromIterator<Option<&'a str>> for Strings<'a> {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(rows: I) -> Self {
        Self::of(rows.into_iter().map(|row| row.map(str::as_bytes)).collect())
    }
}

cells!(Strings<'_>, 'c => &'c str);

impl Sealed for Strings<'_> {}

impl<'a> Param<'a> for Strings<'a> {
    const ACCEPTS: &'static str = "u U vu ?:u ?:U ?:vu\0";

    fn view(source: Source<'a>) -> Result<Self, Error> {
        let bytes = Bytes::of(source)?;
        // Every part of an ASCII text is UTF-8, so the strings need no check one by one.
        let is_ascii = bytes.is_ascii();
        bytes.check(&source, |text| is_ascii || std::str::from_utf8(text).is_ok())?;
        Ok(Self::of(bytes))
    }
}
