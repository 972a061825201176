// SPDX-License-Identifier: MIT
//! Sums and means.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{
    Array, ArrayRef, Decimal128Array, Float64Array, Int64Array, UInt64Array,
};
use arrow_schema::DataType;
use arrowalloy::Error;

use super::{State, nulls_where_none};

/// Sums of integers and decimals, exact: integers of 64 bits fill no 128 bits in fewer
/// than 2^63 rows, decimals are watched.
#[derive(Debug)]
pub struct WholeSums<T> {
    sums: Vec<(i128, u64)>,
    is_mean: bool,
    scale: i8,
    of: PhantomData<fn() -> T>,
}

impl<T> WholeSums<T> {
    pub fn new(is_mean: bool, scale: i8) -> Self {
        Self { sums: Vec::new(), is_mean, scale, of: PhantomData }
    }
}

impl<T: ArrowPrimitiveType> State for WholeSums<T>
where
    T::Native: TryInto<i128>,
{
    fn grow(&mut self, count: usize) {
        self.sums.resize(count, (0, 0));
    }

    fn add(&mut self, column: &dyn Array, numbers: &[u32]) -> Result<(), Error> {
        let column = column.as_primitive::<T>();
        let values = column.values();
        let mut overflowed = false;
        let mut add = |number: u32, value: T::Native| {
            let (sum, count) = &mut self.sums[number as usize];
            let value = value.try_into().unwrap_or_default();
            let (next, over) = sum.overflowing_add(value);
            (*sum, overflowed) = (next, overflowed | over);
            *count += 1;
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
        if overflowed {
            Err(overflow(&DataType::Decimal128(38, self.scale)))
        } else {
            Ok(())
        }
    }

    fn finish(&mut self, output: &DataType) -> Result<ArrayRef, Error> {
        let sums = std::mem::take(&mut self.sums);
        let nulls = nulls_where_none(sums.iter().map(|(_, count)| *count > 0));
        if self.is_mean {
            let means = sums.iter().map(|(sum, count)| mean(*sum, *count, self.scale));
            return Ok(Arc::new(Float64Array::new(means.collect(), nulls)));
        }
        let sums = sums.into_iter().map(|(sum, _)| sum);
        let over = |_| overflow(output);
        Ok(match output {
            DataType::Int64 => {
                let sums: Vec<i64> =
                    sums.map(i64::try_from).collect::<Result<_, _>>().map_err(over)?;
                Arc::new(Int64Array::new(sums.into(), nulls))
            }
            DataType::UInt64 => {
                let sums: Vec<u64> =
                    sums.map(u64::try_from).collect::<Result<_, _>>().map_err(over)?;
                Arc::new(UInt64Array::new(sums.into(), nulls))
            }
            _ => {
                let sums: Vec<i128> = sums.collect();
                let limit = 10u128.pow(38);
                if sums.iter().any(|sum| sum.unsigned_abs() >= limit) {
                    return Err(overflow(output));
                }
                let array = Decimal128Array::new(sums.into(), nulls);
                Arc::new(array.with_data_type(output.clone()))
            }
        })
    }
}

fn overflow(output: &DataType) -> Error {
    Error::failed(format!("the sum overflows {output}; make the column a wider type"))
}

// The quotient nearest to the exact one, where it fits 128 bits.
fn mean(sum: i128, count: u64, scale: i8) -> f64 {
    let power = 10u128.checked_pow(u32::from(scale.unsigned_abs()));
    let (numerator, denominator) = match (scale >= 0, power) {
        (true, Some(power)) => {
            (Some(sum.unsigned_abs()), power.checked_mul(count.into()))
        }
        (false, Some(power)) => {
            (sum.unsigned_abs().checked_mul(power), Some(count.into()))
        }
        (_, None) => (None, None),
    };
    match (numerator, denominator) {
        (Some(numerator), Some(denominator)) if denominator > 0 => {
            divide(numerator, denominator).copysign(if sum < 0 { -1.0 } else { 1.0 })
        }
        _ => sum as f64 / count as f64 / 10f64.powi(scale.into()),
    }
}

// Rounded once, to the nearest. An integer of 2 more bits than a double holds decides the
// rounding when its last bit says whether anything was left.
fn divide(numerator: u128, denominator: u128) -> f64 {
    let (mut quotient, mut rest) = (numerator / denominator, numerator % denominator);
    let mut exponent = 0;
    while quotient < 1 << 55 && rest != 0 {
        // rest < denominator, so that this overflows only beyond 2^127.
        let Some(twice) = rest.checked_mul(2) else {
            return numerator as f64 / denominator as f64;
        };
        let carry = u128::from(twice >= denominator);
        quotient = quotient * 2 + carry;
        rest = twice - carry * denominator;
        exponent -= 1;
    }
    let sticky = quotient | u128::from(rest != 0);
    // The conversion rounds to nearest even; the power of two is exact.
    sticky as f64 * 2f64.powi(exponent)
}

/// Sums of floats, in the order in which they come.
#[derive(Debug)]
pub struct FloatSums<T> {
    sums: Vec<(f64, u64)>,
    is_mean: bool,
    of: PhantomData<fn() -> T>,
}

impl<T> FloatSums<T> {
    pub fn new(is_mean: bool) -> Self {
        Self { sums: Vec::new(), is_mean, of: PhantomData }
    }
}

impl<T: ArrowPrimitiveType> State for FloatSums<T>
where
    T::Native: Into<f64>,
{
    fn grow(&mut self, count: usize) {
        self.sums.resize(count, (0.0, 0));
    }

    fn add(&mut self, column: &dyn Array, numbers: &[u32]) -> Result<(), Error> {
        let column = column.as_primitive::<T>();
        let values = column.values();
        let mut add = |number: u32, value: T::Native| {
            let (sum, count) = &mut self.sums[number as usize];
            *sum += value.into();
            *count += 1;
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

    fn finish(&mut self, _: &DataType) -> Result<ArrayRef, Error> {
        let sums = std::mem::take(&mut self.sums);
        let nulls = nulls_where_none(sums.iter().map(|(_, count)| *count > 0));
        let values = sums
            .iter()
            .map(|(sum, count)| if self.is_mean { sum / *count as f64 } else { *sum });
        Ok(Arc::new(Float64Array::new(values.collect(), nulls)))
    }
}
