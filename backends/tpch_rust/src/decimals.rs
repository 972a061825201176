// SPDX-License-Identifier: MIT
//! Arithmetic on decimals of two places. Two ways lead to the same sums. The fast way sums
//! a chunk of rows in 64 bits, which is exact while the numbers are small. The other way
//! takes any number, row by row in 128 bits, and an overflow is an error.

use std::ops::Range;

use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray};
use arrowalloy::Error;

/// The rows of a chunk: 2^10.
pub const ROWS: usize = 1 << 10;

pub fn chunks(count: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).step_by(ROWS).map(move |first| first..count.min(first + ROWS))
}

// Prices and quantities below 2^34 hundredths and rates below 2^7 are small. Then
// price * (1 - discount) * (1 + tax) is below 2^(34 + 8 + 8), and the sum of 2^10 of them
// below 2^60. Zero: the value is small.
#[inline]
pub fn beyond_money(value: i128) -> i64 {
    beyond(value, 34)
}

#[inline]
pub fn beyond_rate(value: i128) -> i64 {
    beyond(value, 7)
}

#[inline]
fn beyond(value: i128, bits: u32) -> i64 {
    ((value as i64) >> bits) ^ (value >> 64) as i64
}

/// None: the value is null.
pub fn get<T: ArrowPrimitiveType>(
    column: &PrimitiveArray<T>,
    row: usize,
) -> Option<T::Native> {
    column.is_valid(row).then(|| column.value(row))
}

#[cold]
pub fn overflow(name: &str) -> Error {
    Error::failed(format!("{name} overflows a decimal of 38 digits"))
}

/// The sum, if it has no more digits than the schema promises.
pub fn checked(sum: Option<i128>, name: &str) -> Result<i128, Error> {
    sum.filter(|sum| sum.unsigned_abs() < 10u128.pow(38)).ok_or_else(|| overflow(name))
}

const DOUBLE_BITS: u32 = 53;
// Of x86-64 and of arm64.
const LONG_DOUBLE_BITS: u32 = if cfg!(target_arch = "x86_64") { 64 } else { 113 };

/// If a query also asks for the sum, DuckDB divides that sum, as the nearest double, by
/// the count.
pub fn average_of_sum(sum: i128, count: u64) -> Option<f64> {
    (count > 0).then(|| divide(sum, 100, DOUBLE_BITS) / count as f64)
}

/// Otherwise DuckDB divides in `long double`, and rounds the quotient to a double.
pub fn average(sum: i128, count: u64) -> Option<f64> {
    (count > 0).then(|| divide(sum, u128::from(count) * 100, LONG_DOUBLE_BITS))
}

// The quotient rounded to so many bits, and then to a double. The divisor is below 2^72.
fn divide(dividend: i128, divisor: u128, bits: u32) -> f64 {
    let magnitude = dividend.unsigned_abs();
    // A long double may have to round the dividend as well.
    let (magnitude, mut exponent) = match bits {
        LONG_DOUBLE_BITS => round(magnitude, 0, false, bits),
        _ => (magnitude, 0),
    };
    let (mut quotient, mut rest) = (magnitude / divisor, magnitude % divisor);
    // Two bits more, which decide with the rest how the last bit is rounded.
    while quotient >> (bits + 2) == 0 && rest != 0 {
        rest *= 2;
        quotient = quotient * 2 + rest / divisor;
        rest %= divisor;
        exponent -= 1;
    }
    let (quotient, exponent) = round(quotient, exponent, rest != 0, bits);
    // The conversion rounds to nearest even; the power of two is exact.
    let quotient = quotient as f64 * 2f64.powi(exponent);
    if dividend < 0 { -quotient } else { quotient }
}

// The nearest number of so many bits, times a power of two. `more`: there is a rest.
fn round(value: u128, exponent: i32, more: bool, bits: u32) -> (u128, i32) {
    let extra = (u128::BITS - value.leading_zeros()).saturating_sub(bits);
    if extra == 0 {
        return (value, exponent);
    }
    let (kept, cut, half) =
        (value >> extra, value & ((1 << extra) - 1), 1 << (extra - 1));
    let up = cut > half || (cut == half && (more || kept & 1 == 1));
    (kept + u128::from(up), exponent + extra as i32)
}
