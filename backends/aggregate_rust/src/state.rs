// SPDX-License-Identifier: MIT
//! The states of aggregates: one slot for each group, found by its number.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayAccessor, ArrayRef, PrimitiveArray, StringViewArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::DataType;
use arrowalloy::{Code, Error};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Count,
    Sum,
    Min,
    Max,
    Mean,
}

pub trait State: Send {
    /// Make room for `count` groups.
    fn grow(&mut self, count: usize);
    /// Add the values of a column, each to the group of its number. None: count the rows.
    fn add(&mut self, column: Option<&ArrayRef>, numbers: &[u32]);
    /// A value for each group, or the error that one does not fit its type.
    fn finish(&mut self) -> Result<ArrayRef, Error>;
}

/// A state for values of the type `of`: Int64, UInt64, Float64, Decimal128 or Utf8View.
pub fn new_state(kind: Kind, of: Option<&DataType>, output: &DataType) -> Box<dyn State> {
    let output = output.clone();
    match (kind, of) {
        (Kind::Min | Kind::Max, Some(of)) => {
            let is_max = kind == Kind::Max;
            match of {
                DataType::Decimal128(..) => bounds::<Decimal128Type>(is_max, output),
                DataType::Float64 => bounds::<Float64Type>(is_max, DataType::Float64),
                DataType::UInt64 => bounds::<UInt64Type>(is_max, DataType::UInt64),
                DataType::Utf8View => text_bounds(is_max, output),
                _ => bounds::<Int64Type>(is_max, DataType::Int64),
            }
        }
        (Kind::Sum | Kind::Mean, Some(of)) => match of {
            DataType::Decimal128(_, scale) => sums::<Decimal128Type>(*scale, output),
            DataType::Float64 => float_sums(kind == Kind::Mean),
            DataType::UInt64 => sums::<UInt64Type>(0, output),
            _ => sums::<Int64Type>(0, output),
        },
        _ => counts(),
    }
}

struct Slots<S, A, F> {
    slots: Vec<S>,
    add: A,
    finish: F,
}

impl<S, A, F> State for Slots<S, A, F>
where
    S: Clone + Default + Send,
    A: Fn(&mut [S], Option<&ArrayRef>, &[u32]) + Send,
    F: Fn(Vec<S>) -> Result<ArrayRef, Error> + Send,
{
    fn grow(&mut self, count: usize) {
        self.slots.resize(count, S::default());
    }
    fn add(&mut self, column: Option<&ArrayRef>, numbers: &[u32]) {
        (self.add)(&mut self.slots, column, numbers);
    }
    fn finish(&mut self) -> Result<ArrayRef, Error> {
        (self.finish)(std::mem::take(&mut self.slots))
    }
}

fn slots<S: Clone + Default + Send + 'static>(
    add: impl Fn(&mut [S], Option<&ArrayRef>, &[u32]) + Send + 'static,
    finish: impl Fn(Vec<S>) -> Result<ArrayRef, Error> + Send + 'static,
) -> Box<dyn State> {
    Box::new(Slots { slots: Vec::new(), add, finish })
}

// Calls `add` with the group and the value of each row that is not null.
#[inline]
fn each<A: ArrayAccessor>(
    array: A,
    numbers: &[u32],
    mut add: impl FnMut(usize, A::Item),
) {
    match array.nulls() {
        None => {
            let rows = numbers.iter().enumerate();
            rows.for_each(|(row, number)| add(*number as usize, array.value(row)));
        }
        Some(nulls) => nulls
            .valid_indices()
            .for_each(|row| add(numbers[row] as usize, array.value(row))),
    }
}

fn counts() -> Box<dyn State> {
    slots(
        |counts: &mut [i64], column, numbers| match column
            .and_then(|column| column.logical_nulls())
        {
            None => numbers.iter().for_each(|number| counts[*number as usize] += 1),
            Some(nulls) => {
                nulls.valid_indices().for_each(|row| counts[numbers[row] as usize] += 1)
            }
        },
        |counts| Ok(Arc::new(PrimitiveArray::<Int64Type>::from(counts))),
    )
}

// A sum of integers or decimals, and of how many. 2^63 integers of 64 bits fit 128 bits.
#[derive(Clone, Default)]
struct Sum {
    sum: i128,
    count: u64,
    overflows: bool,
}

fn sums<T: ArrowPrimitiveType>(scale: i8, output: DataType) -> Box<dyn State>
where
    T::Native: Into<i128>,
{
    slots(
        |sums: &mut [Sum], column, numbers| {
            let Some(column) = column else { return };
            each(column.as_primitive::<T>(), numbers, |number, value| {
                let slot = &mut sums[number];
                let (sum, overflows) = slot.sum.overflowing_add(value.into());
                slot.sum = sum;
                slot.overflows |= overflows;
                slot.count += 1;
            });
        },
        move |sums| {
            let wide = DataType::Decimal128(38, scale);
            let overflow = |of: &DataType| {
                let text =
                    format!("the sum overflows {of}; cast the column to a wider type");
                Error::failed(text)
            };
            if sums.iter().any(|slot| slot.overflows) {
                return Err(overflow(&wide));
            }
            let of_some = sums.iter().map(|slot| (slot.count > 0).then_some(slot));
            if output == DataType::Float64 {
                let mean = |slot: &Sum| mean(slot.sum, slot.count, scale);
                let means = of_some.map(|slot| slot.map(mean));
                return Ok(Arc::new(means.collect::<PrimitiveArray<Float64Type>>()));
            }
            let sums: PrimitiveArray<Decimal128Type> =
                of_some.map(|slot| slot.map(|slot| slot.sum)).collect();
            let sums = sums.with_data_type(wide);
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            let fits = sums.validate_decimal_precision(38);
            fits.and_then(|()| cast_with_options(&sums, &output, &strict))
                .map_err(|_| overflow(&output))
        },
    )
}

// The double nearest to the exact quotient, if its parts fit 128 bits.
fn mean(sum: i128, count: u64, scale: i8) -> f64 {
    let (magnitude, count128) = (sum.unsigned_abs(), u128::from(count));
    let power = 10u128.checked_pow(scale.unsigned_abs().into());
    let parts = power.and_then(|power| match scale {
        0.. => Some((magnitude, count128.checked_mul(power)?)),
        _ => Some((magnitude.checked_mul(power)?, count128)),
    });
    let (dividend, divisor) = match parts {
        // Below this the rest can be doubled.
        Some((dividend, divisor)) if divisor < 1 << 127 => (dividend, divisor),
        _ => return sum as f64 / count as f64 / 10f64.powi(scale.into()),
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

// In the order of the rows.
fn float_sums(is_mean: bool) -> Box<dyn State> {
    slots(
        |sums: &mut [(f64, u64)], column, numbers| {
            let Some(column) = column else { return };
            each(column.as_primitive::<Float64Type>(), numbers, |number, value| {
                sums[number].0 += value;
                sums[number].1 += 1;
            });
        },
        move |sums| {
            let sums = sums.into_iter().map(|(sum, count)| {
                let divisor = if is_mean { count as f64 } else { 1.0 };
                (count > 0).then(|| sum / divisor)
            });
            Ok(Arc::new(sums.collect::<PrimitiveArray<Float64Type>>()))
        },
    )
}

fn wanted(is_max: bool) -> Ordering {
    if is_max { Ordering::Greater } else { Ordering::Less }
}

// NaN is greater than any number. It is the only value that is not equal to itself.
#[inline]
#[allow(clippy::eq_op)]
fn compare<N: PartialOrd>(one: &N, other: &N) -> Ordering {
    one.partial_cmp(other).unwrap_or_else(|| (one != one).cmp(&(other != other)))
}

// The least or the greatest number, date or time.
fn bounds<T: ArrowPrimitiveType>(is_max: bool, of: DataType) -> Box<dyn State> {
    let wanted = wanted(is_max);
    slots(
        move |bounds: &mut [Option<T::Native>], column, numbers| {
            let Some(column) = column else { return };
            each(column.as_primitive::<T>(), numbers, |number, value| {
                let bound = &mut bounds[number];
                if bound.is_none_or(|bound| compare(&value, &bound) == wanted) {
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
    let wanted = wanted(is_max);
    slots(
        move |bounds: &mut [Option<Box<str>>], column, numbers| {
            let Some(column) = column else { return };
            each(column.as_string_view(), numbers, |number, text| {
                let bound = &mut bounds[number];
                if bound.as_deref().is_none_or(|bound| text.cmp(bound) == wanted) {
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
