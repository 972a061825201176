// SPDX-License-Identifier: MIT
//! `select sum(l_extendedprice * l_discount) as revenue from lineitem where l_shipdate >=
//! date '1994-01-01' and l_shipdate < date '1995-01-01' and l_discount between 0.05 and
//! 0.07 and l_quantity < 24`

use std::iter;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type};
use arrow_array::{Array, Decimal128Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use arrowalloy::Error;

use crate::alloy_arrow::{Bind, BoundStream};
use crate::decimals::{beyond_money, beyond_rate, checked, chunks, get};

// 1994-01-01 to 1994-12-31, in days since 1970; the others in hundredths.
const DAYS: std::ops::RangeInclusive<i32> = 8_766..=9_130;
const LEAST_DISCOUNT: i64 = 5;
const MOST_DISCOUNT: i64 = 7;
const QUANTITY: i64 = 2_400;

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
                add(&batch?, &mut sum)?;
            }
            let column = Decimal128Array::from(vec![sum]).with_data_type(revenue);
            Ok(RecordBatch::try_new(schema, vec![Arc::new(column)])?)
        })))
    }))
}

fn add(batch: &RecordBatch, revenue: &mut Option<i128>) -> Result<(), Error> {
    // In the order in which the function declares them.
    let [quantity, price, discount] =
        [0, 1, 2].map(|index| batch.column(index).as_primitive::<Decimal128Type>());
    let day = batch.column(3).as_primitive::<Date32Type>();
    let has_nulls = batch.columns().iter().any(|column| column.null_count() > 0);
    let mut add = |part: Option<i128>| {
        let sum = part.and_then(|part| revenue.unwrap_or(0).checked_add(part));
        *revenue = Some(checked(sum, "revenue")?);
        Ok::<_, Error>(())
    };
    for rows in chunks(batch.num_rows()) {
        let numbers = [quantity, price, discount].map(|c| &c.values()[rows.clone()]);
        match (!has_nulls).then(|| sum(numbers, &day.values()[rows.clone()])).flatten() {
            Some((0, _)) => continue,
            Some((_, part)) => {
                add(Some(part.into()))?;
                continue;
            }
            None => {}
        }
        for row in rows {
            let (Some(quantity), Some(price)) = (get(quantity, row), get(price, row))
            else {
                continue;
            };
            let (Some(discount), Some(day)) = (get(discount, row), get(day, row)) else {
                continue;
            };
            let rates = i128::from(LEAST_DISCOUNT)..=i128::from(MOST_DISCOUNT);
            if DAYS.contains(&day)
                && rates.contains(&discount)
                && quantity < i128::from(QUANTITY)
            {
                add(price.checked_mul(discount))?;
            }
        }
    }
    Ok(())
}

// How many rows the query takes, and their sum. None: a number is not small.
#[inline]
fn sum([quantity, price, discount]: [&[i128]; 3], day: &[i32]) -> Option<(i64, i64)> {
    let (mut count, mut sum, mut beyond) = (0, 0i64, 0);
    for (((quantity, price), discount), day) in
        quantity.iter().zip(price).zip(discount).zip(day)
    {
        beyond |= beyond_money(*quantity) | beyond_money(*price) | beyond_rate(*discount);
        let (quantity, discount) = (*quantity as i64, *discount as i64);
        let is_wanted = DAYS.contains(day)
            & (LEAST_DISCOUNT..=MOST_DISCOUNT).contains(&discount)
            & (quantity < QUANTITY);
        count += i64::from(is_wanted);
        // If this wraps, a number is beyond.
        let product = (*price as i64).wrapping_mul(discount);
        sum = sum.wrapping_add(product & -i64::from(is_wanted));
    }
    (beyond == 0).then_some((count, sum))
}
