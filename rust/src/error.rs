// SPDX-License-Identifier: MIT
//! What a function says when it fails.

use std::fmt;

/// What the caller can do next; the codes of `alloy/backend.h` that are a backend's to
/// use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    /// Correct the arguments or options of this call.
    Invalid = 1,
    /// Correct the Arrow data.
    BadData = 2,
    /// Choose another function: this one does not apply to these schemas.
    NoMatch = 3,
    /// Correct the name.
    NotFound = 4,
    /// The backend's own error.
    Failed = 6,
    /// The backend's own error, worth repeating.
    Retry = 7,
    /// The caller asked for it.
    Cancelled = 8,
    /// Release results, or raise a limit.
    Exhausted = 11,
    /// Not in this mode, on this machine, by this version.
    Unsupported = 14,
}

/// The failure of a function: a code and a text for the caller.
///
/// It comes from any error by `?`, with the code [`Code::Failed`]. It is no
/// `std::error::Error` itself, since that would forbid this conversion.
#[derive(Clone)]
pub struct Error {
    code: Code,
    text: String,
    // Of an input stream that failed, which the host is told as it was; else 0.
    errno: i32,
}

impl Error {
    /// An error with a code of its own.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), errno: 0 }
    }

    /// The backend's own error.
    pub fn failed(text: impl Into<String>) -> Self {
        Self::new(Code::Failed, text)
    }

    /// The backend's own error, worth repeating.
    pub fn retry(text: impl Into<String>) -> Self {
        Self::new(Code::Retry, text)
    }

    /// The arguments or the options of this call are wrong.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self::new(Code::Invalid, text)
    }

    /// The function does not apply to these schemas; bind goes on to the next of the
    /// name.
    pub fn no_match(text: impl Into<String>) -> Self {
        Self::new(Code::NoMatch, text)
    }

    /// The Arrow data is wrong.
    pub fn bad_data(text: impl Into<String>) -> Self {
        Self::new(Code::BadData, text)
    }

    /// The caller asked for it, or its deadline passed.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(Code::Cancelled, "cancelled")
    }

    // What an input said, in its own words.
    pub(crate) fn of_input(errno: i32, text: Option<String>) -> Self {
        let text = text.unwrap_or_else(|| {
            format!("an input: {}", std::io::Error::from_raw_os_error(errno))
        });
        Self { errno, ..Self::failed(text) }
    }

    /// Whether it is an input's own, which reaches the host as it was.
    #[must_use]
    pub fn is_of_input(&self) -> bool {
        self.errno != 0
    }

    // What a stream answers for it. The numbers are those of Linux on every machine that
    // Alloy runs on.
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

    /// What went wrong.
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
