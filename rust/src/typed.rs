// SPDX-License-Identifier: MIT
//! What [`function!`](crate::function) expands to calls of: functions on typed views, and
//! texts that every glue shares.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::abi::{ArrowArray, ArrowSchema};
use crate::block::Exporter;
use crate::data_type::Field;
use crate::error::Error;
use crate::function::Options;
use crate::own::{Input, OwnedArray, OwnedSchema};
use crate::stream::{InputStream, OutputStream};
use crate::view::{Kind, Param, Source};

/// The name that an identifier stands for: without the `r#` of a raw one.
#[must_use]
pub const fn name(identifier: &'static str) -> &'static str {
    match identifier.as_bytes() {
        [b'r', b'#', ..] => identifier.split_at(2).1,
        _ => identifier,
    }
}

/// What bind keeps for the runs.
#[derive(Debug)]
pub struct TypedState {
    kinds: Vec<Kind>,
    options: Options,
    exporter: Exporter,
}

/// A parameter, for bind.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    name: &'static str,
    fits: fn(&Kind) -> bool,
    wanted: fn() -> String,
}

impl Read {
    /// Of a parameter of type `P`.
    #[must_use]
    pub fn of<'a, P: Param<'a>>(name: &'static str) -> Self {
        Self { name, fits: P::fits, wanted: P::wanted }
    }
}

/// Bind a function. The engine has already found its columns.
///
/// # Errors
///
/// A column has a type that its view cannot read, or an output has a type that depends on
/// inputs that are not there.
///
/// # Safety
///
/// The schema must be that of a batch, and valid.
pub unsafe fn bind(
    input: &ArrowSchema,
    options: Options,
    reads: &[Read],
    mut outputs: Vec<Field>,
) -> Result<(OwnedSchema, TypedState), Error> {
    // SAFETY: the caller's promise.
    let kinds = unsafe { kinds_of(input, reads)? };
    resolve(&mut outputs, kinds.iter())?;
    let state = TypedState { kinds, options, exporter: Exporter::default() };
    Ok((OwnedSchema::of(&outputs)?, state))
}

// SAFETY (of the call): the schema is that of a batch, and valid.
unsafe fn kinds_of(input: &ArrowSchema, reads: &[Read]) -> Result<Vec<Kind>, Error> {
    let count = usize::try_from(input.n_children).unwrap_or(0);
    // SAFETY: the children of a valid schema are valid.
    let kinds = (0..count).map(|index| unsafe { Kind::of(&**input.children.add(index)) });
    let kinds: Vec<Kind> = kinds.collect();
    for (read, kind) in reads.iter().zip(&kinds) {
        if !(read.fits)(kind) {
            return Err(Error::no_match(format!(
                "column {} has the type {}, but the function reads {}",
                read.name,
                kind.text(),
                (read.wanted)()
            )));
        }
    }
    Ok(kinds)
}

fn resolve<'a>(
    outputs: &mut [Field],
    inputs: impl Iterator<Item = &'a Kind>,
) -> Result<(), Error> {
    let inputs: Vec<&Kind> = inputs.collect();
    outputs.iter_mut().try_for_each(|output| output.resolve(&inputs))
}

impl TypedState {
    /// The options of the call.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The columns of a batch, in the order of the declaration.
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
        start(&mut self.exporter, columns)?;
        Ok(&mut self.exporter)
    }

    /// Finish it. The exported columns become the owner.
    ///
    /// # Safety
    ///
    /// See [`Exporter::finish`].
    pub unsafe fn finish<T: Send + 'static>(&mut self, columns: T) -> OwnedArray {
        // SAFETY: the caller's promise.
        unsafe { self.exporter.finish(columns) }
    }
}

/// Start the export of a batch.
///
/// # Errors
///
/// The columns differ in length.
pub fn start(exporter: &mut Exporter, columns: &[(&str, usize)]) -> Result<(), Error> {
    let (first, rows) = columns.first().copied().unwrap_or_default();
    for (name, len) in columns {
        if *len != rows {
            return Err(Error::failed(format!(
                "the output columns differ in length: {first} has {rows} rows, {name} has {len}"
            )));
        }
    }
    exporter.start();
    exporter.node(rows, 0, 0, columns.len(), false);
    exporter.buffer(std::ptr::null::<u8>());
    Ok(())
}

/// The columns of a batch, to be viewed one after another.
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
    /// See [`Param::view`].
    pub fn view<P: Param<'a>>(&mut self, name: &'static str) -> Result<P, Error> {
        let rows = self.batch.length as usize;
        let next = self.kinds.next().and_then(|(index, kind)| {
            // SAFETY: the engine passed the batch.
            let array = unsafe { self.batch.child(index) }?;
            let source = Source { array, kind, name, first: 0, rows, row: "row" };
            (array.length as usize >= rows).then_some(source)
        });
        match next {
            Some(source) => P::view(source),
            None => Err(Error::bad_data(format!(
                "column {name}: the batch does not hold it in full"
            ))),
        }
    }
}

/// A batch of an input stream, with the layouts of its columns.
#[derive(Debug)]
pub struct Batch {
    array: OwnedArray,
    kinds: Arc<[Kind]>,
}

impl Batch {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.array.raw().length as usize
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its columns, in the order of the declaration.
    #[must_use]
    pub fn columns(&self) -> Columns<'_> {
        Columns { batch: self.array.raw(), kinds: self.kinds.iter().enumerate() }
    }
}

/// An input of a stream function: an iterator over its batches. It reads a batch only when
/// the function asks for one.
///
/// If the input fails, pass its error on with `?`: it reaches the host unchanged.
#[derive(Debug)]
pub struct Rows<'s, R> {
    batches: InputStream<'s>,
    kinds: Arc<[Kind]>,
    rows: PhantomData<fn() -> R>,
}

impl<R: From<Batch>> Iterator for Rows<'_, R> {
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        Some(batch.map(|array| R::from(Batch { array, kinds: self.kinds.clone() })))
    }
}

/// What bind keeps for the calls of a stream function.
#[derive(Debug)]
pub struct StreamState {
    kinds: Vec<Arc<[Kind]>>,
    options: Options,
    outputs: Vec<Field>,
}

impl StreamState {
    /// Bind a function. The engine has already found its columns.
    ///
    /// # Errors
    ///
    /// As the other `bind`.
    ///
    /// # Safety
    ///
    /// The schemas must be those of batches, and valid.
    pub unsafe fn bind(
        inputs: &[ArrowSchema],
        options: Options,
        reads: &[&[Read]],
        mut outputs: Vec<Field>,
    ) -> Result<(OwnedSchema, Self), Error> {
        let mut kinds: Vec<Arc<[Kind]>> = Vec::with_capacity(inputs.len());
        for (input, reads) in inputs.iter().zip(reads) {
            // SAFETY: the caller's promise.
            kinds.push(unsafe { kinds_of(input, reads)? }.into());
        }
        resolve(&mut outputs, kinds.iter().flat_map(|kinds| kinds.iter()))?;
        let schema = OwnedSchema::of(&outputs)?;
        Ok((schema, Self { kinds, options, outputs }))
    }

    /// The options of the call.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The inputs of a call, in the order of the declaration.
    pub fn inputs<'a, 's>(
        &'a self,
        streams: &'a mut (dyn Iterator<Item = InputStream<'s>> + 'a),
    ) -> Inputs<'a, 's> {
        Inputs { streams, kinds: self.kinds.iter() }
    }

    /// The output of a call.
    pub fn output<'s>(
        &'s self,
        batches: impl Iterator<Item = Result<OwnedArray, Error>> + Send + 's,
    ) -> OutputStream<'s> {
        OutputStream::new(batches, || OwnedSchema::of(&self.outputs))
    }
}

/// The inputs of a call, to be read one after another.
pub struct Inputs<'a, 's> {
    streams: &'a mut (dyn Iterator<Item = InputStream<'s>> + 'a),
    kinds: std::slice::Iter<'a, Arc<[Kind]>>,
}

impl std::fmt::Debug for Inputs<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inputs").field("kinds", &self.kinds).finish_non_exhaustive()
    }
}

impl<'s> Inputs<'_, 's> {
    /// The next one.
    ///
    /// # Errors
    ///
    /// All inputs were taken before.
    pub fn rows<R>(&mut self) -> Result<Rows<'s, R>, Error> {
        let batches = self.streams.next().ok_or_else(no_more_inputs)?;
        let kinds = self.kinds.next().ok_or_else(no_more_inputs)?.clone();
        Ok(Rows { batches, kinds, rows: PhantomData })
    }
}

/// The error of a function that takes more inputs than its call has.
#[cold]
#[must_use]
pub fn no_more_inputs() -> Error {
    Error::failed(
        "the function took more inputs than the call has; declare their number in function!",
    )
}

/// No type implements it. It carries the error for an arrow-rs that is too old.
#[diagnostic::on_unimplemented(
    message = "this version of arrow is too old for Alloy: use arrow 55.1 or newer",
    label = "needs arrow 55.1 or newer",
    note = "raise the version of arrow, or of arrow-array, arrow-buffer, arrow-data and \
            arrow-schema, in Cargo.toml"
)]
pub trait ArrowIsRecent {}

/// Methods that the types of every recent arrow-rs have themselves. An older one finds these
/// here, so that the version is the only error.
pub trait Unchecked: Sized {
    /// A batch of columns that are known to fit the schema.
    ///
    /// # Safety
    ///
    /// It is never called.
    #[must_use]
    unsafe fn new_unchecked<S, C>(_: S, _: Vec<C>, _: usize) -> Self
    where
        Self: ArrowIsRecent,
    {
        unreachable!("no type is ArrowIsRecent")
    }

    /// Of a buffer; never called.
    #[must_use]
    fn ptr_offset(&self) -> usize {
        0
    }
}

impl<T> Unchecked for T {}

/// Check that a batch on its way out has the columns that the function declared.
///
/// # Errors
///
/// It has another number of columns, or a column has another type.
pub fn check_columns<'a, T: PartialEq + 'a>(
    declared: impl ExactSizeIterator<Item = (&'a String, &'a T)>,
    given: impl ExactSizeIterator<Item = &'a T>,
    text: impl Fn(&T) -> String,
) -> Result<(), Error> {
    if declared.len() != given.len() {
        let (declared, given) = (declared.len(), given.len());
        return Err(Error::failed(format!(
            "the function declared {declared} output columns but returned {given}"
        )));
    }
    for ((name, declared), given) in declared.zip(given) {
        if declared != given {
            return Err(Error::failed(format!(
                "column {name}: the function declared {} but returned {}",
                text(declared),
                text(given)
            )));
        }
    }
    Ok(())
}
