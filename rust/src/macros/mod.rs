// SPDX-License-Identifier: MIT
//! The macros that authors call, and what expands from them in the author's crate.
//!
//! ```text
//! backend         backend!: the export and the table of a library
//! function        function!: parses a declaration
//!   columns         the columns that a function declares
//!   record          record!: a struct for columns of results
//!   typed           a map function on typed views
//!   typed_stream    a stream function on typed views
//!   calls           a map function on whole batches of arrow-rs or arrow2
//!   streams         a stream function on them
//!   host            the calls of a host on them
//! arrow_glue      the module alloy_arrow
//!   arrow_schema    schemas in and out
//!   arrow_flat      the numbers and strings, which import and export handle directly
//!   arrow_import    batches in; arrow_import_nested: the other types
//!   arrow_export    batches out
//! arrow2_glue     the module alloy_arrow2: schemas and batches in and out
//!   arrow2_fits     what arrow2 cannot take
//!   arrow2_repair   what its import misreads
//! ```

mod arrow2_fits;
mod arrow2_glue;
mod arrow2_repair;
mod arrow_export;
mod arrow_flat;
mod arrow_glue;
mod arrow_import;
mod arrow_import_nested;
mod arrow_schema;
mod backend;
mod calls;
mod columns;
mod function;
mod host;
mod record;
mod streams;
mod typed;
mod typed_stream;
