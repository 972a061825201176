// SPDX-License-Identifier: MIT
//! `sort`: orders the places of the rows by the bytes of their keys. The batches stay
//! where they are, and each batch of the result is gathered when the host asks for it.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_row::Rows;
use arrow_schema::SortOptions;
use arrow_select::interleave::interleave_record_batch;
use arrowalloy::{Code, Error, Scope};

use crate::alloy_arrow::{Bind, BoundStream, Stream};
use crate::keys::Keys;
use crate::names::items;
use crate::{BATCH_ROWS, lazily};

pub fn bind_sort(bind: &Bind<'_>) -> Result<BoundStream, Error> {
    let schema = bind.schema();
    let by = items("by", bind.options().get("by")?)?;
    if by.is_empty() {
        return Err(Error::invalid("option by: give at least one column"));
    }
    let flags = |option| flags(option, bind.options().get(option)?, by.len());
    let (descending, nulls_first) = (flags("descending")?, flags("nulls_first")?);
    let orders = descending
        .into_iter()
        .zip(nulls_first)
        .map(|(descending, nulls_first)| SortOptions { descending, nulls_first });
    let keys = Arc::new(Keys::new("by", &schema, by.into_iter().zip(orders))?);
    Ok(BoundStream::new(schema, move |scope, inputs| {
        let (keys, input) = (keys.clone(), inputs.take()?);
        Ok(Box::new(lazily(move || {
            let (batches, places) = sort(&keys, scope, input)?;
            let firsts = (0..places.len()).step_by(BATCH_ROWS);
            Ok(firsts.map(move |first| {
                scope.check()?;
                let places = &places[first..places.len().min(first + BATCH_ROWS)];
                let places: Vec<(usize, usize)> = places
                    .iter()
                    .map(|place| (place.batch as usize, place.row as usize))
                    .collect();
                let batches: Vec<&RecordBatch> = batches.iter().collect();
                Ok(interleave_record_batch(&batches, &places)?)
            }))
        })))
    }))
}

// One flag for each of `count` columns.
fn flags(option: &str, text: &str, count: usize) -> Result<Vec<bool>, Error> {
    let flags = items(option, text)?;
    let flags = flags.into_iter().map(|flag| match flag {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(Error::invalid(format!(
            "option {option}: expected true or false, found {other:?}"
        ))),
    });
    let flags: Vec<bool> = flags.collect::<Result<_, _>>()?;
    match flags.len() {
        1 => Ok(vec![flags[0]; count]),
        n if n == count => Ok(flags),
        n => Err(Error::invalid(format!(
            "option {option}: expected one value, or one for each of {count} columns; \
             found {n}"
        ))),
    }
}

// A row, and the 8 bytes of its key that are compared now.
struct Place {
    part: u64,
    batch: u32,
    row: u32,
}

fn sort(
    keys: &Keys,
    scope: Scope<'_>,
    input: Stream<'_>,
) -> Result<(Vec<RecordBatch>, Vec<Place>), Error> {
    let too_many =
        || Error::new(Code::Exhausted, "more rows than can be sorted in memory");
    let (mut batches, mut rows, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for batch in input {
        scope.check()?;
        let batch = batch?;
        let number = u32::try_from(batches.len()).map_err(|_| too_many())?;
        let count = u32::try_from(batch.num_rows()).map_err(|_| too_many())?;
        places.try_reserve(batch.num_rows()).map_err(|_| too_many())?;
        places.extend((0..count).map(|row| Place { part: 0, batch: number, row }));
        rows.push(keys.rows(&batch)?);
        batches.push(batch);
    }
    order(&rows, &mut places, 0, 8);
    scope.check()?;
    Ok((batches, places))
}

// Sorts places whose keys agree in the first `at` bytes. Rows with equal keys keep their
// order. Integers compare faster than keys do, so 8 bytes are sorted at a time, and then
// each run of places that are equal in these.
fn order(rows: &[Rows], places: &mut [Place], mut at: usize, rounds: u32) {
    let key = |place: &Place| rows[place.batch as usize].row(place.row as usize).data();
    // Small runs are not worth it. The limit of rounds bounds the depth of the recursion.
    if places.len() < 16 || rounds == 0 {
        return places.sort_by(|one, other| key(one)[at..].cmp(&key(other)[at..]));
    }
    loop {
        let first = part(key(&places[0]), at);
        let mut differs = 0;
        for place in places.iter_mut() {
            place.part = part(key(place), at);
            differs |= place.part ^ first;
        }
        // Bytes that all keys have in common need no sorting.
        match differs.leading_zeros() as usize / 8 {
            0 => break,
            8 if key(&places[0]).len() <= at + 8 => return,
            equal => at += equal,
        }
    }
    places.sort_by_key(|place| place.part);
    for run in places.chunk_by_mut(|one, other| one.part == other.part) {
        // No key is the beginning of another. So if one ends here, all of the run are equal.
        if run.len() > 1 && key(&run[0]).len() > at + 8 {
            order(rows, run, at + 8, rounds - 1);
        }
    }
}

// 8 bytes of a key; zeros after its end.
fn part(key: &[u8], at: usize) -> u64 {
    let rest = key.get(at..).unwrap_or_default();
    u64::from_be_bytes(rest.first_chunk().copied().unwrap_or_else(|| {
        let mut part = [0; 8];
        part[..rest.len()].copy_from_slice(rest);
        part
    }))
}
