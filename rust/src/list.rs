// SPDX-License-Identifier: MIT
//! Columns of lists, in each layout that Arrow has for them.

use std::borrow::Cow;

use crate::error::Error;
use crate::types::Fixed;
use crate::view::sealed::Sealed;
use crate::view::{
    Cells, Kind, Layout, ListLayout, Param, Source, Validity, View, accepts, each_row,
};

/// A column of lists, read in place: lists and large lists, fixed-size lists, and list views.
/// `V` is the view of the items: `List<View<f64>>`, `List<Strings>`, `List<List<Bools>>`.
///
/// Every row that is not null was checked when the view was made: it lies inside the items.
#[derive(Clone, Debug)]
pub struct List<'a, V> {
    items: V,
    // Where `items` begins among all items.
    first: usize,
    ranges: Ranges<'a>,
    validity: Validity<'a>,
    rows: usize,
}

#[derive(Clone, Debug)]
enum Ranges<'a> {
    Offsets32(Cow<'a, [i32]>),
    Offsets64(Cow<'a, [i64]>),
    // Each row has `size` items, and row 0 begins at `first`.
    Fixed { first: usize, size: usize },
    Views32 { offsets: Cow<'a, [i32]>, sizes: Cow<'a, [i32]> },
    Views64 { offsets: Cow<'a, [i64]>, sizes: Cow<'a, [i64]> },
}

impl Ranges<'_> {
    // The items of a row, from the first one of the child on; None if it is no range.
    #[inline]
    fn get(&self, row: usize) -> Option<(usize, usize)> {
        let (first, end) = match self {
            Self::Offsets32(offsets) => (
                usize::try_from(*offsets.get(row)?).ok()?,
                usize::try_from(*offsets.get(row + 1)?).ok()?,
            ),
            Self::Offsets64(offsets) => (
                usize::try_from(*offsets.get(row)?).ok()?,
                usize::try_from(*offsets.get(row + 1)?).ok()?,
            ),
            Self::Fixed { first, size } => {
                let start = row.checked_mul(*size)?.checked_add(*first)?;
                (start, start.checked_add(*size)?)
            }
            Self::Views32 { offsets, sizes } => {
                let start = usize::try_from(*offsets.get(row)?).ok()?;
                (start, start.checked_add(usize::try_from(*sizes.get(row)?).ok()?)?)
            }
            Self::Views64 { offsets, sizes } => {
                let start = usize::try_from(*offsets.get(row)?).ok()?;
                (start, start.checked_add(usize::try_from(*sizes.get(row)?).ok()?)?)
            }
        };
        (first <= end).then_some((first, end))
    }
}

/// One list of a column: a part of its items.
#[derive(Debug)]
pub struct ListItems<'v, V> {
    items: &'v V,
    first: usize,
    len: usize,
}

impl<V> Clone for ListItems<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for ListItems<'_, V> {}

impl<'v, V: Cells> ListItems<'v, V> {
    /// The number of items.
    #[must_use]
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether the list has no items.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// An item; None for a null, and after the last one.
    #[inline]
    #[must_use]
    pub fn get(self, index: usize) -> Option<V::Cell<'v>> {
        if index < self.len { self.items.cell(self.first + index) } else { None }
    }

    /// All items; None for a null.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Option<V::Cell<'v>>> + 'v {
        (0..self.len).map(move |index| self.items.cell(self.first + index))
    }
}

impl<'v, T: Fixed> ListItems<'v, View<'_, T>> {
    /// Only the values. The value of a null item has no meaning.
    #[must_use]
    pub fn values(self) -> &'v [T] {
        &self.items.values()[self.first..self.first + self.len]
    }
}

impl<V> List<'_, V> {
    each_row!(ListItems<'_, V>);

    /// The view of the items that the rows reach, such as for their time zone.
    #[must_use]
    pub fn items(&self) -> &V {
        &self.items
    }

    /// The list of a row; None for a null, and after the last row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> Option<ListItems<'_, V>> {
        if row >= self.rows || !self.validity.is_valid(row) {
            return None;
        }
        let (first, end) = self.ranges.get(row)?;
        let len = end - first;
        // An empty list may lie outside the items that the others reach.
        let first = if first == end { 0 } else { first - self.first };
        Some(ListItems { items: &self.items, first, len })
    }
}

impl<V> Cells for List<'_, V> {
    type Cell<'c>
        = ListItems<'c, V>
    where
        Self: 'c;

    fn rows(&self) -> usize {
        self.rows
    }

    #[inline]
    fn cell(&self, row: usize) -> Option<ListItems<'_, V>> {
        self.get(row)
    }
}

/// For tests of a function. In a call, the engine makes the views.
impl<V: FromIterator<T>, T> FromIterator<Option<Vec<T>>> for List<'_, V> {
    fn from_iter<I: IntoIterator<Item = Option<Vec<T>>>>(rows: I) -> Self {
        let (mut flags, mut items, mut offsets) = (Vec::new(), Vec::new(), vec![0]);
        for row in rows {
            flags.push(row.is_some());
            items.extend(row.unwrap_or_default());
            offsets.push(items.len() as i64);
        }
        Self {
            rows: flags.len(),
            items: items.into_iter().collect(),
            first: 0,
            ranges: Ranges::Offsets64(Cow::Owned(offsets)),
            validity: Validity::Flags(flags),
        }
    }
}

impl<V> Sealed for List<'_, V> {}

impl<'a, V: Param<'a>> Param<'a> for List<'a, V> {
    const ACCEPTS: &'static str = "+l +L +w:* +vl +vL\0";

    fn view(source: Source<'a>) -> Result<Self, Error> {
        let Layout::List { layout, items } = &source.kind.layout else {
            return Err(source.bad("it holds no lists"));
        };
        let rows = source.rows;
        let (first, offsets) = (source.offset(), if rows == 0 { 0 } else { rows + 1 });
        let ranges = match *layout {
            ListLayout::Offsets32 => Ranges::Offsets32(source.slots(1, first, offsets)?),
            ListLayout::Offsets64 => Ranges::Offsets64(source.slots(1, first, offsets)?),
            ListLayout::Fixed(size) => {
                let first = first.checked_mul(size);
                let first = first.ok_or_else(|| source.bad("a list is out of range"))?;
                Ranges::Fixed { first, size }
            }
            ListLayout::Views32 => Ranges::Views32 {
                offsets: source.slots(1, first, rows)?,
                sizes: source.slots(2, first, rows)?,
            },
            ListLayout::Views64 => Ranges::Views64 {
                offsets: source.slots(1, first, rows)?,
                sizes: source.slots(2, first, rows)?,
            },
        };
        // SAFETY: the gate has passed the struct.
        let child = unsafe { source.array.child(0) };
        let child = child.ok_or_else(|| source.bad("the items are missing"))?;
        let length = child.length as usize;
        let validity = source.validity();
        // The items that the rows reach: only these are read, and checked by their view.
        let (mut start, mut stop) = (length, 0);
        for row in (0..rows).filter(|row| validity.is_valid(*row)) {
            match ranges.get(row).filter(|(_, end)| *end <= length) {
                Some((first, end)) if first < end => {
                    start = start.min(first);
                    stop = stop.max(end);
                }
                Some(_) => {}
                None => return Err(source.bad_row(row, "the list is outside its items")),
            }
        }
        let start = start.min(stop);
        let items = V::view(Source {
            array: child,
            kind: items,
            name: source.name,
            first: start,
            rows: stop - start,
            row: "list item",
        })?;
        Ok(Self { items, first: start, ranges, validity, rows })
    }

    fn fits(kind: &Kind) -> bool {
        match &kind.layout {
            Layout::List { items, .. } => accepts(Self::ACCEPTS, kind) && V::fits(items),
            _ => false,
        }
    }

    fn wanted() -> String {
        format!("a list of {}", V::wanted())
    }
}
