// SPDX-License-Identifier: MIT
//! Schemas of batches, made without an Arrow crate, and checks of schemas that come in.

use std::ffi::CStr;

use crate::abi::{ArrowSchema, FLAG_DICTIONARY_ORDERED};
use crate::data_type::{Field, Type};
use crate::error::{Code, Error};
use crate::own::OwnedSchema;

/// A column of an output batch. Its type is given by the format string of the C data
/// interface, and has no children.
#[derive(Clone, Copy, Debug)]
pub struct ColumnSchema<'a> {
    /// Its name.
    pub name: &'a str,
    /// The C format of its type, such as `g` for float64.
    pub format: &'static CStr,
    /// Whether it may hold nulls.
    pub nullable: bool,
}

impl OwnedSchema {
    /// The schema of a batch with these columns. [`OwnedSchema::of`] also makes types with
    /// children.
    ///
    /// # Errors
    ///
    /// A name contains a NUL, or a format is not UTF-8.
    pub fn batch(columns: &[ColumnSchema<'_>]) -> Result<Self, Error> {
        let fields = columns.iter().map(|column| {
            let field = Field::new(column.name, Type::new(column.format.to_str()?));
            Ok(if column.nullable { field } else { field.not_null() })
        });
        Self::of(&fields.collect::<Result<Vec<_>, Error>>()?)
    }
}

/// Refuse names and formats that are not UTF-8: Rust's Arrow crates panic on them.
///
/// # Errors
///
/// A name or a format is not UTF-8.
///
/// # Safety
///
/// The schema is valid.
pub unsafe fn check_texts(schema: &ArrowSchema) -> Result<(), Error> {
    // SAFETY: a valid schema has valid pointers, and its texts end with a NUL.
    unsafe {
        if !schema.name.is_null() && CStr::from_ptr(schema.name).to_str().is_err() {
            return Err(not_held(schema, "a name that is not UTF-8"));
        }
        if CStr::from_ptr(schema.format).to_str().is_err() {
            return Err(not_held(schema, "a format that is not UTF-8"));
        }
        for index in 0..schema.n_children as usize {
            check_texts(&**schema.children.add(index))?;
        }
        schema.dictionary.as_ref().map_or(Ok(()), |values| check_texts(values))
    }
}

/// Refuse what arrow-rs would silently lose. It has no field for the values of a dictionary,
/// so it loses their metadata (and with it an extension type) and their own order.
///
/// # Errors
///
/// The values of a dictionary have metadata or an order.
///
/// # Safety
///
/// The schema is valid.
pub unsafe fn check_dictionaries(schema: &ArrowSchema) -> Result<(), Error> {
    // SAFETY: a valid schema has valid pointers.
    unsafe {
        for index in 0..schema.n_children as usize {
            check_dictionaries(&**schema.children.add(index))?;
        }
        let Some(values) = schema.dictionary.as_ref() else { return Ok(()) };
        let metadata = values.metadata.cast::<i32>();
        if !metadata.is_null() && metadata.read_unaligned() > 0 {
            return Err(not_held(schema, "metadata of the values of a dictionary"));
        }
        if !values.dictionary.is_null() && values.flags & FLAG_DICTIONARY_ORDERED != 0 {
            return Err(not_held(
                schema,
                "an ordered dictionary as the values of another",
            ));
        }
        check_dictionaries(values)
    }
}

/// Refuse a schema that an Arrow crate reads as another one. `held` is what the crate
/// exports for it.
///
/// # Errors
///
/// A type has changed.
///
/// # Safety
///
/// Both schemas are valid.
pub unsafe fn check_same_types(
    schema: &ArrowSchema,
    held: &ArrowSchema,
) -> Result<(), Error> {
    // The suffix for decimals of 128 bits is optional.
    let plain = |format: &CStr| {
        let text = format.to_string_lossy().into_owned();
        if !text.starts_with("d:") {
            return text;
        }
        text.strip_suffix(",128").map_or(text.clone(), str::to_owned)
    };
    // SAFETY: valid schemas have valid pointers, and their texts end with a NUL.
    unsafe {
        let format = plain(CStr::from_ptr(schema.format));
        if format != plain(CStr::from_ptr(held.format))
            || schema.n_children != held.n_children
            || schema.dictionary.is_null() != held.dictionary.is_null()
        {
            return Err(not_held(schema, &format!("the type {format:?}")));
        }
        for index in 0..schema.n_children as usize {
            check_same_types(&**schema.children.add(index), &**held.children.add(index))?;
        }
        match (schema.dictionary.as_ref(), held.dictionary.as_ref()) {
            (Some(schema), Some(held)) => check_same_types(schema, held),
            _ => Ok(()),
        }
    }
}

// SAFETY (of the call): the schema is valid.
unsafe fn not_held(schema: &ArrowSchema, what: &str) -> Error {
    // SAFETY: the name ends with a NUL.
    let name =
        unsafe { if schema.name.is_null() { c"" } else { CStr::from_ptr(schema.name) } };
    let column = name.to_string_lossy();
    let text = format!("column {column:?}: {what}, which Rust's Arrow cannot hold");
    Error::new(Code::Unsupported, text)
}
