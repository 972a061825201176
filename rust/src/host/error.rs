// SPDX-License-Identifier: MIT
//! The error of the engine, as a Rust error.

use std::ffi::{CStr, CString};
use std::fmt;
use std::sync::Arc;

use super::sys::{self, RawError};

/// What the caller can do next: the codes of `alloy/backend.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum Code {
    /// Correct the arguments or options of this call.
    Invalid = 1,
    /// Correct the Arrow data: see the reason, the input and the column.
    BadData = 2,
    /// Choose another function: this one does not accept these schemas.
    NoMatch = 3,
    /// Correct the name.
    NotFound = 4,
    /// Correct the installation: the reason is why the library was refused.
    Refused = 5,
    /// The backend failed; its text says why.
    Failed = 6,
    /// The backend failed; the same call may succeed later.
    Retry = 7,
    /// The caller cancelled it.
    Cancelled = 8,
    /// The caller's deadline passed.
    Timeout = 9,
    /// The worker died, and this call with it; the next call starts a worker.
    Lost = 10,
    /// Release results, or raise a limit.
    Exhausted = 11,
    /// Wait: an open stream uses the call, or no worker is free.
    Busy = 12,
    /// Open it again.
    Closed = 13,
    /// It does not work in this mode, on this machine or in this version.
    Unsupported = 14,
    /// Report it: a fault of Alloy, or a code of a newer version.
    Internal = 15,
}

impl Code {
    fn of(number: i32) -> Self {
        use Code::{
            BadData, Busy, Cancelled, Closed, Exhausted, Failed, Internal, Invalid, Lost,
            NoMatch, NotFound, Refused, Retry, Timeout, Unsupported,
        };
        const KNOWN: [Code; 15] = [
            Invalid,
            BadData,
            NoMatch,
            NotFound,
            Refused,
            Failed,
            Retry,
            Cancelled,
            Timeout,
            Lost,
            Exhausted,
            Busy,
            Closed,
            Unsupported,
            Internal,
        ];
        let index = usize::try_from(i64::from(number) - 1).ok();
        index.and_then(|index| KNOWN.get(index)).copied().unwrap_or(Internal)
    }

    /// The name, such as `BAD_DATA`.
    #[must_use]
    pub fn name(self) -> &'static str {
        // SAFETY: the engine returns a constant text.
        unsafe { constant(sys::alloy_code_name(self as i32)) }
    }
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Side {
    /// The program that called.
    Caller,
    /// Alloy.
    Engine,
    /// The backend.
    Backend,
    /// The worker process of the isolated mode.
    Worker,
}

/// The error of an input stream of the program.
pub type Source = Arc<dyn std::error::Error + Send + Sync>;

struct Inner {
    code: Code,
    reason: i32,
    input: i32,
    column: i32,
    side: Side,
    text: String,
    source: Option<Source>,
}

/// An error: what happened, where, and what to do next.
///
/// It owns all it has. Clones share it, and any thread may use it.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

/// A value, or an [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What the caller can do next.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The exact cause: a number of `alloy/reason.h`; 0: none.
    #[must_use]
    pub fn reason(&self) -> i32 {
        self.0.reason
    }

    /// The name of the reason, such as `OFFSETS`.
    #[must_use]
    pub fn reason_name(&self) -> &'static str {
        // SAFETY: the engine returns a constant text.
        unsafe { constant(sys::alloy_reason_name(self.0.reason)) }
    }

    /// Whose fault it is.
    #[must_use]
    pub fn side(&self) -> Side {
        self.0.side
    }

    /// Which input, from 0. None: no input, or the output.
    #[must_use]
    pub fn input(&self) -> Option<usize> {
        usize::try_from(self.0.input).ok()
    }

    /// Which column, in preorder through the schema. None: the batch itself, or no column.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        usize::try_from(self.0.column).ok()
    }

    /// What happened, and what to do next. It is safe to print.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    pub(crate) fn caller(code: Code, text: impl Into<String>) -> Self {
        Self::made(code, Side::Caller, text.into())
    }

    fn made(code: Code, side: Side, text: String) -> Self {
        let (reason, input, column, source) = (0, -1, -1, None);
        Self(Arc::new(Inner { code, reason, input, column, side, text, source }))
    }

    /// The error of a conversion of the program's own data.
    #[doc(hidden)]
    #[must_use]
    pub fn of_input(index: usize, error: &crate::Error) -> Self {
        let made = Self::caller(Code::of(error.code() as i32), error.text());
        let mut inner = Arc::into_inner(made.0).expect("nobody else has it yet");
        inner.input = i32::try_from(index).unwrap_or(i32::MAX);
        Self(Arc::new(inner))
    }

    /// The error of a conversion of a result.
    #[doc(hidden)]
    #[must_use]
    pub fn of_output(error: &crate::Error) -> Self {
        let text = error.text().to_owned();
        Self::made(Code::of(error.code() as i32), Side::Engine, text)
    }

    // The object of an input stream that failed comes back to its program.
    pub(super) fn with_source(self, source: Option<Source>) -> Self {
        let Some(source) = source.filter(|_| self.side() == Side::Caller) else {
            return self;
        };
        let Inner { code, reason, input, column, side, ref text, .. } = *self.0;
        let (text, source) = (text.clone(), Some(source));
        Self(Arc::new(Inner { code, reason, input, column, side, text, source }))
    }
}

// SAFETY (of the calls): the engine made the text, and never frees it.
unsafe fn constant(text: *const std::ffi::c_char) -> &'static str {
    // SAFETY: see above.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or("UNKNOWN")
}

/// The room for the error of one call.
pub(super) fn room() -> RawError {
    RawError {
        code: 0,
        reason: 0,
        input: -1,
        column: -1,
        side: 0,
        length: 0,
        text: [0; 1004],
    }
}

/// The outcome of one call of the engine.
pub(super) fn outcome(code: i32, raw: &RawError) -> Result<()> {
    if code == 0 { Ok(()) } else { Err(failed(code, raw)) }
}

#[cold]
fn failed(code: i32, raw: &RawError) -> Error {
    let length = usize::from(raw.length).min(raw.text.len());
    let side = match raw.side {
        0 => Side::Caller,
        2 => Side::Backend,
        3 => Side::Worker,
        _ => Side::Engine,
    };
    Error(Arc::new(Inner {
        code: Code::of(code),
        reason: raw.reason,
        input: raw.input,
        column: raw.column,
        side,
        text: String::from_utf8_lossy(&raw.text[..length]).into_owned(),
        source: None,
    }))
}

/// `text` for C, which has no place for a NUL inside.
pub(super) fn c_text(what: &str, text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| {
        Error::caller(
            Code::Invalid,
            format!("{what} contains a NUL character; remove it"),
        )
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.code())
            .field("reason", &self.reason_name())
            .field("side", &self.side())
            .field("input", &self.input())
            .field("column", &self.column())
            .field("text", &self.text())
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
