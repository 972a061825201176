// SPDX-License-Identifier: MIT
//! The aggregates that `group_by` is asked for, such as `sum(x) as total`.

use std::fmt;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema};
use arrowalloy::Error;

use crate::accumulate::{self, State};
use crate::keys::value_type;
use crate::names::{index_of, unquoted};

/// What is computed of the values of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Count,
    Sum,
    Min,
    Max,
    Mean,
}

const ALL: [(&str, What); 5] = [
    ("count", What::Count),
    ("sum", What::Sum),
    ("min", What::Min),
    ("max", What::Max),
    ("mean", What::Mean),
];

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ALL.iter().find(|(_, what)| what == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

/// One of them, for the schema of an input.
#[derive(Debug)]
pub struct Aggregate {
    name: String,
    what: What,
    // The place and the type of the values; None: the rows are counted.
    of: Option<(usize, DataType)>,
    output: DataType,
}

impl Aggregate {
    /// # Errors
    ///
    /// The text is no aggregate, or not one of such a column.
    pub fn parse(text: &str, schema: &Schema) -> Result<Self, Error> {
        let (call, name) = match text.rsplit_once(" as ") {
            Some((call, name)) => (call.trim(), unquoted(name)),
            None => (text, text),
        };
        let (what, column) = match call.strip_suffix(')').and_then(|c| c.split_once('('))
        {
            Some((what, column)) => (what.trim(), Some(column.trim())),
            None => (call, None),
        };
        let what = ALL.iter().find(|(known, _)| *known == what).map(|(_, what)| *what);
        let Some(what) = what else {
            return Err(Error::invalid(format!(
                "option aggregates: {text:?} is none; there are count, count(x), sum(x), \
                 min(x), max(x), mean(x), each with or without: as name"
            )));
        };
        let of = match (what, column) {
            (What::Count, None | Some("*")) => None,
            (_, None) => {
                let text =
                    format!("option aggregates: {what} of which column? {what}(x)");
                return Err(Error::invalid(text));
            }
            (_, Some(column)) => {
                let index = index_of("aggregates", schema, column)?;
                Some((index, value_type(schema.field(index).data_type()).clone()))
            }
        };
        let output = match &of {
            None => DataType::Int64,
            Some((_, of)) => accumulate::output(what, of).ok_or_else(|| {
                Error::invalid(format!(
                    "option aggregates: {text}: {}",
                    refusal(what, of)
                ))
            })?,
        };
        Ok(Self { name: name.to_owned(), what, of, output })
    }

    /// The column that comes out.
    pub fn field(&self) -> Field {
        Field::new(&self.name, self.output.clone(), self.what != What::Count)
    }

    /// A state of no groups.
    pub fn state(&self) -> Box<dyn State> {
        accumulate::state(self.what, self.of.as_ref().map(|(_, of)| of))
    }

    /// Add the rows of a batch, each to the group of its number, of which there are
    /// `count` by now.
    ///
    /// # Errors
    ///
    /// What was added is too much for the type.
    pub fn update(
        &self,
        state: &mut dyn State,
        batch: &RecordBatch,
        numbers: &[u32],
        count: usize,
    ) -> Result<(), Error> {
        state.grow(count);
        let Some((index, of)) = &self.of else {
            return state.add_rows(numbers);
        };
        let column = batch.column(*index);
        let added = if column.data_type() == of {
            state.add(column.as_ref(), numbers)
        } else {
            // Of a dictionary the values.
            state.add(cast(column, of)?.as_ref(), numbers)
        };
        added.map_err(|error| self.name_in(error))
    }

    /// The column of `count` groups.
    ///
    /// # Errors
    ///
    /// A sum is too much for the type.
    pub fn finish(
        &self,
        mut state: Box<dyn State>,
        count: usize,
    ) -> Result<ArrayRef, Error> {
        state.grow(count);
        state.finish(&self.output).map_err(|error| self.name_in(error))
    }

    fn name_in(&self, error: Error) -> Error {
        Error::new(error.code(), format!("{}: {}", self.name, error.text()))
    }
}

fn refusal(what: What, of: &DataType) -> String {
    let kinds = match what {
        What::Min | What::Max => "numbers, decimal128, dates, times and strings have one",
        _ => "numbers and decimal128 have one",
    };
    format!("{of} has no {what}; {kinds}")
}
