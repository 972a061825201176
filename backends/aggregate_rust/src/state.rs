// SPDX-License-Identifier: MIT
//! The states of aggregates: one slot for each group, found by its number.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayAccessor, ArrayRef, ArrowNativeTypeOp, PrimitiveArray};
use arrow_array::{StringViewArray, downcast_integer, downcast_primitive};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::DataType;
use arrowalloy::{Code, Error};

pub trait State: Send {
    /// Add the values of a column, each to its group. There are `count` groups.
    fn add(&mut self, column: &ArrayRef, groups: &[u32], count: usize);
    /// A value for each of `count` groups, or the error that one does not fit its type.
    fn finish(&mut self, count: usize) -> Result<ArrayRef, Error>;
}

/// The state of an aggregate for values of the type `of`.
pub fn new_state(word: &str, of: &DataType, output: &DataType) -> Box<dyn State> {
    let (is_max, is_mean, output) = (word == "max", word == "mean", output.clone());
    macro_rules! sums_of {
        ($t:ty) => {
            sums::<$t, i128>(move |sums| integers(sums, 0, &output))
        };
    }
    macro_rules! bounds_of {
        ($t:ty) => {
            bounds::<$t>(is_max, of.clone())
        };
    }
    match (word, of) {
        ("count", _) => slots(
            |counts: &mut [i64], column, groups| match column.logical_nulls() {
                None => groups.iter().for_each(|group| counts[*group as usize] += 1),
                Some(nulls) => nulls
                    .valid_indices()
                    .for_each(|row| counts[groups[row] as usize] += 1),
            },
            |counts| Ok(Arc::new(PrimitiveArray::<Int64Type>::from(counts))),
        ),
        ("min" | "max", _) => downcast_primitive! {
            of => (bounds_of),
            _ => text_bounds(is_max, output)
        },
        _ => downcast_integer! {
            of => (sums_of),
            DataType::Decimal128(_, scale) => {
                let scale = *scale;
                sums::<Decimal128Type, i128>(move |sums| integers(sums, scale, &output))
            }
            _ => sums::<Float64Type, f64>(move |sums| {
                let of = |slot: Sum<f64>| slot.sum / if is_mean { slot.count as f64 } else { 1.0 };
                let sums = sums.into_iter().map(|slot| (slot.count > 0).then(|| of(slot)));
                Ok(Arc::new(sums.collect::<PrimitiveArray<Float64Type>>()))
            })
        },
    }
}

struct Slots<S, A, F>(Vec<S>, A, F);

impl<S, A, F> State for Slots<S, A, F>
where
    S: Clone + Default + Send,
    A: Fn(&mut [S], &ArrayRef, &[u32]) + Send,
    F: Fn(Vec<S>) -> Result<ArrayRef, Error> + Send,
{
    fn add(&mut self, column: &ArrayRef, groups: &[u32], count: usize) {
        self.0.resize(count, S::default());
        (self.1)(&mut self.0, column, groups);
    }
    fn finish(&mut self, count: usize) -> Result<ArrayRef, Error> {
        self.0.resize(count, S::default());
        (self.2)(std::mem::take(&mut self.0))
    }
}

fn slots<S: Clone + Default + Send + 'static>(
    add: impl Fn(&mut [S], &ArrayRef, &[u32]) + Send + 'static,
    finish: impl Fn(Vec<S>) -> Result<ArrayRef, Error> + Send + 'static,
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

fn sums<T: ArrowPrimitiveType, N>(
    finish: impl Fn(Vec<Sum<N>>) -> Result<ArrayRef, Error> + Send + 'static,
) -> Box<dyn State>
where
    T::Native: Into<N>,
    N: ArrowNativeTypeOp,
{
    let add = |sums: &mut [Sum<N>], column: &ArrayRef, groups: &[u32]| {
        each(sums, column.as_primitive::<T>(), groups, |slot, value| {
            let sum = slot.sum.add_checked(value.into());
            slot.overflows |= sum.is_err();
            slot.sum = sum.unwrap_or_default();
            slot.count += 1;
        });
    };
    slots(add, finish)
}

// Sums or means of integers or decimals.
fn integers(
    sums: Vec<Sum<i128>>,
    scale: i8,
    output: &DataType,
) -> Result<ArrayRef, Error> {
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
    let (magnitude, count128) = (sum.unsigned_abs(), u128::from(count));
    let power = 10u128.checked_pow(scale.unsigned_abs().into());
    let parts = power.and_then(|power| match scale {
        0.. => Some((magnitude, count128.checked_mul(power)?)),
        _ => Some((magnitude.checked_mul(power)?, count128)),
    });
    // Below this the rest can be doubled.
    let Some((dividend, divisor)) = parts.filter(|(_, divisor)| *divisor < 1 << 127)
    else {
        return sum as f64 / count as f64 / 10f64.powi(scale.into());
    };
    let (mut quotient, mut rest, mut exponent) =
        (dividend / divisor, dividend % divisor, 0);
    // 2 more bits than a double has. The last one is set if there is a rest. So the
    // conversion rounds once, to nearest even, and the power of two is exact.
    while quotient < 1 << 55 && rest != 0 {
        quotient = quotient * 2 + rest * 2 / divisor;
        rest = rest * 2 % divisor;
        exponent -= 1;
    }
    let mean = (quotient | u128::from(rest != 0)) as f64 * 2f64.powi(exponent);
    mean.copysign(if sum < 0 { -1.0 } else { 1.0 })
}

// The least or the greatest number, date or time.
fn bounds<T: ArrowPrimitiveType>(is_max: bool, of: DataType) -> Box<dyn State> {
    // NaN, which only is not equal to itself, is greater than any number.
    #[allow(clippy::eq_op)]
    let is_less =
        |one: T::Native, other: T::Native| one < other || one == one && other != other;
    slots(
        move |bounds: &mut [Option<T::Native>], column, groups| {
            each(bounds, column.as_primitive::<T>(), groups, |bound, value| {
                let is_better = |bound| {
                    if is_max { is_less(bound, value) } else { is_less(value, bound) }
                };
                if bound.is_none_or(is_better) {
                    *bound = Some(value);
                }
            });
        },
        move |bounds| {
            let bounds = PrimitiveArray::<T>::from_iter(bounds);
            Ok(Arc::new(bounds.with_data_type(of.clone())))
        },
    )
}

// The least or the greatest string, by bytes.
fn text_bounds(is_max: bool, output: DataType) -> Box<dyn State> {
    slots(
        move |bounds: &mut [Option<Box<str>>], column, groups| {
            each(bounds, column.as_string_view(), groups, |bound, text| {
                let is_better = |bound| if is_max { bound < text } else { text < bound };
                if bound.as_deref().is_none_or(is_better) {
                    *bound = Some(text.into());
                }
            });
        },
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
