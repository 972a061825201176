// SPDX-License-Identifier: MIT
//! Write a backend of Alloy: a library of functions on Apache Arrow data.
//!
//! Hosts in Go, C++, C and other languages open the library and call its functions. Only
//! pointers cross between them: the data is not copied.
//!
//! # A first backend
//!
//! This is a whole backend, with one function. It reads two columns of a batch in place, and
//! returns a column:
//!
//! ```
//! use arrowalloy::View;
//!
//! arrowalloy::function! {
//!     /// The distance of each point from the origin; null if a coordinate is null.
//!     fn distance(x: View<f64>, y: View<f64>) -> distance: f64 {
//!         x.iter().zip(y.iter()).map(|(x, y)| Some(x?.hypot(y?))).collect()
//!     }
//! }
//!
//! arrowalloy::backend! { name: "example.distance", functions: [distance] }
//!
//! // The function stays a plain Rust function, and can be tested as one.
//! # fn main() {
//! let x = [Some(3.0), None].into_iter().collect();
//! let y = [Some(4.0), Some(1.0)].into_iter().collect();
//! assert_eq!(distance(x, y).to_vec(), [Some(5.0), None]);
//! # }
//! ```
//!
//! The engine loads a shared library, so `Cargo.toml` asks for one; the `rlib` is for tests:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib", "rlib"]
//!
//! [dependencies]
//! arrowalloy = { path = "<where Alloy is>/rust" }
//! ```
//!
//! `cargo build --release` makes `lib<name>.so`, `arrowalloy sign` signs it, and
//! `arrowalloy run` calls it. `arrowalloy new --lang rust` makes a folder with all of this.
//!
//! # Where to continue
//!
//! - [`function!`] declares a function: on typed views of columns, as above, or on whole
//!   batches of your own `arrow` or `arrow2`; on one batch, or on streams of batches.
//! - [`backend!`] lists the functions of the library.
//! - [`View`], [`Bools`], [`Strings`], [`Bytes`] and [`List`] are the views. [`Fixed`] has
//!   the types that a [`View`] reads: numbers, dates, times, decimals.
//! - [`Column`] is an output. [`Value`] has the types that it holds; [`record!`] makes one for
//!   structs.
//! - The feature `host` adds the module `host`, for programs that call backends.
//! - [`Error`] is the error of a function. [`Scope`] offers cancellation, progress and a log.
//!
//! # What the crate guarantees
//!
//! - The crate has no dependencies; only the build script of the feature `host` has one. Functions on whole batches expand in your crate and use
//!   your version of arrow-rs (55.1 or newer: the crate `arrow` or its parts) or of `arrow2`
//!   (0.14 or newer).
//! - Memory: a batch that comes in has one owner, which all its buffers share. It is released
//!   after the last buffer is dropped. A batch that goes out is one block of memory. If memory
//!   runs out for a column of results, the call fails with [`Code::Exhausted`]. Everything
//!   else that a function allocates aborts the process then, as everywhere in Rust.
//! - Panics: a panic in a function becomes an error with its text, file and line.
//! - Threads: the engine runs one call at a time on the state of a bound function, on any
//!   thread.

pub mod abi;
mod block;
mod column;
mod data_type;
mod dictionary;
mod edge;
mod error;
mod function;
#[cfg(feature = "host")]
pub mod host;
mod list;
mod macros;
mod memory;
mod own;
mod parts;
mod schema;
mod scope;
mod stream;
mod strings;
#[doc(hidden)]
pub mod typed;
mod types;
mod view;

pub use block::Exporter;
pub use column::{Column, Item, Value};
pub use data_type::{Field, Type};
pub use dictionary::{Dictionary, Index};
pub use error::{Code, Error};
pub use function::{Function, Options, Spec, Table, init};
pub use list::{List, ListItems};
pub use own::{Input, OwnedArray, OwnedSchema};
pub use schema::ColumnSchema;
#[doc(hidden)]
pub use schema::{check_dictionaries, check_same_types, check_texts};
pub use scope::{Level, Scope};
pub use stream::{InputStream, InputStreams, OutputStream};
pub use strings::{Bytes, Strings};
pub use typed::Rows;
pub use types::{
    AnyZone, Date32, Date64, Decimal, Decimal128, Duration, Fixed, Microsecond,
    Millisecond, Nanosecond, NoZone, Number, Second, Time, Timestamp, Unit, Utc, Zone,
};
pub use view::{Bools, Cells, Param, Source, View};
