// SPDX-License-Identifier: MIT
//! The average of decimals, to the last digit what DuckDB says.
//!
//! DuckDB divides in `long double` and rounds the quotient to a double: it rounds twice,
//! which one time in some thousands differs from rounding once. Integers do the same here.

// What a long double holds: that of x86-64 and that of arm64.
const BITS: u32 = if cfg!(target_arch = "x86_64") { 64 } else { 113 };

/// `sum / (count * 100)`, for sums of two places behind the point; of no values, none.
pub fn average(sum: i128, count: u64) -> Option<f64> {
    let denominator = u128::from(count) * 100;
    if denominator == 0 {
        return None;
    }
    let (numerator, mut exponent) = round(sum.unsigned_abs(), 0, false);
    let (mut quotient, mut rest) = (numerator / denominator, numerator % denominator);
    // So many bits that those behind the last one, and what is left, decide its rounding.
    while quotient >> (BITS + 2) == 0 && rest != 0 {
        rest *= 2;
        quotient = quotient * 2 + rest / denominator;
        rest %= denominator;
        exponent -= 1;
    }
    let (quotient, exponent) = round(quotient, exponent, rest != 0);
    // The conversion rounds to nearest even; the power of two is exact.
    let average = quotient as f64 * 2f64.powi(exponent);
    Some(if sum < 0 { -average } else { average })
}

// The nearest number of BITS bits, times a power of two; `more`: something was left.
fn round(value: u128, exponent: i32, more: bool) -> (u128, i32) {
    let extra = (u128::BITS - value.leading_zeros()).saturating_sub(BITS);
    if extra == 0 {
        return (value, exponent);
    }
    let (kept, cut, half) =
        (value >> extra, value & ((1 << extra) - 1), 1 << (extra - 1));
    let up = cut > half || (cut == half && (more || kept & 1 == 1));
    (kept + u128::from(up), exponent + extra as i32)
}

#[cfg(test)]
mod tests {
    use super::average;

    #[test]
    fn of_nothing_there_is_none() {
        assert_eq!(average(0, 0), None);
        assert_eq!(average(0, 3), Some(0.0));
    }

    #[test]
    fn small_ones_are_what_a_division_says() {
        assert_eq!(average(255, 1), Some(2.55));
        assert_eq!(average(-100, 3), Some(-1.0 / 3.0));
        assert_eq!(average(10, 100), Some(0.001));
        assert_eq!(average(i128::from(u64::MAX) * 100, 1), Some(u64::MAX as f64));
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn it_is_rounded_twice_as_duckdb_does() {
        // What DuckDB 2.0 says of such decimals; rounding once gives 4371956434342.765 and
        // 5628108359303.919.
        assert_eq!(
            average(522_448_793_903_960_463, 1_195),
            Some(4_371_956_434_342.765_6)
        );
        assert_eq!(average(386_651_044_284_179_198, 687), Some(5_628_108_359_303.918));
    }
}
