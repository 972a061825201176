// SPDX-License-Identifier: MIT
//! `group_by`: the keys of each row become a number, and each aggregate keeps a state for
//! each number.

use std::sync::Arc;

use arrow_arith::boolean::is_not_null;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrowalloy::{Error, Scope};

use crate::alloy_arrow::{Bind, BoundStream, Stream};
use crate::keys::{
    Groups, Keys, check_apart, checked, index_of, items, unquoted, value_type,
};
use crate::state::new_state;
use crate::{BATCH_ROWS, lazily};

struct Plan {
    keys: Keys,
    aggregates: Vec<Aggregate>,
    schema: SchemaRef,
}

pub fn bind_group_by(bind: &Bind<'_>) -> Result<BoundStream, Error> {
    let input = bind.schema();
    let keys = items("keys", bind.options().get("keys")?)?;
    let keys = Keys::any("keys", &input, &keys)?;
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
    let plan = Arc::new(Plan { keys, aggregates, schema: schema.clone() });
    Ok(BoundStream::new(schema, move |scope, inputs| {
        let (plan, input) = (plan.clone(), inputs.take()?);
        lazily(move || {
            let groups = plan.group(scope, input)?;
            let firsts = (0..groups.num_rows()).step_by(BATCH_ROWS);
            Ok(Box::new(firsts.map(move |first| {
                Ok(groups.slice(first, BATCH_ROWS.min(groups.num_rows() - first)))
            })))
        })
    }))
}

impl Plan {
    fn group(&self, scope: Scope<'_>, input: Stream<'_>) -> Result<RecordBatch, Error> {
        // Without keys there is one group, even if there are no rows.
        let least = usize::from(self.keys.indices.is_empty());
        let mut groups = Groups::new(&self.keys);
        let states =
            self.aggregates.iter().map(|a| new_state(&a.word, &a.wide, &a.output));
        let mut states: Vec<_> = states.collect();
        for batch in input {
            scope.check()?;
            let batch = batch?;
            let numbers = match least {
                1 => vec![0; batch.num_rows()],
                _ => groups.add(&self.keys.rows(&batch)?)?,
            };
            for (aggregate, state) in self.aggregates.iter().zip(&mut states) {
                state.add(&aggregate.column(&batch)?, &numbers, groups.len().max(least));
            }
        }
        let mut columns = groups.columns(&self.keys)?;
        for (aggregate, state) in self.aggregates.iter().zip(&mut states) {
            let column = state.finish(groups.len().max(least)).map_err(|error| {
                Error::new(error.code(), format!("{}: {}", aggregate.name, error.text()))
            })?;
            // Strings have the type of the column again.
            columns.push(cast(&column, &aggregate.output)?);
        }
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }
}

// For example `sum(x) as total`.
struct Aggregate {
    name: String,
    word: String,
    // None: the rows are counted.
    index: Option<usize>,
    // The types of the values, of what the state adds up, and of the result.
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
        let (word, column) = match call.strip_suffix(')').and_then(|c| c.split_once('('))
        {
            Some((word, column)) => (word.trim(), Some(column.trim())),
            None => (call, None),
        };
        if !["count", "sum", "min", "max", "mean"].contains(&word) {
            let all = "count, count(x), sum(x), min(x), max(x) or mean(x)";
            let all = format!("{all}, each with or without: as name");
            return Err(wrong!(option, "unknown aggregate {text:?}; use {all}"));
        }
        let index = match column {
            None | Some("*") if word == "count" => None,
            Some(column) => Some(index_of(option, schema, column)?),
            None => return Err(wrong!(option, "{word} needs a column: {word}(x)")),
        };
        let of = index.map(|index| value_type(schema.field(index).data_type()).clone());
        let of = of.unwrap_or(DataType::Null);
        let (wide, output) = types(word, &of).ok_or_else(|| {
            let have = match word {
                "min" | "max" => "numbers, decimal128, dates, times and strings",
                _ => "numbers and decimal128",
            };
            wrong!(option, "{text}: {of} has no {word}; {have} have one")
        })?;
        let (name, word) = (name.to_owned(), word.to_owned());
        Ok(Self { name, word, index, of, wide, output })
    }

    // The values for the state. A count takes whether they are not null.
    fn column(&self, batch: &RecordBatch) -> Result<ArrayRef, Error> {
        let Some(index) = self.index else {
            let all = BooleanBuffer::new_set(batch.num_rows());
            return Ok(Arc::new(BooleanArray::from(all)));
        };
        match checked(batch, index)? {
            column if self.word == "count" => Ok(Arc::new(is_not_null(column)?)),
            column => Ok(cast(&cast(column, &self.of)?, &self.wide)?),
        }
    }
}

// The types of the values in a state, and of the result. There are few of the first, so
// that there are few kinds of states. None: a column of the type has no such aggregate.
fn types(word: &str, of: &DataType) -> Option<(DataType, DataType)> {
    use DataType::*;
    let (wide, sum) = match of {
        Float32 | Float64 => (Float64, Float64),
        Decimal128(_, scale) => (of.clone(), Decimal128(38, *scale)),
        _ if of.is_signed_integer() => (Decimal128(38, 0), Int64),
        _ if of.is_unsigned_integer() => (Decimal128(38, 0), UInt64),
        _ => (Null, Null),
    };
    match (word, of) {
        ("count", _) => Some((Boolean, Int64)),
        ("min" | "max", Utf8 | LargeUtf8 | Utf8View) => Some((Utf8View, of.clone())),
        ("min" | "max", Date32 | Date64 | Time32(_) | Time64(_) | Timestamp(..)) => {
            Some((of.clone(), of.clone()))
        }
        _ if sum == Null => None,
        ("mean", _) => Some((wide, Float64)),
        ("sum", _) => Some((wide, sum)),
        _ => Some((of.clone(), of.clone())),
    }
}
