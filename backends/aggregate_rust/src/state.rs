// SPDX-License-Identifier: MIT
//! The states of aggregates: one slot for each group, found by its number.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{ArrayAccessor, ArrayRef, ArrowNativeTypeOp, PrimitiveArray};
use arrow_array::{StringViewArray, downcast_primitive};
use arrow_buffer::i256;
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::DataType;
use arrowalloy::{Code, Error};

pub type Finished = Result<ArrayRef, Error>;

pub trait State: Send {
    /// Add the values of a column, each to its group. There are `count` groups.
    fn add(&mut self, column: &ArrayRef, groups: &[u32], count: usize);
    /// A value for each of `count` groups, or the error that one does not fit its type.
    fn finish(&mut self, count: usize) -> Finished;
}

/// The state of an aggregate for values of the type `of`.
pub fn new_state(word: &str, of: &DataType, output: &DataType) -> Box<dyn State> {
    let (is_max, is_mean, output) = (word == "max", word == "mean", output.clone());
    macro_rules! bounds_of {
        ($t:ty) => {
            bounds::<$t>(is_max, of.clone())
        };
    }
    match (word, of) {
        ("count", _) => slots(
            |counts: &mut [i64], column, groups| {
                let is_valid = column.as_boolean().values().iter();
                for (group, is_valid) in groups.iter().zip(is_valid) {
                    counts[*group as usize] += i64::from(is_valid);
                }
            },
            |counts| Ok(Arc::new(PrimitiveArray::<Int64Type>::from(counts))),
        ),
        ("min" | "max", _) => downcast_primitive! {
            of => (bounds_of),
            _ => text_bounds(is_max, output)
        },
        (_, DataType::Decimal128(_, scale)) => {
            let scale = *scale;
            sums::<Decimal128Type>(move |sums| integers(sums, scale, &output))
        }
        _ => sums::<Float64Type>(move |sums| {
            let of =
                |sum: Sum<f64>| sum.sum / if is_mean { sum.count as f64 } else { 1.0 };
            let sums = sums.into_iter().map(|sum| (sum.count > 0).then(|| of(sum)));
            Ok(Arc::new(sums.collect::<PrimitiveArray<Float64Type>>()))
        }),
    }
}

struct Slots<S, A, F>(Vec<S>, A, F);

impl<S, A, F> State for Slots<S, A, F>
where
    S: Clone + Default + Send,
    A: Fn(&mut [S], &ArrayRef, &[u32]) + Send,
    F: Fn(Vec<S>) -> Finished + Send,
{
    fn add(&mut self, column: &ArrayRef, groups: &[u32], count: usize) {
        self.0.resize(count, S::default());
        (self.1)(&mut self.0, column, groups);
    }
    fn finish(&mut self, count: usize) -> Finished {
        self.0.resize(count, S::default());
        (self.2)(std::mem::take(&mut self.0))
    }
}

fn slots<S: Clone + Default + Send + 'static>(
    add: impl Fn(&mut [S], &ArrayRef, &[u32]) + Send + 'static,
    finish: impl Fn(Vec<S>) -> Finished + Send + 'static,
) -> Box<dyn State> {
    Box::new(Slots(Vec::new(), add, finish))
}

// Calls `add` with the group and the value of each row that is not null.
#[inline]
fn each<S, A: ArrayAccessor>(
    slots: &mut [S],
    array: A,
    groups: &[u32],
    mut add: impl FnMut(&mut S, A::Item),
) {
    let mut add = |row, group| add(&mut slots[group as usize], array.value(row));
    match array.nulls() {
        None => groups.iter().enumerate().for_each(|(row, group)| add(row, *group)),
        Some(nulls) => nulls.valid_indices().for_each(|row| add(row, groups[row])),
    }
}

// A sum of numbers, and of how many. 2^63 integers of 64 bits fit 128 bits.
#[derive(Clone, Default)]
struct Sum<N> {
    sum: N,
    count: u64,
    overflows: bool,
}

fn sums<T: ArrowPrimitiveType>(
    finish: impl Fn(Vec<Sum<T::Native>>) -> Finished + Send + 'static,
) -> Box<dyn State> {
    let add = |slot: &mut Sum<T::Native>, value| {
        let sum = slot.sum.add_checked(value);
        slot.overflows |= sum.is_err();
        slot.sum = sum.unwrap_or_default();
        slot.count += 1;
    };
    slots(
        move |sums, column, groups| each(sums, column.as_primitive::<T>(), groups, add),
        finish,
    )
}

// Sums or means of integers or decimals.
fn integers(sums: Vec<Sum<i128>>, scale: i8, output: &DataType) -> Finished {
    let overflow = |of: &DataType| {
        Error::failed(format!("the sum overflows {of}; cast the column to a wider type"))
    };
    let wide = DataType::Decimal128(38, scale);
    if sums.iter().any(|slot| slot.overflows) {
        return Err(overflow(&wide));
    }
    let some = sums.iter().map(|slot| (slot.count > 0).then_some(slot));
    if *output == DataType::Float64 {
        let means = some.map(|slot| slot.map(|slot| mean(slot.sum, slot.count, scale)));
        return Ok(Arc::new(means.collect::<PrimitiveArray<Float64Type>>()));
    }
    let sums: PrimitiveArray<Decimal128Type> = some.map(|slot| Some(slot?.sum)).collect();
    let sums = sums.with_data_type(wide);
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let fits = sums.validate_decimal_precision(38);
    let sums = fits.and_then(|()| cast_with_options(&sums, output, &strict));
    sums.map_err(|_| overflow(output))
}

// The double nearest to the exact quotient, if its parts fit 128 bits.
fn mean(sum: i128, count: u64, scale: i8) -> f64 {
    let (power, count) =
        (10i128.checked_pow(scale.unsigned_abs().into()), i128::from(count));
    let parts = power.and_then(|power| match scale {
        0.. => Some((sum, i256::from_i128(power) * i256::from_i128(count))),
        _ => Some((sum.checked_mul(power)?, i256::from_i128(count))),
    });
    let Some((dividend, divisor)) = parts else {
        return sum as f64 / count as f64 / 10f64.powi(scale.into());
    };
    // 63 bits of the quotient or more; a double has 53. The last one is set if there is a
    // rest. So the conversion rounds once, to nearest even, and the power of two is exact.
    let dividend = i256::from_parts(dividend.unsigned_abs(), 0);
    let shift = (64 + dividend.leading_zeros()).saturating_sub(divisor.leading_zeros());
    let dividend = dividend << shift as u8;
    let quotient = (dividend / divisor).to_parts().0;
    let quotient = quotient | u128::from(dividend % divisor != i256::ZERO);
    (quotient as f64 * 2f64.powi(-(shift as i32))).copysign(sum as f64)
}

// NaN, which is not equal to itself, is greater than any number.
fn is_better<V: PartialOrd>(is_max: bool, bound: Option<V>, value: V) -> bool {
    bound.is_none_or(|bound| {
        let (one, other) = if is_max { (bound, value) } else { (value, bound) };
        #[allow(clippy::eq_op)]
        let is_nan = || one == one && other != other;
        one.partial_cmp(&other).map_or_else(is_nan, Ordering::is_lt)
    })
}

// The least or the greatest number, date or time.
fn bounds<T: ArrowPrimitiveType>(is_max: bool, of: DataType) -> Box<dyn State> {
    let add = move |bound: &mut Option<T::Native>, value| {
        if is_better(is_max, *bound, value) {
            *bound = Some(value);
        }
    };
    slots(
        move |bounds, column, groups| {
            each(bounds, column.as_primitive::<T>(), groups, add)
        },
        move |bounds| {
            let bounds = PrimitiveArray::<T>::from_iter(bounds);
            Ok(Arc::new(bounds.with_data_type(of.clone())))
        },
    )
}

// The least or the greatest string, by bytes.
fn text_bounds(is_max: bool, output: DataType) -> Box<dyn State> {
    let add = move |bound: &mut Option<Box<str>>, text: &str| {
        if is_better(is_max, bound.as_deref(), text) {
            *bound = Some(text.into());
        }
    };
    slots(
        move |bounds, column, groups| each(bounds, column.as_string_view(), groups, add),
        move |bounds| {
            let bytes: usize = bounds.iter().flatten().map(|text| text.len()).sum();
            if output == DataType::Utf8 && bytes > i32::MAX as usize {
                let text = "more than 2 GiB of strings; cast the column to large_utf8";
                return Err(Error::new(Code::Exhausted, text));
            }
            Ok(Arc::new(bounds.into_iter().collect::<StringViewArray>()))
        },
    )
}
