// SPDX-License-Identifier: MIT
//! `select l_returnflag, l_linestatus, sum(l_quantity) as sum_qty, sum(l_extendedprice) as
//! sum_base_price, sum(l_extendedprice * (1 - l_discount)) as sum_disc_price,
//! sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge, avg(l_quantity) as
//! avg_qty, avg(l_extendedprice) as avg_price, avg(l_discount) as avg_disc, count(*) as
//! count_order from lineitem where l_shipdate <= date '1998-12-01' - interval '90' day group
//! by l_returnflag, l_linestatus order by l_returnflag, l_linestatus`

use std::collections::BTreeMap;
use std::iter;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type};
use arrow_array::{
    Array, ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringArray, StringViewArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrowalloy::Error;

use crate::alloy_arrow::{Bind, BoundStream};
use crate::decimals::*;

// 1998-09-02 in days since 1970.
const LAST_DAY: i32 = 10_471;

pub fn bind_q1(_: &Bind<'_>) -> Result<BoundStream, Error> {
    let decimal = |scale| DataType::Decimal128(38, scale);
    let field = |name, data_type| Field::new(name, data_type, true);
    let schema = Arc::new(Schema::new(vec![
        field("l_returnflag", DataType::Utf8),
        field("l_linestatus", DataType::Utf8),
        field("sum_qty", decimal(2)),
        field("sum_base_price", decimal(2)),
        field("sum_disc_price", decimal(4)),
        field("sum_charge", decimal(6)),
        field("avg_qty", DataType::Float64),
        field("avg_price", DataType::Float64),
        field("avg_disc", DataType::Float64),
        Field::new("count_order", DataType::Int64, false),
    ]));
    Ok(BoundStream::new(schema.clone(), move |scope, inputs| {
        let (input, schema) = (inputs.take()?, schema.clone());
        Ok(Box::new(iter::once_with(move || {
            let mut groups = Groups {
                numbers: BTreeMap::new(),
                sums: vec![Sums::default()],
                table: Box::new([UNKNOWN; 1 << 16]),
            };
            for batch in input {
                scope.check()?;
                groups.add(&batch?)?;
            }
            groups.report(schema)
        })))
    }))
}

// What is summed. DISCOUNTED: price * (1 - discount); CHARGE: that * (1 + tax).
const QUANTITY: usize = 0;
const PRICE: usize = 1;
const DISCOUNT: usize = 2;
const DISCOUNTED: usize = 3;
const CHARGE: usize = 4;
// In the sums of a chunk: how many rows.
const COUNT: usize = 5;

// The sums of a group, each with the number of its values.
#[derive(Clone, Default)]
struct Sums {
    sums: [(i128, u64); 5],
    rows: u64,
}

impl Sums {
    // None: the sum overflows.
    fn add(&mut self, what: usize, value: i128, count: u64) -> Option<()> {
        let (sum, values) = &mut self.sums[what];
        *sum = sum.checked_add(value)?;
        *values += count;
        Some(())
    }

    fn add_row(
        &mut self,
        [quantity, price, discount, tax]: [Option<i128>; 4],
    ) -> Option<()> {
        // A null makes a product null.
        let product = |one: Option<i128>, other: Option<i128>| match (one, other) {
            (Some(one), Some(other)) => one.checked_mul(other).map(Some),
            _ => Some(None),
        };
        let discounted = product(price, discount.map(|discount| 100 - discount))?;
        let charge = product(discounted, tax.map(|tax| 100 + tax))?;
        // In the order of the constants.
        let values = [quantity, price, discount, discounted, charge];
        for (what, value) in values.into_iter().enumerate() {
            if let Some(value) = value {
                self.add(what, value, 1)?;
            }
        }
        self.rows += 1;
        Some(())
    }
}

// The columns of a batch, in the order in which the function declares them.
struct Rows<'a> {
    numbers: [&'a Decimal128Array; 4],
    flags: [&'a ArrayRef; 2],
    days: &'a Date32Array,
}

fn views(column: &ArrayRef) -> StringViewArray {
    match column.data_type() {
        DataType::Utf8View => column.as_string_view().clone(),
        DataType::Utf8 => column.as_string::<i32>().into(),
        _ => column.as_string::<i64>().into(),
    }
}

// The bytes of the rows from `first` on. False: a string does not have one byte.
fn bytes(column: &ArrayRef, first: usize, bytes: &mut [u8]) -> bool {
    if let Some(texts) = column.as_string_opt::<i32>() {
        return one_each(texts.value_offsets(), texts.value_data(), first, bytes);
    }
    if let Some(texts) = column.as_string_opt::<i64>() {
        return one_each(texts.value_offsets(), texts.value_data(), first, bytes);
    }
    // A view of one byte: the length, the byte, and zeros.
    const BYTE: u128 = 0xff << 32;
    let mut other = 0;
    let views = &column.as_string_view().views()[first..first + bytes.len()];
    for (byte, view) in bytes.iter_mut().zip(views) {
        *byte = (view >> 32) as u8;
        other |= (view & !BYTE) ^ 1;
    }
    other == 0
}

// Strings of one byte each lie side by side.
fn one_each<T: Copy + Into<i64>>(
    offsets: &[T],
    data: &[u8],
    first: usize,
    bytes: &mut [u8],
) -> bool {
    let offsets = &offsets[first..=first + bytes.len()];
    let start: i64 = offsets[0].into();
    let mut other = 0;
    for (row, offset) in offsets.iter().enumerate() {
        other |= (*offset).into() ^ (start + row as i64);
    }
    let data = usize::try_from(start).ok().and_then(|start| data.get(start..));
    match data.and_then(|data| data.get(..bytes.len())) {
        Some(data) if other == 0 => bytes.copy_from_slice(data),
        _ => return false,
    }
    true
}

// A flag and a status, each with whether it is null: nulls are last.
type Key = [(bool, String); 2];

// Groups that the fast way knows. Number 0 takes the rows outside the query.
const FAST: usize = 32;
const UNKNOWN: u8 = u8::MAX;

struct Groups {
    numbers: BTreeMap<Key, usize>,
    sums: Vec<Sums>,
    // The number of a group by the two bytes of its flags.
    table: Box<[u8; 1 << 16]>,
}

impl Groups {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let column = |index| batch.column(index).as_primitive::<Decimal128Type>();
        let rows = Rows {
            numbers: [0, 1, 2, 3].map(column),
            flags: [4, 5].map(|index| batch.column(index)),
            days: batch.column(6).as_primitive::<Date32Type>(),
        };
        let has_nulls = batch.columns().iter().any(|column| column.null_count() > 0);
        for chunk in chunks(batch.num_rows()) {
            if has_nulls || !self.add_fast(&rows, chunk.clone())? {
                self.add_row_by_row(&rows, chunk)?;
            }
        }
        Ok(())
    }

    // False, and nothing is added, if the chunk needs the other way: longer flags, more
    // groups, or great numbers.
    fn add_fast(&mut self, rows: &Rows<'_>, chunk: Range<usize>) -> Result<bool, Error> {
        let mut numbers = [0u8; ROWS];
        let numbers = &mut numbers[..chunk.len()];
        if !self.number(rows, chunk.clone(), numbers) {
            return Ok(false);
        }
        // Two sums for each group, since one would have to wait for itself from row to
        // row. 8 is a round size.
        let mut parts = [[[0i64; 8]; FAST]; 2];
        let [quantity, price, discount, tax] =
            rows.numbers.map(|column| &column.values()[chunk.clone()]);
        let columns = quantity.iter().zip(price).zip(discount).zip(tax).zip(&*numbers);
        let mut beyond = 0;
        for (row, ((((quantity, price), discount), tax), number)) in columns.enumerate() {
            beyond |= beyond_money(*quantity) | beyond_money(*price);
            beyond |= beyond_rate(*discount) | beyond_rate(*tax);
            let (quantity, price) = (*quantity as i64, *price as i64);
            let (discount, tax) = (*discount as i64, *tax as i64);
            // If this wraps, a number is beyond.
            let discounted = price.wrapping_mul(100i64.wrapping_sub(discount));
            let charge = discounted.wrapping_mul(100i64.wrapping_add(tax));
            let part = &mut parts[row & 1][usize::from(*number) % FAST];
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
            for part in parts.iter().map(|half| &half[number]) {
                for (what, sum) in part[..COUNT].iter().enumerate() {
                    let added = sums.add(what, (*sum).into(), part[COUNT] as u64);
                    added.ok_or_else(|| overflow("a sum"))?;
                }
                sums.rows += part[COUNT] as u64;
            }
        }
        Ok(true)
    }

    // The number of the group of each row, or 0 outside the query. False: one has none.
    fn number(
        &mut self,
        rows: &Rows<'_>,
        chunk: Range<usize>,
        numbers: &mut [u8],
    ) -> bool {
        let (mut flags, mut statuses) = ([0u8; ROWS], [0u8; ROWS]);
        let flags = &mut flags[..chunk.len()];
        let statuses = &mut statuses[..chunk.len()];
        if !bytes(rows.flags[0], chunk.start, flags)
            || !bytes(rows.flags[1], chunk.start, statuses)
        {
            return false;
        }
        let keys = flags.iter().zip(&*statuses).zip(&rows.days.values()[chunk]);
        for (number, ((flag, status), day)) in numbers.iter_mut().zip(keys) {
            let place = usize::from(*flag) << 8 | usize::from(*status);
            let mut found = self.table[place];
            if found == UNKNOWN {
                if *day > LAST_DAY {
                    continue;
                }
                // A byte of a longer character is not a string.
                if !flag.is_ascii() || !status.is_ascii() {
                    return false;
                }
                let text = |byte: u8| (false, char::from(byte).to_string());
                match self.group([text(*flag), text(*status)]) {
                    new @ 0..FAST => found = new as u8,
                    _ => return false,
                }
                self.table[place] = found;
            }
            *number = if *day <= LAST_DAY { found } else { 0 };
        }
        true
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
        chunk: Range<usize>,
    ) -> Result<(), Error> {
        let flags = rows.flags.map(|flags| views(&flags.slice(chunk.start, chunk.len())));
        for row in chunk.clone() {
            if get(rows.days, row).is_none_or(|day| day > LAST_DAY) {
                continue;
            }
            let number = self.group([0, 1].map(|i| {
                let (flags, row) = (&flags[i], row - chunk.start);
                let text = if flags.is_null(row) { "" } else { flags.value(row) };
                (flags.is_null(row), text.to_owned())
            }));
            let added = self.sums[number].add_row(rows.numbers.map(|c| get(c, row)));
            added.ok_or_else(|| overflow("a sum"))?;
        }
        Ok(())
    }

    fn report(self, schema: SchemaRef) -> Result<RecordBatch, Error> {
        let groups: Vec<(&Key, &Sums)> =
            self.numbers.iter().map(|(key, number)| (key, &self.sums[*number])).collect();
        let flags = |i: usize| -> ArrayRef {
            let texts = groups.iter().map(|(key, _)| (!key[i].0).then_some(&key[i].1));
            Arc::new(texts.collect::<StringArray>())
        };
        let sums = |name: &str, scale: i8, what: usize| -> Result<ArrayRef, Error> {
            let sums = groups.iter().map(|(_, group)| match group.sums[what] {
                (_, 0) => Ok(None),
                (sum, _) => checked(Some(sum), name).map(Some),
            });
            let column = sums.collect::<Result<Decimal128Array, _>>()?;
            Ok(Arc::new(column.with_data_type(DataType::Decimal128(38, scale))))
        };
        let averages = |of: fn(i128, u64) -> Option<f64>, what: usize| -> ArrayRef {
            let sums = groups.iter().map(|(_, group)| group.sums[what]);
            Arc::new(sums.map(|(sum, count)| of(sum, count)).collect::<Float64Array>())
        };
        let rows = groups.iter().map(|(_, group)| group.rows as i64);
        let columns = vec![
            flags(0),
            flags(1),
            sums("sum_qty", 2, QUANTITY)?,
            sums("sum_base_price", 2, PRICE)?,
            sums("sum_disc_price", 4, DISCOUNTED)?,
            sums("sum_charge", 6, CHARGE)?,
            averages(average_of_sum, QUANTITY),
            averages(average_of_sum, PRICE),
            averages(average, DISCOUNT),
            Arc::new(Int64Array::from_iter_values(rows)),
        ];
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}
