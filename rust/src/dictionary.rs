// SPDX-License-Identifier: MIT
//! Columns of results that store each different value only once.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use crate::block::Exporter;
use crate::column::{Column, Value};
use crate::data_type::Type;
use crate::error::{Code, Error};
use crate::memory::{exhausted, push};
use crate::types::Number;

/// An integer type for the indices of a dictionary: `i8` to `u64`.
pub trait Index: Number + TryFrom<usize> + TryInto<usize> {}

impl<K: Number + TryFrom<usize> + TryInto<usize>> Index for K {}

/// A value of a column with a dictionary: the column stores each different `T` once, and an
/// index of type `K` for each row.
///
/// ```
/// use arrowalloy::{Column, Dictionary};
/// let cities: Column<Dictionary<String>> =
///     ["Oslo", "Rome", "Oslo"].into_iter().collect();
/// let small: Column<Dictionary<String, i8>> = [Some("a"), None].into_iter().collect();
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dictionary<T, K = i32> {
    value: T,
    index: PhantomData<fn() -> K>,
}

impl<T, K> Dictionary<T, K> {
    /// A value.
    pub fn new(value: T) -> Self {
        Self { value, index: PhantomData }
    }

    /// The value in it.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T, K> From<T> for Dictionary<T, K> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: fmt::Debug, K> fmt::Debug for Dictionary<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dictionary").field(&self.value).finish()
    }
}

/// The indices, the different values, and where each of them is.
#[derive(Debug)]
pub struct DictionaryStore<T: Value, K> {
    indices: Vec<K>,
    values: Column<T>,
    places: HashMap<T, K>,
    is_full: bool,
}

impl<T: Value, K> Default for DictionaryStore<T, K> {
    fn default() -> Self {
        Self {
            indices: Vec::new(),
            values: Column::default(),
            places: HashMap::new(),
            is_full: false,
        }
    }
}

impl<T: Value + Clone + Eq + Hash, K: Index> DictionaryStore<T, K> {
    #[inline]
    fn push_index(&mut self, index: Option<K>) {
        push(&mut self.indices, index.unwrap_or_default());
    }

    // A value that is not there yet.
    #[cold]
    fn add(&mut self, value: T) -> K {
        let Ok(index) = K::try_from(self.values.len()) else {
            self.is_full = true; // export reports it
            return K::default();
        };
        if self.places.try_reserve(1).is_err() {
            exhausted();
        }
        self.places.insert(value.clone(), index);
        self.values.push(Some(value));
        index
    }
}

// SAFETY: one buffer of integers, which point to the values of the dictionary.
unsafe impl<T, K> Value for Dictionary<T, K>
where
    T: Value + Clone + Eq + Hash + Send + 'static,
    K: Index,
{
    type Store = DictionaryStore<T, K>;
    const HAS_DICTIONARY: bool = true;

    fn data_type() -> Type {
        Type::dictionary(K::FORMAT.trim_end_matches('\0'), T::data_type())
    }

    fn push(store: &mut Self::Store, value: Option<Self>) {
        let index = value.map(|Self { value, .. }| match store.places.get(&value) {
            Some(index) => *index,
            None => store.add(value),
        });
        store.push_index(index);
    }

    fn get(store: &Self::Store, index: usize) -> Self {
        let place = store.indices[index].try_into().unwrap_or(usize::MAX);
        Self::new(store.values.get(place).expect("an index of the dictionary"))
    }

    fn export(store: &Self::Store, exporter: &mut Exporter) -> Result<(), Error> {
        if store.is_full {
            let text = format!(
                "a dictionary has more values than an index of {} can count; declare a \
                 wider index",
                std::any::type_name::<K>()
            );
            return Err(Error::new(Code::Exhausted, text));
        }
        exporter.buffer(store.indices.as_ptr());
        store.values.export(exporter)
    }
}

impl<K: Index> Column<Dictionary<String, K>> {
    /// Add a text; only a new one is copied.
    pub fn push_str(&mut self, text: Option<&str>) {
        self.mark(text.is_some());
        let store = self.store();
        let index = text.map(|text| match store.places.get(text) {
            Some(index) => *index,
            None => store.add(text.to_owned()),
        });
        store.push_index(index);
    }
}

impl<'a, K: Index> FromIterator<Option<&'a str>> for Column<Dictionary<String, K>> {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(texts: I) -> Self {
        let mut column = Self::default();
        texts.into_iter().for_each(|text| column.push_str(text));
        column
    }
}

impl<'a, K: Index> FromIterator<&'a str> for Column<Dictionary<String, K>> {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        texts.into_iter().map(Some).collect()
    }
}
