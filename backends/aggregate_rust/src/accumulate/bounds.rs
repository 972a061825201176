// SPDX-License-Identifier: MIT
//! The least and the greatest.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{
    Array, ArrayRef, LargeStringArray, PrimitiveArray, StringArray, StringViewArray,
};
use arrow_schema::DataType;
use arrowalloy::{Code, Error};

use super::{State, nulls_where_none};

/// Of numbers, dates and times. NaN is greater than any number.
pub struct NumberBounds<T: ArrowPrimitiveType> {
    bounds: Vec<Option<T::Native>>,
    wanted: Ordering,
}

impl<T: ArrowPrimitiveType> NumberBounds<T> {
    pub fn new(is_max: bool) -> Self {
        Self { bounds: Vec::new(), wanted: wanted(is_max) }
    }
}

fn wanted(is_max: bool) -> Ordering {
    if is_max { Ordering::Greater } else { Ordering::Less }
}

#[inline]
#[allow(clippy::eq_op)]
fn compare<N: PartialOrd>(one: N, other: N) -> Ordering {
    // NaN alone has no order, and is not equal to itself.
    let is_nan = |value: &N| value != value;
    one.partial_cmp(&other).unwrap_or_else(|| is_nan(&one).cmp(&is_nan(&other)))
}

impl<T: ArrowPrimitiveType> State for NumberBounds<T> {
    fn grow(&mut self, count: usize) {
        self.bounds.resize(count, None);
    }

    fn add(&mut self, column: &dyn Array, numbers: &[u32]) -> Result<(), Error> {
        let column = column.as_primitive::<T>();
        let (values, wanted) = (column.values(), self.wanted);
        let mut add = |number: u32, value: T::Native| {
            let bound = &mut self.bounds[number as usize];
            if bound.is_none_or(|bound| compare(value, bound) == wanted) {
                *bound = Some(value);
            }
        };
        match column.nulls() {
            None => {
                for (number, value) in numbers.iter().zip(values) {
                    add(*number, *value);
                }
            }
            Some(nulls) => {
                nulls.valid_indices().for_each(|row| add(numbers[row], values[row]));
            }
        }
        Ok(())
    }

    fn finish(&mut self, output: &DataType) -> Result<ArrayRef, Error> {
        let bounds = std::mem::take(&mut self.bounds);
        let nulls = nulls_where_none(bounds.iter().map(Option::is_some));
        let values = bounds.into_iter().map(Option::unwrap_or_default);
        let array = PrimitiveArray::<T>::new(values.collect(), nulls);
        Ok(Arc::new(array.with_data_type(output.clone())))
    }
}

/// Of strings, by their bytes.
#[derive(Debug)]
pub struct TextBounds {
    bounds: Vec<Option<Box<str>>>,
    wanted: Ordering,
}

impl TextBounds {
    pub fn new(is_max: bool) -> Self {
        Self { bounds: Vec::new(), wanted: wanted(is_max) }
    }

    fn add_texts<'a>(
        &mut self,
        texts: impl Iterator<Item = Option<&'a str>>,
        numbers: &[u32],
    ) {
        for (text, number) in texts.zip(numbers) {
            let Some(text) = text else { continue };
            let bound = &mut self.bounds[*number as usize];
            if bound.as_deref().is_none_or(|bound| text.cmp(bound) == self.wanted) {
                *bound = Some(text.into());
            }
        }
    }
}

impl State for TextBounds {
    fn grow(&mut self, count: usize) {
        self.bounds.resize(count, None);
    }

    fn add(&mut self, column: &dyn Array, numbers: &[u32]) -> Result<(), Error> {
        match column.data_type() {
            DataType::Utf8 => self.add_texts(column.as_string::<i32>().iter(), numbers),
            DataType::LargeUtf8 => {
                self.add_texts(column.as_string::<i64>().iter(), numbers);
            }
            _ => self.add_texts(column.as_string_view().iter(), numbers),
        }
        Ok(())
    }

    fn finish(&mut self, output: &DataType) -> Result<ArrayRef, Error> {
        let bounds = std::mem::take(&mut self.bounds);
        let texts = bounds.iter().map(Option::as_deref);
        let bytes: usize = texts.clone().flatten().map(str::len).sum();
        Ok(match output {
            DataType::Utf8 if bytes > i32::MAX as usize => {
                let text = "over 2 GiB of strings; make the column large_utf8";
                return Err(Error::new(Code::Exhausted, text));
            }
            DataType::Utf8 => Arc::new(texts.collect::<StringArray>()),
            DataType::LargeUtf8 => Arc::new(texts.collect::<LargeStringArray>()),
            _ => Arc::new(texts.collect::<StringViewArray>()),
        })
    }
}
