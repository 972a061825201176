// SPDX-License-Identifier: MIT
//! `group_by`: the keys of each row become a number, and each aggregate keeps a state for
//! each number.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StructArray};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema};
use arrowalloy::{Error, Scope};

use crate::alloy_arrow::{Bind, BoundStream, Stream};
use crate::keys::{
    Groups, Keys, check_apart, check_indices, index_of, items, unquoted, value_type,
    wrong,
};
use crate::state::new_state;
use crate::{BATCH_ROWS, lazily};

pub fn bind_group_by(bind: &Bind<'_>) -> Result<BoundStream, Error> {
    let input = bind.schema();
    let keys = items("keys", bind.options().get("keys")?)?;
    let keys = keys.into_iter().map(|name| (name, Default::default()));
    let keys = Keys::new("keys", &input, keys)?;
    let aggregates = items("aggregates", bind.options().get("aggregates")?)?;
    let aggregates = aggregates.into_iter().map(|text| Aggregate::parse(text, &input));
    let aggregates: Vec<_> = aggregates.collect::<Result<_, _>>()?;

    let key_fields = keys.indices.iter().map(|index| {
        let field = input.field(*index);
        let data_type = value_type(field.data_type()).clone();
        Field::new(field.name(), data_type, field.is_nullable())
    });
    let of_aggregate =
        |a: &Aggregate| Field::new(&a.name, a.output.clone(), a.word != "count");
    let fields: Vec<_> = key_fields.chain(aggregates.iter().map(of_aggregate)).collect();
    if fields.is_empty() {
        return Err(Error::invalid("group_by needs keys, aggregates or both"));
    }
    check_apart("aggregates", &fields, 0)?;
    let schema = Arc::new(Schema::new(fields));
    let plan = Arc::new((keys, aggregates, schema.clone()));
    Ok(BoundStream::new(schema, move |scope, inputs| {
        let (plan, input) = (plan.clone(), inputs.take()?);
        lazily(move || {
            let (keys, aggregates, schema) = plan.as_ref();
            let columns = group(keys, aggregates, scope, input)?;
            let groups = RecordBatch::try_new(schema.clone(), columns)?;
            let firsts = (0..groups.num_rows()).step_by(BATCH_ROWS);
            Ok(firsts.map(move |first| {
                Ok(groups.slice(first, BATCH_ROWS.min(groups.num_rows() - first)))
            }))
        })
    }))
}

fn group(
    keys: &Keys,
    aggregates: &[Aggregate],
    scope: Scope<'_>,
    input: Stream<'_>,
) -> Result<Vec<ArrayRef>, Error> {
    // Without keys there is one group, even if there are no rows.
    let least = usize::from(keys.indices.is_empty());
    let states = aggregates.iter().map(|a| new_state(a.word, &a.wide, &a.output));
    let (mut states, mut groups): (Vec<_>, _) = (states.collect(), Groups::new(keys));
    for batch in input {
        scope.check()?;
        let batch = batch?;
        let numbers = match least {
            1 => vec![0; batch.num_rows()],
            _ => groups.add(&keys.rows(&batch)?)?,
        };
        for (aggregate, state) in aggregates.iter().zip(&mut states) {
            state.add(&aggregate.column(&batch)?, &numbers, groups.len().max(least));
        }
    }
    let mut columns = if least == 1 { Vec::new() } else { groups.columns(keys)? };
    for (aggregate, state) in aggregates.iter().zip(&mut states) {
        let column = state.finish(groups.len().max(least)).map_err(|error| {
            Error::new(error.code(), format!("{}: {}", aggregate.name, error.text()))
        })?;
        // Min and max have the type of the column again.
        columns.push(cast(&column, &aggregate.output)?);
    }
    Ok(columns)
}

// For example `sum(x) as total`.
struct Aggregate {
    name: String,
    word: &'static str,
    // None: the rows are counted.
    index: Option<usize>,
    // The types of the values, and of the state, so that there are few kinds of states.
    of: DataType,
    wide: DataType,
    output: DataType,
}

impl Aggregate {
    fn parse(text: &str, schema: &Schema) -> Result<Self, Error> {
        let option = "aggregates";
        let (call, name) = match text.rsplit_once(" as ") {
            Some((call, name)) => (call.trim(), unquoted(name)),
            None => (text, text),
        };
        let parts = call.strip_suffix(')').and_then(|call| call.split_once('('));
        let (word, column) =
            parts.map_or((call, None), |(word, c)| (word, Some(c.trim())));
        let words = ["count", "sum", "min", "max", "mean"];
        let word =
            words.into_iter().find(|known| *known == word.trim()).ok_or_else(|| {
                let all = "count, count(x), sum(x), min(x), max(x) or mean(x)";
                let what = format!("unknown aggregate {text:?}; use {all}");
                wrong(option, what + ", each with or without: as name")
            })?;
        let index = match column {
            None | Some("*") if word == "count" => None,
            Some(column) => Some(index_of(option, schema, column)?),
            None => {
                return Err(wrong(option, format!("{word} needs a column: {word}(x)")));
            }
        };
        let of =
            index.map_or(&DataType::Null, |i| value_type(schema.field(i).data_type()));
        let output = output(word, of).ok_or_else(|| {
            let have = match word {
                "min" | "max" => "numbers, decimal128, dates, times and strings",
                _ => "numbers and decimal128",
            };
            wrong(option, format!("{text}: {of} has no {word}; {have} have one"))
        })?;
        let wide = match of {
            DataType::Float32 => DataType::Float64,
            DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
            of => of.clone(),
        };
        Ok(Self { name: name.to_owned(), word, index, of: of.clone(), wide, output })
    }

    fn column(&self, batch: &RecordBatch) -> Result<ArrayRef, Error> {
        let Some(index) = self.index else {
            // A whole row is never null.
            return Ok(Arc::new(StructArray::from(batch.clone())));
        };
        check_indices(batch, index)?;
        match batch.column(index) {
            column if self.word == "count" => Ok(column.clone()),
            column => Ok(cast(&cast(column, &self.of)?, &self.wide)?),
        }
    }
}

// The type of the result. None: a column of the type has no such aggregate.
fn output(word: &str, of: &DataType) -> Option<DataType> {
    use DataType::*;
    let is_bound = ["min", "max"].contains(&word);
    let sum = match of {
        _ if word == "count" => return Some(Int64),
        of if of.is_signed_integer() => Int64,
        of if of.is_unsigned_integer() => UInt64,
        Float32 | Float64 => Float64,
        Decimal128(_, scale) => Decimal128(38, *scale),
        Date32 | Date64 | Time32(_) | Time64(_) | Timestamp(..) if is_bound => Null,
        Utf8 | LargeUtf8 | Utf8View if is_bound => Null,
        _ => return None,
    };
    match word {
        "mean" => Some(Float64),
        "sum" => Some(sum),
        _ => Some(of.clone()),
    }
}
