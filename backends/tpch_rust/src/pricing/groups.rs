// SPDX-License-Identifier: MIT
//! The sums of each group.
//!
//! The fast way takes a chunk of rows: the two bytes of the flags are the place of the
//! group's number in a table, and the sums of the chunk fit 64 bits. Whatever does not fit
//! this (nulls, longer flags, more groups, great numbers) goes row by row, in 128 bits.

use std::collections::HashMap;

use arrowalloy::Error;

use super::{Rows, overflow};
use crate::chunk::{ROWS, beyond_money, beyond_rate};

// 1998-09-02 in days since 1970.
const LAST_DAY: i32 = 10_471;

const QUANTITY: usize = 0;
const PRICE: usize = 1;
const DISCOUNT: usize = 2;
const DISCOUNTED: usize = 3;
const CHARGE: usize = 4;
const COUNT: usize = 5;

/// The sums of a group, each with the number of its values.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    sums: [i128; 5],
    counts: [u64; 5],
    pub rows: u64,
}

impl Sums {
    fn of(&self, what: usize) -> (i128, u64) {
        (self.sums[what], self.counts[what])
    }

    pub fn quantity(&self) -> (i128, u64) {
        self.of(QUANTITY)
    }

    pub fn price(&self) -> (i128, u64) {
        self.of(PRICE)
    }

    pub fn discount(&self) -> (i128, u64) {
        self.of(DISCOUNT)
    }

    pub fn discounted(&self) -> (i128, u64) {
        self.of(DISCOUNTED)
    }

    pub fn charge(&self) -> (i128, u64) {
        self.of(CHARGE)
    }

    fn add(&mut self, what: usize, value: Option<i128>) -> Option<()> {
        if let Some(value) = value {
            self.sums[what] = self.sums[what].checked_add(value)?;
            self.counts[what] += 1;
        }
        Some(())
    }

    fn add_part(&mut self, part: &Part) -> Option<()> {
        let count = part[COUNT] as u64;
        for (what, sum) in part[..COUNT].iter().enumerate() {
            self.sums[what] = self.sums[what].checked_add(i128::from(*sum))?;
            self.counts[what] += count;
        }
        self.rows += count;
        Some(())
    }
}

/// A flag and a status.
pub type Key = (Option<String>, Option<String>);

// The sums of a chunk, then how many rows; the rest makes it a round size.
type Part = [i64; 8];

// Groups that the fast way knows. Number 0 takes the rows that nobody wants.
const FAST: usize = 32;
const UNKNOWN: u8 = u8::MAX;

/// The groups that were seen.
pub struct Groups {
    numbers: HashMap<Key, usize>,
    sums: Vec<Sums>,
    // The number of a group by the two bytes of its flags.
    table: Box<[u8; 1 << 16]>,
}

impl Groups {
    pub fn new() -> Self {
        let table = Box::new([UNKNOWN; 1 << 16]);
        Self { numbers: HashMap::new(), sums: vec![Sums::default()], table }
    }

    /// The groups in the order of their keys, nulls last.
    pub fn in_order(mut self) -> Vec<(Key, Sums)> {
        let taken =
            |(key, number): (Key, usize)| (key, std::mem::take(&mut self.sums[number]));
        let mut groups: Vec<_> = self.numbers.into_iter().map(taken).collect();
        groups.sort_by(|((a, b), _), ((c, d), _)| {
            (a.is_none(), a, b.is_none(), b).cmp(&(c.is_none(), c, d.is_none(), d))
        });
        groups
    }

    pub fn add(&mut self, rows: &Rows<'_>) -> Result<(), Error> {
        let has_nulls = rows.has_nulls();
        for first in (0..rows.count).step_by(ROWS) {
            let end = rows.count.min(first + ROWS);
            if has_nulls || !self.add_fast(rows, first, end)? {
                self.add_row_by_row(rows, first, end)?;
            }
        }
        Ok(())
    }

    // False, and nothing done, where the chunk is not what the fast way is for.
    fn add_fast(
        &mut self,
        rows: &Rows<'_>,
        first: usize,
        end: usize,
    ) -> Result<bool, Error> {
        let mut numbers = [0u8; ROWS];
        let numbers = &mut numbers[..end - first];
        if !self.number(rows, first, numbers) {
            return Ok(false);
        }
        // Two sums for each group, since one had to wait for itself from row to row.
        let mut parts = [[[0; 8]; FAST]; 2];
        let quantity = &rows.quantity.values[first..end];
        let price = &rows.price.values[first..end];
        let discount = &rows.discount.values[first..end];
        let tax = &rows.tax.values[first..end];
        let columns = quantity.iter().zip(price).zip(discount).zip(tax).zip(&*numbers);
        let mut beyond = 0;
        for (row, ((((quantity, price), discount), tax), number)) in columns.enumerate() {
            beyond |= beyond_money(*quantity) | beyond_money(*price);
            beyond |= beyond_rate(*discount) | beyond_rate(*tax);
            let (quantity, price) = (*quantity as i64, *price as i64);
            let (discount, tax) = (*discount as i64, *tax as i64);
            // What wraps is beyond, and nobody looks at the sums then.
            let discounted = price.wrapping_mul(100i64.wrapping_sub(discount));
            let charge = discounted.wrapping_mul(100i64.wrapping_add(tax));
            let part: &mut Part = &mut parts[row & 1][usize::from(*number) % FAST];
            part[QUANTITY] = part[QUANTITY].wrapping_add(quantity);
            part[PRICE] = part[PRICE].wrapping_add(price);
            part[DISCOUNT] = part[DISCOUNT].wrapping_add(discount);
            part[DISCOUNTED] = part[DISCOUNTED].wrapping_add(discounted);
            part[CHARGE] = part[CHARGE].wrapping_add(charge);
            part[COUNT] += 1;
        }
        if beyond != 0 {
            return Ok(false);
        }
        for (number, sums) in self.sums.iter_mut().enumerate().take(FAST).skip(1) {
            for part in &parts {
                sums.add_part(&part[number]).ok_or_else(|| overflow("a sum"))?;
            }
        }
        Ok(true)
    }

    // The number of the group of each row, 0 where the row is not wanted.
    fn number(&mut self, rows: &Rows<'_>, first: usize, numbers: &mut [u8]) -> bool {
        let (mut flags, mut statuses) = ([0u8; ROWS], [0u8; ROWS]);
        let flags = &mut flags[..numbers.len()];
        let statuses = &mut statuses[..numbers.len()];
        if !rows.return_flag.bytes(first, flags)
            || !rows.line_status.bytes(first, statuses)
        {
            return false;
        }
        let days = &rows.day.values[first..first + numbers.len()];
        let keys = flags.iter().zip(&*statuses);
        for ((number, key), day) in numbers.iter_mut().zip(keys).zip(days) {
            let place = usize::from(*key.0) << 8 | usize::from(*key.1);
            let mut found = self.table[place];
            if found == UNKNOWN {
                if *day > LAST_DAY {
                    continue;
                }
                match self.new_number(*key.0, *key.1) {
                    Some(new) => found = new,
                    None => return false,
                }
            }
            *number = if *day <= LAST_DAY { found } else { 0 };
        }
        true
    }

    #[cold]
    fn new_number(&mut self, flag: u8, status: u8) -> Option<u8> {
        // A byte that is no character of its own is no string of one byte.
        if !flag.is_ascii() || !status.is_ascii() {
            return None;
        }
        let text = |byte: u8| Some(char::from(byte).to_string());
        let number = self.group((text(flag), text(status)));
        let number =
            u8::try_from(number).ok().filter(|number| usize::from(*number) < FAST)?;
        self.table[usize::from(flag) << 8 | usize::from(status)] = number;
        Some(number)
    }

    fn group(&mut self, key: Key) -> usize {
        let next = self.sums.len();
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.sums.push(Sums::default());
        }
        number
    }

    fn add_row_by_row(
        &mut self,
        rows: &Rows<'_>,
        first: usize,
        end: usize,
    ) -> Result<(), Error> {
        for row in first..end {
            if rows.day.get(row).is_none_or(|day| day > LAST_DAY) {
                continue;
            }
            let text = |flag: Option<&str>| flag.map(str::to_owned);
            let key = (text(rows.return_flag.get(row)), text(rows.line_status.get(row)));
            let number = self.group(key);
            add_row(&mut self.sums[number], rows, row)
                .ok_or_else(|| overflow("a sum"))?;
        }
        Ok(())
    }
}

// None: it overflows.
fn add_row(sums: &mut Sums, rows: &Rows<'_>, row: usize) -> Option<()> {
    let (price, discount) = (rows.price.get(row), rows.discount.get(row));
    // None of a null, an error of what overflows.
    let product = |one: Option<i128>, other: Option<i128>| match (one, other) {
        (Some(one), Some(other)) => one.checked_mul(other).map(Some),
        _ => Some(None),
    };
    let discounted = product(price, discount.map(|discount| 100 - discount))?;
    let charge = product(discounted, rows.tax.get(row).map(|tax| 100 + tax))?;
    sums.add(QUANTITY, rows.quantity.get(row))?;
    sums.add(PRICE, price)?;
    sums.add(DISCOUNT, discount)?;
    sums.add(DISCOUNTED, discounted)?;
    sums.add(CHARGE, charge)?;
    sums.rows += 1;
    Some(())
}
