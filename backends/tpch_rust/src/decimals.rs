// SPDX-License-Identifier: MIT
//! Sums and averages of decimals of two places.

/// A sum of values, and how many they are.
pub type Sum = (i128, u64);

// Money is prices and quantities below 2^34 hundredths; rates are below 2^7. Then
// price * (1 - discount) * (1 + tax) is below 2^(34 + 8 + 8), and the sum of 2^10 of them
// below 2^60.
pub const MONEY: u32 = 34;
pub const RATE: u32 = 7;

/// Zero: the value is small, it has no more than these bits.
#[inline]
pub fn beyond(bits: u32, value: i128) -> i64 {
    ((value as i64) >> bits) ^ (value >> 64) as i64
}

/// A null adds nothing. None: the sum overflows.
pub fn add((sum, count): &mut Sum, value: Option<i128>, values: u64) -> Option<()> {
    if let Some(value) = value {
        *sum = sum.checked_add(value)?;
        *count += values;
    }
    Some(())
}

const DOUBLE_BITS: u32 = 53;
// Of x86-64 and of arm64.
const LONG_DOUBLE_BITS: u32 = if cfg!(target_arch = "x86_64") { 64 } else { 113 };

/// If a query also asks for the sum, DuckDB divides that sum, as the nearest double, by
/// the count.
pub fn average_of_sum((sum, count): Sum) -> Option<f64> {
    (count > 0).then(|| divide(sum, 100, u128::BITS, DOUBLE_BITS) / count as f64)
}

/// Otherwise DuckDB divides in `long double`, and rounds the quotient to a double.
pub fn average((sum, count): Sum) -> Option<f64> {
    let divisor = u128::from(count) * 100;
    (count > 0).then(|| divide(sum, divisor, LONG_DOUBLE_BITS, LONG_DOUBLE_BITS))
}

// The dividend has `dividend_bits`. The quotient is rounded to `bits`, and then to a
// double. The divisor is below 2^72.
fn divide(dividend: i128, divisor: u128, dividend_bits: u32, bits: u32) -> f64 {
    let magnitude = round(dividend.unsigned_abs(), dividend_bits);
    let (mut quotient, mut rest) = (magnitude / divisor, magnitude % divisor);
    let mut exponent = 0;
    // Two bits more than asked for. The last one is set if there is a rest, which decides
    // a tie.
    while quotient >> (bits + 1) == 0 && rest != 0 {
        (quotient, rest) = (quotient * 2 + rest * 2 / divisor, rest * 2 % divisor);
        exponent -= 1;
    }
    let quotient = round(quotient | u128::from(rest != 0), bits) as f64;
    // The power of two is exact.
    (if dividend < 0 { -quotient } else { quotient }) * 2f64.powi(exponent)
}

// The nearest number that has so many bits and then zeros. A tie goes to the even one.
fn round(value: u128, bits: u32) -> u128 {
    match (u128::BITS - value.leading_zeros()).saturating_sub(bits) {
        0 => value,
        cut => (value + (1 << (cut - 1)) - 1 + (value >> cut & 1)) >> cut << cut,
    }
}
