// SPDX-License-Identifier: MIT
//! `select sum(l_extendedprice * l_discount) as revenue from lineitem where l_shipdate >=
//! date '1994-01-01' and l_shipdate < date '1995-01-01' and l_discount between 0.05 and
//! 0.07 and l_quantity < 24`

use std::iter;
use std::ops::{Range, RangeInclusive};

use arrow_array::RecordBatch;
use arrowalloy::Error;

use crate::decimals::{MONEY, RATE, Sum, add, beyond};
use crate::query::{Query, Rows, sums};

#[derive(Default)]
pub struct Revenue(Sum);

// 1994-01-01 to 1994-12-31, in days since 1970.
const DAYS: RangeInclusive<i32> = 8_766..=9_130;

// The numbers are hundredths. It has no branches, for the fast way.
#[inline]
fn is_wanted(day: i32, discount: i64, quantity: i64) -> bool {
    DAYS.contains(&day) & (5..=7).contains(&discount) & (quantity < 2_400)
}

impl Query for Revenue {
    const SUM: &'static str = "revenue";

    fn add_fast(&mut self, rows: &Rows<'_>, chunk: Range<usize>) -> Option<bool> {
        let [quantity, price, discount] = rows.values(&chunk);
        let columns = quantity.iter().zip(price).zip(discount);
        let (mut count, mut sum, mut far) = (0, 0i64, 0);
        for (((quantity, price), discount), day) in
            columns.zip(&rows.days.values()[chunk])
        {
            far |= beyond(MONEY, *quantity)
                | beyond(MONEY, *price)
                | beyond(RATE, *discount);
            let discount = *discount as i64;
            let is_wanted = i64::from(is_wanted(*day, discount, *quantity as i64));
            count += is_wanted;
            // If this wraps, a number is beyond.
            sum = sum.wrapping_add((*price as i64).wrapping_mul(discount) & -is_wanted);
        }
        if far == 0 {
            add(&mut self.0, Some(sum.into()), count as u64)?;
        }
        Some(far == 0)
    }

    fn add_row(&mut self, rows: &Rows<'_>, row: usize) -> Option<()> {
        let Some(day) = rows.day(row).filter(|day| DAYS.contains(day)) else {
            return Some(());
        };
        let small = |value: i128| value.clamp(-1, 9_999) as i64;
        match rows.row(row) {
            [Some(quantity), Some(price), Some(discount)]
                if is_wanted(day, small(discount), small(quantity)) =>
            {
                add(&mut self.0, Some(price.checked_mul(discount)?), 1)
            }
            _ => Some(()),
        }
    }

    fn answer(&self) -> Result<RecordBatch, Error> {
        let revenue = sums("revenue", 4, iter::once(self.0))?;
        Ok(RecordBatch::try_from_iter_with_nullable([revenue])?)
    }
}
