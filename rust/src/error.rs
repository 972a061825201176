// SPDX-License-Identifier: MIT
//! The error of a function.

use std::fmt;

/// What the caller can do next: the codes of `alloy/backend.h` that a backend may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    /// Correct the arguments or options of this call.
    Invalid = 1,
    /// Correct the Arrow data.
    BadData = 2,
    /// Choose another function: this one does not accept these schemas.
    NoMatch = 3,
    /// Correct the name.
    NotFound = 4,
    /// Report it to the author of the backend.
    Failed = 6,
    /// Try the call again.
    Retry = 7,
    /// Nothing: the caller cancelled the call, or its deadline passed.
    Cancelled = 8,
    /// Release results, or raise a limit.
    Exhausted = 11,
    /// Use another mode, machine or version.
    Unsupported = 14,
}

/// The error of a function: a code and a text for the caller.
///
/// `?` converts any [`std::error::Error`] to it, with the code [`Code::Failed`]. For that
/// reason it does not implement that trait itself.
#[derive(Clone)]
pub struct Error {
    code: Code,
    text: String,
    // The errno of an input stream that failed, which the host gets unchanged; else 0.
    errno: i32,
}

impl Error {
    /// An error with a code and a text.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), errno: 0 }
    }

    /// An error of the backend itself ([`Code::Failed`]).
    pub fn failed(text: impl Into<String>) -> Self {
        Self::new(Code::Failed, text)
    }

    /// An error that may not occur again: the caller can repeat the call.
    pub fn retry(text: impl Into<String>) -> Self {
        Self::new(Code::Retry, text)
    }

    /// The arguments or the options of this call are wrong.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self::new(Code::Invalid, text)
    }

    /// The function does not accept these schemas. For bind: the engine tries the next
    /// function of the same name.
    pub fn no_match(text: impl Into<String>) -> Self {
        Self::new(Code::NoMatch, text)
    }

    /// The Arrow data is wrong.
    pub fn bad_data(text: impl Into<String>) -> Self {
        Self::new(Code::BadData, text)
    }

    /// The caller cancelled the call, or its deadline passed.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(Code::Cancelled, "cancelled")
    }

    // The error of an input, with its own text.
    pub(crate) fn of_input(errno: i32, text: Option<String>) -> Self {
        let text = text.unwrap_or_else(|| {
            format!("an input failed: {}", std::io::Error::from_raw_os_error(errno))
        });
        Self { errno, ..Self::failed(text) }
    }

    /// Whether it is the error of an input, which reaches the host unchanged.
    #[must_use]
    pub fn is_of_input(&self) -> bool {
        self.errno != 0
    }

    // The errno that a stream returns for it. Alloy runs only on Linux for x86-64 and
    // arm64, which have the same numbers.
    pub(crate) fn errno(&self) -> i32 {
        const ENOENT: i32 = 2;
        const EIO: i32 = 5;
        const EAGAIN: i32 = 11;
        const ENOMEM: i32 = 12;
        const EINVAL: i32 = 22;
        const ENOTSUP: i32 = 95;
        const ECANCELED: i32 = 125;
        match self.code {
            _ if self.errno != 0 => self.errno,
            Code::Invalid | Code::BadData | Code::NoMatch => EINVAL,
            Code::NotFound => ENOENT,
            Code::Failed => EIO,
            Code::Retry => EAGAIN,
            Code::Cancelled => ECANCELED,
            Code::Exhausted => ENOMEM,
            Code::Unsupported => ENOTSUP,
        }
    }

    /// What the caller can do next.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The text for the caller.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.code, self.text)
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        Self::failed(error.to_string())
    }
}
