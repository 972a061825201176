// SPDX-License-Identifier: MIT
//! `join`: reads the second stream whole into a table, and looks up the rows of the first
//! stream batch by batch. As in SQL, null is not equal to null.

use std::iter;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch, UInt32Array};
use arrow_row::Rows;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::take::{take, take_arrays};
use arrowalloy::{Code, Error, Scope};

use crate::alloy_arrow::{Bind, BoundStream, Stream};
use crate::keys::{Groups, Keys, check_apart, items, value_type, wrong};
use crate::{BATCH_ROWS, collect, lazily};

struct Plan {
    left: Keys,
    right: Keys,
    // The columns of the second input that are part of the result.
    kept: Vec<usize>,
    is_left: bool,
    right_schema: SchemaRef,
    schema: SchemaRef,
}

pub fn bind_join(bind: &Bind<'_>) -> Result<BoundStream, Error> {
    let [left, right] = bind.schemas() else {
        return Err(Error::invalid("join needs two inputs"));
    };
    let on = items("on", bind.options().get("on")?)?;
    if on.is_empty() {
        return Err(wrong("on", "give at least one column"));
    }
    let keys = |schema: &Schema, name: for<'a> fn((&'a str, &'a str)) -> &'a str| {
        let pairs = on.iter().map(|on| on.split_once('=').unwrap_or((on, on)));
        let names = pairs.map(|pair| (name(pair).trim(), Default::default()));
        Keys::new("on", schema, names)
    };
    let (left_keys, right_keys) = (keys(left, |on| on.0)?, keys(right, |on| on.1)?);
    for (one, other) in left_keys.indices.iter().zip(&right_keys.indices) {
        let (one, other) = (left.field(*one), right.field(*other));
        if class(one) != class(other) {
            let is =
                |f: &Field| format!("column {} is {} in the", f.name(), f.data_type());
            let what = format!("{} first input, but {} second", is(one), is(other));
            return Err(wrong("on", what + "; cast one"));
        }
    }
    let how = bind.options().get("how")?;
    if !["inner", "left"].contains(&how) {
        return Err(wrong("how", format!("expected inner or left, found {how:?}")));
    }
    let is_left = how == "left";
    let suffix = bind.options().get("suffix")?;
    let kept: Vec<usize> =
        (0..right.fields().len()).filter(|i| !right_keys.indices.contains(i)).collect();
    let mut fields: Vec<Field> =
        left.fields().iter().map(|field| field.as_ref().clone()).collect();
    for index in &kept {
        let field = right.field(*index).clone();
        let is_taken = left.fields().iter().any(|other| other.name() == field.name());
        let name = format!("{}{}", field.name(), if is_taken { suffix } else { "" });
        let nullable = field.is_nullable() || is_left;
        fields.push(field.with_name(name).with_nullable(nullable));
    }
    // The first input may have several columns of one name, and keeps them.
    check_apart("suffix", &fields, left.fields().len())?;
    let schema = Arc::new(Schema::new(fields));
    let plan = Arc::new(Plan {
        left: left_keys,
        right: right_keys,
        kept,
        is_left,
        right_schema: right.clone(),
        schema: schema.clone(),
    });
    Ok(BoundStream::new(schema, move |scope, inputs| {
        let (plan, left, right) = (plan.clone(), inputs.take()?, inputs.take()?);
        lazily(move || {
            let table = Table::read(&plan, scope, right)?;
            let (mut left, mut current) = (left, None::<Current>);
            let mut next = move || {
                loop {
                    scope.check()?;
                    let joined = current.as_mut().map(|c| c.join(&plan, &table));
                    let joined = joined.transpose()?.filter(|rows| rows.num_rows() > 0);
                    if joined.is_some() {
                        return Ok(joined);
                    }
                    let Some(batch) = left.next().transpose()? else { return Ok(None) };
                    let keys = plan.left.rows(&batch)?;
                    current = Some(Current { batch, keys, row: 0, partner: None });
                }
            };
            Ok(iter::from_fn(move || next().transpose()))
        })
    }))
}

// Keys compare strings alike in every layout, and decimals of one scale.
fn class(field: &Field) -> DataType {
    match value_type(field.data_type()) {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Decimal128(_, scale) => DataType::Decimal128(38, *scale),
        other => other.clone(),
    }
}

const NONE: u32 = u32::MAX;

// The rows of the second input by their keys: the first row of each key, and for each row
// the next one with the same key.
struct Table {
    rows: RecordBatch,
    groups: Groups,
    firsts: Vec<u32>,
    next: Vec<u32>,
}

impl Table {
    fn read(plan: &Plan, scope: Scope<'_>, input: Stream<'_>) -> Result<Self, Error> {
        let rows = concat_batches(&plan.right_schema, &collect(scope, input)?)?;
        let count = rows.num_rows();
        if count >= NONE as usize {
            let limit = format!("join takes fewer than {NONE} there");
            let text = format!("the second input has {count} rows; {limit}");
            return Err(Error::new(Code::Exhausted, text));
        }
        let mut groups = Groups::new(&plan.right);
        let numbers = groups.add(&plan.right.rows(&rows)?)?;
        let nulls = plan.right.indices.iter().map(|i| rows.column(*i).logical_nulls());
        let nulls: Vec<_> = nulls.flatten().collect();
        let (mut firsts, mut next) = (vec![NONE; groups.len()], vec![NONE; count]);
        // Backwards, so that the rows of a key follow each other in their order.
        for (row, number) in numbers.into_iter().enumerate().rev() {
            if nulls.iter().all(|nulls| nulls.is_valid(row)) {
                next[row] = std::mem::replace(&mut firsts[number as usize], row as u32);
            }
        }
        Ok(Self { rows, groups, firsts, next })
    }
}

// A batch of the first input, and how far it was joined.
struct Current {
    batch: RecordBatch,
    keys: Rows,
    row: usize,
    // The next partner of `row`; None: it was not looked up yet.
    partner: Option<u32>,
}

impl Current {
    // The next rows of the result, at most as many as a batch has.
    fn join(&mut self, plan: &Plan, table: &Table) -> Result<RecordBatch, Error> {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        while self.row < self.batch.num_rows() && left.len() < BATCH_ROWS {
            let partner = self.partner.take().unwrap_or_else(|| {
                let number = table.groups.find(self.keys.row(self.row));
                number.map_or(NONE, |number| table.firsts[number as usize])
            });
            if partner != NONE || plan.is_left {
                left.push(self.row as u32);
                right.push((partner != NONE).then_some(partner));
            }
            let next = table.next.get(partner as usize).filter(|next| **next != NONE);
            self.partner = next.copied();
            self.row += usize::from(next.is_none());
        }
        let (left, right) = (UInt32Array::from(left), UInt32Array::from(right));
        let mut columns = take_arrays(self.batch.columns(), &left, None)?;
        for index in &plan.kept {
            columns.push(take(table.rows.column(*index), &right, None)?);
        }
        Ok(RecordBatch::try_new(plan.schema.clone(), columns)?)
    }
}
