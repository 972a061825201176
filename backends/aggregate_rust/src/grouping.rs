// SPDX-License-Identifier: MIT
//! `group_by`: the keys of each row become a number, and each aggregate keeps its state by
//! that number, column by column.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema, SchemaRef};
use arrowalloy::{Error, Scope};

use crate::aggregates::Aggregate;
use crate::alloy_arrow::{Bind, BoundStream, Stream};
use crate::keys::{Groups, Keys, value_type};
use crate::names::{check_apart, items};
use crate::{BATCH_ROWS, lazily};

struct Plan {
    keys: Keys,
    aggregates: Vec<Aggregate>,
    schema: SchemaRef,
}

pub fn bind_group_by(bind: &Bind<'_>) -> Result<BoundStream, Error> {
    let input = bind.schema();
    let keys = items("keys", bind.options().get("keys")?)?;
    let keys = keys.into_iter().map(|name| (name, Default::default()));
    let keys = Keys::new("keys", &input, keys)?;
    let aggregates = items("aggregates", bind.options().get("aggregates")?)?;
    let aggregates = aggregates.into_iter().map(|text| Aggregate::parse(text, &input));
    let aggregates: Vec<_> = aggregates.collect::<Result<_, _>>()?;

    let mut fields: Vec<Field> = keys
        .indices()
        .iter()
        .map(|index| {
            let field = input.field(*index);
            let data_type = value_type(field.data_type()).clone();
            Field::new(field.name(), data_type, field.is_nullable())
        })
        .collect();
    fields.extend(aggregates.iter().map(Aggregate::field));
    if fields.is_empty() {
        return Err(Error::invalid("group_by needs keys, aggregates or both"));
    }
    check_apart("aggregates", &fields, 0)?;
    let schema = Arc::new(Schema::new(fields));
    let plan = Arc::new(Plan { keys, aggregates, schema: schema.clone() });
    Ok(BoundStream::new(schema, move |scope, inputs| {
        let (plan, input) = (plan.clone(), inputs.take()?);
        Ok(Box::new(lazily(move || {
            let groups = group(&plan, scope, input)?;
            let firsts = (0..groups.num_rows()).step_by(BATCH_ROWS);
            Ok(firsts.map(move |first| {
                Ok(groups.slice(first, BATCH_ROWS.min(groups.num_rows() - first)))
            }))
        })))
    }))
}

fn group(plan: &Plan, scope: Scope<'_>, input: Stream<'_>) -> Result<RecordBatch, Error> {
    let mut states: Vec<_> = plan.aggregates.iter().map(Aggregate::state).collect();
    let mut groups = Groups::new(&plan.keys);
    let mut numbers = Vec::new();
    let is_one = plan.keys.indices().is_empty();
    for batch in input {
        scope.check()?;
        let batch = batch?;
        if is_one {
            numbers.clear();
            numbers.resize(batch.num_rows(), 0);
        } else {
            groups.number(&plan.keys, &batch, &mut numbers)?;
        }
        let count = if is_one { 1 } else { groups.len() };
        for (aggregate, state) in plan.aggregates.iter().zip(&mut states) {
            aggregate.update(state.as_mut(), &batch, &numbers, count)?;
        }
    }
    // Without keys there is one group, also of no rows.
    let count = if is_one { 1 } else { groups.len() };
    let mut columns = if is_one { Vec::new() } else { groups.columns(&plan.keys)? };
    for (aggregate, state) in plan.aggregates.iter().zip(states) {
        columns.push(aggregate.finish(state, count)?);
    }
    Ok(RecordBatch::try_new(plan.schema.clone(), columns)?)
}
