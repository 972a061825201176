// SPDX-License-Identifier: MIT
//! `join`: reads the second stream whole into a table, and looks up the rows of the first
//! stream batch by batch. As in SQL, null is not equal to null.

use std::iter;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch, UInt32Array};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::take::{take, take_arrays, take_record_batch};
use arrowalloy::{Code, Error, Scope};

use crate::alloy_arrow::{Bind, BoundStream, Stream};
use crate::keys::{Groups, Keys, check_apart, items, value_type};
use crate::{BATCH_ROWS, Made, collect, flatten, lazily};

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
        return Err(wrong!("on", "give at least one column"));
    }
    let pairs = on.iter().map(|on| on.split_once('=').unwrap_or((on, on)));
    let (left_names, right_names): (Vec<_>, Vec<_>) = pairs.unzip();
    let left_keys = Keys::any("on", left, &left_names)?;
    let right_keys = Keys::any("on", right, &right_names)?;
    for (one, other) in left_keys.indices.iter().zip(&right_keys.indices) {
        let (one, other) = (left.field(*one), right.field(*other));
        if class(one) != class(other) {
            let is =
                |f: &Field| format!("column {} is {} in the", f.name(), f.data_type());
            let (one, other) = (is(one), is(other));
            return Err(wrong!("on", "{one} first input, but {other} second; cast one"));
        }
    }
    let how = bind.options().get("how")?;
    if !["inner", "left"].contains(&how) {
        return Err(wrong!("how", "expected inner or left, found {how:?}"));
    }
    let (is_left, suffix) = (how == "left", bind.options().get("suffix")?);
    let is_kept = |index: &usize| !right_keys.indices.contains(index);
    let kept: Vec<usize> = (0..right.fields().len()).filter(is_kept).collect();
    let mut fields: Vec<Field> =
        left.fields().iter().map(|f| f.as_ref().clone()).collect();
    for index in &kept {
        let field = right.field(*index).clone();
        let is_taken = left.fields().iter().any(|other| other.name() == field.name());
        let name = format!("{}{}", field.name(), if is_taken { suffix } else { "" });
        let nullable = field.is_nullable() || is_left;
        fields.push(field.with_name(name).with_nullable(nullable));
    }
    // The first input may have several columns of one name, and keeps them.
    check_apart("suffix", &fields, left.fields().len())?;
    let (schema, right_schema) = (Arc::new(Schema::new(fields)), right.clone());
    let (left, right) = (left_keys, right_keys);
    let plan = Arc::new(Plan {
        left,
        right,
        kept,
        is_left,
        right_schema,
        schema: schema.clone(),
    });
    Ok(BoundStream::new(schema, move |scope, inputs| {
        let (plan, left, right) = (plan.clone(), inputs.take()?, inputs.take()?);
        lazily(move || {
            let table = Arc::new(Table::read(plan, scope, right)?);
            Ok(Box::new(left.flat_map(move |batch| {
                flatten(batch.and_then(|batch| table.clone().join(scope, batch)))
            })))
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

// The rows of the second input. Rows with the same key follow each other.
struct Table {
    plan: Arc<Plan>,
    rows: RecordBatch,
    groups: Groups,
    // The rows of each key by its number.
    ranges: Vec<Range<u32>>,
}

impl Table {
    fn read(plan: Arc<Plan>, scope: Scope<'_>, input: Stream<'_>) -> Result<Self, Error> {
        let rows = concat_batches(&plan.right_schema, &collect(scope, input)?)?;
        let (count, limit) = (rows.num_rows(), u32::MAX);
        if count >= limit as usize {
            let text = format!("the second input has {count} rows");
            let text = format!("{text}; join takes fewer than {limit} there");
            return Err(Error::new(Code::Exhausted, text));
        }
        let mut groups = Groups::new(&plan.right);
        let numbers = groups.add(&plan.right.rows(&rows)?)?;
        let columns = plan.right.indices.iter().map(|index| rows.column(*index));
        let nulls: Vec<_> = columns.map(|column| column.logical_nulls()).collect();
        let nulls = NullBuffer::union_many(nulls.iter().map(Option::as_ref));
        let is_valid =
            |row: &u32| nulls.as_ref().is_none_or(|n| n.is_valid(*row as usize));
        let none = count as u32;
        let mut order: Vec<u32> = (0..none).filter(is_valid).collect();
        order.sort_by_key(|row| numbers[*row as usize]);
        let mut ranges = vec![none..none; groups.len()];
        for (place, row) in (0..).zip(&order) {
            let range = &mut ranges[numbers[*row as usize] as usize];
            *range = range.start.min(place)..place + 1;
        }
        let rows = take_record_batch(&rows, &UInt32Array::from(order))?;
        Ok(Self { plan, rows, groups, ranges })
    }

    fn join(self: Arc<Self>, scope: Scope<'_>, batch: RecordBatch) -> Made<'_> {
        let (keys, table) = (self.plan.left.rows(&batch)?, self.clone());
        // A row without a partner is next to a row after the last one, which is null.
        let none = self.rows.num_rows() as u32;
        let lone = none..none + u32::from(self.plan.is_left);
        let mut pairs = (0..batch.num_rows()).flat_map(move |row| {
            let number = table.groups.find(keys.row(row)).ok();
            let range = number.map(|number| table.ranges[number as usize].clone());
            let partners =
                range.filter(|range| !range.is_empty()).unwrap_or(lone.clone());
            partners
                .map(move |partner| (row as u32, (partner != none).then_some(partner)))
        });
        let mut next = move || {
            scope.check()?;
            let (left, right): (Vec<_>, Vec<_>) = pairs.by_ref().take(BATCH_ROWS).unzip();
            if left.is_empty() {
                return Ok(None);
            }
            let (left, right) = (UInt32Array::from(left), UInt32Array::from(right));
            let mut columns = take_arrays(batch.columns(), &left, None)?;
            for index in &self.plan.kept {
                columns.push(take(self.rows.column(*index), &right, None)?);
            }
            Ok(Some(RecordBatch::try_new(self.plan.schema.clone(), columns)?))
        };
        Ok(Box::new(iter::from_fn(move || next().transpose())))
    }
}
