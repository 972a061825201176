// SPDX-License-Identifier: MIT
//! Write a backend of Alloy: functions on Arrow batches that any host calls.
//!
//! A backend is a `cdylib` with one [`backend!`] and a [`function!`] for each function. A
//! function takes typed views of the columns it reads, and then needs no Arrow crate at
//! all; or it takes and gives whole batches of the author's own `arrow` or `arrow2`, of
//! any recent version: the conversion expands in the author's crate, against the author's
//! crates.
//!
//! Only pointers cross. A batch that comes in is owned by one shared owner, however many
//! columns are kept of it; a batch that goes out is one block of memory. Panics become
//! errors with text, file and line.

pub mod abi;
mod block;
mod column;
mod edge;
mod error;
mod function;
mod macros;
mod own;
mod parts;
mod schema;
mod scope;
mod stream;
mod strings;
#[doc(hidden)]
pub mod typed;
mod view;

pub use block::Exporter;
pub use column::{Column, Value};
pub use error::{Code, Error};
pub use function::{Function, Options, Spec, Table, init};
pub use own::{Input, OwnedArray, OwnedSchema};
pub use schema::ColumnSchema;
#[doc(hidden)]
pub use schema::{check_dictionaries, check_same_types, check_texts};
pub use scope::{Level, Scope};
pub use stream::{InputStream, InputStreams, OutputStream};
pub use strings::{Bytes, Strings};
pub use typed::Rows;
pub use view::{Bools, Number, Param, Source, View};
