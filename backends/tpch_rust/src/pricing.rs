// SPDX-License-Identifier: MIT
//! `select l_returnflag, l_linestatus, sum(l_quantity) as sum_qty, sum(l_extendedprice) as
//! sum_base_price, sum(l_extendedprice * (1 - l_discount)) as sum_disc_price,
//! sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge, avg(l_quantity) as
//! avg_qty, avg(l_extendedprice) as avg_price, avg(l_discount) as avg_disc, count(*) as
//! count_order from lineitem where l_shipdate <= date '1998-12-01' - interval '90' day group
//! by l_returnflag, l_linestatus order by l_returnflag, l_linestatus`

use std::collections::BTreeMap;
use std::{ops::Range, sync::Arc};

use arrow_array::cast::AsArray;
use arrow_array::*;
use arrow_schema::DataType;
use arrowalloy::Error;

use crate::decimals::*;
use crate::query::*;

// 1998-09-02 in days since 1970.
const LAST_DAY: i32 = 10_471;

// The sums of a group: the quantity, the price, the discount, price * (1 - discount), that
// * (1 + tax), and the rows.
type Sums = [Sum; 6];

// A text of a key, and whether it is null: nulls are last.
type Text = (bool, String);

// Groups that the fast way knows. Number 0 takes the rows outside the query.
const FAST: usize = 32;

#[derive(Default)]
pub struct Pricing {
    // By flag and status.
    numbers: BTreeMap<[Text; 2], usize>,
    sums: Vec<Sums>,
    // The number of a group by the two bytes of its flags. Zero: unknown.
    table: Vec<u8>,
}

// Texts of one byte each, in `space` or where they are. None: one has another length.
fn bytes<'a>(
    texts: &'a ArrayRef,
    chunk: &Range<usize>,
    space: &'a mut [u8; ROWS],
) -> Option<&'a [u8]> {
    match texts.data_type() {
        DataType::Utf8 => return side_by_side(texts.as_string::<i32>(), chunk),
        DataType::LargeUtf8 => return side_by_side(texts.as_string::<i64>(), chunk),
        _ => {}
    }
    // A view of one byte: the length, the byte, and zeros.
    const BYTE: u128 = 0xff << 32;
    let mut other = 0;
    let views = &texts.as_string_view().views()[chunk.clone()];
    for (byte, view) in space.iter_mut().zip(views) {
        *byte = (view >> 32) as u8;
        other |= (view & !BYTE) ^ 1;
    }
    (other == 0).then_some(&space[..chunk.len()])
}

fn side_by_side<'a, T: OffsetSizeTrait>(
    texts: &'a GenericStringArray<T>,
    chunk: &Range<usize>,
) -> Option<&'a [u8]> {
    let offsets = &texts.value_offsets()[chunk.start..=chunk.end];
    let (start, mut other) = (offsets[0].as_usize(), 0);
    for (row, offset) in offsets.iter().enumerate() {
        other |= offset.as_usize() ^ start.wrapping_add(row);
    }
    texts.value_data().get(start..)?.get(..chunk.len()).filter(|_| other == 0)
}

// A null makes a product null. None: it overflows.
fn product(one: Option<i128>, other: Option<i128>) -> Option<Option<i128>> {
    one.zip(other).map_or(Some(None), |(one, other)| one.checked_mul(other).map(Some))
}

impl Pricing {
    fn group(&mut self, key: [Text; 2]) -> usize {
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(key).or_insert(next);
        if number >= self.sums.len() {
            self.sums.resize(number + 1, Sums::default());
        }
        number
    }

    // The number of the group of each row, or 0 outside the query. None: one has no number.
    fn numbers(&mut self, rows: &Rows<'_>, chunk: &Range<usize>) -> Option<[u8; ROWS]> {
        self.table.resize(1 << 16, 0);
        let mut numbers = [0; ROWS];
        let (mut flags, mut statuses) = ([0; ROWS], [0; ROWS]);
        let flags = bytes(&rows.texts[0], chunk, &mut flags)?;
        let statuses = bytes(&rows.texts[1], chunk, &mut statuses)?;
        let keys = flags.iter().zip(statuses).zip(&rows.days.values()[chunk.clone()]);
        for (number, ((flag, status), day)) in numbers.iter_mut().zip(keys) {
            let place = usize::from(*flag) << 8 | usize::from(*status);
            let mut found = self.table[place];
            if found == 0 && *day <= LAST_DAY {
                // A byte of a longer character is not a string.
                let text =
                    |byte: u8| byte.is_ascii().then(|| (false, char::from(byte).into()));
                let group = self.group([text(*flag)?, text(*status)?]);
                found = (group < FAST).then_some(group as u8)?;
                self.table[place] = found;
            }
            *number = if *day <= LAST_DAY { found } else { 0 };
        }
        Some(numbers)
    }
}

impl Query for Pricing {
    const SUM: &'static str = "a sum";

    // The other way is for longer flags, more groups, or great numbers.
    fn add_fast(&mut self, rows: &Rows<'_>, chunk: Range<usize>) -> Option<bool> {
        let Some(numbers) = self.numbers(rows, &chunk) else { return Some(false) };
        // Two sums for each group, since one would have to wait for itself from row to
        // row. 8 is a round size.
        let mut parts = [[[0i64; 8]; FAST]; 2];
        let [quantity, price, discount, tax] = rows.values(&chunk);
        let columns = quantity.iter().zip(price).zip(discount).zip(tax).zip(&numbers);
        let mut far = 0;
        for (row, ((((quantity, price), discount), tax), number)) in columns.enumerate() {
            far |= beyond(MONEY, *quantity) | beyond(MONEY, *price);
            far |= beyond(RATE, *discount) | beyond(RATE, *tax);
            let [quantity, price, discount, tax] =
                [quantity, price, discount, tax].map(|value| *value as i64);
            // If this wraps, a number is beyond.
            let discounted = price.wrapping_mul(100i64.wrapping_sub(discount));
            let charge = discounted.wrapping_mul(100i64.wrapping_add(tax));
            let part = &mut parts[row & 1][usize::from(*number) % FAST];
            let values = [quantity, price, discount, discounted, charge, 1];
            for (sum, value) in part.iter_mut().zip(values) {
                *sum = sum.wrapping_add(value);
            }
        }
        if far != 0 {
            return Some(false);
        }
        for (number, sums) in self.sums.iter_mut().enumerate().take(FAST).skip(1) {
            for part in [parts[0][number], parts[1][number]] {
                for (sum, value) in sums.iter_mut().zip(part) {
                    add(sum, Some(value.into()), part[5] as u64)?;
                }
            }
        }
        Some(true)
    }

    fn add_row(&mut self, rows: &Rows<'_>, row: usize) -> Option<()> {
        if rows.day(row).is_none_or(|day| day > LAST_DAY) {
            return Some(());
        }
        let [quantity, price, discount, tax] = rows.row(row);
        let discounted = product(price, discount.map(|discount| 100 - discount))?;
        let charge = product(discounted, tax.map(|tax| 100 + tax))?;
        let number = self.group([0, 1].map(|i| {
            let texts = &rows.views()[i];
            let text = if texts.is_null(row) { "" } else { texts.value(row) };
            (texts.is_null(row), text.to_owned())
        }));
        let sums = &mut self.sums[number];
        add(&mut sums[0], quantity, 1)?;
        add(&mut sums[1], price, 1)?;
        add(&mut sums[2], discount, 1)?;
        add(&mut sums[3], discounted, 1)?;
        add(&mut sums[4], charge, 1)?;
        add(&mut sums[5], Some(1), 1)
    }

    fn answer(&self) -> Result<RecordBatch, Error> {
        let groups = |what: usize| {
            self.numbers.values().map(move |number| self.sums[*number][what])
        };
        let text = |name, i: usize| -> Column {
            let texts = self.numbers.keys().map(|key| (!key[i].0).then_some(&key[i].1));
            (name, Arc::new(texts.collect::<StringArray>()), true)
        };
        let mean = |name, average: fn(Sum) -> Option<f64>, what| -> Column {
            (name, Arc::new(groups(what).map(average).collect::<Float64Array>()), true)
        };
        let counts = Int64Array::from_iter_values(groups(5).map(|sum| sum.0 as i64));
        Ok(RecordBatch::try_from_iter_with_nullable([
            text("l_returnflag", 0),
            text("l_linestatus", 1),
            sums("sum_qty", 2, groups(0))?,
            sums("sum_base_price", 2, groups(1))?,
            sums("sum_disc_price", 4, groups(3))?,
            sums("sum_charge", 6, groups(4))?,
            mean("avg_qty", average_of_sum, 0),
            mean("avg_price", average_of_sum, 1),
            mean("avg_disc", average, 2),
            ("count_order", Arc::new(counts), false),
        ])?)
    }
}
