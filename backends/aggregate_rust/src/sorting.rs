// SPDX-License-Identifier: MIT
//! `sort`: keys become bytes that compare, the batches stay as they came, and each batch
//! of the result is gathered when it is asked for.

use arrow_array::RecordBatch;
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
        return Err(Error::invalid("option by: which columns?"));
    }
    let flags = |option| flags(option, bind.options().get(option)?, by.len());
    let (descending, nulls_first) = (flags("descending")?, flags("nulls_first")?);
    let orders = descending
        .into_iter()
        .zip(nulls_first)
        .map(|(descending, nulls_first)| SortOptions { descending, nulls_first });
    let keys = Keys::new("by", &schema, by.into_iter().zip(orders))?;
    let keys = std::sync::Arc::new(keys);
    Ok(BoundStream::new(schema, move |scope, inputs| {
        let (keys, input) = (keys.clone(), inputs.take()?);
        Ok(Box::new(lazily(move || {
            let (batches, order) = sort(&keys, scope, input)?;
            let firsts = (0..order.len()).step_by(BATCH_ROWS);
            Ok(firsts.map(move |first| {
                scope.check()?;
                let places = &order[first..order.len().min(first + BATCH_ROWS)];
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

// One for each of `count` columns.
fn flags(option: &str, text: &str, count: usize) -> Result<Vec<bool>, Error> {
    let flags = items(option, text)?;
    let flags = flags.into_iter().map(|flag| match flag {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(Error::invalid(format!(
            "option {option}: {other:?} is neither true nor false"
        ))),
    });
    let flags: Vec<bool> = flags.collect::<Result<_, _>>()?;
    match flags.len() {
        1 => Ok(vec![flags[0]; count]),
        n if n == count => Ok(flags),
        n => Err(Error::invalid(format!(
            "option {option}: {n} of them for {count} columns; give one, or one for each"
        ))),
    }
}

// A row, with the first bytes of its key: most comparisons need no more.
struct Place {
    start: u64,
    batch: u32,
    row: u32,
}

fn start_of(key: &[u8]) -> u64 {
    let mut start = [0; 8];
    let len = key.len().min(8);
    start[..len].copy_from_slice(&key[..len]);
    u64::from_be_bytes(start)
}

fn sort(
    keys: &Keys,
    scope: Scope<'_>,
    input: Stream<'_>,
) -> Result<(Vec<RecordBatch>, Vec<Place>), Error> {
    let too_many =
        || Error::new(Code::Exhausted, "more rows than can be sorted in memory");
    let (mut batches, mut rows, mut order) = (Vec::new(), Vec::new(), Vec::new());
    for batch in input {
        scope.check()?;
        let batch = batch?;
        let number = u32::try_from(batches.len()).map_err(|_| too_many())?;
        let count = u32::try_from(batch.num_rows()).map_err(|_| too_many())?;
        let keys = keys.rows(&batch)?;
        order.try_reserve(batch.num_rows()).map_err(|_| too_many())?;
        order.extend((0..count).zip(&keys).map(|(row, key)| Place {
            start: start_of(key.data()),
            batch: number,
            row,
        }));
        rows.push(keys);
        batches.push(batch);
    }
    let key = |place: &Place| rows[place.batch as usize].row(place.row as usize).data();
    // A stable sort leaves what compares equal as it came.
    order.sort_by(|one, other| {
        let by_start = one.start.cmp(&other.start);
        by_start.then_with(|| key(one).cmp(key(other)))
    });
    scope.check()?;
    Ok((batches, order))
}
