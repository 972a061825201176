// SPDX-License-Identifier: MIT
//! What [`function!`](crate::function) needs of a function on typed views.

use crate::abi::{ArrowArray, ArrowSchema};
use crate::block::Exporter;
use crate::error::Error;
use crate::function::Options;
use crate::own::{Input, OwnedArray, OwnedSchema};
use crate::schema::ColumnSchema;
use crate::view::{Kind, Param, Source};

/// What bind leaves for the runs.
#[derive(Debug)]
pub struct TypedState {
    kinds: Vec<Kind>,
    options: Options,
    exporter: Exporter,
}

/// Bind a function whose columns the engine has found.
///
/// # Errors
///
/// The name of a column is none.
///
/// # Safety
///
/// The schema must be that of a batch, and valid.
pub unsafe fn bind(
    input: &ArrowSchema,
    options: Options,
    outputs: &[ColumnSchema<'_>],
) -> Result<(OwnedSchema, TypedState), Error> {
    let count = usize::try_from(input.n_children).unwrap_or(0);
    // SAFETY: the children of a valid schema are valid.
    let kinds = (0..count).map(|index| unsafe { Kind::of(&**input.children.add(index)) });
    let state =
        TypedState { kinds: kinds.collect(), options, exporter: Exporter::default() };
    Ok((OwnedSchema::batch(outputs)?, state))
}

impl TypedState {
    /// The options of the call.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The columns of a batch, in the order in which they were declared.
    #[must_use]
    pub fn columns<'a>(&'a self, batch: &'a Input) -> Columns<'a> {
        Columns { batch: batch.raw(), kinds: self.kinds.iter().enumerate() }
    }

    /// Start the export of a batch.
    ///
    /// # Errors
    ///
    /// The columns differ in length.
    pub fn start(&mut self, columns: &[(&str, usize)]) -> Result<&mut Exporter, Error> {
        let (first, rows) = columns.first().copied().unwrap_or_default();
        for (name, len) in columns {
            if *len != rows {
                return Err(Error::failed(format!(
                    "the columns differ in length: {first} has {rows} rows, {name} {len}"
                )));
            }
        }
        self.exporter.start();
        self.exporter.node(rows, 0, 0, columns.len(), false);
        self.exporter.buffer(std::ptr::null::<u8>());
        Ok(&mut self.exporter)
    }

    /// Finish it, with the columns that were exported as the owner.
    ///
    /// # Safety
    ///
    /// Those of [`Exporter::finish`].
    pub unsafe fn finish<T: Send + 'static>(&mut self, columns: T) -> OwnedArray {
        // SAFETY: the caller's promise.
        unsafe { self.exporter.finish(columns) }
    }
}

/// The columns of a batch, each to be viewed as its parameter says.
#[derive(Debug)]
pub struct Columns<'a> {
    batch: &'a ArrowArray,
    kinds: std::iter::Enumerate<std::slice::Iter<'a, Kind>>,
}

impl<'a> Columns<'a> {
    /// The next one.
    ///
    /// # Errors
    ///
    /// Those of [`Param::view`].
    pub fn view<P: Param<'a>>(&mut self, name: &'static str) -> Result<P, Error> {
        let rows = self.batch.length as usize;
        let next = self.kinds.next().and_then(|(index, kind)| {
            // SAFETY: the engine passed the batch.
            let array = unsafe { self.batch.child(index) }?;
            (array.length as usize >= rows).then_some(Source { array, kind, name, rows })
        });
        match next {
            Some(source) => P::view(source),
            None => Err(Error::bad_data(format!("column {name} is missing or short"))),
        }
    }
}
