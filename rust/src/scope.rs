// SPDX-License-Identifier: MIT
//! The services of the engine during one call into the backend.

use std::ffi::c_char;
use std::marker::PhantomData;

use crate::abi::{ArrowArray, ArrowSchema, RawScope, Services};
use crate::error::Error;

/// The level of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Level {
    /// For the author of the backend.
    Debug = 0,
    /// For the user.
    Info = 1,
    /// Something the user may want to change.
    Warn = 2,
    /// Something failed.
    Error = 3,
}

/// The services of the engine during one call: cancellation, progress, the log.
///
/// Any thread may use it until the call returns; in a stream function, until the host
/// releases the output.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    raw: *mut RawScope,
    life: PhantomData<&'a RawScope>,
}

// SAFETY: backend.h lets any thread use a scope until the entry point returns.
unsafe impl Send for Scope<'_> {}
// SAFETY: as above.
unsafe impl Sync for Scope<'_> {}

impl<'a> Scope<'a> {
    /// Wrap the scope that an entry point received.
    ///
    /// # Safety
    ///
    /// `raw` and its services must be valid for `'a`.
    #[must_use]
    pub unsafe fn from_raw(raw: *mut RawScope) -> Self {
        Self { raw, life: PhantomData }
    }

    fn services(self) -> &'a Services {
        // SAFETY: from_raw was promised a valid scope; the services outlive it.
        unsafe { &*(*self.raw).services }
    }

    /// Whether the caller has cancelled the call or its deadline has passed. It is cheap, so
    /// call it often.
    #[must_use]
    pub fn cancelled(self) -> bool {
        // SAFETY: the scope is valid for 'a.
        unsafe { (self.services().cancelled)(self.raw) != 0 }
    }

    /// The same as an error, for loops: `scope.check()?`.
    ///
    /// # Errors
    ///
    /// [`Error::cancelled`], after a cancel or the deadline.
    pub fn check(self) -> Result<(), Error> {
        if self.cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// Report the progress of the call, in any unit. A `total` of 0 means unknown.
    pub fn progress(self, done: i64, total: i64) {
        // SAFETY: the scope is valid for 'a.
        unsafe { (self.services().progress)(self.raw, done, total) }
    }

    /// Write a line to the host's log, at [`Level::Info`].
    pub fn log(self, text: &str) {
        self.log_at(Level::Info, text);
    }

    /// Write a line to the host's log.
    pub fn log_at(self, level: Level, text: &str) {
        let (start, length) = (text.as_ptr().cast::<c_char>(), text.len() as i64);
        // SAFETY: the text is borrowed for the call.
        unsafe { (self.services().log)(self.raw, level as i32, start, length) }
    }

    /// Whether the host takes lines of this level. Ask before you format an expensive line.
    #[must_use]
    pub fn logging(self, level: Level) -> bool {
        // SAFETY: the scope is valid for 'a.
        unsafe { (self.services().logging)(self.raw, level as i32) != 0 }
    }

    /// The text of an array, as every Alloy program prints it: `Int32[1, 2, null]`.
    ///
    /// # Errors
    ///
    /// The schema or the array is malformed.
    ///
    /// # Safety
    ///
    /// Both must be valid structs of the C data interface that belong together.
    pub unsafe fn describe_raw(
        self,
        schema: *const ArrowSchema,
        array: *const ArrowArray,
    ) -> Result<String, Error> {
        let mut text = vec![0u8; 256];
        loop {
            let start = text.as_mut_ptr().cast::<c_char>();
            // SAFETY: the buffer has the stated capacity.
            let length = unsafe {
                (self.services().describe)(schema, array, start, text.len() as i64)
            };
            let length = usize::try_from(length).map_err(|_| {
                Error::bad_data(
                    "cannot describe the array: the array or its schema is malformed",
                )
            })?;
            if length < text.len() {
                text.truncate(length);
                return Ok(String::from_utf8_lossy(&text).into_owned());
            }
            text.resize(length + 1, 0);
        }
    }

    /// Report an error to the engine. Returns the code for the entry to return.
    pub(crate) fn fail(self, error: &Error) -> i32 {
        let text = error.text();
        let (start, length) = (text.as_ptr().cast::<c_char>(), text.len() as i64);
        // SAFETY: the text is borrowed for the call.
        unsafe { (self.services().fail)(self.raw, error.code() as i32, start, length) }
    }
}
