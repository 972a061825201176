// SPDX-License-Identifier: MIT
//! One entry into the backend, and what the engine offers during it.

use std::ffi::c_char;
use std::marker::PhantomData;

use crate::abi::{ArrowArray, ArrowSchema, RawScope, Services};
use crate::error::Error;

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Level {
    /// For the author.
    Debug = 0,
    /// For the user.
    Info = 1,
    /// Something the user may want to change.
    Warn = 2,
    /// Something went wrong.
    Error = 3,
}

/// One entry into the backend. Any thread may use it until the entry returns.
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
    /// The scope that an entry point was given.
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

    /// Whether the caller has cancelled or its deadline has passed. Cheap: poll it
    /// freely.
    #[must_use]
    pub fn cancelled(self) -> bool {
        // SAFETY: the scope is valid for 'a.
        unsafe { (self.services().cancelled)(self.raw) != 0 }
    }

    /// An error once the caller has cancelled, so that a loop says `scope.check()?`.
    ///
    /// # Errors
    ///
    /// [`Error::cancelled`].
    pub fn check(self) -> Result<(), Error> {
        if self.cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// Say how far this call is, in units of the backend's choice. `total` 0: unknown.
    pub fn progress(self, done: i64, total: i64) {
        // SAFETY: the scope is valid for 'a.
        unsafe { (self.services().progress)(self.raw, done, total) }
    }

    /// A line for the host's log, at [`Level::Info`].
    pub fn log(self, text: &str) {
        self.log_at(Level::Info, text);
    }

    /// A line for the host's log.
    pub fn log_at(self, level: Level, text: &str) {
        let (start, length) = (text.as_ptr().cast::<c_char>(), text.len() as i64);
        // SAFETY: the text is borrowed for the call.
        unsafe { (self.services().log)(self.raw, level as i32, start, length) }
    }

    /// Whether a line of this level would go anywhere: ask before formatting a costly
    /// one.
    #[must_use]
    pub fn logging(self, level: Level) -> bool {
        // SAFETY: the scope is valid for 'a.
        unsafe { (self.services().logging)(self.raw, level as i32) != 0 }
    }

    /// The text of an array as every Alloy program prints it, such as `Int32[1, 2,
    /// null]`.
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
            // SAFETY: the buffer has the capacity that is named.
            let length = unsafe {
                (self.services().describe)(schema, array, start, text.len() as i64)
            };
            let length = usize::try_from(length)
                .map_err(|_| Error::bad_data("the array to describe is malformed"))?;
            if length < text.len() {
                text.truncate(length);
                return Ok(String::from_utf8_lossy(&text).into_owned());
            }
            text.resize(length + 1, 0);
        }
    }

    /// Leave the text of an error for the caller; the code to return.
    pub(crate) fn fail(self, error: &Error) -> i32 {
        let text = error.text();
        let (start, length) = (text.as_ptr().cast::<c_char>(), text.len() as i64);
        // SAFETY: the text is borrowed for the call.
        unsafe { (self.services().fail)(self.raw, error.code() as i32, start, length) }
    }
}
