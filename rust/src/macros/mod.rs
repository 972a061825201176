// SPDX-License-Identifier: MIT
//! What expands in the author's crate.

mod arrow2_glue;
mod arrow2_settle;
mod arrow2_stream;
mod arrow_export;
mod arrow_glue;
mod arrow_import;
mod arrow_import_nested;
mod arrow_schema;
mod arrow_stream;
mod backend;
mod columns;
mod function;
mod typed;
mod typed_stream;
