// SPDX-License-Identifier: MIT
//! `select sum(l_extendedprice * l_discount) as revenue from lineitem where l_shipdate >=
//! date '1994-01-01' and l_shipdate < date '1995-01-01' and l_discount between 0.05 and
//! 0.07 and l_quantity < 24`

use std::iter;
use std::sync::Arc;

use arrow_array::{Decimal128Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use arrowalloy::Error;

use crate::alloy_arrow::{Bind, BoundStream};
use crate::chunk::{ROWS, beyond_money, beyond_rate};
use crate::lineitem::{Dates, Decimals};
use crate::pricing::overflow;

// 1994-01-01 to 1994-12-31, in days since 1970.
const FIRST_DAY: i32 = 8_766;
const LAST_DAY: i32 = 9_130;
// In hundredths.
const DISCOUNT: std::ops::RangeInclusive<i128> = 5..=7;
const QUANTITY: i128 = 2_400;

pub fn bind_q6(_: &Bind<'_>) -> Result<BoundStream, Error> {
    let revenue = DataType::Decimal128(38, 4);
    let schema = Schema::new(vec![Field::new("revenue", revenue.clone(), true)]);
    let schema = Arc::new(schema);
    Ok(BoundStream::new(schema.clone(), move |scope, inputs| {
        let (input, schema, revenue) = (inputs.take()?, schema.clone(), revenue.clone());
        Ok(Box::new(iter::once_with(move || {
            let mut sum = None;
            for batch in input {
                scope.check()?;
                add(&Rows::of(&batch?), &mut sum)?;
            }
            let column = Decimal128Array::from(vec![sum]).with_data_type(revenue);
            Ok(RecordBatch::try_new(schema, vec![Arc::new(column)])?)
        })))
    }))
}

struct Rows<'a> {
    quantity: Decimals<'a>,
    price: Decimals<'a>,
    discount: Decimals<'a>,
    day: Dates<'a>,
    count: usize,
}

impl<'a> Rows<'a> {
    // In the order in which the function declares them.
    fn of(batch: &'a RecordBatch) -> Self {
        Self {
            quantity: Decimals::of(batch.column(0)),
            price: Decimals::of(batch.column(1)),
            discount: Decimals::of(batch.column(2)),
            day: Dates::of(batch.column(3)),
            count: batch.num_rows(),
        }
    }

    fn has_nulls(&self) -> bool {
        self.quantity.has_nulls()
            || self.price.has_nulls()
            || self.discount.has_nulls()
            || self.day.has_nulls()
    }
}

fn add(rows: &Rows<'_>, sum: &mut Option<i128>) -> Result<(), Error> {
    let has_nulls = rows.has_nulls();
    for first in (0..rows.count).step_by(ROWS) {
        let end = rows.count.min(first + ROWS);
        match (!has_nulls).then(|| add_fast(rows, first, end)).flatten() {
            Some((0, _)) => {}
            Some((_, part)) => *sum = Some(total(*sum, i128::from(part))?),
            None => add_row_by_row(rows, first, end, sum)?,
        }
    }
    Ok(())
}

// How many rows are wanted, and their sum; None where a number is too great.
#[inline]
fn add_fast(rows: &Rows<'_>, first: usize, end: usize) -> Option<(i64, i64)> {
    let quantity = &rows.quantity.values[first..end];
    let price = &rows.price.values[first..end];
    let discount = &rows.discount.values[first..end];
    let day = &rows.day.values[first..end];
    let (mut count, mut sum, mut beyond) = (0, 0i64, 0);
    for (((quantity, price), discount), day) in
        quantity.iter().zip(price).zip(discount).zip(day)
    {
        beyond |= beyond_money(*quantity) | beyond_money(*price) | beyond_rate(*discount);
        let (quantity, discount) = (*quantity as i64, *discount as i64);
        // What wraps is beyond, and nobody looks at the sum then.
        let is_wanted = (FIRST_DAY..=LAST_DAY).contains(day)
            & (*DISCOUNT.start() as i64..=*DISCOUNT.end() as i64).contains(&discount)
            & (quantity < QUANTITY as i64);
        count += i64::from(is_wanted);
        let product = (*price as i64).wrapping_mul(discount);
        sum = sum.wrapping_add(product & -i64::from(is_wanted));
    }
    (beyond == 0).then_some((count, sum))
}

fn add_row_by_row(
    rows: &Rows<'_>,
    first: usize,
    end: usize,
    sum: &mut Option<i128>,
) -> Result<(), Error> {
    for row in first..end {
        let (Some(day), Some(quantity)) = (rows.day.get(row), rows.quantity.get(row))
        else {
            continue;
        };
        let (Some(discount), Some(price)) = (rows.discount.get(row), rows.price.get(row))
        else {
            continue;
        };
        if (FIRST_DAY..=LAST_DAY).contains(&day)
            && DISCOUNT.contains(&discount)
            && quantity < QUANTITY
        {
            let product =
                price.checked_mul(discount).ok_or_else(|| overflow("revenue"))?;
            *sum = Some(total(*sum, product)?);
        }
    }
    Ok(())
}

fn total(sum: Option<i128>, part: i128) -> Result<i128, Error> {
    let total = sum.unwrap_or(0).checked_add(part);
    let total = total.filter(|total| total.unsigned_abs() < 10u128.pow(38));
    total.ok_or_else(|| overflow("revenue"))
}
