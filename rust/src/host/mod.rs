// SPDX-License-Identifier: MIT
//! Call functions of a backend from Rust: the API for hosts, of the feature `host`.
//!
//! With arrow-rs or arrow2, let [`arrow_glue!`](crate::arrow_glue) or
//! [`arrow2_glue!`](crate::arrow2_glue) make a module for your version of it. Its module `host`
//! has the safe calls on your batches:
//!
//! - `host::call` binds a function and runs it once;
//! - `host::Call` is a bound function: run it as often as you like, or on streams;
//! - `host::Input` is an input of a stream, and `host::Stream` its result.
//!
//! The types of this module are those below: [`Call`] and [`Stream`] pass C structs.
//!
//! - Ownership: an input is taken, also after a failure. A result is the program's own; it
//!   outlives the call, the bridge and the host.
//! - Threads: [`Host`], [`Bridge`], [`Error`] and [`Canceller`] are `Send` and `Sync`. A
//!   [`Call`] runs by `&mut`, on any thread. A [`Stream`] is `Send`.
//! - Errors: [`Error`] has the code, the reason, the side, the input and the column. A panic in
//!   a callback becomes an error; none crosses into C.
//! - Checks: the engine checks results in full, because Arrow crates trust their values.
//!
//! How the program gets the engine is in `docs/rust.md`.

mod bridge;
mod call;
mod error;
mod stream;
pub(crate) mod sys;

/// The reasons of an [`Error`] with [`Code::Lost`]: how the worker has ended. The numbers are
/// those of `alloy/reason.h`, and frozen.
///
/// An error with [`Code::Timeout`] or [`Code::Cancelled`] has one as well if the worker was
/// lost with the call.
pub mod reason {
    /// The worker died by a signal.
    pub const WORKER_SIGNAL: i32 = 5001;
    /// The worker ended itself.
    pub const WORKER_EXIT: i32 = 5002;
    /// The worker was killed: it did not stop or answer in time.
    pub const WORKER_HANG: i32 = 5003;
    /// The worker ran out of memory.
    pub const WORKER_MEMORY: i32 = 5004;
    /// The worker was killed: it sent what no honest worker sends.
    pub const WORKER_VIOLATION: i32 = 5005;
}

pub use bridge::{
    Bridge, BridgeOptions, CheckInputs, FunctionInfo, Host, HostOptions, Isolated, Line,
    Log, version,
};
pub use call::{Call, Canceller};
pub use error::{Code, Error, Result, Side, Source as Cause};
pub use stream::{Batches, Source, Stream};
