// SPDX-License-Identifier: MIT
//! What a function returns: columns that grow value by value and cross without a copy.

use crate::block::Exporter;
use crate::data_type::Type;
use crate::error::{Code, Error};
use crate::memory::{extend, push, reserve};
use crate::types::Fixed;

/// A type that a column can hold: the types of [`Fixed`], `bool`, `String`, a `Vec` (a
/// list), a [`Dictionary`](crate::Dictionary), and the structs of
/// [`record!`](crate::record).
///
/// # Safety
///
/// The buffers and nodes that `export` adds must be those of `data_type`, and as long as
/// `push` was called.
pub unsafe trait Value: Sized + 'static {
    /// Where a column keeps its values.
    type Store: Default + Send + 'static;

    /// How many children the column has.
    const CHILDREN: usize = 0;
    /// Whether it has a dictionary.
    const HAS_DICTIONARY: bool = false;

    /// The type of the column.
    fn data_type() -> Type;
    /// Add a value, or the place of a null.
    fn push(store: &mut Self::Store, value: Option<Self>);
    /// The value at `index`, which must not be a null.
    fn get(store: &Self::Store, index: usize) -> Self;
    /// Add the buffers that follow the validity, and then the nodes of the children.
    ///
    /// # Errors
    ///
    /// The values are more than the Arrow type can hold.
    fn export(store: &Self::Store, exporter: &mut Exporter) -> Result<(), Error>;
}

// SAFETY: one buffer of values of one width.
unsafe impl<T: Fixed> Value for T {
    type Store = Vec<T>;

    fn data_type() -> Type {
        <T as Fixed>::data_type()
    }

    #[inline]
    fn push(store: &mut Vec<T>, value: Option<T>) {
        push(store, value.unwrap_or(T::ZERO));
    }

    fn get(store: &Vec<T>, index: usize) -> T {
        store[index]
    }

    fn export(store: &Vec<T>, exporter: &mut Exporter) -> Result<(), Error> {
        exporter.buffer(store.as_ptr());
        Ok(())
    }
}

/// A growing bitmap.
#[derive(Clone, Debug, Default)]
pub struct BitStore {
    bytes: Vec<u8>,
    len: usize,
}

impl BitStore {
    #[inline]
    fn push(&mut self, bit: bool) {
        if self.len.is_multiple_of(8) {
            push(&mut self.bytes, 0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << (self.len % 8);
        }
        self.len += 1;
    }

    fn get(&self, index: usize) -> bool {
        self.bytes[index / 8] >> (index % 8) & 1 == 1
    }

    fn ones(len: usize) -> Self {
        let mut bytes = Vec::new();
        reserve(&mut bytes, len.div_ceil(8));
        bytes.resize(len.div_ceil(8), 0xff);
        Self { bytes, len }
    }

    // Clear the bits after the length, as push expects.
    fn trim(mut self) -> Self {
        if let (Some(last), rest @ 1..) = (self.bytes.last_mut(), self.len % 8) {
            *last &= (1 << rest) - 1;
        }
        self
    }
}

// SAFETY: one buffer of bits.
unsafe impl Value for bool {
    type Store = BitStore;

    fn data_type() -> Type {
        Type::new("b")
    }

    #[inline]
    fn push(store: &mut BitStore, value: Option<bool>) {
        store.push(value.unwrap_or_default());
    }

    fn get(store: &BitStore, index: usize) -> bool {
        store.get(index)
    }

    fn export(store: &BitStore, exporter: &mut Exporter) -> Result<(), Error> {
        exporter.buffer(store.bytes.as_ptr());
        Ok(())
    }
}

/// Growing strings, one after another.
#[derive(Clone, Debug)]
pub struct TextStore {
    offsets: Vec<i32>,
    data: Vec<u8>,
}

impl Default for TextStore {
    fn default() -> Self {
        Self { offsets: vec![0], data: Vec::new() }
    }
}

impl TextStore {
    #[inline]
    fn push(&mut self, text: &str) {
        extend(&mut self.data, text.as_bytes());
        // This may wrap; export then refuses the column, because its data is too long.
        push(&mut self.offsets, self.data.len() as i32);
    }
}

// SAFETY: offsets and the text behind them.
unsafe impl Value for String {
    type Store = TextStore;

    fn data_type() -> Type {
        Type::new("u")
    }

    #[inline]
    fn push(store: &mut TextStore, value: Option<String>) {
        store.push(&value.unwrap_or_default());
    }

    fn get(store: &TextStore, index: usize) -> String {
        let (first, end) =
            (store.offsets[index] as usize, store.offsets[index + 1] as usize);
        String::from_utf8_lossy(&store.data[first..end]).into_owned()
    }

    fn export(store: &TextStore, exporter: &mut Exporter) -> Result<(), Error> {
        check_offsets(
            store.data.len(),
            "a column of strings must be smaller than 2 GiB",
        )?;
        exporter.buffer(store.offsets.as_ptr());
        exporter.buffer(store.data.as_ptr());
        Ok(())
    }
}

// Offsets of 32 bits may have wrapped.
fn check_offsets(len: usize, text: &str) -> Result<(), Error> {
    if i32::try_from(len).is_ok() {
        return Ok(());
    }
    Err(Error::new(Code::Exhausted, format!("{text}; return smaller batches")))
}

/// An item of a list or a field of a record: a value, or an option of one for nulls.
pub trait Item: Sized + 'static {
    /// The value.
    type Of: Value;

    /// None for a null.
    fn into_option(self) -> Option<Self::Of>;
    /// The item of a value; of a null only if it can be one.
    fn from_option(value: Option<Self::Of>) -> Option<Self>;
}

impl<T: Value> Item for T {
    type Of = T;

    fn into_option(self) -> Option<T> {
        Some(self)
    }

    fn from_option(value: Option<T>) -> Option<T> {
        value
    }
}

impl<T: Value> Item for Option<T> {
    type Of = T;

    fn into_option(self) -> Option<T> {
        self
    }

    fn from_option(value: Option<T>) -> Option<Option<T>> {
        Some(value)
    }
}

/// Growing lists, one after another.
#[derive(Debug)]
pub struct ListStore<T: Value> {
    offsets: Vec<i32>,
    items: Column<T>,
}

impl<T: Value> Default for ListStore<T> {
    fn default() -> Self {
        Self { offsets: vec![0], items: Column::default() }
    }
}

impl<T: Value> ListStore<T> {
    #[inline]
    fn close(&mut self) {
        // This may wrap; export then refuses the column, because it has too many items.
        push(&mut self.offsets, self.items.len() as i32);
    }
}

// SAFETY: offsets and one child, to which they point.
unsafe impl<C: Item> Value for Vec<C> {
    type Store = ListStore<C::Of>;
    const CHILDREN: usize = 1;

    fn data_type() -> Type {
        Type::list(C::Of::data_type())
    }

    fn push(store: &mut ListStore<C::Of>, value: Option<Self>) {
        for item in value.into_iter().flatten() {
            store.items.push(item.into_option());
        }
        store.close();
    }

    fn get(store: &ListStore<C::Of>, index: usize) -> Self {
        let (first, end) =
            (store.offsets[index] as usize, store.offsets[index + 1] as usize);
        (first..end).filter_map(|at| C::from_option(store.items.get(at))).collect()
    }

    fn export(store: &ListStore<C::Of>, exporter: &mut Exporter) -> Result<(), Error> {
        check_offsets(
            store.items.len(),
            "a column of lists must have fewer than 2^31 items",
        )?;
        exporter.buffer(store.offsets.as_ptr());
        store.items.export(exporter)
    }
}

impl<C: Item> Column<Vec<C>> {
    /// Add a list whose items `fill` pushes, without a `Vec` for each row.
    ///
    /// # Panics
    ///
    /// `fill` put another column with fewer items in the place of this one.
    pub fn push_with<R>(&mut self, fill: impl FnOnce(&mut Column<C::Of>) -> R) -> R {
        let before = self.store.items.len();
        let filled = fill(&mut self.store.items);
        assert!(before <= self.store.items.len(), "the items of earlier lists are gone");
        self.mark(true);
        self.store.close();
        filled
    }
}

/// A column that a function returns. Collect it from values, or from options of values.
///
/// ```
/// use arrowalloy::Column;
/// let column: Column<f64> = [Some(1.5), None].into_iter().collect();
/// let column: Column<String> = ["a", "b"].into_iter().collect();
/// let lists: Column<Vec<i64>> = [Some(vec![1, 2]), None].into_iter().collect();
/// ```
pub struct Column<T: Value> {
    store: T::Store,
    validity: Option<BitStore>,
    nulls: usize,
    len: usize,
}

impl<T: Value> Default for Column<T> {
    fn default() -> Self {
        Self { store: T::Store::default(), validity: None, nulls: 0, len: 0 }
    }
}

impl<T: Value> std::fmt::Debug for Column<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Column")
            .field("len", &self.len)
            .field("nulls", &self.nulls)
            .finish()
    }
}

impl<T: Value> Column<T> {
    /// Add a value.
    #[inline]
    pub fn push(&mut self, value: Option<T>) {
        self.mark(value.is_some());
        T::push(&mut self.store, value);
    }

    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of a row; None for a null, and after the last row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<T> {
        let is_there = row < self.len
            && self.validity.as_ref().is_none_or(|validity| validity.get(row));
        is_there.then(|| T::get(&self.store, row))
    }

    /// Its values, None for a null. For tests of a function.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Option<T>> {
        (0..self.len).map(|row| self.get(row)).collect()
    }

    pub(crate) fn store(&mut self) -> &mut T::Store {
        &mut self.store
    }

    #[inline]
    pub(crate) fn mark(&mut self, valid: bool) {
        if !valid {
            self.nulls += 1;
            let len = self.len;
            self.validity.get_or_insert_with(|| BitStore::ones(len).trim());
        }
        if let Some(validity) = &mut self.validity {
            validity.push(valid);
        }
        self.len += 1;
    }

    /// Add the nodes of the column. Its buffers stay valid when the column is moved.
    #[doc(hidden)]
    pub fn export(&self, exporter: &mut Exporter) -> Result<(), Error> {
        exporter.node(self.len, self.nulls, 0, T::CHILDREN, T::HAS_DICTIONARY);
        let validity = self.validity.as_ref();
        exporter.buffer(validity.map_or(std::ptr::null(), |bits| bits.bytes.as_ptr()));
        T::export(&self.store, exporter)
    }
}

impl<T: Value> FromIterator<Option<T>> for Column<T> {
    fn from_iter<I: IntoIterator<Item = Option<T>>>(values: I) -> Self {
        let mut column = Self::default();
        values.into_iter().for_each(|value| column.push(value));
        column
    }
}

impl<T: Value> FromIterator<T> for Column<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        values.into_iter().map(Some).collect()
    }
}

impl<'a> FromIterator<Option<&'a str>> for Column<String> {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(values: I) -> Self {
        let mut column = Self::default();
        for value in values {
            column.mark(value.is_some());
            column.store.push(value.unwrap_or_default());
        }
        column
    }
}

impl<'a> FromIterator<&'a str> for Column<String> {
    fn from_iter<I: IntoIterator<Item = &'a str>>(values: I) -> Self {
        values.into_iter().map(Some).collect()
    }
}

impl<T: Fixed> From<Vec<T>> for Column<T> {
    fn from(values: Vec<T>) -> Self {
        Self { len: values.len(), store: values, validity: None, nulls: 0 }
    }
}
