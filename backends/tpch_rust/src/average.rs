// SPDX-License-Identifier: MIT
//! Averages of decimals of two places, to the last digit what DuckDB says.
//!
//! Where a query asks for the sum as well, DuckDB divides the sum, as the double nearest
//! to it, by the count. Alone it divides in `long double` and rounds the quotient to a
//! double. Either rounds twice, which differs from rounding once, and from each other.

const DOUBLE_BITS: u32 = 53;
// What a long double holds: that of x86-64 and that of arm64.
const LONG_DOUBLE_BITS: u32 = if cfg!(target_arch = "x86_64") { 64 } else { 113 };

/// The average beside a sum; of no values, none.
pub fn average_of_sum(sum: i128, count: u64) -> Option<f64> {
    (count > 0).then(|| divide(sum, 100, DOUBLE_BITS) / count as f64)
}

/// The average alone; of no values, none.
pub fn average(sum: i128, count: u64) -> Option<f64> {
    (count > 0).then(|| divide(sum, u128::from(count) * 100, LONG_DOUBLE_BITS))
}

// The quotient rounded to so many bits, and then to a double. The divisor is below 2^72.
fn divide(dividend: i128, divisor: u128, bits: u32) -> f64 {
    let magnitude = dividend.unsigned_abs();
    // As a long double the dividend itself may have to be rounded.
    let (magnitude, mut exponent) = match bits {
        LONG_DOUBLE_BITS => round(magnitude, 0, false, bits),
        _ => (magnitude, 0),
    };
    let (mut quotient, mut rest) = (magnitude / divisor, magnitude % divisor);
    // So many bits that those behind the last one, and what is left, decide its rounding.
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

// The nearest number of so many bits, times a power of two; `more`: something was left.
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

#[cfg(test)]
mod tests {
    use super::{average, average_of_sum};

    #[test]
    fn of_nothing_there_is_none() {
        for average in [average, average_of_sum] {
            assert_eq!(average(0, 0), None);
            assert_eq!(average(0, 3), Some(0.0));
        }
    }

    #[test]
    fn small_ones_are_what_a_division_says() {
        for average in [average, average_of_sum] {
            assert_eq!(average(255, 1), Some(2.55));
            assert_eq!(average(-100, 3), Some(-1.0 / 3.0));
            assert_eq!(average(10, 100), Some(0.001));
            assert_eq!(average(i128::from(u64::MAX) * 100, 1), Some(u64::MAX as f64));
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn alone_it_is_rounded_twice_as_duckdb_does() {
        // What DuckDB 2.0 says of such decimals; rounding once gives 4371956434342.765 and
        // 5628108359303.919.
        assert_eq!(
            average(522_448_793_903_960_463, 1_195),
            Some(4_371_956_434_342.765_6)
        );
        assert_eq!(average(386_651_044_284_179_198, 687), Some(5_628_108_359_303.918));
    }

    #[test]
    fn beside_a_sum_it_is_divided_as_a_double() {
        // What DuckDB 2.0 says of 930667690940194124 hundredths as a double: above 2^53 a
        // quotient of doubles would miss it.
        assert_eq!(
            average_of_sum(930_667_690_940_194_124, 1),
            Some(9_306_676_909_401_942.0)
        );
        assert_eq!(average_of_sum(1_303_459_222, 353), Some(36_925.190_424_929_184));
        assert_eq!(average(1_303_459_222, 353), Some(36_925.190_424_929_18));
    }
}
