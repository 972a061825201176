// SPDX-License-Identifier: MIT
//! What makes the fast way right: how many rows, and how great the numbers, so that sums
//! of products fit 64 bits.

/// How many rows are summed in 64 bits: 2^10.
pub const ROWS: usize = 1 << 10;

// Prices and quantities are below 2^34 hundredths, rates below 2^7. So is
// price * (1 - discount) * (1 + tax) below 2^(34 + 8 + 8), and 2^10 of them below 2^60.
const MONEY_BITS: u32 = 34;
const RATE_BITS: u32 = 7;

/// Zero for a price or a quantity that is small enough.
#[inline]
pub fn beyond_money(value: i128) -> i64 {
    beyond(value, MONEY_BITS)
}

/// Zero for a discount or a tax that is small enough.
#[inline]
pub fn beyond_rate(value: i128) -> i64 {
    beyond(value, RATE_BITS)
}

// Whether the low half is within the bits, and the high half nothing but its sign.
#[inline]
fn beyond(value: i128, bits: u32) -> i64 {
    ((value as i64) >> bits) ^ (value >> 64) as i64
}

#[cfg(test)]
mod tests {
    use super::{beyond_money, beyond_rate};

    #[test]
    fn what_is_too_great_for_the_fast_way_is_noticed() {
        for value in [0, 1, 127, -128] {
            assert_eq!((beyond_rate(value), beyond_money(value)), (0, 0), "{value}");
        }
        for value in [128, -129, 1 << 33, 1 << 63, 1 << 64, (1 << 64) + 5, i128::MIN] {
            assert_ne!(beyond_rate(value), 0, "{value}");
        }
        for value in [(1 << 34) - 1, -(1 << 34)] {
            assert_eq!(beyond_money(value), 0, "{value}");
        }
        for value in [1 << 34, -(1 << 34) - 1, 1 << 64, -(1 << 64), i128::MAX] {
            assert_ne!(beyond_money(value), 0, "{value}");
        }
    }
}
