// SPDX-License-Identifier: MIT
//! `sort`: orders the places of the rows by the bytes of their keys. The batches stay
//! where they are, and each batch of the result is gathered when the host asks for it.

use std::sync::Arc;

use arrow_row::Rows;
use arrow_schema::SortOptions;
use arrow_select::interleave::interleave_record_batch;
use arrowalloy::{Code, Error};

use crate::alloy_arrow::{Bind, BoundStream};
use crate::keys::{Keys, items};
use crate::{BATCH_ROWS, collect, lazily};

pub fn bind_sort(bind: &Bind<'_>) -> Result<BoundStream, Error> {
    let schema = bind.schema();
    let by = items("by", bind.options().get("by")?)?;
    if by.is_empty() {
        return Err(wrong!("by", "give at least one column"));
    }
    let flags = |option| flags(option, bind.options().get(option)?, by.len());
    let orders = flags("descending")?.into_iter().zip(flags("nulls_first")?);
    let orders =
        orders.map(|(descending, nulls_first)| SortOptions { descending, nulls_first });
    let keys = Arc::new(Keys::new("by", &schema, by.iter().copied().zip(orders))?);
    Ok(BoundStream::new(schema, move |scope, inputs| {
        let (keys, input) = (keys.clone(), inputs.take()?);
        lazily(move || {
            let batches = collect(scope, input)?;
            let rows = batches.iter().map(|batch| keys.rows(batch));
            let places = order(&rows.collect::<Result<Vec<_>, _>>()?)?;
            let firsts = (0..places.len()).step_by(BATCH_ROWS);
            Ok(Box::new(firsts.map(move |first| {
                scope.check()?;
                let places = places[first..].iter().take(BATCH_ROWS);
                let places = places.map(|p| (p.batch as usize, p.row as usize));
                let batches: Vec<_> = batches.iter().collect();
                Ok(interleave_record_batch(&batches, &places.collect::<Vec<_>>())?)
            })))
        })
    }))
}

// One flag for each of `count` columns.
fn flags(option: &str, text: &str, count: usize) -> Result<Vec<bool>, Error> {
    let flags = items(option, text)?.into_iter().map(|flag| {
        flag.parse().map_err(|_| wrong!(option, "expected true or false, found {flag:?}"))
    });
    let flags: Vec<bool> = flags.collect::<Result<_, _>>()?;
    match flags.len() {
        1 => Ok(vec![flags[0]; count]),
        n if n == count => Ok(flags),
        n => {
            let one = format!("expected one value, or one for each of {count} columns");
            Err(wrong!(option, "{one}; found {n}"))
        }
    }
}

// A row, and 16 bytes of its key, because integers compare faster than slices.
struct Place {
    part: [u64; 2],
    batch: u32,
    row: u32,
}

// The places of all rows in the order of their keys. Rows with equal keys keep their order.
fn order(rows: &[Rows]) -> Result<Vec<Place>, Error> {
    let too_many =
        || Error::new(Code::Exhausted, "more rows than can be sorted in memory");
    let all = || rows.iter().flatten().map(|row| row.data());
    // Bytes that all keys have in common need no sorting.
    let first = all().next().unwrap_or_default();
    let (mut at, mut longest) = (first.len(), 0);
    for key in all() {
        while !key.starts_with(&first[..at]) {
            at -= 1;
        }
        longest = longest.max(key.len());
    }
    let mut places = Vec::new();
    places.try_reserve_exact(all().count()).map_err(|_| too_many())?;
    for (batch, rows) in (0..).zip(rows) {
        let count = u32::try_from(rows.num_rows()).map_err(|_| too_many())?;
        let part = |row: u32| part(&rows.row(row as usize).data()[at..]);
        places.extend((0..count).map(|row| Place { part: part(row), batch, row }));
    }
    let rest = |place: &Place| {
        rows[place.batch as usize].row(place.row as usize).data().get(at + 16..)
    };
    if longest <= at + 16 {
        places.sort_by_key(|place| place.part);
    } else {
        places.sort_by(|one, other| {
            one.part.cmp(&other.part).then_with(|| rest(one).cmp(&rest(other)))
        });
    }
    Ok(places)
}

// The first 16 bytes. No key is the beginning of another, so zeros may follow its end.
fn part(key: &[u8]) -> [u64; 2] {
    let mut part = [0; 16];
    let length = key.len().min(16);
    part[..length].copy_from_slice(&key[..length]);
    let part = u128::from_be_bytes(part);
    [(part >> 64) as u64, part as u64]
}
