// SPDX-License-Identifier: MIT
//! What a function returns: columns that grow value by value and cross without a copy.

use std::ffi::CStr;

use crate::block::Exporter;
use crate::error::{Code, Error};
use crate::view::Number;
use crate::view::sealed::Sealed;

/// A type that a column can hold: the number types, `bool` and `String`.
pub trait Value: Sized + Sealed {
    /// Where a column keeps its values.
    type Store: Default + Send + 'static;

    /// The C format of the column.
    fn format() -> &'static CStr;
    /// Add a value, or the place of a null.
    fn push(store: &mut Self::Store, value: Option<Self>);
    /// The value at `index`, which must not be a null.
    fn get(store: &Self::Store, index: usize) -> Self;
    /// Add the buffers that follow the validity.
    ///
    /// # Errors
    ///
    /// The values are more than the Arrow type can hold.
    fn export(store: &Self::Store, exporter: &mut Exporter) -> Result<(), Error>;
}

impl<T: Number> Value for T {
    type Store = Vec<T>;

    fn format() -> &'static CStr {
        CStr::from_bytes_with_nul(T::FORMAT.as_bytes()).unwrap_or(c"")
    }

    #[inline]
    fn push(store: &mut Vec<T>, value: Option<T>) {
        store.push(value.unwrap_or_default());
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
            self.bytes.push(0);
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
        Self { bytes: vec![0xff; len.div_ceil(8)], len }
    }

    // Clear the bits after the length, as push expects.
    fn trim(mut self) -> Self {
        if let (Some(last), rest @ 1..) = (self.bytes.last_mut(), self.len % 8) {
            *last &= (1 << rest) - 1;
        }
        self
    }
}

impl Sealed for bool {}

impl Value for bool {
    type Store = BitStore;

    fn format() -> &'static CStr {
        c"b"
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
        self.data.extend_from_slice(text.as_bytes());
        // This may wrap; export then refuses the column, because its data is too long.
        self.offsets.push(self.data.len() as i32);
    }
}

impl Sealed for String {}

impl Value for String {
    type Store = TextStore;

    fn format() -> &'static CStr {
        c"u"
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
        if i32::try_from(store.data.len()).is_err() {
            let text =
                "a column of strings must be smaller than 2 GiB; return smaller batches";
            return Err(Error::new(Code::Exhausted, text));
        }
        exporter.buffer(store.offsets.as_ptr());
        exporter.buffer(store.data.as_ptr());
        Ok(())
    }
}

/// A column that a function returns. Collect it from values, or from options of values.
///
/// ```
/// use arrowalloy::Column;
/// let column: Column<f64> = [Some(1.5), None].into_iter().collect();
/// let column: Column<String> = ["a", "b"].into_iter().collect();
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

    /// Its values, None for a null. For tests of a function.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Option<T>> {
        let is_valid =
            |index: &usize| self.validity.as_ref().is_none_or(|bits| bits.get(*index));
        let values = (0..self.len).map(|index| {
            Some(index).filter(is_valid).map(|index| T::get(&self.store, index))
        });
        values.collect()
    }

    #[inline]
    fn mark(&mut self, valid: bool) {
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

    /// Add the node of the column. Its buffers stay valid when the column is moved.
    #[doc(hidden)]
    pub fn export(&self, exporter: &mut Exporter) -> Result<(), Error> {
        exporter.node(self.len, self.nulls, 0, 0, false);
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

impl<T: Number> From<Vec<T>> for Column<T> {
    fn from(values: Vec<T>) -> Self {
        Self { len: values.len(), store: values, validity: None, nulls: 0 }
    }
}
