// SPDX-License-Identifier: MIT
//! `group_by`: the keys of each row become a number, and each aggregate keeps a state for
//! each number.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema};
use arrowalloy::{Error, Scope};

use crate::alloy_arrow::{Bind, BoundStream, Stream};
use crate::keys::{Groups, Keys, check_indices, value_type};
use crate::names::{check_apart, index_of, items, unquoted};
use crate::state::{Kind, State, new_state};
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
        |a: &Aggregate| Field::new(&a.name, a.output.clone(), a.kind != Kind::Count);
    let fields: Vec<Field> =
        key_fields.chain(aggregates.iter().map(of_aggregate)).collect();
    if fields.is_empty() {
        return Err(Error::invalid("group_by needs keys, aggregates or both"));
    }
    check_apart("aggregates", &fields, 0)?;
    let schema = Arc::new(Schema::new(fields));
    let plan = Arc::new((keys, aggregates, schema.clone()));
    Ok(BoundStream::new(schema, move |scope, inputs| {
        let (plan, input) = (plan.clone(), inputs.take()?);
        Ok(Box::new(lazily(move || {
            let (keys, aggregates, schema) = plan.as_ref();
            let columns = group(keys, aggregates, scope, input)?;
            let groups = RecordBatch::try_new(schema.clone(), columns)?;
            let firsts = (0..groups.num_rows()).step_by(BATCH_ROWS);
            Ok(firsts.map(move |first| {
                Ok(groups.slice(first, BATCH_ROWS.min(groups.num_rows() - first)))
            }))
        })))
    }))
}

fn group(
    keys: &Keys,
    aggregates: &[Aggregate],
    scope: Scope<'_>,
    input: Stream<'_>,
) -> Result<Vec<ArrayRef>, Error> {
    let states = aggregates.iter().map(|a| new_state(a.kind, a.types.last(), &a.output));
    let mut states: Vec<Box<dyn State>> = states.collect();
    let (mut groups, mut rows) = (Groups::new(keys), keys.no_rows());
    let mut numbers = Vec::new();
    // Without keys there is one group, even if there are no rows.
    let is_one = keys.indices.is_empty();
    for batch in input {
        scope.check()?;
        let batch = batch?;
        numbers.clear();
        if is_one {
            numbers.resize(batch.num_rows(), 0);
        } else {
            keys.read(&batch, &mut rows)?;
            for row in &rows {
                numbers.push(groups.add(row)?);
            }
        }
        for (aggregate, state) in aggregates.iter().zip(&mut states) {
            state.grow(groups.len().max(is_one.into()));
            state.add(aggregate.column(&batch)?.as_ref(), &numbers);
        }
    }
    let mut columns = if is_one { Vec::new() } else { groups.columns(keys)? };
    for (aggregate, state) in aggregates.iter().zip(&mut states) {
        state.grow(groups.len().max(is_one.into()));
        let column = state.finish().map_err(|error| {
            Error::new(error.code(), format!("{}: {}", aggregate.name, error.text()))
        })?;
        columns.push(aggregate.narrow(column)?);
    }
    Ok(columns)
}

// For example `sum(x) as total`.
struct Aggregate {
    name: String,
    kind: Kind,
    // None: the rows are counted.
    index: Option<usize>,
    // The column is cast to these, one after the other, so that there are few kinds of
    // states.
    types: Vec<DataType>,
    output: DataType,
}

const KINDS: [(&str, Kind); 5] = [
    ("count", Kind::Count),
    ("sum", Kind::Sum),
    ("min", Kind::Min),
    ("max", Kind::Max),
    ("mean", Kind::Mean),
];

impl Aggregate {
    fn parse(text: &str, schema: &Schema) -> Result<Self, Error> {
        let wrong = |what: String| Error::invalid(format!("option aggregates: {what}"));
        let (call, name) = match text.rsplit_once(" as ") {
            Some((call, name)) => (call.trim(), unquoted(name)),
            None => (text, text),
        };
        let parts = call.strip_suffix(')').and_then(|call| call.split_once('('));
        let (word, column) =
            parts.map_or((call, None), |(word, c)| (word, Some(c.trim())));
        let known = KINDS.iter().find(|(known, _)| *known == word.trim());
        let &(word, kind) = known.ok_or_else(|| {
            wrong(format!(
                "unknown aggregate {text:?}; use count, count(x), sum(x), min(x), max(x) or \
                 mean(x), each with or without: as name"
            ))
        })?;
        let name = name.to_owned();
        let column = match (kind, column) {
            (Kind::Count, None | Some("*")) => {
                let output = DataType::Int64;
                return Ok(Self { name, kind, index: None, types: Vec::new(), output });
            }
            (_, None) => return Err(wrong(format!("{word} needs a column: {word}(x)"))),
            (_, Some(column)) => column,
        };
        let index = index_of("aggregates", schema, column)?;
        let of = value_type(schema.field(index).data_type());
        let (types, output) = types(kind, of).ok_or_else(|| {
            let have = match kind {
                Kind::Min | Kind::Max => "numbers, decimal128, dates, times and strings",
                _ => "numbers and decimal128",
            };
            wrong(format!("{text}: {of} has no {word}; {have} have one"))
        })?;
        Ok(Self { name, kind, index: Some(index), types, output })
    }

    fn column(&self, batch: &RecordBatch) -> Result<Option<ArrayRef>, Error> {
        let Some(index) = self.index else { return Ok(None) };
        check_indices(batch, index)?;
        let mut column = batch.column(index).clone();
        for data_type in &self.types {
            column = cast(&column, data_type)?;
        }
        Ok(Some(column))
    }

    // Min and max have the type of the column again.
    fn narrow(&self, mut column: ArrayRef) -> Result<ArrayRef, Error> {
        for data_type in self.types.iter().rev() {
            if column.data_type() != &self.output {
                column = cast(&column, data_type)?;
            }
        }
        Ok(column)
    }
}

// The types of `Aggregate::types`, from that of the column on, and of the result. None: a
// column of the type has no such aggregate.
fn types(kind: Kind, of: &DataType) -> Option<(Vec<DataType>, DataType)> {
    use DataType::*;
    let is_bound = matches!(kind, Kind::Min | Kind::Max);
    let (wider, sum): (&[DataType], _) = match of {
        _ if kind == Kind::Count => return Some((Vec::new(), Int64)),
        Int8 | Int16 | Int32 | Int64 => (&[Int64], Int64),
        UInt8 | UInt16 | UInt32 | UInt64 => (&[UInt64], UInt64),
        Float32 | Float64 => (&[Float64], Float64),
        Decimal128(_, scale) => (&[], Decimal128(38, *scale)),
        Date32 | Time32(_) if is_bound => (&[Int32, Int64], Null),
        Date64 | Time64(_) | Timestamp(..) if is_bound => (&[Int64], Null),
        Utf8 | LargeUtf8 | Utf8View if is_bound => (&[Utf8View], Null),
        _ => return None,
    };
    let output = match kind {
        Kind::Mean => Float64,
        Kind::Sum => sum,
        _ => of.clone(),
    };
    Some((std::iter::once(of).chain(wider).cloned().collect(), output))
}
