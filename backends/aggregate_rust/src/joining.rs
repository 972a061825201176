// SPDX-License-Identifier: MIT
//! `join`: reads the second stream whole into a table, and looks up the rows of the first
//! stream batch by batch. As in SQL, null is not equal to null.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch, UInt32Array};
use arrow_row::Rows;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::take::take;
use arrowalloy::{Code, Error, Scope};

use crate::alloy_arrow::{Bind, BoundStream, Stream};
use crate::keys::{Groups, Keys, value_type};
use crate::names::{check_apart, items};
use crate::{BATCH_ROWS, lazily};

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
        return Err(Error::invalid("option on: give at least one column"));
    }
    let pairs: Vec<(&str, &str)> =
        on.into_iter().map(|on| on.split_once('=').unwrap_or((on, on))).collect();
    let keys = |schema: &Schema, names: Vec<&str>| {
        let names = names.into_iter().map(|name| (name.trim(), Default::default()));
        Keys::new("on", schema, names)
    };
    let left_keys = keys(left, pairs.iter().map(|(name, _)| *name).collect())?;
    let right_keys = keys(right, pairs.iter().map(|(_, name)| *name).collect())?;
    for (one, other) in left_keys.indices.iter().zip(&right_keys.indices) {
        check_same(left.field(*one), right.field(*other))?;
    }
    let is_left = match bind.options().get("how")? {
        "inner" => false,
        "left" => true,
        other => {
            let text = format!("option how: expected inner or left, found {other:?}");
            return Err(Error::invalid(text));
        }
    };
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
        Ok(Box::new(lazily(move || {
            let table = Table::read(&plan, scope, right)?;
            Ok(Probe { plan, scope, table, left, current: None })
        })))
    }))
}

// Keys compare strings alike in every layout, and decimals of one scale.
fn check_same(left: &Field, right: &Field) -> Result<(), Error> {
    let class = |field: &Field| match value_type(field.data_type()) {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Decimal128(_, scale) => DataType::Decimal128(38, *scale),
        other => other.clone(),
    };
    if class(left) == class(right) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "option on: column {} is {} in the first input, but column {} is {} in the second; \
         cast one",
        left.name(),
        left.data_type(),
        right.name(),
        right.data_type()
    )))
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
        let mut batches = Vec::new();
        for batch in input {
            scope.check()?;
            batches.push(batch?);
        }
        let rows = concat_batches(&plan.right_schema, &batches)?;
        drop(batches);
        let count = rows.num_rows();
        if count >= NONE as usize {
            let text = format!(
                "the second input has {count} rows; join takes fewer than {NONE} there"
            );
            return Err(Error::new(Code::Exhausted, text));
        }
        let mut groups = Groups::new(&plan.right);
        let keys = plan.right.rows(&rows)?;
        let numbers: Vec<u32> =
            keys.iter().map(|key| groups.add(key)).collect::<Result<_, _>>()?;
        let nulls = plan.right.indices.iter().map(|i| rows.column(*i).logical_nulls());
        let nulls: Vec<_> = nulls.flatten().collect();
        let mut table = Self {
            rows,
            firsts: vec![NONE; groups.len()],
            next: vec![NONE; count],
            groups,
        };
        // Backwards, so that the rows of a key follow each other in their order.
        for (row, number) in numbers.into_iter().enumerate().rev() {
            if nulls.iter().all(|nulls| nulls.is_valid(row)) {
                let first = &mut table.firsts[number as usize];
                table.next[row] = std::mem::replace(first, row as u32);
            }
        }
        Ok(table)
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

struct Probe<'s> {
    plan: Arc<Plan>,
    scope: Scope<'s>,
    table: Table,
    left: Stream<'s>,
    current: Option<Current>,
}

impl Iterator for Probe<'_> {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pull().transpose()
    }
}

impl Probe<'_> {
    fn pull(&mut self) -> Result<Option<RecordBatch>, Error> {
        loop {
            self.scope.check()?;
            let Some(mut current) = self.current.take() else {
                let Some(batch) = self.left.next().transpose()? else { return Ok(None) };
                let keys = self.plan.left.rows(&batch)?;
                self.current = Some(Current { batch, keys, row: 0, partner: None });
                continue;
            };
            let (left, right) = self.pairs(&mut current);
            let batch =
                (!left.is_empty()).then(|| self.gather(&current.batch, left, right));
            if current.row < current.batch.num_rows() {
                self.current = Some(current);
            }
            if let Some(batch) = batch {
                return batch.map(Some);
            }
        }
    }

    // The next pairs of rows, at most as many as a batch has; None: no partner.
    fn pairs(&self, current: &mut Current) -> (Vec<u32>, Vec<Option<u32>>) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        while current.row < current.batch.num_rows() && left.len() < BATCH_ROWS {
            let row = current.row;
            let partner = current.partner.take().unwrap_or_else(|| {
                let found = self.table.groups.find(current.keys.row(row));
                found.map_or(NONE, |number| self.table.firsts[number as usize])
            });
            if partner != NONE {
                left.push(row as u32);
                right.push(Some(partner));
                let next = self.table.next[partner as usize];
                if next != NONE {
                    current.partner = Some(next);
                    continue;
                }
            } else if self.plan.is_left {
                left.push(row as u32);
                right.push(None);
            }
            current.row += 1;
        }
        (left, right)
    }

    fn gather(
        &self,
        batch: &RecordBatch,
        left: Vec<u32>,
        right: Vec<Option<u32>>,
    ) -> Result<RecordBatch, Error> {
        let (left, right) = (UInt32Array::from(left), UInt32Array::from(right));
        let of_left = batch.columns().iter().map(|column| take(column, &left, None));
        let kept = self.plan.kept.iter().map(|index| self.table.rows.column(*index));
        let of_right = kept.map(|column| take(column, &right, None));
        let columns = of_left.chain(of_right).collect::<Result<_, _>>()?;
        Ok(RecordBatch::try_new(self.plan.schema.clone(), columns)?)
    }
}
