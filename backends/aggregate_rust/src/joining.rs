// SPDX-License-Identifier: MIT
//! `join`: the second stream is read whole into a table, the first passes by it batch by
//! batch. Null is equal to nothing, as in SQL.

use std::sync::Arc;

use ahash::RandomState;
use arrow_array::{RecordBatch, UInt32Array};
use arrow_buffer::NullBuffer;
use arrow_row::Rows;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::take::take;
use arrowalloy::{Code, Error, Scope};
use hashbrown::HashTable;

use crate::alloy_arrow::{Bind, BoundStream, Stream};
use crate::keys::{Keys, value_type};
use crate::names::{check_apart, items};
use crate::{BATCH_ROWS, lazily};

struct Plan {
    left: Keys,
    right: Keys,
    // The columns of the right that come out.
    kept: Vec<usize>,
    is_left: bool,
    schema: SchemaRef,
}

pub fn bind_join(bind: &Bind<'_>) -> Result<BoundStream, Error> {
    let [left, right] = bind.schemas() else {
        return Err(Error::invalid("a join has two inputs"));
    };
    let on = items("on", bind.options().get("on")?)?;
    if on.is_empty() {
        return Err(Error::invalid("option on: which columns?"));
    }
    let pairs: Vec<(&str, &str)> =
        on.into_iter().map(|on| on.split_once('=').unwrap_or((on, on))).collect();
    let keys = |schema: &Schema, name: fn(&(&str, &str)) -> String| {
        let names: Vec<String> = pairs.iter().map(name).collect();
        let names = names.iter().map(|name| (name.as_str(), Default::default()));
        Keys::new("on", schema, names)
    };
    let left_keys = keys(left, |(name, _)| name.trim().to_owned())?;
    let right_keys = keys(right, |(_, name)| name.trim().to_owned())?;
    for (one, other) in left_keys.indices().iter().zip(right_keys.indices()) {
        check_same(left.field(*one), right.field(*other))?;
    }
    let is_left = match bind.options().get("how")? {
        "inner" => false,
        "left" => true,
        other => {
            let text = format!("option how: {other:?} is none; there are inner and left");
            return Err(Error::invalid(text));
        }
    };
    let suffix = bind.options().get("suffix")?;
    let kept: Vec<usize> =
        (0..right.fields().len()).filter(|i| !right_keys.indices().contains(i)).collect();
    let mut fields: Vec<Field> =
        left.fields().iter().map(|field| field.as_ref().clone()).collect();
    for index in &kept {
        let field = right.field(*index).clone();
        let is_taken = left.fields().iter().any(|other| other.name() == field.name());
        let name = format!("{}{}", field.name(), if is_taken { suffix } else { "" });
        let nullable = field.is_nullable() || is_left;
        fields.push(field.with_name(name).with_nullable(nullable));
    }
    // Columns of one name within the left came so, and go so.
    check_apart("suffix", &fields, left.fields().len())?;
    let schema = Arc::new(Schema::new(fields));
    let right_schema = right.clone();
    let plan = Plan {
        left: left_keys,
        right: right_keys,
        kept,
        is_left,
        schema: schema.clone(),
    };
    let plan = Arc::new(plan);
    Ok(BoundStream::new(schema, move |scope, inputs| {
        let (plan, left, right) = (plan.clone(), inputs.take()?, inputs.take()?);
        let right_schema = right_schema.clone();
        Ok(Box::new(lazily(move || {
            let table = Table::read(&plan, scope, right, &right_schema)?;
            Ok(Probe { plan, scope, table, left, current: None })
        })))
    }))
}

// As keys strings compare alike in every layout; other types are what they are.
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
        "option on: {} is {} in the first input, {} is {} in the second; cast one",
        left.name(),
        left.data_type(),
        right.name(),
        right.data_type()
    )))
}

const NONE: u32 = u32::MAX;

// The rows of the right by their keys: the table has the first row of each key, and each
// row knows the next one that has the same.
struct Table {
    rows: RecordBatch,
    keys: Rows,
    firsts: HashTable<(u64, u32)>,
    next: Vec<u32>,
    hasher: RandomState,
}

impl Table {
    fn read(
        plan: &Plan,
        scope: Scope<'_>,
        input: Stream<'_>,
        schema: &SchemaRef,
    ) -> Result<Self, Error> {
        let mut batches = Vec::new();
        for batch in input {
            scope.check()?;
            batches.push(batch?);
        }
        let count: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if count >= NONE as usize {
            let text =
                format!("{count} rows in the second input; a join takes under 2^32");
            return Err(Error::new(Code::Exhausted, text));
        }
        let rows = concat_batches(schema, &batches)?;
        drop(batches);
        let keys = plan.right.rows(&rows)?;
        let complete = plan.right.complete(&rows);
        let mut table = Self {
            rows,
            keys,
            firsts: HashTable::with_capacity(count),
            next: vec![NONE; count],
            hasher: RandomState::new(),
        };
        // From behind, so that the rows of a key follow each other as they came.
        for row in (0..count).rev() {
            if complete.as_ref().is_none_or(|complete| complete.is_valid(row)) {
                table.add(row as u32);
            }
        }
        Ok(table)
    }

    fn add(&mut self, row: u32) {
        let key = self.keys.row(row as usize);
        let hash = self.hasher.hash_one(key.data());
        let keys = &self.keys;
        let is_same = |&(other, first): &(u64, u32)| {
            other == hash && keys.row(first as usize).data() == key.data()
        };
        match self.firsts.find_mut(hash, is_same) {
            Some((_, first)) => self.next[row as usize] = std::mem::replace(first, row),
            None => {
                self.firsts.insert_unique(hash, (hash, row), |&(hash, _)| hash);
            }
        }
    }

    fn first(&self, key: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(key);
        let found = self.firsts.find(hash, |&(other, first)| {
            other == hash && self.keys.row(first as usize).data() == key
        });
        found.map_or(NONE, |&(_, first)| first)
    }
}

// Where the walk through a batch of the left is.
struct Current {
    batch: RecordBatch,
    keys: Rows,
    complete: Option<NullBuffer>,
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
                let complete = self.plan.left.complete(&batch);
                self.current =
                    Some(Current { batch, keys, complete, row: 0, partner: None });
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

    // The next pairs of rows, as many as a batch has; None: nobody.
    fn pairs(&self, current: &mut Current) -> (Vec<u32>, Vec<Option<u32>>) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        while current.row < current.batch.num_rows() && left.len() < BATCH_ROWS {
            let row = current.row;
            let is_complete =
                || current.complete.as_ref().is_none_or(|c| c.is_valid(row));
            let partner = match current.partner {
                Some(partner) => partner,
                None if is_complete() => self.table.first(current.keys.row(row).data()),
                None => NONE,
            };
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
            current.partner = None;
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
